// The page of `profile`: puts a timeline into each place for one, and listens to the keys.
"use strict";

(function (Glass) {
  const timelines = [...document.querySelectorAll("[data-timeline]")].map((place) => {
    const data = JSON.parse(document.getElementById(place.dataset.timeline).textContent);
    return new Glass.Timeline(place, data);
  });
  Glass.redraw = () => timelines.forEach((timeline) => timeline.draw());
  document.documentElement.classList.add("glass");

  // With the timeline there, its table is one click away; on paper it takes the timeline's place.
  const tables = [...document.querySelectorAll("details.step-table")];
  const open = (isOpen) => tables.forEach((table) => (table.open = isOpen));
  open(false);
  addEventListener("beforeprint", () => open(true));
  addEventListener("afterprint", () => open(false));

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", Glass.redraw);
  Glass.addKey([], "← →", "in a timeline: the piece of work before and behind; with Shift, what is beside the picture", null);
  Glass.addKey([], "↑ ↓", "in a timeline: another thread, or the phases", null);
  Glass.addKey([], "+ −", "in a timeline: zoom; 0 shows the whole step", null);
  Glass.addKey([], "Home End", "in a timeline: the first and the last piece of the thread", null);
  Glass.addKey([], "Enter Esc", "in a timeline: pins the piece, and lets it go", null);
  Glass.addKey(["+", "="], "+", "elsewhere: larger, for a projector, and back", Glass.toggleProjector);
  Glass.addKey(["?"], "?", "this help", Glass.toggleHelp);
  Glass.listenToKeys();
})(Glass);
