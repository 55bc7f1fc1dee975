// Forward through layers that have no weights of their own, or one for each channel: a pool's winner, a ReLU's
// side, dropout's factor, batch normalization's formula.
"use strict";

(function (Glass) {
  const { h, mn, mo, mi, math, formula, fraction, root, number, cellName, valueName, mapPicture, most, inputPicture } =
    Glass;

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
    const of = (row, column) => valueName(net, "output", selection.layer - 1, [...under(row, column), c]);
    const matrix = Glass.matrix({
      key: "window",
      title: "the window",
      name: `the window, ${rows} rows, ${columns} columns`,
      rows,
      columns,
      most: most(inside.map((cell) => value(...cell))),
      cell: (row, column) =>
        under(row, column) && {
          value: value(row, column),
          of: of(row, column),
          chosen: under(row, column).join() === winner,
          masked: winner !== null && under(row, column).join() !== winner,
        },
      read: (row, column) =>
        under(row, column)
          ? [h("code", null, name(row, column)), " ", number(of(row, column), value(row, column))]
          : "outside the image",
      onPin: (row, column) =>
        under(row, column) &&
        selection.set({ layer: selection.layer - 1, y: under(row, column)[0], x: under(row, column)[1] }),
    });
    const result = valueName(net, "output", selection.layer, selection.cell);
    const says =
      winner !== null
        ? [
            h(
              "p",
              null,
              "The largest wins: ",
              h("code", null, cellName(net, selection.layer - 1, [...net.winner(selection.layer, y, x, c), c])),
              " passes ",
              number(result, out),
              ". The hatched ones are forgotten, and no gradient will reach them through this window.",
            ),
          ]
        : [
            formula(
              math(
                fraction(
                  Glass.mrow(
                    inside.flatMap((cell, k) => [
                      k > 0 && mo("+"),
                      mn(of(...cell), value(...cell), { enclosed: true, digits: 4 }),
                    ]),
                  ),
                  mn(`${result}/count`, inside.length),
                ),
                mo("="),
                mn(result, out),
              ),
            ),
            h(
              "p",
              null,
              "The mean of the cells that lie within the image; each will get the same share of the gradient.",
            ),
          ];
    return h(
      "div",
      { class: "side middle" },
      inputPicture(context, c, "input"),
      h("div", null, h("div", { class: "dot" }, matrix), says),
    );
  }

  // A setting that was stored in single precision, as it was written.
  const shortly = (setting) => String(Math.round(setting * 1e6) / 1e6);

  // What is done value by value: one number in, one out.
  function single(context) {
    const { net, selection } = context;
    const layer = net.layers[selection.layer];
    const [y, x, c] = selection.cell;
    const of = cellName(net, selection.layer, selection.cell);
    const [before, out] = [
      net.value("output", selection.layer - 1, y, x, c),
      net.value("output", selection.layer, y, x, c),
    ];
    const input = (options) => mn(valueName(net, "output", selection.layer - 1, selection.cell), before, options);
    const result = [mo("="), mn(valueName(net, "output", selection.layer, selection.cell), out)];
    if (layer.kind === "relu") {
      return [
        formula(math(mi("max"), mo("("), Glass.mathml("mn", null, "0"), mo(","), input(), mo(")"), result)),
        h(
          "p",
          null,
          before > 0
            ? "It is above zero: the gate is open, and the gradient will pass unchanged."
            : "It is not above zero: the gate is shut. Zero goes on, and no gradient will come back.",
        ),
      ];
    }
    if (layer.kind === "leaky_relu") {
      return [
        formula(
          before > 0
            ? math(input(), result)
            : math(mn(`slope/${layer.name}`, layer.slope), mo("·"), input({ enclosed: true }), result),
        ),
        h(
          "p",
          null,
          before > 0
            ? "It is above zero, and passes."
            : "It is not above zero: only a small part passes, and so will the gradient.",
        ),
      ];
    }
    if (layer.kind === "dropout") {
      const factor = net.factors(selection.layer)[(y * layer.out[1] + x) * layer.out[2] + c];
      return [
        formula(math(input({ enclosed: true }), mo("·"), mn(`factors/${of}`, factor), result)),
        h(
          "p",
          null,
          factor === 0
            ? `It was dropped in this step, as a share of ${shortly(layer.rate)} is, drawn anew each time.`
            : `It was kept, and enlarged by 1/(1 − ${shortly(layer.rate)}), so that the sum stays the same on average.`,
        ),
      ];
    }
    const { mean, variance, epsilon, gamma, beta } = net.normalization(selection.layer, c);
    const part = (name, value, options) => mn(`${name}/${layer.name}[${c}]`, value, options);
    return [
      formula(
        math(
          fraction(
            Glass.mrow(input(), mo("−"), part("mean", mean, { enclosed: true })),
            root(part("variance", variance), mo("+"), part("epsilon", epsilon)),
          ),
          mo("·"),
          part("gamma", gamma, { enclosed: true }),
          mo("+"),
          part("beta", beta, { enclosed: true }),
          result,
        ),
      ),
      h(
        "p",
        null,
        "The channel’s mean over the whole batch is taken away, ",
        "the rest is divided by its deviation, then stretched by γ and moved by β, which are learned.",
      ),
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
      return h(
        "p",
        null,
        "The same value in another order: ",
        h("code", null, of),
        " is ",
        h("code", null, cellName(net, selection.layer - 1, from)),
        ", ",
        number(valueName(net, "output", selection.layer, selection.cell), out),
        ".",
      );
    }
    const plane = net.plane("output", selection.layer - 1, selection.channel);
    const sum = plane.reduce((total, value) => total + value, 0);
    return [
      mapPicture(net, "output", selection.layer - 1, selection.channel, {
        key: "mean",
        width: 260,
        title: "the channel whose mean this is",
      }).figure,
      formula(
        math(
          fraction(mn(`sum/${of}`, sum), mn(`count/${of}`, plane.length)),
          mo("="),
          mn(valueName(net, "output", selection.layer, selection.cell), out),
        ),
      ),
    ];
  }

  Object.assign(Glass, { forwardPool: pool, forwardSingle: single, forwardWhole: whole });
})(Glass);
