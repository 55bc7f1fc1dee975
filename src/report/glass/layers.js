// The mathematics of every kind of layer: forward to one channel of its output, backward to one of its input.
//
// A plane is one channel, row by row. `net.plane("output", i, c)` is what layer i put out, `net.plane("gradient",
// i, c)` is ∂L/∂output; layer −1 is the image. `forward(net, i, c)` makes the plane of layer i's output out of the
// planes before it, `backward(net, i, c)` that of ∂L/∂input out of those behind. Sums are in double precision.
"use strict";

(function (Glass) {
  const { pixel, cells } = Glass;

  // Calls `each` with position, pixel and cell for all that a window touches.
  function slide(layer, each) {
    const [height, width] = layer.out;
    for (const [ky, kx] of cells(layer)) {
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const under = pixel(layer, [y, x], [ky, kx]);
          if (under) each(y * width + x, under[0] * layer.in[1] + under[1], ky, kx);
        }
      }
    }
  }

  // The first and the last position, along one axis, at which a cell of the kernel lies within the image.
  function inside(offset, stride, size, positions) {
    return [
      Math.max(Math.ceil(-offset / stride), 0),
      Math.min(Math.floor((size - 1 - offset) / stride), positions - 1),
    ];
  }

  // output += weight · input, or input += weight · output, at every position of one cell of the kernel.
  function accumulate(layer, [ky, kx], weight, input, output, back) {
    if (weight === 0) return;
    const { stride, dilation, pad } = Glass.windowOf(layer);
    const [down, right] = [ky * dilation[0] - pad[0], kx * dilation[1] - pad[1]];
    const [top, bottom] = inside(down, stride[0], layer.in[0], layer.out[0]);
    const [left, end] = inside(right, stride[1], layer.in[1], layer.out[1]);
    for (let y = top; y <= bottom; y++) {
      let from = (y * stride[0] + down) * layer.in[1] + left * stride[1] + right;
      const row = y * layer.out[1];
      for (let to = row + left; to <= row + end; to++, from += stride[1]) {
        if (back) input[from] += weight * output[to];
        else output[to] += weight * input[from];
      }
    }
  }

  const zeros = ([height, width]) => new Float64Array(height * width);
  const nothing = (sizes) => zeros(sizes).fill(NaN);
  const map = (plane, each) => Float64Array.from(plane, each);

  // y[p, f] = Σ x[p + k, c] · kernel[k, c, f] + bias[f]
  const conv2d = {
    weight: (layer, [ky, kx], c, f) => ((ky * layer.kernel[1] + kx) * layer.in[2] + c) * layer.out[2] + f,
    inputs: (layer) => Array.from({ length: layer.in[2] }, (_, c) => c),
    outputs: (layer) => Array.from({ length: layer.out[2] }, (_, f) => f),
  };
  // Every channel by itself: channel c has the filters c·M … c·M + M − 1.
  const depthwise_conv2d = {
    weight: (layer, [ky, kx], c, f) => (ky * layer.kernel[1] + kx) * layer.out[2] + f,
    inputs: (layer, f) => [Math.floor(f / layer.multiplier)],
    outputs: (layer, c) => Array.from({ length: layer.multiplier }, (_, m) => c * layer.multiplier + m),
  };
  for (const kind of [conv2d, depthwise_conv2d]) {
    kind.forward = (net, i, f) => {
      const layer = net.layers[i];
      const [kernel, bias] = net.weights(i);
      if (!kernel) return nothing(layer.out);
      const output = zeros(layer.out).fill(bias ? bias[f] : 0);
      for (const c of kind.inputs(layer, f)) {
        const input = net.plane("output", i - 1, c);
        for (const cell of cells(layer))
          accumulate(layer, cell, kernel[kind.weight(layer, cell, c, f)], input, output, false);
      }
      return output;
    };
    kind.backward = (net, i, c) => {
      const layer = net.layers[i];
      const [kernel] = net.weights(i);
      if (!kernel) return nothing(layer.in);
      const input = zeros(layer.in);
      for (const f of kind.outputs(layer, c)) {
        const output = net.plane("gradient", i, f);
        for (const cell of cells(layer))
          accumulate(layer, cell, kernel[kind.weight(layer, cell, c, f)], input, output, true);
      }
      return input;
    };
  }

  // The window's largest; the gradient goes to where that stood.
  const max_pool = {
    forward(net, i, c) {
      const output = zeros(net.layers[i].out);
      const input = net.plane("output", i - 1, c);
      net.eachWinner(i, c, (position, from) => (output[position] = input[from]));
      return output;
    },
    backward(net, i, c) {
      const input = zeros(net.layers[i].in);
      const output = net.plane("gradient", i, c);
      net.eachWinner(i, c, (position, from) => (input[from] += output[position]));
      return input;
    },
  };

  // The mean of the window's cells that lie within the image.
  function shares(layer) {
    const touched = zeros(layer.out);
    slide(layer, (position) => touched[position]++);
    return touched;
  }
  const average_pool = {
    forward(net, i, c) {
      const layer = net.layers[i];
      const [output, input, touched] = [zeros(layer.out), net.plane("output", i - 1, c), shares(layer)];
      slide(layer, (position, from) => (output[position] += input[from]));
      return map(output, (sum, position) => sum / touched[position]);
    },
    backward(net, i, c) {
      const layer = net.layers[i];
      const [input, output, touched] = [zeros(layer.in), net.plane("gradient", i, c), shares(layer)];
      slide(layer, (position, from) => (input[from] += output[position] / touched[position]));
      return input;
    },
  };

  const global_average_pool = {
    forward: (net, i, c) => {
      const input = net.plane("output", i - 1, c);
      return Float64Array.of(input.reduce((sum, x) => sum + x, 0) / input.length);
    },
    backward: (net, i, c) => {
      const input = zeros(net.layers[i].in);
      return input.fill(net.value("gradient", i, 0, 0, c) / input.length);
    },
  };

  // y[u] = Σ x[e] · kernel[e, u] + bias[u]
  const dense = {
    forward(net, i, u) {
      const [layer, [kernel, bias]] = [net.layers[i], net.weights(i)];
      if (!kernel) return nothing(layer.out);
      const input = net.values("output", i - 1);
      let sum = bias ? bias[u] : 0;
      for (let e = 0; e < input.length; e++) sum += input[e] * kernel[e * layer.out[2] + u];
      return Float64Array.of(sum);
    },
    backward(net, i, c) {
      const [layer, [kernel]] = [net.layers[i], net.weights(i)];
      if (!kernel) return nothing(layer.in);
      const [units, channels] = [layer.out[2], layer.in[2]];
      const output = net.values("gradient", i);
      return map(zeros(layer.in), (_, place) => {
        let sum = 0;
        for (let u = 0; u < units; u++) sum += output[u] * kernel[(place * channels + c) * units + u];
        return sum;
      });
    },
  };

  const flatten = {
    forward: (net, i, e) => Float64Array.of(net.values("output", i - 1)[e]),
    backward: (net, i, c) => {
      const [{ in: sizes }, output] = [net.layers[i], net.values("gradient", i)];
      return map(zeros(sizes), (_, place) => output[place * sizes[2] + c]);
    },
  };

  // Value by value: y = slope · x, where the slope is that of the side on which x lies, or dropout's factor.
  const byValue = (slope) => ({
    slope,
    forward: (net, i, c) => {
      const input = net.plane("output", i - 1, c);
      return map(input, (x, place) => x * slope(net, i, c, place, x));
    },
    backward: (net, i, c) => {
      const [input, output] = [net.plane("output", i - 1, c), net.plane("gradient", i, c)];
      return map(output, (g, place) => (g === 0 ? 0 : g * slope(net, i, c, place, input[place])));
    },
  });
  const relu = byValue((net, i, c, place, x) => (x > 0 ? 1 : 0));
  const leaky_relu = byValue((net, i, c, place, x) => (x > 0 ? 1 : net.layers[i].slope));
  const dropout = byValue((net, i, c, place) => net.factors(i)[place * net.layers[i].out[2] + c]);

  // y = γ · (x − mean) / √(variance + ε) + β. Its backward pass takes all images of the batch together, so that
  // one image alone cannot tell it: the bundle carries the result.
  const batch_normalization = {
    forward: (net, i, c) => {
      const { mean, deviation, gamma, beta } = net.normalization(i, c);
      return map(net.plane("output", i - 1, c), (x) => ((x - mean) / deviation) * gamma + beta);
    },
    backward: (net, i) => nothing(net.layers[i].in),
  };

  Glass.kinds = {
    conv2d,
    depthwise_conv2d,
    max_pool,
    average_pool,
    global_average_pool,
    dense,
    flatten,
    relu,
    leaky_relu,
    dropout,
    batch_normalization,
  };
})(Glass);
