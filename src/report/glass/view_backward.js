// Backward: the gradient at the chosen cell, where it came from, where it is zero and why, and where it goes.
"use strict";

(function (Glass) {
  const { h, mn, mo, math, formula, fraction, root, number, count, cellName, mapPicture, most } = Glass;

  const named = (net, i, cell) => Glass.valueName(net, "gradient", i, cell);

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
      const why = next.kind === "dropout" ? (slope === 0 ? "had dropped this value, and sends nothing back:" : "had enlarged this value, and enlarges its gradient by as much:")
        : input > 0 ? "was open here, since the value is above zero, and hands the gradient on:" : next.kind === "relu" ? "was shut here, since the value is not above zero, and sends nothing back:" : "lets a small part through, since the value is not above zero:";
      return [intro(why), formula(math(behind({ enclosed: true }), mo("·"), mn(`slope/${cellName(net, i + 1, cell)}`, slope), result()))];
    }
    if (next.kind === "max_pool") {
      const takers = Glass.covering(next, [y, x]).filter(({ position }) => net.winner(i + 1, ...position, c).join() === [y, x].join());
      const windows = Glass.covering(next, [y, x]).length;
      if (takers.length === 0) return intro("has this cell in ", count(`windows/${cellName(net, i, cell)}`, windows), windows === 1 ? " window, in which another was larger: nothing comes back." : windows === 0 ? " windows: nothing comes back." : " windows, in each of which another was larger: nothing comes back.");
      const parts = takers.flatMap(({ position }, k) => [k > 0 && mo("+"), mn(named(net, i + 1, [...position, c]), net.value("gradient", i + 1, ...position, c), { enclosed: k > 0 })]);
      return [intro("took this cell: all of the window’s gradient comes back to it."), formula(math(parts, result()))];
    }
    if (next.kind === "average_pool" || next.kind === "global_average_pool") return meanOrigin(net, i, cell, intro);
    if (next.kind === "flatten") return intro("only renames: ", number(named(net, i, cell), here), " comes back as it is.");
    if (next.kind === "batch_normalization") return intro("couples the images of the batch: each value moves the mean and the deviation of all. ", number(named(net, i, cell), here), " is what the engine has.");
    if (next.kind === "dense") return denseOrigin(net, i, cell, intro);
    const parts = Glass.patches(net, i + 1, cell);
    if (!parts) return intro("has a kernel that is too large for the page; the engine has ", number(named(net, i, cell), here), ".");
    return [intro("had this cell in ", count(`patches/${cellName(net, i, cell)}/count`, parts.length), " patches, and from each a part comes back."), patchFigure(net, i + 1, cell, parts)];
  }

  // Every window gives each of its cells that lie within the image the same share of its gradient.
  function meanOrigin(net, i, [y, x, c], intro) {
    const next = net.layers[i + 1];
    const all = next.kind === "global_average_pool" ? [[0, 0]] : Glass.covering(next, [y, x]).map(({ position }) => position);
    const cellsOf = (position) => (next.window ? Glass.cells(next).filter((cell) => Glass.pixel(next, position, cell)).length : next.in[0] * next.in[1]);
    const part = (position) => fraction(mn(named(net, i + 1, [...position, c]), net.value("gradient", i + 1, ...position, c)), mn(`share/${cellName(net, i + 1, [...position, c])}`, cellsOf(position)));
    const parts = all.flatMap((position, k) => [k > 0 && mo("+"), part(position)]);
    const here = mn(named(net, i, [y, x, c]), net.value("gradient", i, y, x, c));
    return [intro("gives every cell of a window the same share of the window’s gradient:"), formula(math(parts, mo("="), here))];
  }

  function denseOrigin(net, i, [y, x, c], intro) {
    const next = net.layers[i + 1];
    const [kernel] = net.weights(i + 1);
    const here = net.value("gradient", i, y, x, c);
    if (!kernel) return intro("sends the sum over its units of gradient times weight. Its weights are too many for the page; the engine has ", number(named(net, i, [y, x, c]), here), ".");
    const [, width, channels] = next.in;
    const units = next.out[2];
    const e = (y * width + x) * channels + c;
    const gradients = net.values("gradient", i + 1);
    const terms = Array.from({ length: units }, (_, u) => ({ unit: u, gradient: gradients[u], weight: kernel[e * units + u], product: gradients[u] * kernel[e * units + u] }));
    const of = `back/${cellName(net, i, [y, x, c])}`;
    const total = Glass.total(terms);
    return [
      intro(units === 1 ? "sends the gradient of its one unit times the weight:" : `sends the sum over its ${units} units of gradient times weight:`),
      Glass.sumFormula({ of, terms, factors: (term) => [term.gradient, term.weight], total }),
      Glass.engineLine(of, total, net.carried("gradient", i) && here),
    ];
  }

  // The patches that a cell is in, laid out by the cell of the kernel that lies on it: their parts add up.
  function patchFigure(net, i, [y, x, c], parts) {
    const layer = net.layers[i];
    const [rows, columns] = layer.kernel;
    const of = `patches/${layer.name}[${y},${x},${c}]`;
    const at = (row, column) => parts.findIndex((part) => part.cell.join() === [row, column].join());
    const total = parts.reduce((sum, part) => sum + part.sum, 0);
    const link = (k) => `patch${parts[k].position.join("-")}`;
    const matrix = Glass.matrix({
      key: `patches-${i}`, title: "Σ ∂L/∂output · weight over the filters, by the kernel cell that lies on it", rows, columns,
      name: `parts of the gradient, ${rows} rows, ${columns} columns`, most: most(parts.map((part) => part.sum)),
      cell: (row, column) => at(row, column) >= 0 && { value: parts[at(row, column)].sum, of: `${of}/part[${at(row, column)}]`, link: link(at(row, column)), masked: parts[at(row, column)].sum === 0 },
      read: (row, column) => (at(row, column) < 0 ? "no patch has it here" : ["position ", h("code", null, parts[at(row, column)].position.join()), " under kernel cell ", h("code", null, `${row},${column}`), ": ", number(`${of}/part[${at(row, column)}]`, parts[at(row, column)].sum)]),
    });
    const alive = parts.map((part, k) => k).filter((k) => parts[k].sum !== 0);
    const pieces = alive.map((k, rank) => h("span", { class: "term", "data-link": link(k) },
      math(rank > 0 && mo("+"), mn(`${of}/part[${k}]`, parts[k].sum, { enclosed: true, digits: 4 }))));
    const engine = net.carried("gradient", i - 1) ? net.value("gradient", i - 1, y, x, c) : null;
    return h("div", null, matrix, formula(pieces, h("span", { class: "term answer" }, math(mo("="), mn(`${of}/sum`, total)))), Glass.engineLine(of, total, engine));
  }

  // How many zeros each cause made, as bars.
  function causes(of, zeros, total) {
    const all = Glass.causesOf(zeros);
    const sum = all.reduce((so, [, number]) => so + number, 0);
    const line = ([cause, number]) => h("tr", null, h("td", { class: "number" }, count(`${of}/${cause}`, number)),
      h("td", { class: "number" }, `${((number / total) * 100).toFixed(1)} %`),
      h("td", null, share(number / total)), h("td", null, Glass.CAUSES[cause]));
    const rest = h("tr", null, h("td", { class: "number" }, count(`${of}/nonzero`, total - sum)), h("td", { class: "number" }, `${(((total - sum) / total) * 100).toFixed(1)} %`), h("td", null, share((total - sum) / total, true)), h("td", null, "are not zero: here something is learned"));
    return h("div", { class: "table" }, h("table", { class: "causes" }, h("tbody", null, all.map(line), rest)));
  }

  const share = (part, alive) => Glass.svg("svg", { class: "share", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" },
    Glass.svg("rect", { class: "room", x: 0, y: 1, width: 100, height: 8 }), Glass.svg("rect", { class: alive ? "alive" : "dead", x: 0, y: 1, width: part * 100, height: 8 }));

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
    return h("div", null,
      !vector && channels > 1 && [h("h4", null, `Channel ${channel}: ${Glass.counted(height * width)} cells`), causes(`causes/${net.nameOf(layer)}/${channel}`, Glass.zerosOfChannel(net, layer, channel).zeros, height * width)],
      h("h4", null, `The whole layer: ${cells} cells`), whole);
  }

  // Through the layer to its input: how many patches cover each pixel, and the parts of the picked one.
  function through(context) {
    const { net, selection } = context;
    const layer = net.layers[selection.layer];
    if (!layer || !Glass.windowOf(layer)) return null;
    const [before, [y, x, c]] = [selection.layer - 1, selection.cell];
    const kind = Glass.kinds[layer.kind];
    if (!kind.outputs) return poolThrough(context, layer);
    const from = startingCell(context, layer);
    const spot = selection.spot && selection.spot.layer === selection.layer ? selection.spot.cell : from;
    const pick = (row, column) => selection.set({ spot: { layer: selection.layer, cell: [row, column, spot[2]] } });
    const [rows, columns] = layer.in;
    const covers = new Float64Array(rows * columns);
    for (let row = 0; row < rows; row++) for (let column = 0; column < columns; column++) covers[row * columns + column] = Glass.covering(layer, [row, column]).length;
    const largest = most(covers);
    const frames = [Glass.frameOf(layer, y, x)];
    const coverage = Glass.grid({
      key: "coverage", name: `How many patches cover each pixel, ${rows} rows, ${columns} columns`, rows, columns, width: 240, pinned: spot.slice(0, 2),
      paint: (row, column) => Glass.tint(covers[row * columns + column] ** 2, largest ** 2),
      masked: (row, column) => covers[row * columns + column] === 0,
      read: (row, column) => [h("code", null, `${row},${column}`), " is in ", count(`coverage/${layer.name}[${row},${column}]`, covers[row * columns + column]), " patches"],
      onPin: pick,
    });
    const back = mapPicture(net, "gradient", before, spot[2], {
      key: "back", width: 240, pinned: spot, frames, onPin: ([row, column]) => pick(row, column),
      title: `∂L/∂ input: ${net.nameOf(before)}, channel ${spot[2]}; choose a pixel`,
    });
    const parts = Glass.patches(net, selection.layer, spot);
    return [
      h("h3", null, "Where it goes: through ", h("code", null, layer.name), " to its input"),
      h("p", null, "Every output cell sends its gradient, times each weight, to the input cells under the kernel. A pixel gathers what all patches send that it lies in: that is col2im."),
      h("div", { class: "side middle" }, back.figure,
        h("figure", { class: "map" }, h("figcaption", null, `patches that cover each pixel, at most ${largest}`), coverage.whole),
        parts && h("div", null, h("h4", null, h("code", null, cellName(net, before, spot)), ` gathers from ${parts.length} patches`), patchFigure(net, selection.layer, spot, parts))),
    ];
  }

  // The input cell that is looked at first: that of the largest product in the chosen cell's sum.
  function startingCell({ net, selection }, layer) {
    const sum = Glass.dot(net, selection.layer, selection.cell);
    const terms = sum ? sum.terms : [];
    return terms.reduce((best, term) => (Math.abs(term.product) > Math.abs(best.product) ? term : best), { product: 0, from: [0, 0, Math.min(selection.channel, layer.in[2] - 1)] }).from;
  }

  // Through a pool: the window before, its winner, and what each cell gets.
  function poolThrough({ net, selection }, layer) {
    const [y, x, c] = selection.cell;
    const [rows, columns] = layer.window;
    const g = net.value("gradient", selection.layer, y, x, c);
    const winner = layer.kind === "max_pool" ? net.winner(selection.layer, y, x, c).join() : null;
    const inside = Glass.cells(layer).filter((cell) => Glass.pixel(layer, [y, x], cell)).length;
    const sent = (row, column) => (winner === null ? g / inside : Glass.pixel(layer, [y, x], [row, column]).join() === winner ? g : 0);
    const of = `sent/${cellName(net, selection.layer, selection.cell)}`;
    return [
      h("h3", null, "Where it goes: back into the window"),
      h("div", { class: "dot" }, Glass.matrix({
        key: "sent", title: "what this window sends to each cell", name: `gradient sent, ${rows} rows, ${columns} columns`, rows, columns, most: Math.abs(g),
        cell: (row, column) => Glass.pixel(layer, [y, x], [row, column]) && { value: sent(row, column), of: `${of}/${row},${column}`, masked: sent(row, column) === 0, chosen: winner !== null && Glass.pixel(layer, [y, x], [row, column]).join() === winner },
        read: (row, column) => (Glass.pixel(layer, [y, x], [row, column]) ? [`${row},${column} gets `, number(`${of}/${row},${column}`, sent(row, column))] : "outside the image"),
      })),
      winner !== null && h("p", null, `One of ${inside} cells gets all of it, the others nothing.`),
    ];
  }

  Glass.views.backward = (context) => {
    const { net, selection } = context;
    const [i, cell] = [selection.layer, selection.cell];
    const picture = mapPicture(net, "gradient", i, selection.channel, {
      key: "gradient-map", width: 360, pinned: cell, title: "the gradient, hatched where it is exactly 0; choose a cell",
      onPin: ([y, x, c]) => selection.set({ y, x, channel: c }),
    });
    return [
      h("h3", null, "∂L/∂ ", h("code", null, cellName(net, i, cell)), " = ", h("span", { class: "answer" }, number(named(net, i, cell), net.value("gradient", i, ...cell)))),
      origin(context),
      h("div", { class: "side" }, picture.figure, zeros(context)),
      through(context),
    ];
  };
})(Glass);
