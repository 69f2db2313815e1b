// Tracklets over time. Only what can be seen is drawn, however many there are.

const RULER = 26;
const BAR = LANE - 4;
/** Frames that a view has at least. */
const LEAST_SPAN = 20;

class Timeline {
  /**
   * @param {Data} data
   * @param {Store} store
   * @param {Theme} theme
   * @param {Player} player
   */
  constructor(data, store, theme, player) {
    this.data = data;
    this.store = store;
    this.theme = theme;
    this.player = player;
    this.ruler = /** @type {HTMLCanvasElement} */ (get("ruler"));
    this.scroller = get("lanes");
    this.space = get("lanes-space");
    this.canvas = /** @type {HTMLCanvasElement} */ (get("bars"));
    this.playhead = get("playhead");
    this.tip = get("tip");
    /** The frames in view, as places: from the beginning of one to the end of another. */
    this.from = data.first;
    this.to = data.last + 1;
    this.layout = layOut(store.tracks, data.labels);
    /** The bar that is being dragged, and the one that it is over. @type {{track: Track, over: Track | null} | null} */
    this.drag = null;
    this.wasDrag = false;
    this.listen();
  }

  get width() {
    return this.scroller.clientWidth;
  }

  /** @param {number} frame */
  x(frame) {
    return ((frame - this.from) / (this.to - this.from)) * this.width;
  }

  /** @param {number} x */
  frameAt(x) {
    const place = this.from + (x / this.width) * (this.to - this.from);
    return clamp(Math.floor(place), this.data.first, this.data.last);
  }

  /** After the filter has changed. */
  arrange() {
    this.layout = layOut(this.store.tracks, this.data.labels);
    this.draw();
  }

  /** @param {number} from @param {number} to */
  view(from, to) {
    const all = this.data.frameCount;
    const span = clamp(to - from, Math.min(LEAST_SPAN, all), all);
    this.from = clamp(from, this.data.first, this.data.last + 1 - span);
    this.to = this.from + span;
    this.draw();
  }

  /** @param {number} factor more than 1 shows more time @param {number} [frame] stays where it is */
  zoom(factor, frame = this.store.state.frame) {
    const at = frame < this.from || frame > this.to ? (this.from + this.to) / 2 : frame;
    this.view(at - (at - this.from) * factor, at + (this.to - at) * factor);
  }

  fit() {
    this.view(this.data.first, this.data.last + 1);
  }

  draw() {
    const { scroller, layout } = this;
    const height = scroller.clientHeight;
    this.space.style.height = `${Math.max(height, layout.height)}px`;
    this.canvas.style.height = `${height}px`;
    const context = prepare(this.canvas, this.width, height);
    context.translate(0, -scroller.scrollTop);
    const [top, bottom] = [scroller.scrollTop - LANE, scroller.scrollTop + height];
    this.drawStretch(context);
    for (const group of layout.groups) this.drawGroup(context, group);
    for (const bar of layout.bars) {
      const { track } = bar;
      const isSeen = bar.top > top && bar.top < bottom && track.last + 1 > this.from && track.first < this.to;
      if (isSeen) this.drawBar(context, bar);
    }
    this.drawRuler();
    this.drawPlayhead();
  }

  /** What an edit over a stretch is about. @param {CanvasRenderingContext2D} context */
  drawStretch(context) {
    const { mark, frame } = this.store.state;
    if (mark === null) return;
    const [left, right] = [this.x(Math.min(mark, frame)), this.x(Math.max(mark, frame) + 1)];
    context.globalAlpha = 0.18;
    context.fillStyle = this.theme.accent;
    context.fillRect(left, this.scroller.scrollTop, right - left, this.scroller.clientHeight);
    context.globalAlpha = 1;
  }

  /** @param {CanvasRenderingContext2D} context @param {Group} group */
  drawGroup(context, group) {
    context.fillStyle = this.theme.band;
    context.fillRect(0, group.top, this.width, HEAD - 4);
    context.font = `600 11px ${this.theme.font}`;
    context.textBaseline = "middle";
    context.fillStyle = this.theme.text;
    const name = this.data.labels[group.label];
    context.fillText(name, 8, group.top + 9.5);
    const x = 8 + context.measureText(name).width + 8;
    context.fillStyle = this.theme.quiet;
    context.fillText(String(group.count), x, group.top + 9.5);
  }

  /** @param {CanvasRenderingContext2D} context @param {Bar} bar */
  drawBar(context, { track, top }) {
    const colour = this.data.colour(track);
    const [left, right] = this.ends(track);
    const { state } = this.store;
    const isChosen = track === state.track || track === this.drag?.over || state.selected.has(track.id);
    context.globalAlpha = 0.28;
    context.fillStyle = colour;
    context.fillRect(left, top, right - left, BAR);
    context.globalAlpha = 1;
    context.fill(this.scores(track, top));
    context.strokeStyle = this.theme.line; // dark colours on a dark page
    context.lineWidth = 1;
    context.strokeRect(left + 0.5, top + 0.5, right - left - 1, BAR - 1);
    this.drawGaps(context, track, top);
    this.drawMarks(context, track, top);
    if (isChosen) {
      context.strokeStyle = this.theme.text;
      context.lineWidth = 2;
      context.strokeRect(left - 1, top - 1, right - left + 2, BAR + 2);
    }
    this.drawId(context, track, top, left, right);
  }

  /** Left and right end of a bar; one of a single frame can still be hit. @param {Track} track */
  ends(track) {
    const left = this.x(track.first);
    return [left, Math.max(left + 3, this.x(track.last + 1))];
  }

  /** The scores as a hill on the bar's lower edge, the best one of each pixel. @param {Track} track @param {number} top */
  scores(track, top) {
    const { data } = this;
    const path = new Path2D();
    const begin = data.rowOf(track, Math.floor(this.from));
    let [left, best] = [-1, 0];
    const flush = (/** @type {number} */ right) => {
      if (best > 0) path.rect(left, top + BAR * (1 - best), right - left, BAR * best);
    };
    for (let row = begin; row < track.to && data.frames[row] < this.to; row++) {
      const x = Math.max(0, Math.floor(this.x(data.frames[row])));
      const isNew = x !== left;
      if (isNew) flush(Math.min(x, left + this.rowWidth));
      best = isNew ? data.score(row) : Math.max(best, data.score(row));
      left = x;
    }
    flush(left + this.rowWidth);
    return path;
  }

  /** Pixels that one frame takes, a little more than it has so that neighbours touch. */
  get rowWidth() {
    return Math.max(3, Math.ceil((this.width / (this.to - this.from)) * this.data.step) + 1);
  }

  /** @param {CanvasRenderingContext2D} context @param {Track} track @param {number} top */
  drawGaps(context, track, top) {
    for (const [first, last] of track.gaps) {
      const [left, right] = [this.x(first), this.x(last + 1)];
      if (right < 0 || left > this.width) continue;
      const width = Math.max(2, right - left);
      context.fillStyle = this.theme.panel;
      context.fillRect(left, top, width, BAR);
      context.fillStyle = this.theme.warn;
      context.fillRect(left, top + BAR / 2 - 0.5, width, 1);
    }
  }

  /** @param {CanvasRenderingContext2D} context @param {Track} track @param {number} top */
  drawMarks(context, track, top) {
    context.fillStyle = this.theme.text;
    for (const frame of track.switches) context.fillRect(this.x(frame) - 0.5, top - 1, 1.5, BAR + 2);
    context.fillStyle = this.theme.warn;
    for (const frame of track.jumps) {
      const x = this.x(frame);
      context.beginPath();
      context.moveTo(x - 4, top - 2);
      context.lineTo(x + 4, top - 2);
      context.lineTo(x, top + 5);
      context.fill();
    }
  }

  /** @param {CanvasRenderingContext2D} context @param {Track} track @param {number} top @param {number} left @param {number} right */
  drawId(context, track, top, left, right) {
    const from = Math.max(left, 0);
    context.font = `600 10px ${this.theme.font}`;
    context.textBaseline = "middle";
    const text = String(track.id);
    const width = context.measureText(text).width + 6;
    if (Math.min(right, this.width) - from < 2.5 * width) return;
    context.fillStyle = this.theme.panel;
    context.globalAlpha = 0.82;
    context.fillRect(from + 2, top + 1, width, BAR - 2);
    context.globalAlpha = 1;
    context.fillStyle = this.theme.text;
    context.fillText(text, from + 5, top + BAR / 2 + 0.5);
  }

  drawRuler() {
    const context = prepare(this.ruler, this.width, RULER);
    const { data, theme } = this;
    const [begin, end] = [data.timeOf(this.from), data.timeOf(this.to)];
    const step = tickStep(end - begin, this.width, 70);
    context.font = `11px ${theme.font}`;
    context.textBaseline = "middle";
    for (let tick = Math.ceil(begin / step); tick * step < end; tick++) {
      const x = this.x(data.placeOf(tick * step));
      context.fillStyle = theme.line;
      context.fillRect(Math.round(x), 6, 1, RULER - 6);
      context.fillStyle = theme.quiet;
      context.fillText(clock(tick * step, step < 1 ? 2 : 0), x + 5, RULER / 2);
    }
  }

  drawPlayhead() {
    const { frame } = this.store.state;
    const x = this.x(frame + 0.5);
    this.playhead.hidden = x < 0 || x > this.width;
    this.playhead.style.transform = `translateX(${x}px)`;
  }

  /** Keep the playhead in view: when it leaves, go on by most of a page. */
  follow() {
    const { frame } = this.store.state;
    const span = this.to - this.from;
    if (frame >= this.to) this.view(frame - span * 0.1, frame + span * 0.9);
    else if (frame < this.from) this.view(frame - span * 0.9, frame + span * 0.1);
    else this.drawPlayhead();
  }

  /** Scroll to the chosen tracklet. */
  reveal() {
    const { track } = this.store.state;
    const bar = this.layout.bars.find((candidate) => candidate.track === track);
    if (bar) {
      const { scrollTop, clientHeight } = this.scroller;
      const isSeen = bar.top >= scrollTop && bar.top + LANE <= scrollTop + clientHeight;
      if (!isSeen) this.scroller.scrollTop = bar.top - clientHeight / 2;
    }
    this.draw();
  }

  /** @param {number} x @param {number} y in pixels of the part in view @returns {Track | null} */
  hit(x, y) {
    const at = y + this.scroller.scrollTop;
    const isOn = (/** @type {Bar} */ { track, top }) => {
      const [left, right] = this.ends(track);
      return at >= top - 2 && at < top + LANE - 2 && x >= left - 2 && x <= right + 2;
    };
    return this.layout.bars.find(isOn)?.track ?? null;
  }

  /** Where a frame of a tracklet is on the canvas; for tests. @param {Track} track @param {number} frame */
  pointOf(track, frame) {
    const bar = this.layout.bars.find((candidate) => candidate.track === track);
    return { x: this.x(frame + 0.5), y: (bar?.top ?? 0) + BAR / 2 - this.scroller.scrollTop };
  }

  listen() {
    this.scroller.addEventListener("scroll", () => this.draw());
    this.scroller.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    this.canvas.addEventListener("click", (event) => this.onClick(event));
    this.canvas.addEventListener("pointermove", (event) => this.onHover(event));
    this.canvas.addEventListener("pointerleave", () => this.onHover(null));
    dragging(this.ruler, (x) => this.player.seek(this.frameAt(x)));
    get("zoom-in").addEventListener("click", () => this.zoom(0.5));
    get("zoom-out").addEventListener("click", () => this.zoom(2));
    get("zoom-fit").addEventListener("click", () => this.fit());
  }

  /** @param {MouseEvent} event */
  onClick(event) {
    if (this.wasDrag) return;
    const track = this.hit(event.offsetX, event.offsetY);
    if (track && (event.ctrlKey || event.metaKey) && this.data.result) return this.store.toggle(track.id);
    if (track) this.store.set({ track });
    const frame = this.frameAt(event.offsetX);
    this.player.seek(track ? clamp(frame, track.first, track.last) : frame);
  }

  /** @param {WheelEvent} event */
  onWheel(event) {
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      const factor = Math.exp(clamp(event.deltaY, -60, 60) / 150);
      this.zoom(factor, this.from + (event.offsetX / this.width) * (this.to - this.from));
      return;
    }
    const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
    if (!sideways || (!event.shiftKey && Math.abs(event.deltaY) > Math.abs(event.deltaX))) return;
    event.preventDefault();
    const frames = (sideways / this.width) * (this.to - this.from);
    this.view(this.from + frames, this.to + frames);
  }

  /** @param {PointerEvent | null} event */
  onHover(event) {
    const drag = this.wasDrag ? this.drag : null;
    const track = event && (drag ? drag.track : this.hit(event.offsetX, event.offsetY));
    this.tip.hidden = !track;
    if (!drag) this.canvas.style.cursor = track ? "pointer" : "";
    if (!event || !track) return;
    const into = drag?.over ? `into ${this.data.nameOf(drag.over)}` : "onto another bar, to merge";
    this.tip.textContent = `${this.data.nameOf(track)} ${drag ? into : `· ${factsOf(track)}`}`;
    const x = clamp(event.offsetX + 12, 0, Math.max(0, this.width - this.tip.offsetWidth - 4));
    const top = this.scroller.offsetTop + event.offsetY;
    this.tip.style.transform = `translate(${x}px, ${top - 34}px)`;
  }
}

/** What there is to say of a tracklet, in a line. @param {Track} track */
function factsOf(track) {
  const count = track.to - track.from;
  const facts = [`frames ${track.first}–${track.last}`, counted(count, "box")];
  facts.push(`score ${track.score.toFixed(2)}`);
  if (track.gaps.length) facts.push(counted(track.gaps.length, "gap"));
  if (track.switches.length) facts.push(counted(track.switches.length, "class change"));
  if (track.jumps.length) facts.push(counted(track.jumps.length, "leap"));
  return facts.join(" · ");
}

/** Call a function with the pointer's place while it is pressed. @param {HTMLElement} element @param {(x: number) => void} onPlace */
function dragging(element, onPlace) {
  const place = (/** @type {PointerEvent} */ event) => {
    onPlace(event.clientX - element.getBoundingClientRect().left);
  };
  element.addEventListener("pointerdown", (event) => {
    element.setPointerCapture(event.pointerId);
    place(event);
  });
  element.addEventListener("pointermove", (event) => {
    if (event.buttons & 1 && element.hasPointerCapture(event.pointerId)) place(event);
  });
}
