// The feature maps of the chosen layer: one large, all of them small, and the filters that made the large one.
"use strict";

(function (Glass) {
  const { h, tint, most, mapPicture, number, weightName } = Glass;

  function toggle({ selection }) {
    const one = (show, text) =>
      h(
        "button",
        {
          "data-key": `show-${show}`,
          "aria-pressed": String(selection.show === show),
          on: { click: () => selection.set({ show }) },
        },
        text,
      );
    return h(
      "div",
      { class: "toggle", role: "group", "aria-label": "What the pictures show" },
      one("output", "output"),
      one("gradient", "gradient ∂L/∂output"),
    );
  }

  // All channels, small, on one scale.
  function multiples({ net, selection }) {
    const { layer, show, channel } = selection;
    const [rows, columns, count] = net.sizes(layer);
    if (!net.isQuick(show, layer)) return Glass.askPatience(net, `all ${count} channels`);
    const planes = Array.from({ length: count }, (_, c) => net.plane(show, layer, c));
    const largest = Math.max(...planes.map(most));
    // The image is shown in grey, as it is; all else in the colours of its sign.
    const grey = (value) => [0, 1, 2].map(() => (255 * Math.max(value, 0)) / largest);
    const colour = layer < 0 && show === "output" ? grey : (value) => tint(value, largest);
    const side = Math.max(Math.min(64, Math.floor(Math.sqrt(300000 / count))), 20);
    const made = Glass.tiles({
      key: "channels",
      name: `All ${count} channels of ${net.nameOf(layer)}`,
      count,
      rows,
      columns,
      chosen: channel,
      width: 620,
      side,
      paint: (tile, row, column) => colour(planes[tile][row * columns + column]),
      read: (tile) => [
        `channel ${tile}, largest ± `,
        number(`largest/${show}/${net.nameOf(layer)}[${tile}]`, most(planes[tile])),
      ],
      onPin: (tile) => selection.set({ channel: tile }),
    });
    const caption = h("figcaption", null, `all ${count} channels, on one scale; choose one`);
    return h("figure", { class: "map" }, caption, made.whole, Glass.legend(largest));
  }

  // The slices of the chosen channel's filter: one for each channel of the input.
  function filters({ net, selection }) {
    const layer = net.layers[selection.layer];
    const kind = layer && Glass.kinds[layer.kind];
    const [kernel] = kind && kind.weight ? net.weights(selection.layer) : [null];
    if (!kernel) return null;
    const [rows, columns] = layer.kernel;
    const f = selection.channel;
    const inputs = kind.inputs(layer, f);
    const value = (tile, row, column) => kernel[kind.weight(layer, [row, column], inputs[tile], f)];
    const all = inputs.flatMap((_, tile) => Glass.cells(layer).map(([row, column]) => value(tile, row, column)));
    const weight = (tile) => {
      const cells = Glass.cells(layer).map((cell) => ({ cell, size: Math.abs(value(tile, ...cell)) }));
      const { cell } = cells.reduce((best, one) => (one.size > best.size ? one : best));
      const last = layer.kind === "conv2d" ? f : f % layer.multiplier;
      return { tensor: layer.tensors[0], index: [...cell, inputs[tile], last] };
    };
    const chosen =
      selection.weight && selection.weight.tensor === layer.tensors[0]
        ? inputs.indexOf(selection.weight.index[2])
        : null;
    const made = Glass.tiles({
      key: "filters",
      name: `The filter of channel ${f}, ${inputs.length} slices`,
      count: inputs.length,
      rows,
      columns,
      paint: (tile, row, column) => tint(value(tile, row, column), most(all)),
      width: 1060,
      chosen: chosen < 0 ? null : chosen,
      side: Math.max(Math.min(48, Math.floor(Math.sqrt(120000 / inputs.length))), 14),
      read: (tile) => [
        `input channel ${inputs[tile]}, largest weight `,
        h("code", null, weightName(weight(tile))),
        " ",
        number(`before/${weightName(weight(tile))}`, value(tile, ...weight(tile).index.slice(0, 2))),
      ],
      onPin: (tile) => selection.set({ weight: weight(tile) }),
    });
    const words =
      inputs.length === 1
        ? "it sees one channel of the input"
        : `one slice for each of the ${inputs.length} channels of the input`;
    return h(
      "figure",
      { class: "map wide" },
      h("figcaption", null, `the filter that makes channel ${f}: ${words}; choose one`),
      made.whole,
      Glass.legend(most(all)),
    );
  }

  Glass.views.maps = (context) => {
    const { net, selection } = context;
    const { layer, show, channel } = selection;
    const vector = layer >= 0 && net.layers[layer].isVector;
    const pick = ([y, x, c]) => selection.set({ y, x, channel: c });
    const title = vector ? `all ${net.sizes(layer)[2]} units; choose one` : `channel ${channel}; choose a cell`;
    const large = mapPicture(net, show, layer, channel, {
      key: "map",
      width: 400,
      pinned: selection.cell,
      onPin: pick,
      title,
    });
    const carried = layer < 0 || net.carried(show, layer);
    return [
      h(
        "div",
        { class: "line" },
        h("h3", null, h("code", null, net.nameOf(layer)), " ", Glass.shapeText(net.sizes(layer), vector)),
        toggle(context),
      ),
      h("div", { class: "side" }, large.figure, !vector && net.sizes(layer)[2] > 1 && multiples(context)),
      filters(context),
      !carried &&
        h(
          "p",
          { class: "engine" },
          "These values are not stored on the page: it computes them from those of the layers beside.",
        ),
    ];
  };
})(Glass);
