// Numbers on the page: six significant digits to read, all digits in data-value, and a name in data-of.
"use strict";

(function (Glass) {
  const RAISED = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

  // A number with this many significant digits and a true minus.
  function shown(value, digits = 6) {
    const size = Math.abs(value);
    let text;
    if (value === 0) text = "0";
    else if (!Number.isFinite(value)) text = Number.isNaN(value) ? "?" : value > 0 ? "∞" : "-∞";
    else if (size >= 1e-3 && size < 1e6) {
      text = value.toFixed(Math.max(digits - 1 - Math.floor(Math.log10(size)), 0));
    } else {
      const [mantissa, exponent] = value.toExponential(Math.max(digits - 2, 0)).split("e");
      text = `${mantissa}·10${[...exponent.replace("+", "")].map((digit) => RAISED[digit]).join("")}`;
    }
    return text.replace("-", "−");
  }

  // The same with its sign always told, for readers who do not see the colour.
  const signed = (value, digits) => (value > 0 ? "+" : "") + shown(value, digits);

  // A whole number, in groups of three.
  const counted = (count) => String(count).replace(/\B(?=(\d{3})+$)/g, "\u202f");

  // How many numbers of single precision lie between two values; null for what is no number.
  const float = new Float32Array(1);
  const bits = new Int32Array(float.buffer);
  function ordered(value) {
    float[0] = value;
    // The bits of floats, read as whole numbers with a sign, stand in the order of the floats.
    return bits[0] < 0 ? -(bits[0] & 0x7fffffff) : bits[0];
  }
  function ulps(a, b) {
    return Number.isNaN(a) || Number.isNaN(b) ? null : Math.abs(ordered(a) - ordered(b));
  }

  const marks = (of, value) => ({ "data-of": of, "data-value": String(value) });

  // An element with a number called `of`.
  const number = (of, value, digits) =>
    Glass.h("data", { value: String(value), ...marks(of, value) }, shown(value, digits));
  const count = (of, value) => Glass.h("data", { value: String(value), ...marks(of, value) }, counted(value));
  const probability = (of, value) => Glass.h("data", { value: String(value), ...marks(of, value) }, value.toFixed(4));

  // A number in a formula, its power of ten raised. One that is short as it is, as 0.9 or 16, is told so.
  function digitsIn(value, digits) {
    const short = String(value).replace("e-0", "e-");
    const text = short.length <= 6 ? short : shown(value, digits);
    const [mantissa, power] = text.includes("e") ? text.split("e") : text.split("·10");
    if (power === undefined) return Glass.mathml("mn", null, text.replace("-", "−"));
    const exponent = [...power]
      .map((digit) => Object.keys(RAISED).find((plain) => RAISED[plain] === digit) || digit)
      .join("");
    return [
      Glass.mathml("mn", null, mantissa.replace("-", "−")),
      Glass.mathml("mo", { lspace: "0", rspace: "0" }, "·"),
      Glass.mathml("msup", null, Glass.mathml("mn", null, "10"), Glass.mathml("mn", null, exponent.replace("-", "−"))),
    ];
  }

  // The same as `number` within a formula; what is below zero stands in parentheses when `enclosed`.
  function mn(of, value, { enclosed = false, digits = 6 } = {}) {
    const text = Glass.mathml("mrow", marks(of, value), digitsIn(value, digits));
    if (!enclosed || !(value < 0)) return text;
    const fence = (sign) => Glass.mathml("mo", { stretchy: "false" }, sign);
    return Glass.mathml("mrow", null, fence("("), text, fence(")"));
  }

  Object.assign(Glass, { shown, signed, counted, ulps, number, count, probability, mn });
})(Glass);
