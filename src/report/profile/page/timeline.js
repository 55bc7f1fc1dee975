// The timeline: threads below each other, time to the right; to zoom and to go through by mouse and by keyboard.
"use strict";

(function (Glass) {
  const { h } = Glass;

  const LABELS = 76; // Pixels to the left, for the names of the lanes.
  const AXIS = 22; // Pixels above, for the times.
  const NEAREST = 2000; // The fewest nanoseconds that fill the picture.
  const ZOOM = 1.6;

  class Timeline {
    constructor(place, data) {
      this.data = data;
      this.canvas = h("canvas", { "aria-hidden": "true" });
      this.cell = h("span", { role: "gridcell", id: Glass.freshId() });
      this.frame = h(
        "div",
        {
          class: "timeline",
          role: "grid",
          tabindex: "0",
          "aria-label": `Timeline of the ${data.name}: phases and threads`,
          "aria-rowcount": data.threads + 1,
          "aria-activedescendant": this.cell.id,
        },
        this.canvas,
        h("span", { class: "unseen", role: "row" }, this.cell),
      );
      this.readout = h("output", { class: "readout" });
      this.pin = h("p", { class: "pinned", "aria-live": "polite" });
      const steps = data.steps.map((step, index) => h("option", { value: index }, `${step.step} (${(step.length / 1e6).toFixed(3)} ms)`));
      const button = (text, does, action) => h("button", { type: "button", title: does, "aria-label": does, on: { click: action } }, text);
      const choose = (event) => this.show(Number(event.target.value));
      place.append(
        h(
          "div",
          { class: "controls" },
          h("label", null, "step ", h("select", { on: { change: choose } }, steps)),
          button("−", "zoom out", () => this.zoom(ZOOM)),
          button("+", "zoom in", () => this.zoom(1 / ZOOM)),
          button("whole step", "show the whole step", () => this.view(0, this.length)),
          h("span", { class: "hint" }, "Drag to move, turn the wheel with Ctrl to zoom; by keyboard arrows, + and −, Home, End, Enter."),
        ),
        this.frame,
        this.readout,
        this.pin,
      );
      this.listen();
      this.show(0);
    }

    // Shows a step as a whole.
    show(index) {
      const step = this.data.steps[index];
      this.length = Math.max(step.length, 1);
      this.lanes = Glass.lanesOf(this.data, step);
      this.chosen = { lane: 0, place: 0 };
      this.pinned = null;
      this.pin.textContent = "";
      this.readout.textContent = `Step ${step.step}: ${step.spans.length} pieces of work. Point at one, or go to it by the arrow keys.`;
      this.view(0, this.length);
    }

    // Shows the time between two nanoseconds.
    view(from, to) {
      const length = Math.min(Math.max(to - from, Math.min(NEAREST, this.length)), this.length);
      const middle = (from + to) / 2;
      this.from = Math.min(Math.max(middle - length / 2, 0), this.length - length);
      this.to = this.from + length;
      this.draw();
    }

    // Shows `factor` times as much time, around one that keeps its place.
    zoom(factor, around) {
      const fixed = around === undefined ? this.center() : around;
      const length = Math.min(Math.max((this.to - this.from) * factor, Math.min(NEAREST, this.length)), this.length);
      const share = (fixed - this.from) / (this.to - this.from);
      this.view(fixed - share * length, fixed + (1 - share) * length);
    }

    pan(share) {
      const by = share * (this.to - this.from);
      this.view(this.from + by, this.to + by);
    }

    piece({ lane, place } = this.chosen) {
      return this.lanes[lane].pieces[place];
    }

    // Where zooming by keys and buttons happens: at the chosen piece if it is seen, else in the middle.
    center() {
      const piece = this.focused && this.piece();
      const middle = piece ? (piece.start + piece.end) / 2 : -1;
      return middle > this.from && middle < this.to ? middle : (this.from + this.to) / 2;
    }

    // Chooses a piece, tells of it and brings it into sight.
    choose(lane, place) {
      const { pieces } = this.lanes[lane];
      this.chosen = { lane, place: Math.min(Math.max(place, 0), Math.max(pieces.length - 1, 0)) };
      const piece = this.piece();
      this.tell(piece ? piece.told : `${this.lanes[lane].name}: no work in this step`);
      this.cell.textContent = this.readout.textContent;
      this.cell.setAttribute("aria-rowindex", lane + 1);
      this.cell.setAttribute("aria-colindex", this.chosen.place + 1);
      if (!piece || (piece.start >= this.from && piece.end <= this.to)) return this.draw();
      const length = Math.max(this.to - this.from, piece.end - piece.start);
      const middle = (piece.start + piece.end) / 2;
      return this.view(middle - length / 2, middle + length / 2);
    }

    tell(text) {
      this.readout.textContent = text;
    }

    togglePin(chosen) {
      const same = this.pinned && this.pinned.lane === chosen.lane && this.pinned.place === chosen.place;
      this.pinned = same || !this.piece(chosen) ? null : { ...chosen };
      this.pin.textContent = this.pinned ? `Pinned: ${this.piece(this.pinned).told}` : "";
      this.draw();
    }

    onKey(event) {
      const { lane, place } = this.chosen;
      const { pieces } = this.lanes[lane];
      const other = (way) => {
        const next = Math.min(Math.max(lane + way, 0), this.lanes.length - 1);
        const from = this.piece();
        const time = from && next !== lane ? (Math.max(from.start, this.from) + Math.min(from.end, this.to)) / 2 : this.from;
        this.choose(next, next === lane ? place : Glass.nearest(this.lanes[next].pieces, time));
      };
      const actions = {
        ArrowLeft: () => (event.shiftKey ? this.pan(-0.25) : this.choose(lane, place - 1)),
        ArrowRight: () => (event.shiftKey ? this.pan(0.25) : this.choose(lane, place + 1)),
        ArrowUp: () => other(-1),
        ArrowDown: () => other(1),
        Home: () => this.choose(lane, 0),
        End: () => this.choose(lane, pieces.length - 1),
        Enter: () => this.togglePin(this.chosen),
        Escape: () => this.pinned && this.togglePin(this.pinned),
        "+": () => this.zoom(1 / ZOOM),
        "=": () => this.zoom(1 / ZOOM),
        "-": () => this.zoom(ZOOM),
        0: () => this.view(0, this.length),
      };
      if (!actions[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      actions[event.key]();
    }

    // The time and the lane under the pointer, and the piece there, if there is one.
    at(event) {
      const bounds = this.canvas.getBoundingClientRect();
      const [x, y] = [event.clientX - bounds.left, event.clientY - bounds.top];
      const time = this.from + ((x - this.left) / this.width) * (this.to - this.from);
      const lane = this.tops.findIndex((top, index) => y >= top && y < top + this.heights[index]);
      if (lane < 0 || x < this.left) return { time, found: null };
      const place = Glass.nearest(this.lanes[lane].pieces, time);
      const piece = this.lanes[lane].pieces[place];
      // What is narrower than two pixels can be pointed at, too.
      const slack = (2 * (this.to - this.from)) / this.width;
      const isHit = piece && time >= piece.start - slack && time <= piece.end + slack;
      return { time, found: isHit ? { lane, place } : null };
    }

    listen() {
      const { frame } = this;
      let drag = null;
      frame.addEventListener("keydown", (event) => this.onKey(event));
      frame.addEventListener("focus", () => {
        this.focused = true;
        this.draw();
      });
      frame.addEventListener("blur", () => {
        this.focused = false;
        this.draw();
      });
      frame.addEventListener("pointerdown", (event) => {
        if (event.button !== 0) return;
        drag = { x: event.clientX, from: this.from, moved: false };
        frame.setPointerCapture(event.pointerId);
      });
      frame.addEventListener("pointermove", (event) => {
        if (drag) {
          const by = ((drag.x - event.clientX) / this.width) * (this.to - this.from);
          drag.moved = drag.moved || Math.abs(drag.x - event.clientX) > 3;
          if (drag.moved) this.view(drag.from + by, drag.from + by + (this.to - this.from));
          return;
        }
        const { time, found } = this.at(event);
        this.tell(found ? this.piece(found).told : `${(time / 1e6).toFixed(3)} ms`);
      });
      frame.addEventListener("pointerup", (event) => {
        const { found } = this.at(event);
        if (drag && !drag.moved && found) {
          this.choose(found.lane, found.place);
          this.togglePin(found);
        }
        drag = null;
      });
      frame.addEventListener("pointercancel", () => (drag = null));
      frame.addEventListener(
        "wheel",
        (event) => {
          // Without Ctrl the wheel scrolls the page, as it does everywhere.
          if (!event.ctrlKey && !event.metaKey) return;
          event.preventDefault();
          this.zoom(event.deltaY < 0 ? 1 / ZOOM : ZOOM, this.at(event).time);
        },
        { passive: false },
      );
      new ResizeObserver(() => this.draw()).observe(frame);
    }

    // The colours of the style sheet, as it is now.
    colors() {
      const style = getComputedStyle(document.documentElement);
      const of = (name) => style.getPropertyValue(name).trim();
      const kinds = [];
      for (let kind = 0; of(`--kind-${kind}`); kind++) kinds.push(of(`--kind-${kind}`));
      return { ink: of("--ink"), paper: of("--paper"), grey: of("--grey"), line: of("--line"), mat: of("--mat"), kinds };
    }

    // Sizes in CSS pixels; many threads have lower lanes.
    measure() {
      const scale = Glass.scaled(1);
      this.left = LABELS * scale;
      this.width = Math.max(this.frame.clientWidth - this.left - 6, 40);
      const lane = (this.data.threads <= 8 ? 34 : this.data.threads <= 24 ? 20 : 12) * scale;
      this.heights = this.lanes.map((_, index) => (index === 0 ? 30 * scale : lane));
      let top = AXIS * scale;
      this.tops = this.heights.map((height, index) => {
        const own = top;
        top += height + (index === 0 ? 10 : lane > 15 ? 5 : 2) * scale;
        return own;
      });
      return { scale, height: top + 2 };
    }

    draw() {
      if (!this.lanes || this.frame.clientWidth === 0) return;
      const { scale, height } = this.measure();
      const density = window.devicePixelRatio || 1;
      const wide = this.left + this.width + 6;
      this.canvas.width = Math.round(wide * density);
      this.canvas.height = Math.round(height * density);
      this.canvas.style.width = `${wide}px`;
      this.canvas.style.height = `${height}px`;
      const pen = this.canvas.getContext("2d");
      pen.scale(density, density);
      const colors = this.colors();
      const font = (size) => (pen.font = `${size * scale}px system-ui, sans-serif`);
      font(12);
      pen.textBaseline = "middle";
      this.drawAxis(pen, colors, height, scale);
      this.lanes.forEach((lane, index) => {
        const [top, tall] = [this.tops[index], this.heights[index]];
        pen.fillStyle = colors.grey;
        font(tall < 14 * scale ? 10 : 12);
        if (index === 0 || tall >= 14 * scale || index % 4 === 1) pen.fillText(lane.name, 0, top + tall / 2);
        pen.fillStyle = colors.mat;
        pen.fillRect(this.left, top, this.width, tall);
        font(12);
        this.drawLane(pen, colors, lane, index, scale);
      });
      if (this.pinned) this.mark(pen, colors, this.pinned, height);
      if (this.focused && this.piece()) this.mark(pen, colors, this.chosen, 0);
    }

    x(time) {
      return this.left + ((time - this.from) / (this.to - this.from)) * this.width;
    }

    drawAxis(pen, colors, height, scale) {
      const times = Glass.timeTicks(this.from, this.to, this.width / (90 * scale));
      pen.lineWidth = 1;
      for (const [time, label] of times) {
        const x = Math.round(this.x(time)) + 0.5;
        pen.strokeStyle = colors.line;
        pen.beginPath();
        pen.moveTo(x, (AXIS - 4) * scale);
        pen.lineTo(x, height);
        pen.stroke();
        pen.fillStyle = colors.grey;
        pen.textAlign = x + 24 * scale > this.left + this.width ? "right" : x - 24 * scale < this.left ? "left" : "center";
        pen.fillText(label, x, 8 * scale);
      }
      pen.textAlign = "left";
    }

    // A piece is as wide as its time, but never invisible; one that would fall on the pixel of the one before is left out.
    drawLane(pen, colors, { pieces }, index, scale) {
      const [top, tall, right] = [this.tops[index], this.heights[index], this.left + this.width];
      let drawn = -1;
      for (let place = Glass.firstAfter(pieces, this.from); place < pieces.length; place++) {
        const { start, end, color, label } = pieces[place];
        if (start > this.to) break;
        const [from, to] = [Math.max(this.x(start), this.left), Math.min(this.x(end), right)];
        if (to < drawn + 0.5) continue;
        const width = Math.max(to - from, 0.75);
        drawn = from + width;
        const fill = color === null ? (place % 2 ? colors.line : colors.mat) : colors.kinds[color];
        pen.fillStyle = fill;
        pen.fillRect(from, top, width, tall);
        if (width > 3) {
          pen.strokeStyle = color === null ? colors.grey : colors.paper;
          pen.lineWidth = color === null ? 0.6 : 1;
          pen.strokeRect(from + 0.5, top + 0.5, width - 1, tall - 1);
        }
        if (tall >= 14 * scale) this.write(pen, label, from, top + tall / 2, width, color === null ? colors.ink : ink(fill));
      }
    }

    // A label in a piece, as much of it as has room.
    write(pen, label, left, middle, width, color) {
      const room = width - 8;
      if (room < 14) return;
      let text = label;
      const whole = pen.measureText(text).width;
      if (whole > room) {
        const count = Math.floor((text.length * room) / whole) - 1;
        if (count < 3) return;
        text = `${text.slice(0, count)}…`;
      }
      pen.fillStyle = color;
      pen.fillText(text, left + 4, middle);
    }

    // A ring around a piece; of the pinned one, lines over all lanes, too.
    mark(pen, colors, chosen, height) {
      const piece = this.piece(chosen);
      if (piece.end < this.from || piece.start > this.to) return;
      const [top, tall] = [this.tops[chosen.lane], this.heights[chosen.lane]];
      const left = Math.max(this.x(piece.start), this.left);
      const width = Math.max(Math.min(this.x(piece.end), this.left + this.width) - left, 2);
      if (height) {
        pen.strokeStyle = colors.ink;
        pen.lineWidth = 1;
        pen.setLineDash([4, 3]);
        for (const x of [left, left + width]) {
          pen.beginPath();
          pen.moveTo(x, AXIS);
          pen.lineTo(x, height);
          pen.stroke();
        }
        pen.setLineDash([]);
      }
      pen.lineWidth = 5;
      pen.strokeStyle = colors.paper;
      pen.strokeRect(left - 1, top - 1, width + 2, tall + 2);
      pen.lineWidth = 2.5;
      pen.strokeStyle = colors.ink;
      pen.strokeRect(left - 1, top - 1, width + 2, tall + 2);
    }
  }

  // Black or white, whichever reads better on a colour such as #2f7fd1.
  const ink = (hex) => Glass.inkOn([1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)));

  Object.assign(Glass, { Timeline });
})(Glass);
