// Where the gradient goes: through a layer to its input. For a convolution that is col2im, for a pool its window.
"use strict";

(function (Glass) {
  const { h, mn, mo, math, formula, number, count, cellName, mapPicture, most } = Glass;

  // The patches that a cell is in, laid out by the cell of the kernel that lies on it: their parts add up.
  function patchFigure(net, i, [y, x, c], parts) {
    const layer = net.layers[i];
    const [rows, columns] = layer.kernel;
    const of = `${net.prefix("gradient", i)}patches/${layer.name}[${y},${x},${c}]`;
    const at = (row, column) => parts.findIndex((part) => part.cell.join() === [row, column].join());
    const total = parts.reduce((sum, part) => sum + part.sum, 0);
    const link = (k) => `patch${parts[k].position.join("-")}`;
    const matrix = Glass.matrix({
      key: `patches-${i}`,
      title: "Σ ∂L/∂output · weight over the filters, by the kernel cell that lies on it",
      rows,
      columns,
      name: `parts of the gradient, ${rows} rows, ${columns} columns`,
      most: most(parts.map((part) => part.sum)),
      cell: (row, column) =>
        at(row, column) >= 0 && {
          value: parts[at(row, column)].sum,
          of: `${of}/part[${at(row, column)}]`,
          link: link(at(row, column)),
          masked: parts[at(row, column)].sum === 0,
        },
      read: (row, column) =>
        at(row, column) < 0
          ? "no patch has it here"
          : [
              "position ",
              h("code", null, parts[at(row, column)].position.join()),
              " under kernel cell ",
              h("code", null, `${row},${column}`),
              ": ",
              number(`${of}/part[${at(row, column)}]`, parts[at(row, column)].sum),
            ],
    });
    const alive = parts.map((part, k) => k).filter((k) => parts[k].sum !== 0);
    const pieces = alive.map((k, rank) =>
      h(
        "span",
        { class: "term", "data-link": link(k) },
        math(rank > 0 && mo("+"), mn(`${of}/part[${k}]`, parts[k].sum, { enclosed: true, digits: 4 })),
      ),
    );
    const engine = net.carried("gradient", i - 1) ? net.value("gradient", i - 1, y, x, c) : null;
    return h(
      "div",
      null,
      matrix,
      formula(pieces, h("span", { class: "term answer" }, math(mo("="), mn(`${of}/sum`, total)))),
      Glass.engineLine(of, total, engine),
    );
  }

  // Through the layer to its input: how many patches cover each pixel, and the parts of the picked one.
  function through(context) {
    const { net, selection } = context;
    const layer = net.layers[selection.layer];
    if (!layer || !Glass.windowOf(layer)) return null;
    const [before, [y, x, c]] = [selection.layer - 1, selection.cell];
    const kind = Glass.kinds[layer.kind];
    if (!kind.outputs) return poolThrough(context, layer);
    const spot = selection.spot || startingCell(context, layer);
    const pick = (row, column) => selection.set({ spot: [row, column, spot[2]] });
    const [rows, columns] = layer.in;
    const covers = new Float64Array(rows * columns);
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++)
        covers[row * columns + column] = Glass.covering(layer, [row, column]).length;
    const largest = most(covers);
    const frames = [Glass.frameOf(layer, y, x)];
    const coverage = Glass.grid({
      key: "coverage",
      name: `How many patches cover each pixel, ${rows} rows, ${columns} columns`,
      rows,
      columns,
      width: 240,
      pinned: spot.slice(0, 2),
      paint: (row, column) => Glass.tint(covers[row * columns + column] ** 2, largest ** 2),
      masked: (row, column) => covers[row * columns + column] === 0,
      read: (row, column) => [
        h("code", null, `${row},${column}`),
        " is in ",
        count(`coverage/${layer.name}[${row},${column}]`, covers[row * columns + column]),
        " patches",
      ],
      onPin: pick,
    });
    const back = mapPicture(net, "gradient", before, spot[2], {
      key: "back",
      width: 240,
      pinned: spot,
      frames,
      onPin: ([row, column]) => pick(row, column),
      title: `∂L/∂ input: ${net.nameOf(before)}, channel ${spot[2]}; choose a pixel`,
    });
    const told = Glass.patches(net, selection.layer, spot);
    const parts = told && told.some((part) => Number.isNaN(part.sum)) ? null : told;
    return [
      h("h3", null, "Where it goes: through ", h("code", null, layer.name), " to its input"),
      h(
        "p",
        null,
        "Every output cell sends its gradient, times each weight, to the input cells under the kernel. ",
        "A pixel gathers what all patches send that it lies in: that is col2im.",
      ),
      h(
        "div",
        { class: "side middle" },
        back.figure,
        h(
          "figure",
          { class: "map" },
          h("figcaption", null, `patches that cover each pixel, at most ${largest}`),
          coverage.whole,
        ),
        parts &&
          h(
            "div",
            null,
            h("h4", null, h("code", null, cellName(net, before, spot)), ` gathers from ${parts.length} patches`),
            patchFigure(net, selection.layer, spot, parts),
          ),
      ),
    ];
  }

  // The input cell that is looked at first: that of the largest product in the chosen cell's sum.
  function startingCell({ net, selection }, layer) {
    const sum = Glass.dot(net, selection.layer, selection.cell);
    const terms = sum ? sum.terms : [];
    return terms.reduce((best, term) => (Math.abs(term.product) > Math.abs(best.product) ? term : best), {
      product: 0,
      from: [0, 0, Math.min(selection.channel, layer.in[2] - 1)],
    }).from;
  }

  // Through a pool: the window before, its winner, and what each cell gets.
  function poolThrough({ net, selection }, layer) {
    const [y, x, c] = selection.cell;
    const [rows, columns] = layer.window;
    const g = net.value("gradient", selection.layer, y, x, c);
    const winner = layer.kind === "max_pool" ? net.winner(selection.layer, y, x, c).join() : null;
    const inside = Glass.cells(layer).filter((cell) => Glass.pixel(layer, [y, x], cell)).length;
    const sent = (row, column) =>
      winner === null ? g / inside : Glass.pixel(layer, [y, x], [row, column]).join() === winner ? g : 0;
    const of = `sent/${cellName(net, selection.layer, selection.cell)}`;
    return [
      h("h3", null, "Where it goes: back into the window"),
      h(
        "div",
        { class: "dot" },
        Glass.matrix({
          key: "sent",
          title: "what this window sends to each cell",
          name: `gradient sent, ${rows} rows, ${columns} columns`,
          rows,
          columns,
          most: Math.abs(g),
          cell: (row, column) =>
            Glass.pixel(layer, [y, x], [row, column]) && {
              value: sent(row, column),
              of: `${of}/${row},${column}`,
              masked: sent(row, column) === 0,
              chosen: winner !== null && Glass.pixel(layer, [y, x], [row, column]).join() === winner,
            },
          read: (row, column) =>
            Glass.pixel(layer, [y, x], [row, column])
              ? [`${row},${column} gets `, number(`${of}/${row},${column}`, sent(row, column))]
              : "outside the image",
        }),
      ),
      winner !== null && h("p", null, `One of ${inside} cells gets all of it, the others nothing.`),
    ];
  }

  Object.assign(Glass, { patchFigure, gradientThrough: through });
})(Glass);
