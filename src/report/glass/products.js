// The products of a dot product: all of them as one picture, in which a weight can be chosen.
"use strict";

(function (Glass) {
  const { h, number, cellName, tint, most } = Glass;

  // All products of a dot product as one picture, a column for each channel of the input.
  function productsPicture(context, terms, { rows, columns, place, title }) {
    const { net, selection } = context;
    const byPlace = new Map(terms.map((term) => [place(term), term]));
    const at = (row, column) => byPlace.get(row * columns + column);
    const largest = most(terms.map((term) => term.product));
    const weight = selection.weight ? selection.weight.index.join() : "";
    const pinned = terms.find((term) => term.index.join() === weight);
    const known = net.prefix("output", selection.layer - 1);
    const of = (term) => `${known}term/${cellName(net, selection.layer, selection.cell)}/${term.index.join(",")}`;
    const made = Glass.grid({
      key: "products",
      name: title,
      rows,
      columns,
      width: 1060,
      height: Math.min(rows * 24, 300),
      pinned: pinned && [Math.floor(place(pinned) / columns), place(pinned) % columns],
      paint: (row, column) => tint(at(row, column) ? at(row, column).product : 0, largest),
      masked: (row, column) => !at(row, column) || at(row, column).product === 0,
      read: (row, column) => {
        const term = at(row, column);
        if (!term) return "outside the image";
        return [
          h("code", null, cellName(net, selection.layer - 1, term.from)),
          " ",
          number(`${of(term)}/input`, term.input),
          " · ",
          number(`${of(term)}/weight`, term.weight),
          " = ",
          number(`${of(term)}/product`, term.product),
        ];
      },
      onPin: (row, column) => at(row, column) && pickWeight(context, at(row, column)),
    });
    return h("figure", { class: "map wide" }, h("figcaption", null, title), made.whole, Glass.legend(largest));
  }

  function pickWeight({ net, selection }, term) {
    selection.set({ weight: { tensor: net.layers[selection.layer].tensors[0], index: term.index } });
  }

  // The bias as a part of the sum, of layers that have one.
  const biasOf = (layer, sum) => (layer.tensors.length > 1 ? [["bias", sum.bias]] : []);

  const linkOf = (term) => `w${term.index.join("-")}`;

  Object.assign(Glass, { productsPicture, pickWeight, biasOf, linkOf });
})(Glass);
