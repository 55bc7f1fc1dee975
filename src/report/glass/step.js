// The optimizer's step of the chosen weight, every number in its formula.
"use strict";

(function (Glass) {
  const { h, mn, mo, mi, mrow, math, mathml, formula, fraction, root } = Glass;

  const arrow = () => mo("←");
  const power = (base, exponent) => mathml("msup", null, base, exponent);
  const one = () => mathml("mn", null, "1");
  const paren = (...inside) => mrow(mo("("), inside, mo(")"));

  // A line: what it is in words, the formula with letters, the formula with numbers.
  const line = (words, ...pieces) => h("div", { class: "rule" }, h("span", { class: "words" }, words), formula(pieces));

  function adam({ bundle }, told, part) {
    const { optimizer, learning_rate: rate, step } = bundle.header;
    const number = (name, value, options) => mn(part(name), value, options);
    const kept = (name) => number(name, optimizer[name]);
    const g = (options) => number("used", told.used, options);
    const decayed = told.decay !== 0 && [mo("−"), number("decay", told.decay, { enclosed: true })];
    return [
      line(
        "m, the mean of the gradients",
        math(
          mi("m"),
          arrow(),
          number("m", told.m),
          mo("+"),
          paren(g(), mo("−"), number("m", told.m, { enclosed: true })),
          mo("·"),
          paren(one(), mo("−"), kept("beta_1")),
          mo("="),
          number("new_m", told.newM),
        ),
      ),
      line(
        "v, the mean of their squares",
        math(
          mi("v"),
          arrow(),
          number("v", told.v),
          mo("+"),
          paren(power(paren(g()), mathml("mn", null, "2")), mo("−"), number("v", told.v)),
          mo("·"),
          paren(one(), mo("−"), kept("beta_2")),
          mo("="),
          number("new_v", told.newV),
        ),
      ),
      line(
        `α, at step ${step}`,
        math(
          mi("α"),
          mo("="),
          number("learning_rate", rate),
          mo("·"),
          fraction(
            root(one(), mo("−"), power(kept("beta_2"), mn(part("t"), step))),
            mrow(one(), mo("−"), power(kept("beta_1"), mn(part("t"), step))),
          ),
          mo("="),
          number("alpha", told.alpha),
        ),
      ),
      line(
        "Δw",
        math(
          mi("Δw"),
          mo("="),
          mo("−"),
          fraction(
            mrow(number("alpha", told.alpha), mo("·"), number("new_m", told.newM, { enclosed: true })),
            mrow(root(number("new_v", told.newV)), mo("+"), kept("epsilon")),
          ),
          decayed,
          mo("="),
          number("moved", told.moved - told.decay),
        ),
      ),
    ];
  }

  function sgd({ bundle }, told, part) {
    const { optimizer, learning_rate: rate } = bundle.header;
    const number = (name, value, options) => mn(part(name), value, options);
    const decayed = told.decay !== 0 && [mo("−"), number("decay", told.decay, { enclosed: true })];
    const downhill = () => [
      mo("−"),
      number("learning_rate", rate),
      mo("·"),
      number("used", told.used, { enclosed: true }),
    ];
    const momentum = optimizer.momentum > 0;
    return [
      momentum &&
        line(
          "the velocity",
          math(
            mi("v"),
            arrow(),
            number("momentum", optimizer.momentum),
            mo("·"),
            number("velocity", told.velocity, { enclosed: true }),
            downhill(),
            mo("="),
            number("new_velocity", told.newVelocity),
          ),
        ),
      line(
        "Δw",
        math(
          mi("Δw"),
          mo("="),
          momentum && !optimizer.nesterov && number("new_velocity", told.newVelocity),
          momentum &&
            optimizer.nesterov && [
              number("momentum", optimizer.momentum),
              mo("·"),
              number("new_velocity", told.newVelocity, { enclosed: true }),
            ],
          (!momentum || optimizer.nesterov) && downhill(),
          decayed,
          (momentum && !optimizer.nesterov && !decayed) || [mo("="), number("moved", told.moved - told.decay)],
        ),
      ),
    ];
  }

  Glass.stepOf = (context) => {
    const { bundle, selection } = context;
    const name = Glass.weightName(selection.weight);
    const told = Glass.movement(bundle, selection.weight);
    const title = h("h3", null, "The optimizer’s step");
    if (!told)
      return [
        title,
        h(
          "p",
          null,
          "Of this weight the page does not have the optimizer’s numbers; of its tensor it has those with the largest gradients.",
        ),
      ];
    const part = (what) => `update/${name}/${what}`;
    const rule = told.kind === "adam" ? adam(context, told, part) : sgd(context, told, part);
    const clipped =
      told.used !== told.gradient &&
      h(
        "p",
        null,
        "Clipping left ",
        Glass.number(part("used"), told.used),
        " of the gradient ",
        Glass.number(`gradient/${name}`, told.gradient),
        ".",
      );
    const after = line(
      "the weight after the step",
      math(
        mi("w"),
        arrow(),
        mn(`before/${name}`, told.before),
        mo("+"),
        mn(part("delta"), told.moved - told.decay, { enclosed: true }),
        mo("="),
        mn(part("computed"), told.computed),
      ),
    );
    return [title, clipped, rule, after, Glass.engineLine(`after/${name}`, told.computed, told.after)];
  };
})(Glass);
