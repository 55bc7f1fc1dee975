// Backward: the gradient at the chosen cell, where it came from, where it is zero and why, and where it goes.
"use strict";

(function (Glass) {
  const { h, number, count, cellName, mapPicture } = Glass;

  // How many zeros each cause made, as bars.
  function causes(of, zeros, total) {
    const all = Glass.causesOf(zeros);
    const sum = all.reduce((so, [, number]) => so + number, 0);
    const line = ([cause, number]) =>
      h(
        "tr",
        null,
        h("td", { class: "number" }, count(`${of}/${cause}`, number)),
        h("td", { class: "number" }, `${((number / total) * 100).toFixed(1)} %`),
        h("td", null, share(number / total)),
        h("td", null, Glass.CAUSES[cause]),
      );
    const rest = h(
      "tr",
      null,
      h("td", { class: "number" }, count(`${of}/nonzero`, total - sum)),
      h("td", { class: "number" }, `${(((total - sum) / total) * 100).toFixed(1)} %`),
      h("td", null, share((total - sum) / total, true)),
      h("td", null, "are not zero: here the gradient flows"),
    );
    return h("div", { class: "table" }, h("table", { class: "causes" }, h("tbody", null, all.map(line), rest)));
  }

  const share = (part, alive) =>
    Glass.svg(
      "svg",
      { class: "share", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" },
      Glass.svg("rect", { class: "room", x: 0, y: 1, width: 100, height: 8 }),
      Glass.svg("rect", { class: alive ? "alive" : "dead", x: 0, y: 1, width: part * 100, height: 8 }),
    );

  // Zeros of the channel at once; those of the whole layer when there is time, as there may be half a million.
  function zeros(context) {
    const { net, selection } = context;
    const { layer, channel } = selection;
    const [height, width, channels] = net.sizes(layer);
    const vector = layer >= 0 && net.layers[layer].isVector;
    const whole = h("div", { class: "later" }, "counting …");
    setTimeout(() => {
      if (!whole.isConnected) return;
      if (!net.isQuick("gradient", layer)) {
        Glass.refill(whole, Glass.askPatience(net, "the zeros of all channels"));
        return;
      }
      const zeros = Glass.zerosOfLayer(net, layer);
      Glass.refill(whole, causes(`causes/${net.nameOf(layer)}`, zeros, height * width * channels));
    }, 60);
    const cells = Glass.counted(height * width * channels);
    return h(
      "div",
      null,
      !vector &&
        channels > 1 && [
          h("h4", null, `Channel ${channel}: ${Glass.counted(height * width)} cells`),
          causes(
            `causes/${net.nameOf(layer)}/${channel}`,
            Glass.zerosOfChannel(net, layer, channel).zeros,
            height * width,
          ),
        ],
      h("h4", null, `The whole layer: ${cells} cells`),
      whole,
    );
  }

  Glass.views.backward = (context) => {
    const { net, selection } = context;
    const [i, cell] = [selection.layer, selection.cell];
    const value = net.value("gradient", i, ...cell);
    const title = h("h3", null, "∂L/∂ ", h("code", null, cellName(net, i, cell)));
    if (Number.isNaN(value)) return [title, Glass.untold("This gradient"), Glass.gradientThrough(context)];
    title.append(" = ", h("span", { class: "answer" }, number(Glass.valueName(net, "gradient", i, cell), value)));
    const picture = mapPicture(net, "gradient", i, selection.channel, {
      key: "gradient-map",
      width: 360,
      pinned: cell,
      title: "the gradient, hatched where it is exactly 0; choose a cell",
      onPin: ([y, x, c]) => selection.set({ y, x, channel: c }),
    });
    return [
      title,
      Glass.gradientOrigin(context),
      h("div", { class: "side" }, picture.figure, zeros(context)),
      Glass.gradientThrough(context),
    ];
  };
})(Glass);
