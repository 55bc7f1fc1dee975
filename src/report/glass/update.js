// One weight: its numbers in the bundle, the images' shares of its gradient, and the optimizer's step.
"use strict";

(function (Glass) {
  const weightName = ({ tensor, index }) => `${tensor}[${index.join(",")}]`;

  const elementOf = (shape, index) => shape.reduce((element, size, axis) => element * size + index[axis], 0);

  // The place of an element of a tensor along each axis.
  function indexOf(shape, element) {
    const index = [];
    for (const size of [...shape].reverse()) {
      index.unshift(element % size);
      element = Math.floor(element / size);
    }
    return index;
  }

  // The numbers that the bundle has of a weight: from whole tensors, or from the excerpt of a large one.
  function numbersOf(bundle, weight) {
    const { tensor, index } = weight;
    const excerpt = (bundle.header.excerpts[tensor] || []).find((one) => one.index.join() === index.join());
    const at = (name, word) => {
      const values = bundle.tensor(name);
      if (values) return values[elementOf(bundle.shape(name), index)];
      const told = excerpt && excerpt[word];
      return told === undefined || told === null ? null : told;
    };
    const gradient = at(`gradient/${tensor}`, "gradient");
    return {
      gradient,
      used: at(`clipped/${tensor}`, "clipped") ?? gradient,
      before: at(`before/${tensor}`, "before"),
      after: at(`after/${tensor}`, "after"),
      m: at(`before/adam/m/${tensor}`, "m"),
      v: at(`before/adam/v/${tensor}`, "v"),
      velocity: at(`before/sgd/velocity/${tensor}`, "velocity"),
      shares: sharesOf(bundle, weight, excerpt),
    };
  }

  // Each image's share of the gradient, or null where the bundle does not tell them.
  function sharesOf(bundle, weight, excerpt) {
    const told = (bundle.header.shares || {})[weightName(weight)] || (excerpt && excerpt.shares);
    if (told) return told;
    const shares = bundle.header.images.map((_, image) => {
      const values = bundle.tensor(`share/${image}/${weight.tensor}`);
      return values ? values[elementOf(bundle.shape(`share/${image}/${weight.tensor}`), weight.index)] : null;
    });
    return shares.includes(null) ? null : shares;
  }

  // The optimizer's step of a weight, number by number; null where its numbers are not on the page.
  function movement(bundle, weight) {
    const { optimizer, learning_rate: rate, step } = bundle.header;
    const numbers = numbersOf(bundle, weight);
    const { used: g, before: w } = numbers;
    if (g === null || w === null) return null;
    const decay = rate * (optimizer.weight_decay || 0) * w;
    if (optimizer.kind === "adam") {
      if (numbers.m === null || numbers.v === null) return null;
      const m = numbers.m + (g - numbers.m) * (1 - optimizer.beta_1);
      const v = numbers.v + (g * g - numbers.v) * (1 - optimizer.beta_2);
      const alpha = (rate * Math.sqrt(1 - optimizer.beta_2 ** step)) / (1 - optimizer.beta_1 ** step);
      const moved = (-alpha * m) / (Math.sqrt(v) + optimizer.epsilon);
      return { ...numbers, kind: "adam", newM: m, newV: v, alpha, decay, moved, computed: w - decay + moved };
    }
    const newVelocity = optimizer.momentum * (numbers.velocity || 0) - rate * g;
    const moved = optimizer.nesterov ? optimizer.momentum * newVelocity - rate * g : newVelocity;
    return { ...numbers, kind: "sgd", newVelocity, decay, moved, computed: w - decay + moved };
  }

  // The weight of a tensor with the largest gradient, among those that go to one output channel; of a tensor that
  // is not carried, the first of its excerpt.
  function strongest(bundle, tensor, channel = null) {
    const [values, shape] = [bundle.tensor(`gradient/${tensor}`), bundle.shape(`gradient/${tensor}`)];
    if (!values) {
      const [first] = bundle.header.excerpts[tensor] || [];
      return first ? { tensor, index: first.index } : null;
    }
    const last = shape[shape.length - 1];
    const step = channel === null || channel >= last ? 1 : last;
    let best = step === 1 ? 0 : channel;
    for (let e = best; e < values.length; e += step) if (Math.abs(values[e]) > Math.abs(values[best])) best = e;
    return { tensor, index: indexOf(shape, best) };
  }

  Object.assign(Glass, { weightName, elementOf, indexOf, numbersOf, movement, strongest });
})(Glass);
