// Forward through a dense layer: a unit sums over all inputs.
"use strict";

(function (Glass) {
  const { h, cellName, productsPicture, pickWeight, biasOf, linkOf } = Glass;

  function dense(context) {
    const { net, selection } = context;
    const layer = net.layers[selection.layer];
    const of = `${net.prefix("output", selection.layer - 1)}dot/${cellName(net, selection.layer, selection.cell)}`;
    const engine = net.engine(selection.layer, ...selection.cell);
    const table = (terms, extra) =>
      Glass.sumTable({
        of,
        terms,
        headings: ["input", "value", "weight", "product", "", "running total"],
        link: linkOf,
        place: (term) => term.index[0],
        factors: (term) => [term.input, term.weight],
        onPin: (term) => pickWeight(context, term),
        ...extra,
      });
    const sum = Glass.dot(net, selection.layer, selection.cell);
    if (sum) {
      const { rows, columns } = Glass.wrapped(sum.terms.length);
      return [
        Glass.sumFormula({
          of,
          terms: sum.terms,
          factors: (term) => [term.input, term.weight],
          link: linkOf,
          more: biasOf(layer, sum),
          total: sum.sum,
        }),
        Glass.engineLine(of, sum.sum, engine),
        productsPicture(context, sum.terms, {
          rows,
          columns,
          place: (term) => term.index[0],
          title: `all ${sum.terms.length} products, one for each input`,
        }),
        table(sum.terms, { more: biasOf(layer, sum), totalName: "sum" }),
      ];
    }
    const excerpt = (net.bundle.header.dot_excerpts[layer.name] || {})[selection.channel];
    if (!excerpt) return h("p", null, "The kernel of this layer is too large for the page.");
    const terms = excerpt.terms.map(([i, input, weight]) => ({
      index: [i, selection.channel],
      input,
      weight,
      product: input * weight,
    }));
    return [
      h(
        "p",
        null,
        `This unit sums over ${Glass.counted(layer.in[0] * layer.in[1] * layer.in[2])} inputs. `,
        "Its weights are too many for the page; these are its largest products:",
      ),
      table(terms, {
        more: [
          [`${Glass.counted(excerpt.rest_count)} others`, excerpt.rest],
          ["bias", excerpt.bias],
        ],
        totalName: "sum",
      }),
      Glass.engineLine(of, excerpt.sum, engine),
    ];
  }

  Object.assign(Glass, { forwardDense: dense });
})(Glass);
