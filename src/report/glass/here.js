// "You are here": the way from the network down to one weight, in a line that stays at the top.
"use strict";

(function (Glass) {
  const { h, weightName } = Glass;

  Glass.KINDS = {
    conv2d: "convolution",
    depthwise_conv2d: "depthwise convolution",
    max_pool: "max-pool",
    average_pool: "average pool",
    global_average_pool: "global average",
    dense: "dense",
    dropout: "dropout",
    batch_normalization: "batch normalization",
    relu: "ReLU",
    leaky_relu: "leaky ReLU",
    flatten: "flatten",
  };

  Glass.shapeText = (sizes, isVector) => (isVector ? String(sizes[2]) : sizes.join("×"));

  // The layer before or behind the chosen one.
  function stepLayer({ selection }, step) {
    selection.set({ layer: selection.layer + step });
  }

  Glass.views.here = (context) => {
    const { net, selection } = context;
    const layer = net.layers[selection.layer];
    const vector = layer && layer.isVector;
    const jump = (id, ...text) => h("a", { href: `#${id}`, on: { click: (event) => Glass.jump(event, id) } }, text);
    const step = (way, text, name, last) =>
      h(
        "button",
        {
          class: "step",
          "data-key": name,
          "aria-label": name,
          disabled: last,
          on: { click: () => stepLayer(context, way) },
        },
        text,
      );
    const parts = [
      jump("network", "network"),
      jump("maps", h("b", null, net.nameOf(selection.layer)), layer ? ` ${Glass.KINDS[layer.kind]}` : " the input"),
      jump("maps", `${vector ? "unit" : "channel"} ${selection.channel}`),
      vector ? null : jump("forward", `cell ${selection.y},${selection.x}`),
      selection.weight && jump("weight", `weight ${weightName(selection.weight)}`),
    ];
    return [
      h("span", { class: "label" }, "You are here"),
      step(-1, "‹", "previous layer", selection.layer < 0),
      step(1, "›", "next layer", selection.layer >= net.layers.length - 1),
      h(
        "ol",
        null,
        parts.filter(Boolean).map((part) => h("li", null, part)),
      ),
      h("button", { class: "keys", "data-key": "help", on: { click: Glass.toggleHelp } }, "Keys ", h("kbd", null, "?")),
    ];
  };

  Object.assign(Glass, { stepLayer });
})(Glass);
