// The lanes of a timeline: one of phases, and one for each thread; each is a list of pieces in the order of time.
"use strict";

(function (Glass) {
  // Milliseconds of a number of nanoseconds, and a length in the unit that suits it.
  const inMs = (ns) => (ns / 1e6).toFixed(3);
  const length = (ns) => (ns < 1e6 ? `${(ns / 1e3).toFixed(1)} µs` : `${inMs(ns)} ms`);

  // The lanes of a step: a name and pieces with their begin, end, label, the number of their colour and what is told
  // of them.
  function lanesOf(data, step) {
    const tell = (what, start, end) => `${what}: ${length(end - start)}, from ${inMs(start)} to ${inMs(end)} ms`;
    const lanes = [{ name: "phases", pieces: [] }];
    for (let thread = 1; thread <= data.threads; thread++) lanes.push({ name: `thread ${thread}`, pieces: [] });
    for (const [phase, start, end] of step.phases) {
      const label = data.phases[phase];
      lanes[0].pieces.push({ start, end, label, color: null, told: tell(`Phase ${label}`, start, end) });
    }
    for (const [thread, row, start, end] of step.spans) {
      const [label, color, phase] = data.rows[row];
      const told = tell(`Thread ${thread + 1}, ${label} in ${data.phases[phase]}`, start, end);
      lanes[thread + 1].pieces.push({ start, end, label, color, told });
    }
    return lanes;
  }

  // The place of the first piece that ends after a time.
  function firstAfter(pieces, time) {
    let [low, high] = [0, pieces.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (pieces[middle].end > time) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  // The place of the piece at a time, or of the one nearest to it; −1 where there is none.
  function nearest(pieces, time) {
    const next = firstAfter(pieces, time);
    if (next === pieces.length) return next - 1;
    const before = pieces[next - 1];
    return before && pieces[next].start - time > time - before.end ? next - 1 : next;
  }

  // Round times between two others, about as many as asked for, with the decimals of milliseconds that tell them apart.
  function ticks(from, to, count) {
    const rough = (to - from) / Math.max(count, 1);
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((digit) => digit * power).find((size) => size >= rough);
    const decimals = Math.max(0, -Math.floor(Math.log10(step / 1e6) + 1e-9));
    const times = [];
    for (let time = Math.ceil(from / step) * step; time <= to; time += step) times.push(time);
    return times.map((time) => [time, `${(time / 1e6).toFixed(decimals)} ms`]);
  }

  Object.assign(Glass, { lanesOf, firstAfter, nearest, timeTicks: ticks });
})(Glass);
