// Where the gradient at a cell came from: what the next layer sent back, by its kind.
"use strict";

(function (Glass) {
  const { mn, mo, math, formula, fraction, h, number, count, cellName } = Glass;

  const named = (net, i, cell) => Glass.valueName(net, "gradient", i, cell);

  // What a layer that works value by value did with the gradient.
  function passed(kind, slope) {
    if (kind === "dropout" && slope === 0) return "had dropped this value, and sends nothing back";
    if (kind === "dropout") return "had enlarged this value, and enlarges its gradient by as much";
    if (slope === 1) return "was open here, since the value is above zero, and hands the gradient on";
    if (slope === 0) return "was shut here, since the value is not above zero, and sends nothing back";
    return "lets a small part through, since the value is not above zero";
  }

  // What the next layer sent back to the cell, as a sentence and a formula.
  function origin({ net, selection }) {
    const [i, cell] = [selection.layer, selection.cell];
    const [y, x, c] = cell;
    const next = net.layers[i + 1];
    const here = net.value("gradient", i, ...cell);
    const result = () => [mo("="), mn(named(net, i, cell), here)];
    const behind = (options) => mn(named(net, i + 1, cell), net.value("gradient", i + 1, ...cell), options);
    if (!next) return h("p", null, "This is the last layer: its gradient is (p − y)/N, from the loss.");
    const intro = (...text) => h("p", null, h("code", null, next.name), ` (${Glass.KINDS[next.kind]}) `, text);
    if (next.kind === "relu" || next.kind === "leaky_relu" || next.kind === "dropout") {
      const input = net.value("output", i, ...cell);
      const slope = Glass.kinds[next.kind].slope(net, i + 1, c, y * net.sizes(i)[1] + x, input);
      const words = intro(passed(next.kind, slope), ":");
      if (Number.isNaN(net.value("gradient", i + 1, ...cell))) return words;
      return [
        words,
        formula(math(behind({ enclosed: true }), mo("·"), mn(`slope/${cellName(net, i + 1, cell)}`, slope), result())),
      ];
    }
    if (next.kind === "max_pool") {
      const takers = Glass.covering(next, [y, x]).filter(
        ({ position }) => net.winner(i + 1, ...position, c).join() === [y, x].join(),
      );
      const windows = Glass.covering(next, [y, x]).length;
      if (takers.length === 0)
        return intro(
          "has this cell in ",
          count(`windows/${cellName(net, i, cell)}`, windows),
          windows === 1
            ? " window, in which another was larger: nothing comes back."
            : windows === 0
              ? " windows: nothing comes back."
              : " windows, in each of which another was larger: nothing comes back.",
        );
      const parts = takers.flatMap(({ position }, k) => [
        k > 0 && mo("+"),
        mn(named(net, i + 1, [...position, c]), net.value("gradient", i + 1, ...position, c), { enclosed: k > 0 }),
      ]);
      return [intro("took this cell: all of the window’s gradient comes back to it."), formula(math(parts, result()))];
    }
    if (next.kind === "average_pool" || next.kind === "global_average_pool") return meanOrigin(net, i, cell, intro);
    if (next.kind === "flatten")
      return intro("only renames: ", number(named(net, i, cell), here), " comes back as it is.");
    if (next.kind === "batch_normalization")
      return intro(
        "couples the images of the batch: each value moves the mean and the deviation of all. ",
        number(named(net, i, cell), here),
        " is what the engine has.",
      );
    if (next.kind === "dense") return denseOrigin(net, i, cell, intro);
    const parts = Glass.patches(net, i + 1, cell);
    if (!parts || parts.some((part) => Number.isNaN(part.sum)))
      return intro("sums over what is not all on the page; the engine has ", number(named(net, i, cell), here), ".");
    return [
      intro(
        "had this cell in ",
        count(`patches/${cellName(net, i, cell)}/count`, parts.length),
        " patches, and from each a part comes back.",
      ),
      Glass.patchFigure(net, i + 1, cell, parts),
    ];
  }

  // Every window gives each of its cells that lie within the image the same share of its gradient.
  function meanOrigin(net, i, [y, x, c], intro) {
    const next = net.layers[i + 1];
    const all =
      next.kind === "global_average_pool" ? [[0, 0]] : Glass.covering(next, [y, x]).map(({ position }) => position);
    const cellsOf = (position) =>
      next.window
        ? Glass.cells(next).filter((cell) => Glass.pixel(next, position, cell)).length
        : next.in[0] * next.in[1];
    const part = (position) =>
      fraction(
        mn(named(net, i + 1, [...position, c]), net.value("gradient", i + 1, ...position, c)),
        mn(`share/${cellName(net, i + 1, [...position, c])}`, cellsOf(position)),
      );
    const parts = all.flatMap((position, k) => [k > 0 && mo("+"), part(position)]);
    const here = mn(named(net, i, [y, x, c]), net.value("gradient", i, y, x, c));
    return [
      intro("gives every cell of a window the same share of the window’s gradient:"),
      formula(math(parts, mo("="), here)),
    ];
  }

  function denseOrigin(net, i, [y, x, c], intro) {
    const next = net.layers[i + 1];
    const [kernel] = net.weights(i + 1);
    const here = net.value("gradient", i, y, x, c);
    if (!kernel)
      return intro(
        "sends the sum over its units of gradient times weight. Its weights are too many for the page; the engine has ",
        number(named(net, i, [y, x, c]), here),
        ".",
      );
    const [, width, channels] = next.in;
    const units = next.out[2];
    const e = (y * width + x) * channels + c;
    const gradients = net.values("gradient", i + 1);
    const terms = Array.from({ length: units }, (_, u) => ({
      unit: u,
      gradient: gradients[u],
      weight: kernel[e * units + u],
      product: gradients[u] * kernel[e * units + u],
    }));
    const of = `${net.prefix("gradient", i + 1)}back/${cellName(net, i, [y, x, c])}`;
    const total = Glass.total(terms);
    return [
      intro(
        units === 1
          ? "sends the gradient of its one unit times the weight:"
          : `sends the sum over its ${units} units of gradient times weight:`,
      ),
      Glass.sumFormula({ of, terms, factors: (term) => [term.gradient, term.weight], total }),
      Glass.engineLine(of, total, net.carried("gradient", i) && here),
    ];
  }

  Object.assign(Glass, { gradientOrigin: origin });
})(Glass);
