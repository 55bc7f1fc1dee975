// The terms of sums: of the dot product that made a cell, of a weight's gradient, of a cell's gradient.
"use strict";

(function (Glass) {
  const { pixel, cells, covering } = Glass;

  // Terms that are told one by one.
  const LARGEST = 12;

  // The dot product of cell [y, x, c] of layer i; null of layers that sum no products, or whose kernel is not
  // carried. What lies in the padding is left out.
  function dot(net, i, [y, x, c]) {
    const layer = net.layers[i];
    if (!["conv2d", "depthwise_conv2d", "dense"].includes(layer.kind)) return null;
    const [kernel, bias] = net.weights(i);
    if (!kernel) return null;
    const terms = [];
    const add = (from, cell, input, weight, index) =>
      terms.push({ from, cell, input, weight, index, product: input * weight });
    if (layer.kind === "dense") {
      const [, width, channels] = layer.in;
      net.values("output", i - 1).forEach((input, e) => {
        const pixel = Math.floor(e / channels);
        const from = [Math.floor(pixel / width), pixel % width, e % channels];
        add(from, [0, 0], input, kernel[e * layer.out[2] + c], [e, c]);
      });
    } else {
      const kind = Glass.kinds[layer.kind];
      for (const cell of cells(layer)) {
        const under = pixel(layer, [y, x], cell);
        if (!under) continue;
        for (const channel of kind.inputs(layer, c)) {
          const index = layer.kind === "conv2d" ? [...cell, channel, c] : [...cell, channel, c % layer.multiplier];
          const input = net.value("output", i - 1, ...under, channel);
          add([...under, channel], cell, input, kernel[kind.weight(layer, cell, channel, c)], index);
        }
      }
    }
    const last = bias ? bias[c] : 0;
    return { terms, bias: last, sum: total(terms) + last };
  }

  // ∂L/∂w of one weight, of the image in focus: Σ input · ∂L/∂output over the positions where it was used.
  function chain(net, weight) {
    const i = net.layers.findIndex((layer) => layer.tensors.includes(weight.tensor));
    const layer = net.layers[i];
    const { channel, inputs } = used(net, i, weight);
    const [gradients, zeros] = [net.plane("gradient", i, channel), Glass.noZeros()];
    const [height, width] = layer.out;
    const terms = [];
    for (let place = 0; place < height * width; place++) {
      const [position, input, gradient] = [[Math.floor(place / width), place % width], inputs(place), gradients[place]];
      let cause = null;
      if (gradient === 0) cause = Glass.causeOfZero(net, i, [...position, channel]);
      else if (input === null) cause = "padding";
      else if (input === 0) cause = "input";
      if (cause) zeros[cause]++;
      terms.push({ position, input: input || 0, gradient, product: (input || 0) * gradient, cause });
    }
    return { layer: i, channel, terms, zeros, sum: total(terms) };
  }

  // The output channel that a weight goes to, and what it was multiplied with at each position.
  function used(net, i, { tensor, index }) {
    const layer = net.layers[i];
    const width = layer.out[1];
    const at = (place) => [Math.floor(place / width), place % width];
    const part = tensor.slice(tensor.lastIndexOf("/") + 1);
    if (layer.kind === "conv2d" || layer.kind === "depthwise_conv2d") {
      if (index.length === 4) {
        const [ky, kx, c, last] = index;
        const channel = layer.kind === "conv2d" ? last : c * layer.multiplier + last;
        const inputs = (place) => {
          const under = pixel(layer, at(place), [ky, kx]);
          return under && net.value("output", i - 1, ...under, c);
        };
        return { channel, inputs };
      }
    } else if (layer.kind === "dense" && index.length === 2) {
      return { channel: index[1], inputs: () => net.values("output", i - 1)[index[0]] };
    } else if (part === "gamma") {
      const [channel] = index;
      const { mean, deviation } = net.normalization(i, channel);
      const input = net.plane("output", i - 1, channel);
      return { channel, inputs: (place) => (input[place] - mean) / deviation };
    }
    return { channel: index[0], inputs: () => 1 };
  }

  // The positions of a convolution whose patch has cell [y, x, c] of its input, each with what it sends back:
  // Σ ∂L/∂output · weight over the filters. That is one cell of col2im: the parts add up to the cell's gradient.
  function patches(net, i, [y, x, c]) {
    const layer = net.layers[i];
    const kind = Glass.kinds[layer.kind];
    const [kernel] = kind.outputs ? net.weights(i) : [null];
    if (!kernel) return null;
    return covering(layer, [y, x]).map(({ position, cell }) => {
      const terms = kind.outputs(layer, c).map((filter) => {
        const gradient = net.value("gradient", i, ...position, filter);
        const weight = kernel[kind.weight(layer, cell, c, filter)];
        return { filter, gradient, weight, product: gradient * weight };
      });
      return { position, cell, terms, sum: total(terms) };
    });
  }

  const total = (terms) => terms.reduce((sum, term) => sum + term.product, 0);

  // A sum as it is told: the largest terms with a running total, what the others add up to, how many are 0.
  function split(terms) {
    const notZero = terms.filter((term) => term.product !== 0);
    const sorted = notZero.sort((a, b) => Math.abs(b.product) - Math.abs(a.product));
    const [largest, others] = [sorted.slice(0, LARGEST), sorted.slice(LARGEST)];
    let running = 0;
    return {
      largest: largest.map((term) => ({ ...term, running: (running += term.product) })),
      rest: total(others),
      restCount: others.length,
      zeroCount: terms.length - sorted.length,
    };
  }

  Object.assign(Glass, { dot, chain, patches, split, total, LARGEST });
})(Glass);
