// Pictures of one channel of a layer, its output or its gradient, which several views show.
"use strict";

(function (Glass) {
  const { h, tint, most, number, cellName } = Glass;

  // A vector as a picture: its rows, columns, and the unit at a place of it.
  function wrapped(length) {
    const columns = Math.min(Math.ceil(Math.sqrt(length * 2)), length);
    return { rows: Math.ceil(length / columns), columns };
  }

  // The colour of a pixel of the image: its own, between the least and the largest value of all.
  function imagePaint(net) {
    const values = net.carried("output", -1);
    const [, width, channels] = net.input;
    let [least, largest] = [Infinity, -Infinity];
    for (const value of values) {
      least = Math.min(least, value);
      largest = Math.max(largest, value);
    }
    const level = (value) => ((value - least) / (largest - least || 1)) * 255;
    return (row, column) => {
      const at = (row * width + column) * channels;
      return [0, 1, 2].map((c) => level(values[at + (channels === 3 ? c : 0)]));
    };
  }

  // What is needed to draw a channel: its size, the colour of each cell, which are masked, and the largest value.
  function drawing(net, what, layer, channel, scale) {
    const [rows, columns, channels] = net.sizes(layer);
    if (layer >= 0 && net.layers[layer].isVector) {
      const [values, shape] = [net.values(what, layer), wrapped(channels)];
      const largest = most(values);
      const unit = (row, column) => row * shape.columns + column;
      return {
        ...shape,
        largest,
        unit,
        paint: (row, column) => tint(values[unit(row, column)] || 0, largest),
        masked: (row, column) => unit(row, column) < channels && what === "gradient" && values[unit(row, column)] === 0,
        cell: (row, column) => [0, 0, Math.min(unit(row, column), channels - 1)],
      };
    }
    const plane = net.plane(what, layer, channel);
    const largest = scale === undefined ? most(plane) : scale;
    const colour =
      layer < 0 && what === "output" ? imagePaint(net) : (row, column) => tint(plane[row * columns + column], largest);
    return {
      rows,
      columns,
      largest,
      paint: colour,
      masked: what === "gradient" ? (row, column) => plane[row * columns + column] === 0 : null,
      cell: (row, column) => [row, column, channel],
    };
  }

  // The readout of a cell: its name, its value, and why it is 0 where it is a gradient that is.
  function readCell(net, what, layer, cell) {
    const value = net.value(what, layer, ...cell);
    const name = cellName(net, layer, cell);
    const why = what === "gradient" && value === 0 ? Glass.CAUSES[Glass.causeOfZero(net, layer, cell)] : "";
    return [
      what === "gradient" && "∂L/∂ ",
      h("code", null, name),
      " = ",
      number(Glass.valueName(net, what, layer, cell), value),
      why && `, ${why}`,
    ];
  }

  // What stands where a value is neither carried nor can be computed.
  const untold = (what) =>
    h("p", { class: "engine" }, `${what} is not on this page, and what it holds is not enough to compute it.`);

  // A channel of a layer as a picture in which a cell can be chosen.
  function mapPicture(
    net,
    what,
    layer,
    channel,
    { key, width, height, pinned, frames, onPin, onHover, title, scale, start },
  ) {
    const drawn = drawing(net, what, layer, channel, scale);
    const place =
      drawn.unit && pinned
        ? [Math.floor(pinned[2] / drawn.columns), pinned[2] % drawn.columns]
        : pinned && pinned.slice(0, 2);
    const of = `${what === "output" ? "values" : "gradient"} of ${net.nameOf(layer)}`;
    const name = `${title}: ${of}, ${drawn.rows} rows, ${drawn.columns} columns`;
    const made = Glass.grid({
      ...drawn,
      key,
      name,
      width,
      height,
      pinned: place,
      frames,
      onHover,
      start,
      read: (row, column) => readCell(net, what, layer, drawn.cell(row, column)),
      onPin: onPin && ((row, column) => onPin(drawn.cell(row, column))),
    });
    const plain = layer < 0 && what === "output";
    made.figure = h(
      "figure",
      { class: "map" },
      h("figcaption", null, title),
      made.whole,
      !plain && Glass.legend(drawn.largest),
    );
    return made;
  }

  Object.assign(Glass, { mapPicture, drawing, readCell, wrapped, untold });
})(Glass);
