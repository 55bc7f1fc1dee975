// The network of a bundle: the values and gradients of every layer, carried or computed when they are asked for.
"use strict";

(function (Glass) {
  // A vector is an image of one pixel.
  const sizes = (shape) => (shape.length === 1 ? [1, 1, shape[0]] : shape);

  class Network {
    constructor(bundle) {
      this.bundle = bundle;
      const { input, layers } = bundle.header.network;
      this.input = input;
      this.layers = layers.map((layer, index) => ({
        ...layer,
        index,
        in: sizes(layer.input),
        out: sizes(layer.output),
        isVector: layer.output.length === 1,
      }));
      this.planes = { output: new Map(), gradient: new Map() };
      this.whole = { output: new Map(), gradient: new Map() };
    }

    find(name) {
      return this.layers.findIndex((layer) => layer.name === name);
    }

    // Height, width and channels of a layer's output; −1 is the image.
    sizes(i) {
      return i < 0 ? this.input : this.layers[i].out;
    }

    nameOf(i) {
      return i < 0 ? "images" : this.layers[i].name;
    }

    // What the engine has of a layer, [H, W, C], or null where the bundle leaves it to be computed.
    carried(what, i) {
      if (i < 0) return this.bundle.tensor(what === "output" ? "images" : "grad_images");
      return this.bundle.tensor(`${what === "output" ? "output" : "grad_output"}/${this.layers[i].name}`);
    }

    // One channel of a layer's output or gradient, row by row.
    plane(what, i, c) {
      const planes = this.planes[what];
      if (!planes.has(i)) planes.set(i, new Map());
      const ofLayer = planes.get(i);
      if (!ofLayer.has(c)) ofLayer.set(c, this.makePlane(what, i, c));
      return ofLayer.get(c);
    }

    makePlane(what, i, c) {
      const values = this.carried(what, i);
      if (values) {
        const channels = this.sizes(i)[2];
        return Float32Array.from({ length: values.length / channels }, (_, place) => values[place * channels + c]);
      }
      if (what === "output") return Glass.kinds[this.layers[i].kind].forward(this, i, c);
      return Glass.kinds[this.layers[i + 1].kind].backward(this, i + 1, c);
    }

    // All values, [H, W, C].
    values(what, i) {
      const carried = this.carried(what, i);
      if (carried) return carried;
      if (!this.whole[what].has(i)) {
        const [height, width, channels] = this.sizes(i);
        const values = new Float64Array(height * width * channels);
        for (let c = 0; c < channels; c++) {
          this.plane(what, i, c).forEach((value, place) => (values[place * channels + c] = value));
        }
        this.whole[what].set(i, values);
      }
      return this.whole[what].get(i);
    }

    value(what, i, y, x, c) {
      const [, width, channels] = this.sizes(i);
      const carried = this.carried(what, i);
      return carried ? carried[(y * width + x) * channels + c] : this.plane(what, i, c)[y * width + x];
    }

    // Whether the values of a layer are the engine's, to the last bit: carried, or only let through by gates.
    isExact(what, i) {
      if (this.carried(what, i)) return true;
      const { kind } = this.layers[what === "output" ? i : i + 1];
      return ["relu", "max_pool", "flatten"].includes(kind) && this.isExact(what, what === "output" ? i - 1 : i + 1);
    }

    // How the name begins of a number that is made of such values.
    prefix(what, i) {
      return this.isExact(what, i) ? "" : "computed/";
    }

    // How many products it takes to compute all channels of a layer that is not carried.
    cost(what, i) {
      if (this.carried(what, i)) return 0;
      const layer = this.layers[what === "output" ? i : i + 1];
      const [height, width, channels] = layer.out;
      const taps = layer.kernel ? layer.kernel[0] * layer.kernel[1] * (layer.kind === "conv2d" ? layer.in[2] : 1) : 1;
      const own = height * width * channels * taps;
      if (what === "output") return own + this.cost("output", i - 1);
      return own + this.cost("gradient", i + 1) + (layer.kernel ? 0 : this.cost("output", i));
    }

    // Whether that is worth a reader's wait: about a second.
    isQuick(what, i) {
      return this.patient || this.cost(what, i) < 5e8;
    }

    // The kernel and the bias of a layer before the step, or whatever else its tensors are; null for what is not
    // carried.
    weights(i) {
      return this.layers[i].tensors.map((name) => this.bundle.tensor(`before/${name}`));
    }

    factors(i) {
      return this.bundle.tensor(`factors/${this.layers[i].name}`);
    }

    // The numbers of one channel of a batch normalization.
    normalization(i, c) {
      const layer = this.layers[i];
      const named = (part) => layer.tensors.find((name) => name.endsWith(`/${part}`));
      const of = (part, missing) => (named(part) ? this.bundle.tensor(`before/${named(part)}`)[c] : missing);
      const moments = this.bundle.tensor(`moments/${layer.name}`);
      const [mean, variance] = [moments[c], moments[layer.out[2] + c]];
      const deviation = Math.sqrt(variance + layer.epsilon);
      return { mean, variance, epsilon: layer.epsilon, deviation, gamma: of("gamma", 1), beta: of("beta", 0) };
    }

    // The pixel that won the window of a max-pool at position [y, x].
    winner(i, y, x, c) {
      const layer = this.layers[i];
      const argmax = this.bundle.tensor(`argmax/${layer.name}`);
      const cell = argmax[(y * layer.out[1] + x) * layer.out[2] + c];
      return Glass.pixel(layer, [y, x], [Math.floor(cell / layer.window[1]), cell % layer.window[1]]);
    }

    eachWinner(i, c, each) {
      const [height, width] = this.layers[i].out;
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const [row, column] = this.winner(i, y, x, c);
          each(y * width + x, row * this.layers[i].in[1] + column);
        }
      }
    }

    // The first window of a max-pool whose maximum stood at this cell of its input, or null.
    taker(i, y, x, c) {
      const found = Glass.covering(this.layers[i], [y, x]).find(({ position }) => {
        const [row, column] = this.winner(i, ...position, c);
        return row === y && column === x;
      });
      return found ? found.position : null;
    }

    // What the engine computed at a cell: the carried value, or what a ReLU or a max-pool behind let through
    // unchanged; null where nothing on the page tells it.
    engine(i, y, x, c) {
      const [, width, channels] = this.sizes(i);
      const carried = this.carried("output", i);
      if (carried) return carried[(y * width + x) * channels + c];
      const next = this.layers[i + 1];
      if (!next) return null;
      if (next.kind === "relu" && this.value("output", i, y, x, c) > 0) return this.engine(i + 1, y, x, c);
      if (next.kind !== "max_pool") return null;
      const taker = this.taker(i + 1, y, x, c);
      return taker && this.engine(i + 1, ...taker, c);
    }
  }

  // The name of a cell, as conv2d[3,4,7], or dense[5] of a vector.
  function cellName(net, i, [y, x, c]) {
    const vector = i >= 0 && net.layers[i].isVector;
    return `${net.nameOf(i)}[${vector ? c : `${y},${x},${c}`}]`;
  }

  // What the number at a cell is called: that of the engine plainly, what this page computed with a word before it.
  function valueName(net, what, i, cell) {
    return `${net.prefix(what, i)}${what === "output" ? "output" : "grad_output"}/${cellName(net, i, cell)}`;
  }

  Object.assign(Glass, { Network, cellName, valueName });
})(Glass);
