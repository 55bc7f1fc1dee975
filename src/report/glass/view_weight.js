// One weight: its chain rule as a picture, then as a sum; the batch; the optimizer's step; the loss before, promised
// and after.
"use strict";

(function (Glass) {
  const { h, number, count, weightName, tint, most, bar } = Glass;

  // Input, output gradient and their product at every position, side by side.
  function pictures({ net }, chain, of) {
    const layer = net.layers[chain.layer];
    const [rows, columns] = layer.out;
    if (rows * columns === 1) return null;
    const all = [];
    const largest = chain.terms.reduce((best, term) => (Math.abs(term.product) > Math.abs(best.product) ? term : best));
    const one = (key, title, value, masked) => {
      const strongest = most(chain.terms.map(value));
      const at = (row, column) => chain.terms[row * columns + column];
      const made = Glass.grid({
        key: `chain-${key}`,
        name: `${title}, ${rows} rows, ${columns} columns`,
        rows,
        columns,
        width: 320,
        start: largest.position,
        paint: (row, column) => tint(value(at(row, column)), strongest),
        masked: masked && ((row, column) => masked(at(row, column))),
        read: (row, column) => {
          const term = at(row, column);
          const name = `${of}/term[${row},${column}]`;
          return [
            h("code", null, `${row},${column}`),
            " ",
            number(`${name}/input`, term.input),
            " · ",
            number(`${name}/gradient`, term.gradient),
            " = ",
            number(`${name}/product`, term.product),
            term.cause && ` ${Glass.CAUSES[term.cause]}`,
          ];
        },
        onHover: (row, column) => all.filter((other) => other !== made).forEach((other) => other.mark(row, column)),
      });
      all.push(made);
      return h("figure", { class: "map" }, h("figcaption", null, title), made.whole, Glass.legend(strongest));
    };
    const figures = [
      one("input", "input under this weight", (term) => term.input),
      h("span", { class: "sign" }, "·"),
      one(
        "gradient",
        "∂L/∂output",
        (term) => term.gradient,
        (term) => term.gradient === 0,
      ),
      h("span", { class: "sign" }, "="),
      one(
        "product",
        "product: their sum is the share",
        (term) => term.product,
        (term) => term.product === 0,
      ),
    ];
    return {
      mark: (row, column) => all.forEach((made) => made.mark(row, column)),
      element: h("div", { class: "side equation" }, figures),
    };
  }

  function causes(of, zeros) {
    const all = Glass.causesOf(zeros);
    return (
      all.length > 0 &&
      h(
        "div",
        null,
        h("p", null, "Terms that are exactly 0, by their reason:"),
        h(
          "ul",
          null,
          all.map(([cause, n]) => h("li", null, count(`${of}/zeros/${cause}`, n), ` ${Glass.CAUSES[cause]}`)),
        ),
      )
    );
  }

  // The images' shares of the gradient: they add up to it.
  function batch({ bundle, selection }, numbers) {
    const weight = weightName(selection.weight);
    const { images, focus } = bundle.header;
    if (!numbers.shares) return h("p", null, "The shares of the single images are not on the page for this weight.");
    const sum = numbers.shares.reduce((total, share) => total + share, 0);
    const largest = most([...numbers.shares, sum]);
    const line = (image, i) =>
      h(
        "tr",
        { class: i === focus && "here" },
        h("td", null, h("code", { title: image.name }, image.name.split("/").slice(-2).join("/"))),
        h("td", { class: "bar" }, bar(numbers.shares[i], largest)),
        h("td", { class: "number" }, number(`share/${i}/${weight}`, numbers.shares[i])),
      );
    return [
      h(
        "div",
        { class: "table" },
        h(
          "table",
          { class: images.length > 8 ? "batch many" : "batch" },
          h("thead", null, h("tr", null, h("th", null, "image"), h("th", null, "its share of ∂L/∂w"), h("th"))),
          h(
            "tbody",
            null,
            images.map(line),
            h(
              "tr",
              { class: "total" },
              h("td", null, "∂L/∂w, the step’s gradient"),
              h("td", { class: "bar" }, bar(sum, largest)),
              h("td", { class: "number" }, number(`shares/${weight}`, sum)),
            ),
          ),
        ),
      ),
      Glass.engineLine(`gradient/${weight}`, sum, numbers.gradient),
    ];
  }

  // Loss before, promised by the gradients, and after, on one scale.
  function losses({ bundle }) {
    const { loss, loss_promised: promise, loss_after: after } = bundle.header;
    const all = [
      ["before the step", "loss", loss],
      ["promised by the gradients", "loss_promised_after", loss + promise],
      ["after, same images, same dropout", "loss_after", after],
    ];
    const largest = most([promise, after - loss]);
    const change = (of, value) => [
      h("td", { class: "number" }, number(`${of}/change`, value - loss)),
      h("td", { class: "bar" }, bar(value - loss, largest)),
    ];
    const line = ([words, of, value], k) =>
      h(
        "tr",
        null,
        h("td", null, words),
        h("td", { class: "number" }, number(of, value)),
        k === 0 ? [h("td"), h("td")] : change(of, value),
      );
    const head = h(
      "thead",
      null,
      h("tr", null, h("th"), h("th", { class: "number" }, "loss"), h("th", { class: "number" }, "change"), h("th")),
    );
    const verdict =
      after < loss
        ? loss + promise <= after
          ? "It fell, by less than promised: a loss is no plane."
          : "It fell, by more than promised: a loss is no plane."
        : "It did not fall: the step was too long for this loss.";
    return [
      h("h3", null, "What the step did to the loss"),
      h(
        "p",
        null,
        "All weights moved together. Were the loss a plane, it would change by Σ g·Δw = ",
        number("loss_promised", promise),
        ".",
      ),
      h("div", { class: "table" }, h("table", null, head, h("tbody", null, all.map(line)))),
      h("p", null, verdict),
    ];
  }

  Glass.views.weight = (context) => {
    const { net, bundle, selection } = context;
    if (!selection.weight) return h("p", null, "Choose a weight: a cell of a kernel, or a filter.");
    const name = weightName(selection.weight);
    const numbers = Glass.numbersOf(bundle, selection.weight);
    const chain = Glass.chain(net, selection.weight);
    const known = net.prefix("output", chain.layer - 1) || net.prefix("gradient", chain.layer);
    const of = `${known}chain/${name}/${bundle.header.focus}`;
    const isTold = !Number.isNaN(chain.sum);
    const pictured = isTold && pictures(context, chain, of);
    const width = net.layers[chain.layer].out[1];
    const link = (term) => `t${term.position.join("-")}`;
    const table = Glass.sumTable({
      of,
      terms: isTold ? chain.terms : [],
      headings: ["position", "input", "∂L/∂output", "product", "", "running total"],
      link,
      place: (term) => term.position.join(),
      factors: (term) => [term.input, term.gradient],
      totalName: "this image’s share of ∂L/∂w",
    });
    if (pictured) {
      table.addEventListener("pointerover", (event) => {
        const row = event.target.closest("tr[data-link]");
        if (row) pictured.mark(...row.dataset.link.slice(1).split("-").map(Number));
      });
    }
    return [
      h(
        "h3",
        null,
        h("code", null, name),
        numbers.before !== null && [" = ", number(`before/${name}`, numbers.before)],
      ),
      h(
        "p",
        null,
        width * net.layers[chain.layer].out[0] === 1
          ? "It was used once for this image: its share is input times gradient."
          : [
              "It was used at ",
              count(`${of}/count`, chain.terms.length),
              " positions of this image. At each, the loss changes with it by the input there ",
              "times the gradient of the output there. The sum of all these is the gradient: the chain rule, once a position.",
            ],
      ),
      pictured && pictured.element,
      isTold ? h("div", { class: "side" }, table, causes(of, chain.zeros)) : Glass.untold("What its terms are made of"),
      h("h3", null, "The batch"),
      batch(context, numbers),
      Glass.stepOf(context),
      losses(context),
    ];
  };
})(Glass);
