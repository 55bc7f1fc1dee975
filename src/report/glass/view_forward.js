// Forward: how one cell was made, by the layer's kind, and what the layers behind made of it.
"use strict";

(function (Glass) {
  const { h, number, cellName, valueName } = Glass;

  // What the layers behind made of the cell, up to the next that mixes cells.
  function followed({ net, selection }) {
    const [y, x, c] = selection.cell;
    const told = [];
    for (let i = selection.layer + 1; i < net.layers.length; i++) {
      const { kind, name } = net.layers[i];
      if (Number.isNaN(net.value("output", i, y, x, c))) break;
      if (["relu", "leaky_relu", "dropout", "batch_normalization"].includes(kind)) {
        told.push(
          h(
            "li",
            null,
            h("code", null, name),
            " makes ",
            h(
              "span",
              { class: "answer" },
              number(valueName(net, "output", i, selection.cell), net.value("output", i, y, x, c)),
            ),
            " of it.",
          ),
        );
        continue;
      }
      if (kind === "max_pool") {
        const taker = net.taker(i, y, x, c);
        told.push(
          h(
            "li",
            null,
            h("code", null, name),
            taker
              ? " takes it: it is the largest of its window."
              : " leaves it out: another cell of its window is larger.",
          ),
        );
      }
      break;
    }
    return told.length > 0 && [h("h4", null, "And then"), h("ul", null, told)];
  }

  const PICTURES = {
    conv2d: Glass.forwardConvolution,
    depthwise_conv2d: Glass.forwardConvolution,
    dense: Glass.forwardDense,
    max_pool: Glass.forwardPool,
    average_pool: Glass.forwardPool,
    relu: Glass.forwardSingle,
    leaky_relu: Glass.forwardSingle,
    dropout: Glass.forwardSingle,
    batch_normalization: Glass.forwardSingle,
    flatten: Glass.forwardWhole,
    global_average_pool: Glass.forwardWhole,
  };

  Glass.views.forward = (context) => {
    const { net, selection } = context;
    const layer = net.layers[selection.layer];
    if (!layer) return h("p", null, "This is the image itself: nothing made it. Choose a layer in the strip above.");
    const of = cellName(net, selection.layer, selection.cell);
    const value = net.value("output", selection.layer, ...selection.cell);
    if (Number.isNaN(value)) return [h("h3", null, h("code", null, of)), Glass.untold("This value")];
    return [
      h(
        "h3",
        null,
        h("code", null, of),
        " = ",
        h("span", { class: "answer" }, number(valueName(net, "output", selection.layer, selection.cell), value)),
      ),
      PICTURES[layer.kind](context),
      followed(context),
    ];
  };
})(Glass);
