// The network as a strip: what every layer put out, and under it the gradient that came back.
"use strict";

(function (Glass) {
  const { h, drawing, drawCells } = Glass;

  // The channel of a layer that stands for it: the chosen one where there are as many, else one with much in it.
  function standing(net, selection, i) {
    if (net.sizes(i)[2] === net.sizes(selection.layer)[2]) return selection.channel;
    let carried = i;
    // Of what the page would first have to compute in full, the loudest is asked of the layer that it becomes.
    while (carried >= 0 && !net.carried("output", carried) && carried + 1 < net.layers.length) carried++;
    const same = net.sizes(carried)[2] === net.sizes(i)[2];
    return same ? loudest(net, carried) : 0;
  }

  const kept = new WeakMap();
  function loudest(net, i) {
    if (!kept.has(net)) kept.set(net, new Map());
    const ofNet = kept.get(net);
    if (!ofNet.has(i)) ofNet.set(i, Glass.loudest(net, i));
    return ofNet.get(i);
  }

  // A small picture of a channel; the fewer its rows, the smaller.
  function thumbnail(net, what, i, channel) {
    const drawn = drawing(net, what, i, channel);
    const cell = Math.max(Math.ceil(64 / Math.max(drawn.rows, drawn.columns)), 1);
    const canvas = h("canvas", { width: drawn.columns * cell, height: drawn.rows * cell, "aria-hidden": "true" });
    drawCells(canvas.getContext("2d"), { ...drawn, masked: null }, 0, 0, cell);
    const share = drawn.unit ? Math.min(drawn.columns / 16, 1) ** 0.5 : (drawn.columns / net.input[1]) ** 0.4;
    canvas.style.width = `${Math.max(share * 4, 0.8)}rem`;
    return canvas;
  }

  Glass.views.network = ({ net, selection }) => {
    const all = [-1, ...net.layers.keys()];
    const ids = all.map(() => Glass.freshId());
    const card = (i, k) => {
      const layer = net.layers[i];
      const channel = standing(net, selection, i);
      const here = i === selection.layer;
      const shape = Glass.shapeText(net.sizes(i), layer && layer.isVector);
      const words = layer ? Glass.KINDS[layer.kind] : "the input";
      return h(
        "div",
        {
          class: here ? "stop here" : "stop",
          role: "option",
          id: ids[k],
          "aria-selected": String(here),
          "aria-label": `${net.nameOf(i)}, ${words}, ${shape}`,
          on: { click: () => selection.set({ layer: i }) },
        },
        h("span", { class: "thumb" }, thumbnail(net, "output", i, channel)),
        h("b", null, net.nameOf(i)),
        h("span", { class: "kind" }, words),
        h("span", { class: "shape" }, shape),
        h("span", { class: "thumb" }, thumbnail(net, "gradient", i, channel)),
      );
    };
    const keys = (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      selection.set({ layer: selection.layer + step });
    };
    const strip = h(
      "div",
      {
        class: "strip",
        role: "listbox",
        "aria-label": "Layers",
        "aria-orientation": "horizontal",
        tabindex: "0",
        "data-key": "strip",
        "data-scroll": "strip",
        "aria-activedescendant": ids[selection.layer + 1],
        on: { keydown: keys },
      },
      all.map(card),
    );
    // The chosen layer is scrolled into sight within the strip, never the page with it.
    requestAnimationFrame(() => {
      const here = strip.querySelector(".here");
      if (!here) return;
      const [left, right] = [
        here.offsetLeft - strip.offsetLeft - 40,
        here.offsetLeft - strip.offsetLeft + here.offsetWidth + 40,
      ];
      if (left < strip.scrollLeft || right > strip.scrollLeft + strip.clientWidth)
        strip.scrollLeft = left - strip.clientWidth / 3;
    });
    return [
      h(
        "p",
        { class: "rows" },
        h("span", null, "Upper row, forward →: one channel of every layer’s output."),
        " ",
        h("span", null, "Lower row, ← backward: the gradient ∂L/∂output of the same channel."),
      ),
      strip,
    ];
  };
})(Glass);
