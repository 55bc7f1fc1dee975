// Keys: each has one action and a line in the help, which `?` opens.
"use strict";

(function (Glass) {
  const known = [];

  // Adds a key; `names` are values of KeyboardEvent.key, `title` is what the help calls them. Whoever has taken a
  // key before keeps it; without names the help alone knows it.
  function addKey(names, title, does, action) {
    if (known.some((key) => key.title.toLowerCase() === title.toLowerCase())) return;
    known.push({ names, title, does, action });
  }

  const isTyping = (target) => target.closest("input, textarea, select, [contenteditable]");

  function listen() {
    document.addEventListener("keydown", (event) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (document.querySelector("dialog[open]") && event.key !== "?") return;
      const key = known.find(({ names }) => names.includes(event.key));
      if (!key) return;
      event.preventDefault();
      key.action(event);
    });
  }

  // The dialog with all keys; those of pictures are the grid's own.
  function toggleHelp() {
    const open = document.querySelector("dialog.help");
    if (open) {
      open.close();
      return;
    }
    const row = (title, does) => [Glass.h("dt", null, Glass.h("kbd", null, title)), Glass.h("dd", null, does)];
    const dialog = Glass.h(
      "dialog",
      { class: "help", "aria-labelledby": "glass-help", on: { close: () => dialog.remove() } },
      Glass.h("h2", { id: "glass-help" }, "Keys"),
      Glass.h(
        "dl",
        { class: "keys" },
        known.map(({ title, does }) => row(title, does)),
        row("Tab", "to the next picture or button; a picture is one stop"),
        row("← ↑ ↓ →", "within a picture: to the next cell, whose value is read out"),
        row("Enter", "within a picture: chooses the cell"),
      ),
      Glass.h("form", { method: "dialog" }, Glass.h("button", null, "Close")),
    );
    document.body.append(dialog);
    dialog.showModal();
  }

  // Larger letters and pictures, for the last row of a lecture hall.
  function toggleProjector() {
    document.documentElement.classList.toggle("projector");
    Glass.redraw();
  }

  // Covers the results, so that a room can guess first; a click uncovers one.
  function toggleGuessing() {
    document.documentElement.classList.toggle("guess");
  }
  document.addEventListener("click", (event) => {
    const answer = event.target.closest(".guess .answer");
    if (answer) answer.classList.add("revealed");
  });

  Object.assign(Glass, { addKey, listenToKeys: listen, toggleHelp, toggleProjector, toggleGuessing });
})(Glass);
