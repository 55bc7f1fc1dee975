// A few cells with their numbers written in them, as a patch or a kernel; one tab stop, like a picture.
"use strict";

(function (Glass) {
  const { h, css, tint, inkOn, shown } = Glass;

  // `cell(row, column)` gives { value, of, link, masked, chosen } or null for what is not there; `most` is the value
  // of the strongest colour.
  function matrix({ key, name, title, rows, columns, cell, most, read, onPin, start }) {
    const elements = [];
    const one = (row, column) => {
      const told = cell(row, column);
      if (!told) return h("span", { class: "cell outside" });
      const rgb = tint(told.value, most);
      const classes = ["cell", told.masked && "masked", told.chosen && "chosen"].filter(Boolean).join(" ");
      return h(
        "span",
        {
          class: classes,
          "data-link": told.link,
          "data-of": told.of,
          "data-value": told.of && String(told.value),
          style: { "background-color": css(rgb), color: inkOn(rgb) },
        },
        shown(told.value, 3),
      );
    };
    const lines = Array.from({ length: rows }, (_, row) => {
      elements.push(Array.from({ length: columns }, (_, column) => one(row, column)));
      return h("span", { class: "line" }, elements[row]);
    });
    const at = (event) => {
      const row = elements.findIndex((line) => line.includes(event.target));
      return row < 0 ? null : [row, elements[row].indexOf(event.target)];
    };
    let active = null;
    const onHover = (row, column) => {
      if (active) Glass.unlight(active);
      active = row === null ? null : elements[row][column];
      if (active) Glass.light(active);
    };
    const content = h("span", { class: "cells", "aria-hidden": "true" }, lines);
    const made = Glass.gridFrame({ key, name, rows, columns, content, read, onPin, onHover, start, at });
    return h("figure", { class: "matrix" }, h("figcaption", null, title), made.whole);
  }

  // Lights everything in the same view that has the same link: a term and its cell, both ways.
  function linked(element) {
    const source = element.closest("[data-link]");
    const view = source && source.closest(".view");
    return view ? view.querySelectorAll(`[data-link="${CSS.escape(source.dataset.link)}"]`) : [];
  }
  const light = (element) => linked(element).forEach((one) => one.classList.add("lit"));
  const unlight = (element) => linked(element).forEach((one) => one.classList.remove("lit"));

  // Makes all linked elements of a view light each other.
  function linkUp(view) {
    for (const [enter, leave] of [
      ["pointerover", "pointerout"],
      ["focusin", "focusout"],
    ]) {
      view.addEventListener(enter, (event) => light(event.target));
      view.addEventListener(leave, (event) => unlight(event.target));
    }
  }

  Object.assign(Glass, { matrix, light, unlight, linkUp });
})(Glass);
