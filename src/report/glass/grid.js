// A picture of cells that is one tab stop: arrows move within it, Enter chooses, and a line under it reads out the
// cell's coordinates and value.
"use strict";

(function (Glass) {
  const { h, css, colors } = Glass;

  // What a picture and a matrix share: the element with its keys, and the line that reads out.
  //
  // `rows`, `columns`; `read(row, column)` gives the readout; `onPin(row, column)`; `start` is the first active cell;
  // `moved(row, column)` is told of every change; `at(event)` finds the cell under the pointer, or null.
  function gridFrame({ key, name, rows, columns, content, read, onPin, onHover, start = [0, 0], moved, at }) {
    let active = [Math.min(start[0], rows - 1), Math.min(start[1], columns - 1)];
    const id = Glass.freshId();
    const spoken = h("span", { role: "gridcell", id });
    const readout = h("output", { class: "readout" });
    const tell = (row, column) => Glass.refill(readout, read(row, column));
    const frame = h(
      "div",
      {
        class: "grid",
        role: "grid",
        tabindex: "0",
        "data-key": key,
        "aria-label": name,
        "aria-rowcount": rows,
        "aria-colcount": columns,
        "aria-activedescendant": id,
      },
      content,
      h("span", { class: "unseen", role: "row" }, spoken),
    );
    const go = (row, column) => {
      active = [Math.min(Math.max(row, 0), rows - 1), Math.min(Math.max(column, 0), columns - 1)];
      tell(...active);
      spoken.setAttribute("aria-rowindex", active[0] + 1);
      spoken.setAttribute("aria-colindex", active[1] + 1);
      spoken.textContent = readout.textContent;
      if (moved) moved(...active);
      if (onHover) onHover(...active);
    };
    const far = (event) => (event.shiftKey ? 8 : 1);
    const ways = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    frame.addEventListener("keydown", (event) => {
      const [row, column] = active;
      if (ways[event.key]) go(row + ways[event.key][0] * far(event), column + ways[event.key][1] * far(event));
      else if (event.key === "Home") go(row, 0);
      else if (event.key === "End") go(row, columns - 1);
      else if (event.key === "Enter" && onPin) onPin(row, column);
      else return;
      event.preventDefault();
    });
    frame.addEventListener("focus", () => go(...active));
    frame.addEventListener("pointermove", (event) => {
      const cell = at(event);
      if (cell) go(...cell);
    });
    frame.addEventListener("pointerleave", () => {
      go(...[Math.min(start[0], rows - 1), Math.min(start[1], columns - 1)]);
      if (onHover) onHover(null, null);
    });
    frame.addEventListener("click", (event) => {
      const cell = at(event);
      if (cell && onPin) onPin(...cell);
    });
    tell(...active);
    return { frame, readout, whole: h("div", { class: "picture" }, frame, readout) };
  }

  // Diagonal lines over what is masked.
  function hatch(context) {
    const tile = h("canvas", { width: 6, height: 6 });
    const pen = tile.getContext("2d");
    pen.strokeStyle = css(colors().hatch);
    pen.lineWidth = 1.2;
    pen.beginPath();
    for (const offset of [-6, 0, 6]) {
      pen.moveTo(offset - 1, 7);
      pen.lineTo(offset + 7, -1);
    }
    pen.stroke();
    return context.createPattern(tile, "repeat");
  }

  // A ring in ink within a ring in the paper's colour: seen on every colour.
  function ring(context, x, y, width, height) {
    const { ink, zero } = colors();
    const density = Math.min(window.devicePixelRatio || 1, 2);
    context.lineWidth = 4 * density;
    context.strokeStyle = css(zero);
    context.strokeRect(x, y, width, height);
    context.lineWidth = 2 * density;
    context.strokeStyle = css(ink);
    context.strokeRect(x, y, width, height);
  }

  // Draws cells, `size` pixels each, at a place of a canvas.
  function drawCells(context, { rows, columns, paint, masked }, left, top, size) {
    const small = h("canvas", { width: columns, height: rows });
    const pen = small.getContext("2d");
    const pixels = pen.createImageData(columns, rows);
    let at = 0;
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++, at += 4) {
        const rgb = paint(row, column);
        for (let part = 0; part < 3; part++) pixels.data[at + part] = rgb[part];
        pixels.data[at + 3] = 255;
      }
    }
    pen.putImageData(pixels, 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(small, left, top, columns * size, rows * size);
    if (!masked) return;
    context.fillStyle = hatch(context);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        if (masked(row, column)) context.fillRect(left + column * size, top + row * size, size, size);
      }
    }
  }

  // A picture of rows × columns cells. `width` is how wide it may be, in pixels at a root font of 16; `paint(row,
  // column)` gives [r, g, b], `masked(row, column)` tells what is hatched, `frames` are rectangles [row, column,
  // height, width] in ink, `pinned` is the chosen cell.
  function grid(options) {
    const { rows, columns, width, pinned, frames = [], onHover } = options;
    const density = Math.min(window.devicePixelRatio || 1, 2);
    const tallest = options.height || width;
    const fits = Math.min(Glass.fitting(width) / columns, Glass.scaled(tallest) / rows) * density;
    const size = fits >= 1 ? Math.floor(fits) : 1;
    const shown = fits >= 1 ? size / density : fits / density;
    const canvas = h("canvas", {
      width: columns * size,
      height: rows * size,
      "aria-hidden": "true",
      style: { width: `${columns * shown}px` },
    });
    const overlay = h("canvas", {
      class: "overlay",
      width: columns * size,
      height: rows * size,
      "aria-hidden": "true",
      style: { width: `${columns * shown}px` },
    });
    drawCells(canvas.getContext("2d"), options, 0, 0, size);
    const marks = overlay.getContext("2d");
    // A frame that leaves the picture is drawn along its edge.
    const box = ([row, column, height, wide]) => {
      const [left, top] = [Math.max(column * size - 1, 2), Math.max(row * size - 1, 2)];
      const right = Math.min((column + wide) * size + 1, overlay.width - 2);
      const bottom = Math.min((row + height) * size + 1, overlay.height - 2);
      ring(marks, left, top, Math.max(right - left, 1), Math.max(bottom - top, 1));
    };
    const mark = (row, column) => {
      marks.clearRect(0, 0, overlay.width, overlay.height);
      frames.forEach(box);
      if (pinned) box([...pinned, 1, 1]);
      if (row !== null && row !== undefined) box([row, column, 1, 1]);
    };
    mark(null);
    const at = (event) => {
      const bounds = canvas.getBoundingClientRect();
      const row = Math.floor(((event.clientY - bounds.top) / bounds.height) * rows);
      const column = Math.floor(((event.clientX - bounds.left) / bounds.width) * columns);
      return row >= 0 && row < rows && column >= 0 && column < columns ? [row, column] : null;
    };
    const hover = (row, column) => {
      mark(row, column);
      if (onHover) onHover(row, column);
    };
    const content = h("div", { class: "layers" }, canvas, overlay);
    const made = gridFrame({ ...options, content, onHover: hover, start: pinned || options.start, at });
    return { ...made, mark };
  }

  Object.assign(Glass, { grid, gridFrame, drawCells, ring });
})(Glass);
