// A sum on the page: as a formula with its numbers, as a table with a running total, and beside the engine's value.
"use strict";

(function (Glass) {
  const { h, mathml, mn, number, count, split } = Glass;

  // A sum may begin a piece of a formula with its sign, which then stands between two terms all the same.
  const mo = (text) => mathml("mo", "+=".includes(text) ? { form: "infix" } : null, text);
  const mi = (text) => mathml("mi", null, text);
  const mrow = (...children) => mathml("mrow", null, ...children);
  const fraction = (above, below) => mathml("mfrac", null, above, below);
  const root = (...children) => mathml("msqrt", null, ...children);
  const math = (...children) => mathml("math", { displaystyle: "true" }, mrow(...children));

  // Pieces of a formula in a line that may break between them, as MathML itself cannot.
  const formula = (...pieces) => h("p", { class: "formula" }, pieces);

  // first · second + … + the others + what else is added = total; each term has the link of its cell.
  function sumFormula({ of, terms, factors, link, more = [], total, few = 4 }) {
    const { largest } = split(terms);
    const told = largest.slice(0, few);
    const others = terms.filter((term) => term.product !== 0).length - told.length;
    const rest =
      total - told.reduce((sum, term) => sum + term.product, 0) - more.reduce((sum, [, value]) => sum + value, 0);
    const pieces = told.map((term, rank) =>
      h(
        "span",
        { class: "term", "data-link": link && link(term) },
        math(
          rank > 0 && mo("+"),
          mn(`${of}/first[${rank}]`, factors(term)[0], { enclosed: true }),
          mo("·"),
          mn(`${of}/second[${rank}]`, factors(term)[1], { enclosed: true }),
        ),
      ),
    );
    if (others > 0) {
      const name = mathml("mtext", null, `${others} more`);
      pieces.push(
        h(
          "span",
          { class: "term" },
          math(mo("+"), mathml("munder", null, mn(`${of}/more`, rest, { enclosed: true }), name)),
        ),
      );
    }
    more.forEach(([name, value]) => {
      const below = mathml("munder", null, mn(`${of}/${name}`, value, { enclosed: true }), mathml("mtext", null, name));
      pieces.push(h("span", { class: "term" }, math(pieces.length > 0 && mo("+"), below)));
    });
    pieces.push(h("span", { class: "term answer" }, math(mo("="), mn(`${of}/sum`, total))));
    return formula(pieces);
  }

  // A bar to the left below zero, to the right above.
  function bar(value, most) {
    const length = most > 0 ? Math.min(Math.abs(value) / most, 1) * 50 : 0;
    const x = value < 0 ? 50 - length : 50;
    return Glass.svg(
      "svg",
      { class: "bar", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" },
      Glass.svg("rect", { class: value < 0 ? "below" : "above", x, y: 2, width: length, height: 6 }),
      Glass.svg("line", { x1: 50, x2: 50, y1: 0, y2: 10 }),
    );
  }

  // The largest terms with a running total, what the others add up to, and the total.
  function sumTable({ of, terms, headings, place, factors, link, onPin, more = [], totalName }) {
    const { largest, rest, restCount, zeroCount } = split(terms);
    const total = Glass.total(terms) + more.reduce((sum, [, value]) => sum + value, 0);
    const most = Glass.most(largest.map((term) => term.product));
    const row = (term, rank) =>
      h(
        "tr",
        { "data-link": link && link(term), class: onPin && "pick", on: onPin && { click: () => onPin(term) } },
        h("td", null, h("code", null, place(term))),
        factors(term).map((factor, k) =>
          h("td", { class: "number" }, number(`${of}/${["first", "second"][k]}[${rank}]`, factor)),
        ),
        h("td", { class: "number" }, number(`${of}/product[${rank}]`, term.product)),
        h("td", { class: "bar" }, bar(term.product, most)),
        h("td", { class: "number" }, number(`${of}/running[${rank}]`, term.running)),
      );
    const line = (name, value) =>
      h("tr", null, h("td", { colspan: 3 }, name), h("td", { class: "number" }, value), h("td"), h("td"));
    const tail = h(
      "tr",
      { class: "total" },
      h("td", { colspan: 3 }, totalName),
      h("td", { class: "number answer" }, number(`${of}/sum`, total)),
      h("td"),
      h("td"),
    );
    return h(
      "div",
      { class: "table", "data-scroll": of },
      h(
        "table",
        { class: "sum" },
        h(
          "thead",
          null,
          h(
            "tr",
            null,
            headings.map((text, k) => h("th", { class: k > 0 && k !== 4 && "number" }, text)),
          ),
        ),
        h(
          "tbody",
          null,
          largest.map(row),
          restCount > 0 &&
            line(["the other ", count(`${of}/rest_count`, restCount), " add up to"], number(`${of}/rest`, rest)),
          zeroCount > 0 && line([count(`${of}/zero_count`, zeroCount), " more are exactly 0"], "0"),
          more.map(([name, value]) => line(name, number(`${of}/${name}`, value))),
          tail,
        ),
      ),
    );
  }

  // The engine's value beside what its formula gives.
  function engineLine(of, computed, engine) {
    if (engine === null || engine === undefined) {
      return h("p", { class: "engine" }, "The engine’s own value is not on this page; this one was computed here.");
    }
    const steps = Glass.ulps(computed, engine);
    const apart =
      steps === 0
        ? "the same number, to the last bit of single precision."
        : [
            count(`${of}/ulps`, steps),
            steps === 1 ? " step" : " steps",
            " of single precision away: it adds in another order, and rounds each time.",
          ];
    return h(
      "p",
      { class: "engine" },
      "The engine has ",
      number(`${of}/engine`, engine),
      ", ",
      steps === null ? "which is no number." : apart,
    );
  }

  Object.assign(Glass, {
    mo,
    mi,
    mrow,
    fraction,
    root,
    math,
    formula,
    sumFormula,
    bar,
    sumTable,
    engineLine,
  });
})(Glass);
