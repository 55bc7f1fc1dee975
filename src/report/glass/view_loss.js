// The loss: logits become probabilities, and the gap to the truth is where the way back begins.
"use strict";

(function (Glass) {
  const { h, svg, mn, mo, mi, mrow, math, formula, fraction, number, count, probability, mathml } = Glass;

  // Of few logits all, of many the true one and the most probable.
  function shownUnits({ probabilities, label }) {
    const units = probabilities.map((_, unit) => unit);
    if (units.length <= 4) return units;
    return units.sort((a, b) => (b === label) - (a === label) || probabilities[b] - probabilities[a]).slice(0, 4);
  }

  // The truth for a logit: 1 where the image is of its class, else 0, smoothed where the run smooths labels.
  function truth({ header }, image, unit) {
    const units = image.logits.length;
    const hard = units === 1 ? image.label : Number(image.label === unit);
    const smoothing = header.label_smoothing || 0;
    return hard * (1 - smoothing) + smoothing / Math.max(units, 2);
  }

  const weightOf = ({ header }, image) => (header.class_weights || [])[image.label] ?? 1;

  // From 0 to 1: the probability as a bar, the truth as a line, and the gap between them in the colour of its sign.
  function gap(p, y) {
    const x = (value) => 5 + value * 190;
    return svg(
      "svg",
      { class: "gap", viewBox: "0 0 200 24", role: "img", "aria-label": `p ${p.toFixed(4)}, truth ${y}` },
      svg("rect", { class: "room", x: 5, y: 7, width: 190, height: 10 }),
      svg("rect", {
        class: p > y ? "above" : "below",
        x: x(Math.min(p, y)),
        y: 7,
        width: Math.abs(p - y) * 190,
        height: 10,
      }),
      svg("rect", { class: "at", x: x(p) - 1.5, y: 4, width: 3, height: 16 }),
      svg("line", { class: "truth", x1: x(y), x2: x(y), y1: 1, y2: 23 }),
    );
  }

  // p and ∂L/∂z of the image in focus, with their numbers.
  function formulas({ bundle }, unit) {
    const { header, focus: image } = bundle;
    const [z, p] = [image.logits[unit], image.probabilities[unit]];
    const name = `${header.focus}[${unit}]`;
    const y = truth(bundle, image, unit);
    const weight = weightOf(bundle, image);
    const N = header.images.length;
    const power = (exponent) => mathml("msup", null, mi("e"), exponent);
    const probabilityOf = mn(`probability/${name}`, p);
    const one = mathml("mn", null, "1");
    const from =
      image.logits.length === 1
        ? fraction(
            one,
            mrow(one.cloneNode(true), mo("+"), power(mrow(mo("−"), mn(`logit/${name}`, z, { enclosed: true })))),
          )
        : fraction(
            power(mn(`logit/${name}`, z)),
            mrow(
              image.logits
                .slice(0, 4)
                .flatMap((other, k) => [k > 0 && mo("+"), power(mn(`logit/${header.focus}[${k}]`, other))]),
              image.logits.length > 4 && mrow(mo("+"), mo("…")),
            ),
          );
    const slope = ((p - y) * weight) / N;
    return [
      formula(math(mi("p"), mo("="), from, mo("="), probabilityOf)),
      formula(
        math(
          fraction(mrow(mi("∂L")), mrow(mi("∂z"))),
          mo("="),
          weight !== 1 && mrow(mn(`class_weight/${image.label}`, weight), mo("·")),
          fraction(mrow(mi("p"), mo("−"), mi("y")), mi("N")),
          mo("="),
          weight !== 1 && mrow(mn(`class_weight/${image.label}`, weight), mo("·")),
          fraction(mrow(mn(`probability/${name}`, p), mo("−"), mn(`truth/${name}`, y)), mn("images", N)),
          mo("="),
          mn(`computed/grad_logit/${name}`, slope),
        ),
      ),
    ];
  }

  Glass.views.loss = (context) => {
    const { bundle, net } = context;
    const { header, classes } = bundle;
    const N = header.images.length;
    const rows = header.images.flatMap((image, i) =>
      shownUnits(image).map((unit, k) => {
        const [p, y] = [image.probabilities[unit], truth(bundle, image, unit)];
        const name = `${i}[${unit}]`;
        return h(
          "tr",
          { class: i === header.focus && "here" },
          h("td", null, k === 0 && h("code", { title: image.name }, image.name.split("/").slice(-2).join("/"))),
          h("td", null, k === 0 && classes[image.label]),
          h("td", null, classes[image.logits.length === 1 ? 1 : unit]),
          h("td", { class: "number" }, number(`logit/${name}`, image.logits[unit])),
          h("td", { class: "number" }, probability(`probability/${name}`, p)),
          h("td", null, gap(p, y)),
          h("td", { class: "number" }, number(`gap/${name}`, p - y)),
          h("td", { class: "number" }, number(`computed/grad_logit/${name}`, ((p - y) * weightOf(bundle, image)) / N)),
          h("td", { class: "number" }, k === 0 && number(`loss/${i}`, image.loss)),
        );
      }),
    );
    const last = net.layers.length - 1;
    const unit = bundle.focus.logits.length === 1 ? 0 : bundle.focus.label;
    const slope =
      ((bundle.focus.probabilities[unit] - truth(bundle, bundle.focus, unit)) * weightOf(bundle, bundle.focus)) / N;
    return [
      h(
        "p",
        null,
        "The bar is the answer p, the line the truth y. The gap between them, p − y, is the gradient: ",
        h("span", { class: "below word" }, "blue where p is too low"),
        ", ",
        h("span", { class: "above word" }, "orange where it is too high"),
        ".",
      ),
      h(
        "div",
        { class: "table", "data-scroll": "loss" },
        h(
          "table",
          { class: N > 8 ? "many" : null },
          h(
            "thead",
            null,
            h(
              "tr",
              null,
              ["image", "it is", "logit of"].map((text) => h("th", null, text)),
              h("th", { class: "number" }, "z"),
              h("th", { class: "number" }, "p"),
              h("th", null, "0 … 1"),
              h("th", { class: "number" }, "p − y"),
              h("th", { class: "number" }, "∂L/∂z"),
              h("th", { class: "number" }, "loss"),
            ),
          ),
          h(
            "tbody",
            null,
            rows,
            h(
              "tr",
              { class: "total" },
              h("td", { colspan: 8 }, "L, the mean of ", count("images", N), N === 1 ? " image" : " images"),
              h("td", { class: "number" }, number("loss", header.loss)),
            ),
          ),
        ),
      ),
      formulas(context, unit),
      Glass.engineLine(
        `grad_logit/${header.focus}[${unit}]`,
        slope,
        net.carried("gradient", last) ? net.value("gradient", last, 0, 0, unit) : null,
      ),
    ];
  };
})(Glass);
