"use strict";
// The lecture: asks the program where it stands, shows it, and sends it on. What a step was, the shared
// scripts (`Glass`) draw from its bundle.
(() => {
  const $ = (id) => document.getElementById(id);
  const token = document.querySelector("meta[name=token]").content;
  let state = null; // what the program told last
  let stops = [];
  let stop = -1; // the stop at hand
  let revealed = false;
  let shown = null; // the bundle that is shown: step, image, weight
  let sending = Promise.resolve(); // requests go one after the other
  let waiting = 0;

  // --- the program -----------------------------------------------------------------------------------------

  const ask = (path, body) => {
    const headers = { "X-Glassnet-Token": token };
    if (body) headers["Content-Type"] = "application/json";
    return fetch(path, { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body), cache: "no-store" });
  };

  const reason = async (answer) => {
    try { return (await answer.json()).error; } catch { return `the program answered ${answer.status}`; }
  };

  // Sends something that changes the state; the answer is the new state.
  const send = (path, body) => {
    // Who holds a key down is not followed by a tail of movements.
    if (waiting > 2) return sending;
    waiting += 1;
    sending = sending.then(async () => {
      try {
        const answer = await ask(path, body);
        if (!answer.ok) return say(await reason(answer), true);
        say("");
        take(await answer.json());
        await arrived;
      } catch { gone(); } finally { waiting -= 1; }
    });
    return sending;
  };

  const gone = () => say("The program does not answer: the lecture has ended, or the connection to it.", true);

  const say = (text, isError) => {
    $("message").textContent = text;
    $("message").classList.toggle("error", Boolean(isError));
  };

  // Waits for every change, also those that another tab makes.
  const follow = async () => {
    for (;;) {
      try {
        const answer = await ask(state ? `/state?after=${state.revision}` : "/state");
        if (!answer.ok) throw new Error(await reason(answer));
        if ($("message").classList.contains("error") && state === null) say("");
        take(await answer.json());
      } catch { gone(); await new Promise((done) => setTimeout(done, 1000)); }
    }
  };

  // --- the state in the address ----------------------------------------------------------------------------

  const readHash = () => new URLSearchParams(location.hash.slice(1));
  const writeHash = (values) => {
    const hash = readHash();
    for (const [name, value] of Object.entries(values)) {
      if (value === null || value === undefined || value === "") hash.delete(name); else hash.set(name, value);
    }
    // Commas, slashes and brackets read better as they are.
    const text = hash.toString().replace(/%2C/g, ",").replace(/%2F/g, "/").replace(/%5B/g, "[").replace(/%5D/g, "]");
    if (`#${text}` !== location.hash) history.replaceState(null, "", `#${text}`);
  };
  const image = () => Math.min(Number(readHash().get("image")) || 0, state.images.length - 1);
  const weight = () => readHash().get("weight") || "";

  // --- showing ---------------------------------------------------------------------------------------------

  let arrived = Promise.resolve();
  const take = (told) => {
    if (state && told.revision < state.revision) return;
    state = told;
    showPosition();
    showControls();
    showCurve();
    showEdits();
    writeHash({ step: state.position.step, phase: state.position.phase });
    arrived = fetchBundle();
  };

  const phaseName = (phase) => phase.layer ? `${phase.name} ${phase.layer}` : phase.name;

  const showPosition = () => {
    const { position, phases, epoch, steps_per_epoch } = state;
    const left = state.left ? ` Training: ${state.left} steps to go.` : "";
    $("position").textContent = `Step ${position.step}, batch ${(position.step - 1) % steps_per_epoch + 1} of ` +
      `${steps_per_epoch} in epoch ${epoch + 1}: ${phaseName(phases[position.phase])}.${left}`;
    const list = $("phases");
    if (list.children.length !== phases.length) {
      list.replaceChildren(...phases.map((phase, number) => {
        const item = document.createElement("li");
        const button = document.createElement("button");
        button.className = `phase ${phase.name}`;
        button.title = phaseName(phase);
        button.append(mark(phase), Object.assign(document.createElement("span"), { textContent: phase.layer || phase.name }));
        button.addEventListener("click", () => send("/go", { to: { step: state.position.step, phase: number } }));
        item.append(button);
        return item;
      }));
    }
    [...list.children].forEach((item, number) => {
      const button = item.firstChild;
      button.classList.toggle("done", number < position.phase);
      if (number === position.phase) button.setAttribute("aria-current", "step"); else button.removeAttribute("aria-current");
    });
    const here = list.children[position.phase];
    list.scrollLeft = here.offsetLeft - list.offsetLeft - (list.clientWidth - here.clientWidth) / 2;
    document.body.dataset.phase = phases[position.phase].name;
  };

  // The direction of a phase, told by more than its colour.
  const mark = (phase) => {
    const marks = { images: "▣", forward: "→", loss: "Σ", backward: "←", update: "Δ" };
    return Object.assign(document.createElement("b"), { textContent: marks[phase.name], ariaHidden: "true" });
  };

  const showControls = () => {
    const play = document.querySelector("[data-do=play]");
    play.textContent = state.playing ? "pause" : "play";
    play.setAttribute("aria-pressed", String(Boolean(state.playing)));
    const select = $("image");
    const names = state.images;
    if (select.dataset.names !== names.join("\n")) {
      select.replaceChildren(...names.map((name, number) => new Option(`${number}: ${name}`, number)));
      select.dataset.names = names.join("\n");
    }
    select.value = String(image());
    if (document.activeElement !== $("rate")) $("rate").value = state.learning_rate;
    if (state.problem) say(state.problem, true);
  };

  const number = (value) => value === null || value === undefined || Number.isNaN(value) ? "no number" :
    Math.abs(value) >= 1e-3 && Math.abs(value) < 1e5 || value === 0 ? Number(value).toPrecision(5).replace("-", "−") :
      value.toExponential(3).replace(/-/g, "−");

  const SVG = "http://www.w3.org/2000/svg";
  const svg = (name, attributes, text) => {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    return element;
  };

  const tick = (value) => value === 0 ? "0" : String(Number(value.toPrecision(2)));

  // The loss of every step so far, and if something was changed, without the change.
  const showCurve = () => {
    const [width, height, left, bottom, top, right] = [560, 190, 46, 26, 10, 12];
    const { losses } = state;
    // Of what would have been, what lies ahead is shown for a few steps.
    const original = state.original.slice(0, Math.max(10, state.position.step + 10));
    const finite = [...losses, ...original].filter((loss) => loss !== null && Number.isFinite(loss));
    const first = finite[0] || 1;
    const highest = Math.min(Math.max(...finite, 0.1), 8 * first);
    const last = Math.max(losses.length, original.length, 10);
    const x = (step) => left + (width - left - right) * (step - 1) / (last - 1);
    const y = (loss) => top + (height - top - bottom) * (1 - Math.min(loss, highest) / highest);
    const path = (values) => {
      let text = "", pen = "M";
      values.forEach((loss, place) => {
        if (loss === null) { pen = "M"; return; }
        text += `${pen}${x(place + 1).toFixed(1)} ${y(loss).toFixed(1)}`;
        pen = "L";
      });
      return text;
    };
    const drawing = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-labelledby": "curve-title" });
    const now = losses.length ? `${number(losses[losses.length - 1])} at step ${losses.length}` : "none yet";
    drawing.append(svg("title", { id: "curve-title" }, `Loss of each step; the last: ${now}`));
    for (const share of [0, 0.5, 1]) {
      drawing.append(svg("line", { x1: left, x2: width - right, y1: y(share * highest), y2: y(share * highest), class: "grid" }));
      drawing.append(svg("text", { x: left - 6, y: y(share * highest) + 4, class: "tick end" }, tick(share * highest)));
    }
    for (const step of [1, Math.round((1 + last) / 2), last]) {
      drawing.append(svg("text", { x: x(step), y: height - 8, class: "tick middle" }, step));
    }
    if (original.length) drawing.append(svg("path", { d: path(original), class: "original" }));
    drawing.append(svg("path", { d: path(losses), class: "losses" }));
    const step = state.position.step;
    drawing.append(svg("line", { x1: x(step), x2: x(step), y1: top, y2: height - bottom, class: "here" }));
    const at = losses[step - 1];
    if (at !== undefined && at !== null) drawing.append(svg("circle", { cx: x(step), cy: y(at), r: 4, class: "at" }));
    for (const edit of state.edits) {
      drawing.append(svg("path", { d: `M${x(edit.step)} ${height - bottom}l-5 8h10z`, class: "edit" }));
    }
    const caption = document.createElement("figcaption");
    caption.textContent = `The last: ${now}.` + (original.length ? " Dashed: without the changes, which are marked ▲." : "") +
      (finite.length && Math.max(...finite) > highest ? ` Above ${number(highest)} it is cut off.` : "");
    $("curve").replaceChildren(drawing, caption);
  };

  const showEdits = () => {
    const lines = state.edits.map((edit) => edit.weight ?
      `Before step ${edit.step}: ${edit.weight} = ${number(edit.value)}` : `From step ${edit.step}: learning rate = ${edit.learning_rate}`);
    const list = document.createElement("ul");
    lines.forEach((line) => list.append(Object.assign(document.createElement("li"), { textContent: line })));
    const hint = Object.assign(document.createElement("p"), { textContent: "Going back before a change undoes it; U undoes those of this step." });
    $("edits").replaceChildren(...(lines.length ? [list, hint] : []));
  };

  // The loss before, promised and after, of the bundle, once the reader has come so far.
  const showLosses = () => {
    const header = shown && shown.header;
    const list = $("losses");
    if (!header || !state) return list.replaceChildren();
    const update = state.phases.length - 1;
    const loss = state.phases.findIndex((phase) => phase.name === "loss");
    const { phase } = state.position;
    const rows = [
      ["loss before", phase >= loss ? number(header.loss) : "not yet"],
      ["promised by the gradient", phase >= update ? `${header.loss_promised > 0 ? "+" : ""}${number(header.loss_promised)}` : "not yet"],
      ["loss after", phase >= update ? number(header.loss_after) : "not yet"],
    ];
    list.replaceChildren(...rows.flatMap(([name, value]) => [
      Object.assign(document.createElement("dt"), { textContent: name }),
      Object.assign(document.createElement("dd"), { textContent: value }),
    ]));
  };

  // --- the step's bundle -----------------------------------------------------------------------------------

  let fetching = null;
  const fetchBundle = async () => {
    const wanted = `${state.taken}/${image()}`;
    if (shown && shown.key === wanted) return showStep();
    if (fetching === wanted) return;
    fetching = wanted;
    try {
      const query = new URLSearchParams({ image: image() });
      if (weight()) query.set("weight", weight());
      const answer = await ask(`/bundle?${query}`);
      if (!answer.ok) return say(await reason(answer), true);
      const bundle = Glass.bundleOfBytes(await answer.arrayBuffer());
      // Meanwhile the reader may have gone on.
      if (fetching !== wanted) return;
      shown = { key: wanted, header: bundle.header, bundle };
      showStep();
    } catch (error) { console.error(error); gone(); } finally { if (fetching === wanted) fetching = null; }
  };

  let selection = null; // the shared scripts' own
  let drawn = null; // the key of what is drawn
  let followed = null; // the phase that the pictures followed
  const showStep = () => {
    const moreIsShown = showLater();
    const phase = state.phases[state.position.phase];
    const follows = followed !== null && followed !== state.position.phase && phase.layer;
    followed = state.position.phase;
    if (!selection) mount();
    else if (drawn !== shown.key) Glass.update(shown.bundle);
    else if (moreIsShown && !follows) Glass.redraw();
    drawn = shown.key;
    if (follows) {
      selection.set({ layer: selection.net.find(phase.layer), show: phase.name === "backward" ? "gradient" : "output" });
    }
    showLosses();
    chosen();
  };

  const mount = () => {
    selection = Glass.mount(document.body, shown.bundle);
    selection.onChange(chosen);
  };

  // What the choice of a weight brings with it: its name in the form, and the images' shares of its gradient.
  const chosen = async () => {
    if (!selection || !selection.weight) return;
    const name = Glass.weightName(selection.weight);
    const numbers = Glass.numbersOf(shown.bundle, selection.weight);
    if (!$("weight-form").contains(document.activeElement)) {
      $("weight-name").value = name;
      $("weight-value").value = "";
      $("weight-value").placeholder = numbers.before === null ? "" : number(numbers.before);
    }
    if (numbers.shares) return;
    const { header, key } = shown;
    header.shares = header.shares || {};
    header.shares[name] = header.images.map(() => NaN);
    try {
      const answer = await ask(`/shares?${new URLSearchParams({ weight: name })}`);
      if (answer.ok && shown.key === key) {
        header.shares[name] = (await answer.json()).map((share) => share === null ? NaN : share);
        Glass.redraw();
      }
    } catch { gone(); }
  };

  // Keeps back what the step has not come to yet, and tells whether anything has come to light.
  const showLater = () => {
    let moreIsShown = false;
    const at = (name) => state.phases.findIndex((phase) => phase.name === name);
    const from = { network: 0, maps: 0, forward: at("forward"), loss: at("loss"), backward: at("backward"), weight: at("backward") };
    for (const [id, first] of Object.entries(from)) {
      const isAhead = state.position.phase < first;
      moreIsShown = moreIsShown || (!isAhead && $(id).classList.contains("ahead"));
      $(id).classList.toggle("ahead", isAhead);
    }
    document.body.classList.toggle("no-gradient", state.position.phase < at("backward"));
    return moreIsShown;
  };

  // --- stops -----------------------------------------------------------------------------------------------

  const goToStop = async (next) => {
    if (!stops.length) return say("No stops were given: start the lecture with --stops FILE.", true);
    stop = Math.max(0, Math.min(stops.length - 1, next));
    revealed = false;
    showStop();
    const at = stops[stop];
    writeHash({ stop: stop + 1, ...(at.image === null ? {} : { image: at.image }) });
    if (at.position) await send("/go", { to: at.position }); else await fetchBundle();
    const [y, x, channel] = at.pixel || [];
    const place = at.pixel ? { pixel: `${y},${x}`, channel } : {};
    const look = Object.entries({ layer: at.layer, weight: at.weight, ...place }).filter(([, value]) => value !== null);
    writeHash({ ...Object.fromEntries(look), hide: at.hide.join(",") });
    readHashAnew();
    // Where there is one column only, the stop comes first.
    const view = at.view && matchMedia("(min-width: 58rem)").matches && $(at.view);
    if (view) view.scrollIntoView({ block: "start" }); else $("stop").scrollIntoView({ block: "start" });
  };

  // Lets all scripts of the page read the address, which we have written.
  const readHashAnew = () => window.dispatchEvent(new HashChangeEvent("hashchange"));

  const showStop = () => {
    const section = $("stop");
    section.hidden = stop < 0;
    if (stop < 0) return;
    const at = stops[stop];
    const made = (name, properties) => Object.assign(document.createElement(name), properties);
    const parts = [
      made("p", { className: "count", textContent: `Stop ${stop + 1} of ${stops.length}` }),
      made("h2", { textContent: at.title }),
      made("p", { className: "sentence", textContent: at.sentence }),
    ];
    if (at.command) parts.push(made("pre", { textContent: at.command }));
    if (at.question) {
      parts.push(made("p", { className: "question", textContent: at.question }));
      if (at.answer && revealed) parts.push(made("p", { className: "told", textContent: at.answer }));
      if (at.answer) {
        const button = made("button", { textContent: revealed ? "hide the answer" : "reveal the answer" });
        button.addEventListener("click", reveal);
        parts.push(button);
      }
    }
    section.replaceChildren(...parts);
  };

  const reveal = () => { revealed = !revealed; showStop(); };

  // --- what can be done ------------------------------------------------------------------------------------

  // The section that the reader looks at: the first whose end is in view.
  const inView = () => [...document.querySelectorAll("main > section:not([hidden])")]
    .find((section) => section.getBoundingClientRect().bottom > 140);

  const does = {
    play: () => send("/play", { on: !state.playing, by: "phase" }),
    play_batch: () => send("/play", { on: !state.playing, by: "batch" }),
    phase: () => send("/go", { by: "phase" }),
    batch: () => send("/go", { by: "batch" }),
    back_phase: () => send("/go", { by: "back_phase" }),
    back_batch: () => send("/go", { by: "back_batch" }),
    undo: () => send("/edit", { undo: true }),
    next_stop: () => goToStop(stop + 1),
    previous_stop: () => goToStop(stop - 1),
    reveal,
    next_image: () => look((image() + 1) % state.images.length),
    previous_image: () => look((image() + state.images.length - 1) % state.images.length),
    rate: () => focus("rate"),
    weight: () => focus($("weight-name").value ? "weight-value" : "weight-name"),
    step: () => focus("go-step"),
    large: () => Glass.toggleProjector(),
    keys: () => Glass.toggleHelp(),
    hide: () => {
      const hidden = new Set((readHash().get("hide") || "").split(",").filter(Boolean));
      const section = inView();
      // Once more brings all back.
      if (hidden.size) hidden.clear(); else if (section) hidden.add(section.id);
      writeHash({ hide: [...hidden].join(",") });
      readHashAnew();
    },
    save: async () => {
      say("The page is being made …");
      try {
        const answer = await ask("/save", { image: image(), weight: weight() || null });
        if (!answer.ok) return say(await reason(answer), true);
        const link = document.createElement("a");
        link.href = URL.createObjectURL(await answer.blob());
        link.download = `glassnet-step-${state.position.step}.html`;
        link.click();
        URL.revokeObjectURL(link.href);
        say(`Saved as ${link.download}.`);
      } catch { gone(); }
    },
  };

  const look = (number) => { writeHash({ image: number || null }); $("image").value = String(number); return fetchBundle(); };
  const focus = (id) => { $(id).focus(); $(id).select(); };

  // Each key: what the help calls it, what it does, in words and by name.
  const keys = {
    " ": ["Space", "play and pause, phase by phase", "play"],
    "Shift+ ": ["Shift Space", "play and pause, batch by batch", "play_batch"],
    "ArrowRight": ["→", "a phase on", "phase"],
    "Shift+ArrowRight": ["Shift →", "a batch on", "batch"],
    "ArrowLeft": ["←", "a phase back", "back_phase"],
    "Shift+ArrowLeft": ["Shift ←", "a batch back", "back_batch"],
    "n": ["N", "the next stop of the lecture", "next_stop"],
    "p": ["P", "the stop before", "previous_stop"],
    "Enter": ["Enter", "the answer of the stop, shown and hidden", "reveal"],
    "i": ["I", "the next image of the batch", "next_image"],
    "Shift+I": ["Shift I", "the image before", "previous_image"],
    "l": ["L", "another learning rate, from this step on", "rate"],
    "w": ["W", "another value of the chosen weight, before this step", "weight"],
    "u": ["U", "undo the changes of this step", "undo"],
    "t": ["T", "to a step by its number", "step"],
    "h": ["H", "hide the part in view, and show all again", "hide"],
    "s": ["S", "save this moment as a page", "save"],
  };
  // Without stops N and P go through the parts of the page.
  const isOurs = (key) => key && (stops.length || !["next_stop", "previous_stop"].includes(key[2]));

  document.addEventListener("keydown", (event) => {
    // A grid of cells, and others that know the key, come first.
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || !state) return;
    const typing = event.target.closest && event.target.closest("input, select, textarea");
    if (typing) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const pressed = event.target.closest && event.target.closest("button, a, summary, [role=grid]");
    if (pressed && (event.key === "Enter" || event.key === " " && pressed.matches("button, summary"))) return;
    if (document.querySelector("dialog[open]")) return;
    const key = keys[(event.shiftKey ? "Shift+" : "") + event.key];
    if (!isOurs(key)) return;
    event.preventDefault();
    does[key[2]]();
  });

  document.querySelectorAll("[data-do]").forEach((button) => {
    // A button that was clicked does not keep the keys of the lecture to itself.
    button.addEventListener("click", () => { button.blur(); does[button.dataset.do](); });
  });
  $("image").addEventListener("change", () => { look(Number($("image").value)); $("image").blur(); });

  const submitted = (id, act) => $(id).addEventListener("submit", (event) => {
    event.preventDefault();
    document.activeElement.blur();
    act();
  });
  const typed = (id) => Number($(id).value.trim().replace("−", "-").replace(",", "."));
  submitted("rate-form", () => {
    if (!Number.isFinite(typed("rate"))) return say("The learning rate must be a number.", true);
    send("/edit", { learning_rate: typed("rate") });
  });
  submitted("weight-form", () => {
    const [name, text, value] = [$("weight-name").value.trim(), $("weight-value").value.trim(), typed("weight-value")];
    writeHash({ weight: name });
    readHashAnew();
    if (text === "") return;
    if (!Number.isFinite(value)) return say("The weight must be a number.", true);
    send("/edit", { weight: name, value });
  });
  submitted("go-form", () => {
    if (!Number.isInteger(typed("go-step")) || typed("go-step") < 1) return say("Steps count from 1.", true);
    send("/go", { to: { step: typed("go-step"), phase: state.position.phase } });
  });

  window.addEventListener("hashchange", (event) => {
    if (!state) return;
    // An address that was typed or pasted leads to its step.
    const [step, phase] = ["step", "phase"].map((name) => Number(readHash().get(name)));
    if (event.isTrusted && step >= 1 && (step !== state.position.step || phase !== state.position.phase)) {
      send("/go", { to: { step, phase } });
    } else fetchBundle();
  });

  // The desk stays at the top; all else begins below it.
  new ResizeObserver(([desk]) => {
    document.documentElement.style.setProperty("--desk", `${desk.target.offsetHeight}px`);
  }).observe($("desk"));

  // --- the beginning ---------------------------------------------------------------------------------------

  (async () => {
    const hash = readHash();
    try {
      const answer = await ask("/stops");
      if (answer.ok) stops = await answer.json();
    } catch { gone(); }
    for (const key of Object.values(keys).filter(isOurs)) Glass.addKey([], key[0], key[1]);
    const [step, phase] = [Number(hash.get("step")), Number(hash.get("phase"))];
    if (step >= 1) await send("/go", { to: { step, phase } });
    const at = Number(hash.get("stop"));
    if (stops.length && at >= 1) { stop = Math.min(at, stops.length) - 1; showStop(); }
    follow();
  })();
})();
