// Colours of values: blue below zero, orange above; the style sheet holds them, light and dark. The sign is never
// told by the colour alone: the readouts have it, and what is masked is hatched.
"use strict";

(function (Glass) {
  let palette = null;

  // A colour of the style sheet as [r, g, b].
  function read(style, name) {
    const hex = style.getPropertyValue(name).trim().slice(1);
    return [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16));
  }

  function colors() {
    if (!palette) {
      const style = getComputedStyle(document.documentElement);
      const of = (name) => read(style, name);
      palette = {
        below: of("--below"),
        zero: of("--zero"),
        above: of("--above"),
        ink: of("--ink"),
        hatch: of("--hatch"),
      };
    }
    return palette;
  }

  const css = ([r, g, b]) => `rgb(${Math.round(r)},${Math.round(g)},${Math.round(b)})`;

  // The colour of a value among values of at most `most`. It grows with the square root, so that small values show.
  function tint(value, most) {
    const { below, zero, above } = colors();
    const part = most > 0 && Number.isFinite(value) ? Math.min(Math.sqrt(Math.abs(value) / most), 1) : 0;
    const end = value < 0 ? below : above;
    return zero.map((from, i) => from + (end[i] - from) * part);
  }

  // Black or white, whichever reads better on a colour: at least 4.58 : 1 on any.
  function inkOn(rgb) {
    const [r, g, b] = rgb.map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    const light = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    return (light + 0.05) / 0.05 > 1.05 / (light + 0.05) ? "#000" : "#fff";
  }

  // The largest absolute value.
  function most(values) {
    let largest = 0;
    for (const value of values) if (Math.abs(value) > largest) largest = Math.abs(value);
    return largest;
  }

  // A scale under a picture: the colours from −most to most.
  function legend(largest) {
    const bar = Glass.h("canvas", { width: 101, height: 1, class: "scale", "aria-hidden": "true" });
    const context = bar.getContext("2d");
    for (let x = 0; x <= 100; x++) {
      context.fillStyle = css(tint(x / 50 - 1, 1));
      context.fillRect(x, 0, 1, 1);
    }
    const end = Glass.shown(largest, 3);
    return Glass.h("span", { class: "legend" }, `−${end}`, bar, `+${end}`);
  }

  // Forgets the colours that were read, as when the theme has changed.
  const forgetColors = () => (palette = null);

  Object.assign(Glass, { colors, css, tint, inkOn, most, legend, forgetColors });
})(Glass);
