// Why a gradient is exactly 0 at a cell: the first layer behind it, on the gradient's way back, that let nothing
// through.
"use strict";

(function (Glass) {
  const CAUSES = {
    pool: "because the max-pool behind took another cell of the window",
    relu: "because the ReLU behind was shut",
    dropout: "because dropout had dropped the value",
    behind: "because everything further back is 0",
    padding: "because the kernel’s cell lay outside the image",
    input: "because the input was 0",
  };

  const noZeros = () => Object.fromEntries(Object.keys(CAUSES).map((cause) => [cause, 0]));

  // The causes that there are, most first, with their counts.
  const causesOf = (zeros) =>
    Object.entries(zeros)
      .filter(([, count]) => count > 0)
      .sort((a, b) => b[1] - a[1]);

  // The cause of a zero in ∂L/∂output of layer i at [y, x, c].
  function causeOfZero(net, i, [y, x, c]) {
    const next = net.layers[i + 1];
    if (!next) return "behind";
    const unless = (cause) =>
      net.value("gradient", i + 1, y, x, c) === 0 ? causeOfZero(net, i + 1, [y, x, c]) : cause;
    if (next.kind === "relu" || next.kind === "leaky_relu") return unless("relu");
    if (next.kind === "dropout") return unless("dropout");
    if (next.kind === "flatten") {
      const [, width, channels] = next.in;
      return causeOfZero(net, i + 1, [0, 0, (y * width + x) * channels + c]);
    }
    if (next.kind === "max_pool") {
      const taker = net.taker(i + 1, y, x, c);
      return taker ? causeOfZero(net, i + 1, [...taker, c]) : "pool";
    }
    return "behind";
  }

  // The causes of all zeros in one channel of a layer's gradient: counted, and the cause of each cell.
  function zerosOfChannel(net, i, c) {
    const width = net.sizes(i)[1];
    const zeros = noZeros();
    const ofCell = Array.from(net.plane("gradient", i, c), (gradient, place) => {
      if (gradient !== 0) return null;
      const cause = causeOfZero(net, i, [Math.floor(place / width), place % width, c]);
      zeros[cause]++;
      return cause;
    });
    return { zeros, ofCell };
  }

  // The same of all channels, counted. A network keeps it, since a layer may have half a million cells.
  const kept = new WeakMap();
  function zerosOfLayer(net, i) {
    if (!kept.has(net)) kept.set(net, new Map());
    const ofNet = kept.get(net);
    if (!ofNet.has(i)) {
      const all = noZeros();
      for (let c = 0; c < net.sizes(i)[2]; c++) {
        for (const [cause, count] of causesOf(zerosOfChannel(net, i, c).zeros)) all[cause] += count;
      }
      ofNet.set(i, all);
    }
    return ofNet.get(i);
  }

  Object.assign(Glass, { CAUSES, noZeros, causesOf, causeOfZero, zerosOfChannel, zerosOfLayer });
})(Glass);
