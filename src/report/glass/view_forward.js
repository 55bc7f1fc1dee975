// Forward: how one cell was made. A picture for each kind of layer, and the sum with its numbers.
"use strict";

(function (Glass) {
  const { h, mn, mo, mi, math, formula, fraction, root, number, cellName, mapPicture, tint, most } = Glass;

  // All products of a dot product as one picture, a column for each channel of the input.
  function productsPicture(context, terms, { rows, columns, place, title }) {
    const { net, selection } = context;
    const byPlace = new Map(terms.map((term) => [place(term), term]));
    const at = (row, column) => byPlace.get(row * columns + column);
    const largest = most(terms.map((term) => term.product));
    const weight = selection.weight ? selection.weight.index.join() : "";
    const pinned = terms.find((term) => term.index.join() === weight);
    const of = (term) => `term/${cellName(net, selection.layer, selection.cell)}/${term.index.join(",")}`;
    const made = Glass.grid({
      key: "products", name: title, rows, columns, width: 1060, height: Math.min(rows * 14, 300),
      pinned: pinned && [Math.floor(place(pinned) / columns), place(pinned) % columns],
      paint: (row, column) => tint(at(row, column) ? at(row, column).product : 0, largest),
      masked: (row, column) => !at(row, column) || at(row, column).product === 0,
      read: (row, column) => {
        const term = at(row, column);
        if (!term) return "outside the image";
        return [h("code", null, cellName(net, selection.layer - 1, term.from)), " ", number(`${of(term)}/input`, term.input), " · ",
          number(`${of(term)}/weight`, term.weight), " = ", number(`${of(term)}/product`, term.product)];
      },
      onPin: (row, column) => at(row, column) && pickWeight(context, at(row, column)),
    });
    return h("figure", { class: "map wide" }, h("figcaption", null, title), made.whole, Glass.legend(largest));
  }

  function pickWeight({ net, selection }, term) {
    selection.set({ weight: { tensor: net.layers[selection.layer].tensors[0], index: term.index } });
  }

  const linkOf = (term) => `w${term.index.join("-")}`;

  // The slice of the sum that is shown as matrices: that of the chosen weight, or else the largest.
  function shownChannel(terms, selection, layer) {
    const { weight } = selection;
    const own = weight && weight.tensor === layer.tensors[0] && weight.index.length === 4;
    if (own && terms.some((term) => term.index.join() === weight.index.join())) return weight.index[2];
    const sums = new Map();
    terms.forEach((term) => sums.set(term.from[2], (sums.get(term.from[2]) || 0) + term.product));
    return [...sums].reduce((best, one) => (Math.abs(one[1]) > Math.abs(best[1]) ? one : best), [0, 0])[0];
  }

  // Where a window stands in the input, as a frame of a picture; its cells may lie apart.
  function frameOf(layer, y, x) {
    const { size, stride, dilation, pad } = Glass.windowOf(layer);
    const [top, left] = [y * stride[0] - pad[0], x * stride[1] - pad[1]];
    return [top, left, (size[0] - 1) * dilation[0] + 1, (size[1] - 1) * dilation[1] + 1];
  }

  // The input with the window's frame; a click moves the window there.
  function inputPicture({ net, selection }, channel, key) {
    const layer = net.layers[selection.layer];
    const { size, stride, dilation, pad } = Glass.windowOf(layer);
    const along = (at, axis) => Math.round((at + pad[axis] - ((size[axis] - 1) * dilation[axis]) / 2) / stride[axis]);
    return mapPicture(net, "output", selection.layer - 1, channel, {
      key, width: 260, frames: [frameOf(layer, selection.y, selection.x)],
      title: `${net.nameOf(selection.layer - 1)}, channel ${channel}; a click moves the window`,
      onPin: ([y, x]) => selection.set({ y: along(y, 0), x: along(x, 1) }),
    }).figure;
  }

  function convolution(context) {
    const { net, selection } = context;
    const layer = net.layers[selection.layer];
    const sum = Glass.dot(net, selection.layer, selection.cell);
    if (!sum) return h("p", null, "The kernel of this layer is too large for the page.");
    const of = `dot/${cellName(net, selection.layer, selection.cell)}`;
    const channel = shownChannel(sum.terms, selection, layer);
    const slice = new Map(sum.terms.filter((term) => term.from[2] === channel).map((term) => [term.cell.join(), term]));
    const at = (row, column) => slice.get([row, column].join());
    const [rows, columns] = layer.kernel;
    const chosen = selection.weight ? selection.weight.index.join() : "";
    const one = (title, key, value, name) =>
      Glass.matrix({
        key, title, name: `${title}, ${rows} rows, ${columns} columns`, rows, columns, most: most([...slice.values()].map(value)),
        cell: (row, column) => at(row, column) && {
          value: value(at(row, column)), of: `term/${of.slice(4)}/${at(row, column).index.join(",")}/${name}`, link: linkOf(at(row, column)),
          chosen: name === "weight" && at(row, column).index.join() === chosen,
        },
        read: (row, column) => (at(row, column) ? [`${row},${column}: `, number(`term/${of.slice(4)}/${at(row, column).index.join(",")}/${name}`, value(at(row, column)))] : "outside the image"),
        onPin: (row, column) => at(row, column) && pickWeight(context, at(row, column)),
      });
    const inSlice = [...slice.values()].reduce((total, term) => total + term.product, 0);
    const total = sum.sum;
    const kind = Glass.kinds[layer.kind];
    const inputs = kind.inputs(layer, selection.channel);
    return [
      h("div", { class: "side middle" }, inputPicture(context, channel, "input"),
        h("div", { class: "dot" },
          one("input under the kernel", "patch", (term) => term.input, "input"), h("span", { class: "sign" }, "·"),
          one("kernel", "kernel", (term) => term.weight, "weight"), h("span", { class: "sign" }, "="),
          one("products", "product", (term) => term.product, "product"),
          h("p", { class: "partial" }, `These ${slice.size} add up to `, number(`${of}/channel[${channel}]`, inSlice),
            inputs.length > 1 && `; so do those of all ${inputs.length} channels of the input, and the bias is added:`))),
      Glass.sumFormula({ of, terms: sum.terms, factors: (term) => [term.input, term.weight], link: linkOf, more: [["bias", sum.bias]], total }),
      Glass.engineLine(of, total, net.engine(selection.layer, ...selection.cell)),
      inputs.length > 1 && productsPicture(context, sum.terms, {
        rows: rows * columns, columns: layer.in[2], place: (term) => (term.cell[0] * columns + term.cell[1]) * layer.in[2] + term.from[2],
        title: `all ${sum.terms.length} products: a column for each input channel, a row for each cell of the kernel`,
      }),
      h("details", { class: "more", "data-key": "forward-table" }, h("summary", { "data-key": "forward-terms" }, "The largest terms, one by one"),
        Glass.sumTable({
          of, terms: sum.terms, headings: ["input at", "input", "weight", "product", "", "running total"], link: linkOf,
          place: (term) => cellName(net, selection.layer - 1, term.from), factors: (term) => [term.input, term.weight],
          onPin: (term) => pickWeight(context, term), more: [["bias", sum.bias]], totalName: "sum",
        })),
    ];
  }

  function dense(context) {
    const { net, selection } = context;
    const layer = net.layers[selection.layer];
    const of = `dot/${cellName(net, selection.layer, selection.cell)}`;
    const engine = net.engine(selection.layer, ...selection.cell);
    const table = (terms, extra) => Glass.sumTable({
      of, terms, headings: ["input", "value", "weight", "product", "", "running total"], link: linkOf, place: (term) => term.index[0],
      factors: (term) => [term.input, term.weight], onPin: (term) => pickWeight(context, term), ...extra,
    });
    const sum = Glass.dot(net, selection.layer, selection.cell);
    if (sum) {
      const { rows, columns } = Glass.wrapped(sum.terms.length);
      return [
        Glass.sumFormula({ of, terms: sum.terms, factors: (term) => [term.input, term.weight], link: linkOf, more: [["bias", sum.bias]], total: sum.sum }),
        Glass.engineLine(of, sum.sum, engine),
        productsPicture(context, sum.terms, { rows, columns, place: (term) => term.index[0], title: `all ${sum.terms.length} products, one for each input` }),
        table(sum.terms, { more: [["bias", sum.bias]], totalName: "sum" }),
      ];
    }
    const excerpt = (net.bundle.header.dot_excerpts[layer.name] || {})[selection.channel];
    if (!excerpt) return h("p", null, "The kernel of this layer is too large for the page.");
    const terms = excerpt.terms.map(([i, input, weight]) => ({ index: [i, selection.channel], input, weight, product: input * weight }));
    return [
      h("p", null, `This unit sums over ${Glass.counted(layer.in[0] * layer.in[1] * layer.in[2])} inputs. Its weights are too many for the page; these are its largest products:`),
      table(terms, { more: [[`${Glass.counted(excerpt.rest_count)} others`, excerpt.rest], ["bias", excerpt.bias]], totalName: "sum" }),
      Glass.engineLine(of, excerpt.sum, engine),
    ];
  }

  // The window of a pool: its cells, the winner ringed.
  function pool(context) {
    const { net, selection } = context;
    const layer = net.layers[selection.layer];
    const [y, x, c] = selection.cell;
    const [rows, columns] = layer.window;
    const under = (row, column) => Glass.pixel(layer, [y, x], [row, column]);
    const value = (row, column) => net.value("output", selection.layer - 1, ...under(row, column), c);
    const inside = Glass.cells(layer).filter((cell) => under(...cell));
    const winner = layer.kind === "max_pool" ? net.winner(selection.layer, y, x, c).join() : null;
    const out = net.value("output", selection.layer, y, x, c);
    const name = (row, column) => cellName(net, selection.layer - 1, [...under(row, column), c]);
    const matrix = Glass.matrix({
      key: "window", title: "the window", name: `the window, ${rows} rows, ${columns} columns`, rows, columns,
      most: most(inside.map((cell) => value(...cell))),
      cell: (row, column) => under(row, column) && {
        value: value(row, column), of: `output/${name(row, column)}`, chosen: under(row, column).join() === winner,
        masked: winner !== null && under(row, column).join() !== winner,
      },
      read: (row, column) => (under(row, column) ? [h("code", null, name(row, column)), " ", number(`output/${name(row, column)}`, value(row, column))] : "outside the image"),
      onPin: (row, column) => under(row, column) && selection.set({ layer: selection.layer - 1, y: under(row, column)[0], x: under(row, column)[1] }),
    });
    const of = `output/${cellName(net, selection.layer, selection.cell)}`;
    const says = winner !== null
      ? [h("p", null, "The largest wins: ", h("code", null, cellName(net, selection.layer - 1, [...net.winner(selection.layer, y, x, c), c])), " passes ",
        number(of, out), ". The hatched ones are forgotten, and no gradient will reach them through this window.")]
      : [formula(math(fraction(Glass.mrow(inside.flatMap((cell, k) => [k > 0 && mo("+"), mn(`output/${name(...cell)}`, value(...cell), { enclosed: true, digits: 4 })])), mn(`${of}/count`, inside.length)), mo("="), mn(of, out))),
        h("p", null, "The mean of the cells that lie within the image; each will get the same share of the gradient.")];
    return h("div", { class: "side middle" }, inputPicture(context, c, "input"), h("div", null, h("div", { class: "dot" }, matrix), says));
  }

  // What is done value by value: one number in, one out.
  function single(context) {
    const { net, selection } = context;
    const layer = net.layers[selection.layer];
    const [y, x, c] = selection.cell;
    const of = cellName(net, selection.layer, selection.cell);
    const [before, out] = [net.value("output", selection.layer - 1, y, x, c), net.value("output", selection.layer, y, x, c)];
    const input = (options) => mn(`output/${cellName(net, selection.layer - 1, selection.cell)}`, before, options);
    const result = [mo("="), mn(`output/${of}`, out)];
    if (layer.kind === "relu") {
      return [formula(math(mi("max"), mo("("), mn("zero", 0), mo(","), input(), mo(")"), result)),
        h("p", null, before > 0 ? "It is above zero: the gate is open, and the gradient will pass unchanged." : "It is not above zero: the gate is shut. Zero goes on, and no gradient will come back.")];
    }
    if (layer.kind === "leaky_relu") {
      return [formula(before > 0 ? math(input(), result) : math(mn(`slope/${layer.name}`, layer.slope), mo("·"), input({ enclosed: true }), result)),
        h("p", null, before > 0 ? "It is above zero, and passes." : "It is not above zero: only a small part passes, and so will the gradient.")];
    }
    if (layer.kind === "dropout") {
      const factor = net.factors(selection.layer)[(y * layer.out[1] + x) * layer.out[2] + c];
      return [formula(math(input({ enclosed: true }), mo("·"), mn(`factors/${of}`, factor), result)),
        h("p", null, factor === 0 ? `It was dropped in this step, as a share of ${layer.rate} is, drawn anew each time.` : `It was kept, and enlarged by 1/(1 − ${layer.rate}), so that the sum stays the same on average.`)];
    }
    const { mean, variance, epsilon, gamma, beta } = net.normalization(selection.layer, c);
    const part = (name, value, options) => mn(`${name}/${layer.name}[${c}]`, value, options);
    return [
      formula(math(
        fraction(Glass.mrow(input(), mo("−"), part("mean", mean, { enclosed: true })), root(part("variance", variance), mo("+"), part("epsilon", epsilon))),
        mo("·"), part("gamma", gamma, { enclosed: true }), mo("+"), part("beta", beta, { enclosed: true }), result)),
      h("p", null, "The channel’s mean over the whole batch is taken away, the rest is divided by its deviation, then stretched by γ and moved by β, which are learned."),
    ];
  }

  function whole(context) {
    const { net, selection } = context;
    const layer = net.layers[selection.layer];
    const of = cellName(net, selection.layer, selection.cell);
    const out = net.value("output", selection.layer, ...selection.cell);
    if (layer.kind === "flatten") {
      const [, width, channels] = layer.in;
      const place = Math.floor(selection.channel / channels);
      const from = [Math.floor(place / width), place % width, selection.channel % channels];
      return h("p", null, "The same value in another order: ", h("code", null, of), " is ", h("code", null, cellName(net, selection.layer - 1, from)), ", ", number(`output/${of}`, out), ".");
    }
    const plane = net.plane("output", selection.layer - 1, selection.channel);
    const sum = plane.reduce((total, value) => total + value, 0);
    return [
      mapPicture(net, "output", selection.layer - 1, selection.channel, { key: "mean", width: 260, title: "the channel whose mean this is" }).figure,
      formula(math(fraction(mn(`sum/${of}`, sum), mn(`count/${of}`, plane.length)), mo("="), mn(`output/${of}`, out))),
    ];
  }

  // What the layers behind made of the cell, up to the next that mixes cells.
  function followed({ net, selection }) {
    const [y, x, c] = selection.cell;
    const told = [];
    for (let i = selection.layer + 1; i < net.layers.length; i++) {
      const { kind, name } = net.layers[i];
      if (["relu", "leaky_relu", "dropout", "batch_normalization"].includes(kind)) {
        told.push(h("li", null, h("code", null, name), " makes ", number(`output/${cellName(net, i, selection.cell)}`, net.value("output", i, y, x, c)), " of it."));
        continue;
      }
      if (kind === "max_pool") {
        const taker = net.taker(i, y, x, c);
        told.push(h("li", null, h("code", null, name), taker ? " takes it: it is the largest of its window." : " leaves it out: another cell of its window is larger."));
      }
      break;
    }
    return told.length > 0 && [h("h4", null, "And then"), h("ul", null, told)];
  }

  const PICTURES = {
    conv2d: convolution, depthwise_conv2d: convolution, dense, max_pool: pool, average_pool: pool, relu: single, leaky_relu: single,
    dropout: single, batch_normalization: single, flatten: whole, global_average_pool: whole,
  };

  Glass.views.forward = (context) => {
    const { net, selection } = context;
    const layer = net.layers[selection.layer];
    if (!layer) return h("p", null, "This is the image itself: nothing made it. Choose a layer in the strip above.");
    const of = cellName(net, selection.layer, selection.cell);
    return [
      h("h3", null, h("code", null, of), " = ", h("span", { class: "answer" }, number(`output/${of}`, net.value("output", selection.layer, ...selection.cell)))),
      PICTURES[layer.kind](context),
      followed(context),
    ];
  };
  Object.assign(Glass, { frameOf });
})(Glass);
