// Tracklets over time. Only what can be seen is drawn, however many there are.

const RULER = 26;
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
    this.bars = new Bars(this);
    /** The frames in view, as places: from the beginning of one to the end of another. */
    this.from = data.first;
    this.to = data.last + 1;
    this.layout = layOut(store.tracks, data.labels);
    /** In CSS pixels, as of the last drawing: to ask the page each time would lay it out each time. */
    this.width = this.scroller.clientWidth;
    /** The bar that is being dragged, and the one that it is over. @type {{track: Track, over: Track | null} | null} */
    this.drag = null;
    this.wasDrag = false;
    this.fingers = new Fingers(this.canvas, (dx, dy) => this.pan(dx, dy), (factor, x) => this.zoom(1 / factor, this.placeAt(x)), false);
    this.listen();
  }

  /** @param {number} frame */
  x(frame) {
    return ((frame - this.from) / (this.to - this.from)) * this.width;
  }

  /** The frame at a place, and how far into it. @param {number} x */
  placeAt(x) {
    return this.from + (x / this.width) * (this.to - this.from);
  }

  /** @param {number} x */
  frameAt(x) {
    return clamp(Math.floor(this.placeAt(x)), this.data.first, this.data.last);
  }

  /** Carried along by a finger, unless it holds a bar. @param {number} dx @param {number} dy */
  pan(dx, dy) {
    if (this.drag) return;
    this.wasDrag = true;
    this.scroller.scrollTop -= dy;
    const frames = (dx / this.width) * (this.to - this.from);
    this.view(this.from - frames, this.to - frames);
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
    this.store.draw(this);
  }

  paint() {
    const { scroller, layout } = this;
    const height = scroller.clientHeight;
    this.width = scroller.clientWidth;
    this.space.style.height = `${Math.max(height, layout.height)}px`;
    this.canvas.style.height = `${height}px`;
    const context = prepare(this.canvas, this.width, height);
    context.translate(0, -scroller.scrollTop);
    this.bars.draw(context);
    this.drawRuler();
    this.drawPlayhead();
  }

  /** Left and right end of a bar; one of a single frame can still be hit. @param {Track} track */
  ends(track) {
    const left = this.x(track.first);
    return [left, Math.max(left + 3, this.x(track.last + 1))];
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
    this.canvas.addEventListener("pointerdown", () => (this.wasDrag = false));
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
      this.zoom(factor, this.placeAt(event.offsetX));
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
