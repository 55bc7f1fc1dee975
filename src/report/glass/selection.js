// What the reader has chosen: a layer, a cell, a weight, and what is shown of them. It stands in the address, so
// that a link leads to the same place; what other scripts keep there is left alone.
"use strict";

(function (Glass) {
  const WEIGHT = /^(.+)\[([\d,]+)\]$/;
  const within = (value, size) => Math.min(Math.max(Math.round(value) || 0, 0), size - 1);

  class Selection {
    constructor(net) {
      this.listeners = [];
      const { selection } = net.bundle.header;
      this.show = "output";
      this.hide = [];
      this.at = null;
      // The cell of the layer's input whose gradient is looked into; null for the one that tells most.
      this.spot = null;
      this.layer = net.find(selection.layer);
      [this.y, this.x, this.channel] = selection.place;
      this.weight = selection.weight;
      this.net = net;
      this.readAddress();
    }

    get cell() {
      return [this.y, this.x, this.channel];
    }

    // Changes some of it; the rest follows, so that all stays a cell and a weight of this network.
    set(changes, { tell = true } = {}) {
      const before = { layer: this.layer, channel: this.channel };
      if ("layer" in changes && changes.layer !== this.layer) this.follow(changes.layer);
      Object.assign(this, changes);
      if (this.layer !== before.layer && !("spot" in changes)) this.spot = null;
      this.clamp();
      if (!("weight" in changes) && (this.layer !== before.layer || this.channel !== before.channel))
        this.followWeight();
      this.write();
      if (tell) this.listeners.forEach((listener) => listener(this));
    }

    onChange(listener) {
      this.listeners.push(listener);
    }

    // Another layer: the same spot of the image, the same channel where there are as many.
    follow(layer) {
      const [from, to] = [this.net.sizes(this.layer), this.net.sizes(layer)];
      this.y = Math.floor(((this.y + 0.5) / from[0]) * to[0]);
      this.x = Math.floor(((this.x + 0.5) / from[1]) * to[1]);
      if (from[2] !== to[2]) this.channel = Glass.loudest(this.net, layer);
    }

    // A layer that has weights brings one of its own: that with the largest gradient, of the chosen channel.
    followWeight() {
      const layer = this.net.layers[this.layer];
      const [tensor] = layer ? layer.tensors : [];
      if (!tensor) return;
      const channel = layer.kind === "depthwise_conv2d" ? null : this.channel;
      this.weight = Glass.strongest(this.net.bundle, tensor, channel) || this.weight;
    }

    clamp() {
      this.layer = within(this.layer + 1, this.net.layers.length + 1) - 1;
      const [height, width, channels] = this.net.sizes(this.layer);
      this.y = within(this.y, height);
      this.x = within(this.x, width);
      this.channel = within(this.channel, channels);
      const before = this.net.sizes(Math.max(this.layer - 1, -1));
      if (this.spot) this.spot = before.map((size, axis) => within(this.spot[axis], size));
    }

    // Another bundle of the same network, as the live page gets it: what is chosen stays.
    carryOver(net) {
      this.net = net;
      this.clamp();
    }

    parameters() {
      const text = location.hash.slice(1);
      return new URLSearchParams(text.includes("=") ? text : "");
    }

    write() {
      const parameters = this.parameters();
      const put = (name, value) => (value ? parameters.set(name, value) : parameters.delete(name));
      put("layer", this.net.nameOf(this.layer));
      put("pixel", `${this.y},${this.x}`);
      put("channel", String(this.channel));
      put("weight", this.weight && Glass.weightName(this.weight));
      put("spot", this.spot && this.spot.join(","));
      put("show", this.show === "output" ? "" : this.show);
      put("hide", this.hide.join(","));
      put("at", this.at);
      // Commas, slashes and brackets stay readable: an address may hold them behind its #.
      const readable = parameters
        .toString()
        .replace(/%2C/g, ",")
        .replace(/%2F/g, "/")
        .replace(/%5B/g, "[")
        .replace(/%5D/g, "]");
      history.replaceState(history.state, "", `#${readable}`);
    }

    readAddress() {
      const parameters = this.parameters();
      const numbers = (name) => (parameters.get(name) || "").split(",").filter(Boolean).map(Number);
      if (parameters.has("layer")) {
        const name = parameters.get("layer");
        const layer = name === "images" ? -1 : this.net.find(name);
        const known = name === "images" || layer >= 0;
        if (known && layer !== this.layer) {
          this.follow(layer);
          this.layer = layer;
          this.clamp();
          this.followWeight();
        }
      }
      if (parameters.has("pixel")) [this.y, this.x] = numbers("pixel");
      if (parameters.has("channel")) [this.channel] = numbers("channel");
      const [, tensor, index] = WEIGHT.exec(parameters.get("weight") || "") || [];
      if (tensor) this.readWeight(tensor, index.split(",").map(Number));
      this.show = parameters.get("show") === "gradient" ? "gradient" : "output";
      this.hide = (parameters.get("hide") || "").split(",").filter(Boolean);
      this.at = parameters.get("at");
      this.spot = parameters.has("spot") ? numbers("spot") : null;
      this.clamp();
    }

    readWeight(tensor, index) {
      const { bundle, layers } = this.net;
      if (!layers.some((layer) => layer.tensors.includes(tensor))) return;
      const shape = bundle.shape(`gradient/${tensor}`);
      if (shape && (shape.length !== index.length || index.some((place, axis) => place >= shape[axis]))) return;
      this.weight = { tensor, index };
    }
  }

  // The channel of a layer with the largest value: the one that there is something to see in.
  function loudest(net, i) {
    const values = net.carried("output", i) || net.values("output", i);
    const channels = net.sizes(i)[2];
    let best = 0;
    values.forEach((value, place) => {
      if (Math.abs(value) > Math.abs(values[best])) best = place;
    });
    return best % channels;
  }

  Object.assign(Glass, { Selection, loudest });
})(Glass);
