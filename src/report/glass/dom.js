// Elements: made in one call, of HTML, MathML or SVG.
"use strict";

(function (Glass) {
  const MATHML = "http://www.w3.org/1998/Math/MathML";
  const SVG = "http://www.w3.org/2000/svg";

  // Children are elements, texts, numbers, or lists of these; null and false are left out.
  function append(element, children) {
    for (const child of children.flat(Infinity)) {
      if (child === null || child === undefined || child === false) continue;
      element.append(child instanceof Node ? child : String(child));
    }
    return element;
  }

  // `on` holds listeners and `style` properties: neither becomes an attribute, which a strict
  // Content-Security-Policy would refuse.
  function dress(element, attributes) {
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (name === "on")
        Object.entries(value).forEach(([event, listener]) => element.addEventListener(event, listener));
      else if (name === "style") Object.entries(value).forEach(([key, text]) => element.style.setProperty(key, text));
      else element.setAttribute(name, value === true ? "" : value);
    }
    return element;
  }

  const h = (tag, attributes, ...children) => append(dress(document.createElement(tag), attributes), children);
  const mathml = (tag, attributes, ...children) =>
    append(dress(document.createElementNS(MATHML, tag), attributes), children);
  const svg = (tag, attributes, ...children) => append(dress(document.createElementNS(SVG, tag), attributes), children);

  // Replaces what an element holds; the part that has the keyboard's focus is found again by its data-key, and
  // what was scrolled sideways stays so.
  function refill(container, ...children) {
    const focused = container.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    const scrolled = [...container.querySelectorAll("[data-scroll]")].map((part) => [
      part.dataset.scroll,
      part.scrollLeft,
    ]);
    container.replaceChildren();
    append(container, children);
    for (const [name, left] of scrolled) {
      const part = container.querySelector(`[data-scroll="${CSS.escape(name)}"]`);
      if (part) part.scrollLeft = left;
    }
    if (focused) {
      const again = container.querySelector(`[data-key="${CSS.escape(focused)}"]`);
      if (again) again.focus({ preventScroll: true });
    }
  }

  // The pixels of a length given at a root font of 16 pixels.
  const scaled = (pixels) => (pixels * parseFloat(getComputedStyle(document.documentElement).fontSize)) / 16;

  // How wide a picture may be that would have this width on a large screen.
  const fitting = (pixels) => Math.min(scaled(pixels), Math.max(document.documentElement.clientWidth - 32, 120));

  // A button in place of what would take long; the reader decides.
  function askPatience(net, what) {
    const go = () => {
      net.patient = true;
      Glass.redraw();
    };
    return h(
      "p",
      null,
      h("button", { "data-key": "patience", on: { click: go } }, `compute ${what}`),
      " This takes a few seconds: the page does not carry them.",
    );
  }

  let last = 0;
  const freshId = () => `glass-${++last}`;

  Object.assign(Glass, { h, mathml, svg, refill, scaled, fitting, askPatience, freshId });
})(Glass);
