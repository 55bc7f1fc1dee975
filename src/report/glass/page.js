// The page: fills every element that has a data-view, redraws when the reader chooses or when another bundle comes.
"use strict";

(function (Glass) {
  const STOPS = ["network", "maps", "forward", "loss", "backward", "weight"];

  let page = null;

  function context() {
    return { bundle: page.bundle, net: page.net, selection: page.selection };
  }

  // Fills one view; what goes wrong in it is told in its place, and the others go on.
  function fill(container) {
    const view = Glass.views[container.dataset.view];
    // What is hidden, or kept back, is drawn when it comes to light.
    if (!view || container.closest("section[hidden], section.ahead")) return;
    try {
      Glass.refill(container, view(context()));
    } catch (error) {
      console.error(error);
      Glass.refill(container, Glass.h("p", null, `This part cannot be shown: ${error.message}`));
    }
  }

  // Views that are out of sight wait until the reader has what is in sight.
  let waiting = [];
  let timer = 0;

  function isInSight(container) {
    const { top, bottom } = container.getBoundingClientRect();
    return bottom >= 0 && top <= innerHeight;
  }

  // Draws one view that waits, and lets the page breathe before the next.
  function drawNext() {
    const next = waiting.shift();
    if (next) fill(next);
    timer = waiting.length ? setTimeout(drawNext) : 0;
  }

  function drawWaiting(which = () => true) {
    const due = waiting.filter(which);
    waiting = waiting.filter((container) => !due.includes(container));
    due.forEach(fill);
  }

  function redraw() {
    if (!page) return;
    for (const id of STOPS) {
      const section = document.getElementById(id);
      if (section) section.hidden = page.selection.hide.includes(id);
    }
    // An empty one has no height yet, by which it could be told whether it is in sight.
    const isDue = (container) => !container.firstChild || isInSight(container);
    waiting = [...page.root.querySelectorAll("[data-view]")];
    drawWaiting(isDue);
    clearTimeout(timer);
    timer = setTimeout(drawNext);
  }

  // A section that is in the page and not hidden.
  const visible = () => STOPS.map((id) => document.getElementById(id)).filter((section) => section && !section.hidden);

  // Goes to a section, at once, and puts it into the address.
  function jump(event, id) {
    if (event) event.preventDefault();
    const section = document.getElementById(id);
    if (!section || !page) return;
    const wasHidden = section.hidden;
    section.hidden = false;
    section.tabIndex = -1;
    section.focus({ preventScroll: true });
    drawWaiting();
    section.scrollIntoView();
    page.selection.hide = page.selection.hide.filter((hidden) => hidden !== id);
    page.selection.at = id;
    page.selection.write();
    if (wasHidden) redraw();
  }

  // The next stop of the page, or the one before.
  function stop(step) {
    const sections = visible();
    const top = (section) => section.getBoundingClientRect().top;
    const passed = sections.filter((section) => top(section) < innerHeight / 3).length - 1;
    const target = sections[Math.min(Math.max(passed + step, 0), sections.length - 1)];
    if (target) jump(null, target.id);
  }

  // The worked cases stay, folded up below the views; those of the maps have pictures of their own. Paper shows them
  // unfolded.
  function foldWorkedCases(root) {
    const folded = [];
    root.querySelectorAll("section:not(#maps) > .worked").forEach((worked) => {
      const details = Glass.h(
        "details",
        { class: "case" },
        Glass.h("summary", null, "The same for one case, in plain words and numbers"),
      );
      worked.replaceWith(details);
      details.append(worked);
      folded.push(details);
    });
    let opened = [];
    addEventListener("beforeprint", () => {
      drawWaiting();
      opened = folded.filter((details) => !details.open);
      opened.forEach((details) => (details.open = true));
    });
    addEventListener("afterprint", () => opened.forEach((details) => (details.open = false)));
  }

  function addKeys() {
    const step = (way) => () => Glass.stepLayer(context(), way);
    Glass.addKey(["n"], "n", "to the next part of the page", () => stop(1));
    Glass.addKey(["p"], "p", "to the part before", () => stop(-1));
    Glass.addKey(["]", "."], "]", "the next layer", step(1));
    Glass.addKey(["[", ","], "[", "the layer before", step(-1));
    Glass.addKey(["g"], "g", "output or gradient in the pictures", () => {
      page.selection.set({ show: page.selection.show === "output" ? "gradient" : "output" });
    });
    Glass.addKey(["q"], "q", "guess first: covers the results until they are clicked", Glass.toggleGuessing);
    Glass.addKey(["+", "="], "+", "larger, for a projector, and back", Glass.toggleProjector);
    Glass.addKey(["?"], "?", "this help", Glass.toggleHelp);
    Glass.listenToKeys();
  }

  function listen(root) {
    root.querySelectorAll("[data-view]").forEach(Glass.linkUp);
    document.querySelectorAll("a.skip, nav a[href^='#']").forEach((link) => {
      link.addEventListener("click", (event) => jump(event, link.hash.slice(1)));
    });
    addEventListener("hashchange", () => {
      if (!location.hash.includes("=")) return page.selection.write();
      page.selection.readAddress();
      return redraw();
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      Glass.forgetColors();
      redraw();
    });
    addEventListener("scroll", () => drawWaiting(isInSight), { passive: true });
    let width = innerWidth;
    addEventListener("resize", () => {
      if (innerWidth !== width) requestAnimationFrame(redraw);
      width = innerWidth;
    });
  }

  // Shows a bundle in the elements within `root`.
  function mount(root, bundle) {
    const net = new Glass.Network(bundle);
    page = { root, bundle, net, selection: new Glass.Selection(net) };
    if (!root.querySelector('[data-view="here"]')) {
      const place = root.querySelector("main") || root;
      place.prepend(Glass.h("nav", { class: "here view", "data-view": "here", "aria-label": "You are here" }));
    }
    page.selection.onChange(redraw);
    foldWorkedCases(root);
    listen(root);
    addKeys();
    redraw();
    const at = page.selection.at || (location.hash.includes("=") ? "" : location.hash.slice(1));
    if (at && document.getElementById(at)) document.getElementById(at).scrollIntoView();
    document.documentElement.classList.add("glass");
    return page.selection;
  }

  // Shows another bundle, of another step or image of the same network, and keeps what is chosen.
  function update(bundle) {
    page.bundle = bundle;
    page.net = new Glass.Network(bundle);
    page.selection.carryOver(page.net);
    redraw();
  }

  // Starts a page that holds its own bundle.
  const start = () => mount(document.body, Glass.bundleOfPage(document));

  Object.assign(Glass, { mount, update, start, redraw, jump });
})(Glass);
