// Forward through a convolution: patch · kernel = products, and their sum.
"use strict";

(function (Glass) {
  const { h, number, cellName, mapPicture, most, productsPicture, pickWeight, biasOf, linkOf } = Glass;

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
    const middle = (at, axis) =>
      Math.min(
        Math.max(at * stride[axis] - pad[axis] + Math.floor(((size[axis] - 1) * dilation[axis]) / 2), 0),
        layer.in[axis] - 1,
      );
    return mapPicture(net, "output", selection.layer - 1, channel, {
      key,
      width: 260,
      start: [selection.y, selection.x].map(middle),
      frames: [frameOf(layer, selection.y, selection.x)],
      title: `${net.nameOf(selection.layer - 1)}, channel ${channel}; a click moves the window`,
      onPin: ([y, x]) => selection.set({ y: along(y, 0), x: along(x, 1) }),
    }).figure;
  }

  function convolution(context) {
    const { net, selection } = context;
    const layer = net.layers[selection.layer];
    const sum = Glass.dot(net, selection.layer, selection.cell);
    if (!sum) return h("p", null, "The kernel of this layer is too large for the page.");
    const name = cellName(net, selection.layer, selection.cell);
    const known = net.prefix("output", selection.layer - 1);
    const of = `${known}dot/${name}`;
    const termName = (term, part) => `${known}term/${name}/${term.index.join(",")}/${part}`;
    const channel = shownChannel(sum.terms, selection, layer);
    const slice = new Map(sum.terms.filter((term) => term.from[2] === channel).map((term) => [term.cell.join(), term]));
    const at = (row, column) => slice.get([row, column].join());
    const [rows, columns] = layer.kernel;
    const chosen = selection.weight ? selection.weight.index.join() : "";
    const chosenCell = [...slice.values()].find((term) => term.index.join() === chosen);
    const one = (title, key, value, part) =>
      Glass.matrix({
        key,
        title,
        name: `${title}, ${rows} rows, ${columns} columns`,
        rows,
        columns,
        most: most([...slice.values()].map(value)),
        cell: (row, column) =>
          at(row, column) && {
            value: value(at(row, column)),
            of: termName(at(row, column), part),
            link: linkOf(at(row, column)),
            chosen: part === "weight" && at(row, column).index.join() === chosen,
          },
        read: (row, column) =>
          at(row, column)
            ? [`${row},${column}: `, number(termName(at(row, column), part), value(at(row, column)))]
            : "outside the image",
        onPin: (row, column) => at(row, column) && pickWeight(context, at(row, column)),
        start: chosenCell ? chosenCell.cell : undefined,
      });
    const inSlice = [...slice.values()].reduce((total, term) => total + term.product, 0);
    const total = sum.sum;
    const kind = Glass.kinds[layer.kind];
    const inputs = kind.inputs(layer, selection.channel);
    return [
      h(
        "div",
        { class: "side middle" },
        inputPicture(context, channel, "input"),
        h(
          "div",
          { class: "dot" },
          one("input under the kernel", "patch", (term) => term.input, "input"),
          h("span", { class: "sign" }, "·"),
          one("kernel", "kernel", (term) => term.weight, "weight"),
          h("span", { class: "sign" }, "="),
          one("products", "product", (term) => term.product, "product"),
          h(
            "p",
            { class: "partial" },
            `These ${slice.size} add up to `,
            number(`${of}/channel[${channel}]`, inSlice),
            inputs.length > 1 && `; so do those of each of the ${inputs.length} channels of the input. All together`,
            layer.tensors.length > 1 && (inputs.length > 1 ? ", and the bias" : "; then comes the bias"),
            ":",
          ),
        ),
      ),
      Glass.sumFormula({
        of,
        terms: sum.terms,
        factors: (term) => [term.input, term.weight],
        link: linkOf,
        more: biasOf(layer, sum),
        total,
      }),
      Glass.engineLine(of, total, net.engine(selection.layer, ...selection.cell)),
      inputs.length > 1 &&
        productsPicture(context, sum.terms, {
          rows: rows * columns,
          columns: layer.in[2],
          place: (term) => (term.cell[0] * columns + term.cell[1]) * layer.in[2] + term.from[2],
          title: `all ${sum.terms.length} products: a column for each input channel, a row for each cell of the kernel`,
        }),
      h(
        "details",
        { class: "more", "data-key": "forward-table" },
        h("summary", { "data-key": "forward-terms" }, "The largest terms, one by one"),
        Glass.sumTable({
          of,
          terms: sum.terms,
          headings: ["input at", "input", "weight", "product", "", "running total"],
          link: linkOf,
          place: (term) => cellName(net, selection.layer - 1, term.from),
          factors: (term) => [term.input, term.weight],
          onPin: (term) => pickWeight(context, term),
          more: biasOf(layer, sum),
          totalName: "sum",
        }),
      ),
    ];
  }

  Object.assign(Glass, { frameOf, inputPicture, forwardConvolution: convolution });
})(Glass);
