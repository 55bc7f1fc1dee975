// Small multiples: many small pictures side by side on one canvas, which is one tab stop; a cell of this grid is a
// whole picture.
"use strict";

(function (Glass) {
  const { h } = Glass;

  // How many stand side by side: of what fits, not much less than the most, with the fewest places left empty.
  function evenly(count, most) {
    let best = Math.min(most, count);
    const empty = (across) => Math.ceil(count / across) * across - count;
    for (let across = best; across >= most * 0.6; across--) if (empty(across) < empty(best)) best = across;
    return best;
  }

  // `count` pictures of rows × columns cells; `paint(tile, row, column)`; `read(tile)`; `onPin(tile)`; `chosen` is
  // ringed; `side` is how wide one may be, in pixels at a root font of 16; `width` is how wide all may be.
  function tiles({ key, name, count, rows, columns, paint, read, onPin, chosen, side, width }) {
    const density = Math.min(window.devicePixelRatio || 1, 2);
    const room = Glass.fitting(width);
    // On a narrow screen each is smaller, so that several stand side by side.
    const narrow = Math.min(room / Glass.scaled(560), 1) ** 0.7;
    const gap = 4;
    const wanted = Math.max(Math.floor((Glass.scaled(side) * narrow * density) / Math.max(rows, columns)), 1);
    const across = evenly(count, Math.max(Math.floor((room * density) / (columns * wanted + gap)), 1));
    const down = Math.ceil(count / across);
    const [stepX, stepY] = [columns * wanted + gap, rows * wanted + gap];
    const size = { width: across * stepX + gap, height: down * stepY + gap };
    const style = { style: { width: `${size.width / density}px` } };
    const canvas = h("canvas", { ...size, ...style, "aria-hidden": "true" });
    const overlay = h("canvas", { class: "overlay", ...size, ...style, "aria-hidden": "true" });
    const [pen, marks] = [canvas.getContext("2d"), overlay.getContext("2d")];
    const place = (tile) => [gap + (tile % across) * stepX, gap + Math.floor(tile / across) * stepY];
    for (let tile = 0; tile < count; tile++) {
      const of = { rows, columns, paint: (row, column) => paint(tile, row, column) };
      Glass.drawCells(pen, of, ...place(tile), wanted);
    }
    const box = (tile) => {
      const [left, top] = place(tile);
      Glass.ring(marks, left - 1, top - 1, columns * wanted + 2, rows * wanted + 2);
    };
    const mark = (tile) => {
      marks.clearRect(0, 0, overlay.width, overlay.height);
      if (chosen !== undefined && chosen !== null) box(chosen);
      if (tile !== null) box(tile);
    };
    mark(null);
    const at = (event) => {
      const bounds = canvas.getBoundingClientRect();
      const row = Math.floor((((event.clientY - bounds.top) / bounds.height) * size.height) / stepY);
      const column = Math.floor((((event.clientX - bounds.left) / bounds.width) * size.width) / stepX);
      const inside = row >= 0 && row < down && column >= 0 && column < across && row * across + column < count;
      return inside ? [row, column] : null;
    };
    const first = chosen || 0;
    const tileAt = (row, column) => Math.min(row * across + column, count - 1);
    return Glass.gridFrame({
      key,
      name,
      rows: down,
      columns: across,
      start: [Math.floor(first / across), first % across],
      at,
      content: h("div", { class: "layers" }, canvas, overlay),
      read: (row, column) => read(tileAt(row, column)),
      onPin: onPin && ((row, column) => onPin(tileAt(row, column))),
      onHover: (row, column) => mark(row === null ? null : tileAt(row, column)),
    });
  }

  Object.assign(Glass, { tiles });
})(Glass);
