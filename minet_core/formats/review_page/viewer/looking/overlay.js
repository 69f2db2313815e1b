// Boxes over the picture, and which of them the pointer is on.

/** Box names are left out when there are more boxes than this in a frame. */
const MOST_NAMES = 30;
const MOST_ZOOM = 8;

/** @typedef {{left: number, top: number, width: number, height: number}} Rect */

/** Where the handles of a box are, in shares of its sides. */
const HANDLES = [[0, 0], [0.5, 0], [1, 0], [1, 0.5], [1, 1], [0.5, 1], [0, 1], [0, 0.5]];

class Overlay {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {HTMLVideoElement} video
   * @param {Data} data
   * @param {Store} store
   * @param {Theme} theme
   */
  constructor(canvas, video, data, store, theme) {
    this.canvas = canvas;
    this.video = video;
    this.data = data;
    this.store = store;
    this.theme = theme;
    this.scale = 1;
    this.left = 0;
    this.top = 0;
    /** @type {number | null} row under the pointer */
    this.hovered = null;
    /** What is being drawn or moved. @type {Box | null} */
    this.preview = null;
    /** Whether the chosen box can be moved, so that its handles show. */
    this.hasHandles = false;
    /** Whether the last press moved something, and was no click. */
    this.wasDrag = false;
    /** Whether a box is held, so that the picture under it stays. */
    this.holds = false;
    /** How somebody has enlarged the picture: how much, and where its corner is, in shares of the canvas. */
    this.own = { scale: 1, left: 0, top: 0 };
    this.fingers = new Fingers(canvas, (dx, dy) => this.pan(dx, dy), (factor, x, y) => this.enlarge(factor, x, y), true);
  }

  /** @param {number} factor @param {number} x @param {number} y what stays where it is */
  enlarge(factor, x, y) {
    const { clientWidth, clientHeight } = this.canvas;
    const scale = clamp(this.scale * factor, 1, MOST_ZOOM);
    const share = scale / this.scale;
    const [left, top] = [x - (x - this.left) * share, y - (y - this.top) * share];
    this.own = { scale, left: left / clientWidth, top: top / clientHeight };
    this.wasDrag = true;
    this.store.set({ zoom: false });
    this.draw();
  }

  /** Twice as large, about the chosen box or the middle; when that is enough, the whole picture again. */
  enlargeMore() {
    const { track, shown } = this.store.state;
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const at = track ? this.place(this.data.box(this.data.rowOf(track, shown))) : { left: 0, top: 0, width, height };
    const factor = this.scale > 0.75 * MOST_ZOOM ? 1 / MOST_ZOOM : 2;
    this.enlarge(factor, at.left + at.width / 2, at.top + at.height / 2);
  }

  /** @param {number} dx @param {number} dy */
  pan(dx, dy) {
    if (this.holds || this.scale === 1 || this.store.state.zoom) return;
    this.own.left += dx / this.canvas.clientWidth;
    this.own.top += dy / this.canvas.clientHeight;
    this.wasDrag = true;
    this.draw();
  }

  /** @param {WheelEvent} event */
  onWheel(event) {
    const spreads = event.ctrlKey || event.metaKey; // as a trackpad tells of two fingers
    if (!spreads && this.scale === 1) return;
    event.preventDefault();
    if (spreads) this.enlarge(Math.exp(-clamp(event.deltaY, -60, 60) / 150), event.offsetX, event.offsetY);
    else this.pan(-event.deltaX, -event.deltaY);
  }

  /** Where a row's box is on the canvas, in CSS pixels. @param {[number, number, number, number]} box @returns {Rect} */
  place([x1, y1, x2, y2]) {
    const kx = (this.canvas.clientWidth / this.data.width) * this.scale;
    const ky = (this.canvas.clientHeight / this.data.height) * this.scale;
    const [left, top] = [x1 * kx + this.left, y1 * ky + this.top];
    return { left, top, width: (x2 - x1) * kx, height: (y2 - y1) * ky };
  }

  /** The inverse, of a point. @param {number} x @param {number} y @returns {[number, number]} */
  pointAt(x, y) {
    const kx = (this.canvas.clientWidth / this.data.width) * this.scale;
    const ky = (this.canvas.clientHeight / this.data.height) * this.scale;
    return [(x - this.left) / kx, (y - this.top) / ky];
  }

  /** Rows of the picture that are to be drawn; the chosen one comes last. */
  rows() {
    const { boxes, shown, track } = this.store.state;
    if (boxes === "none") return [];
    const isChosen = (/** @type {number} */ row) => track !== null && this.data.trackOf(row) === track;
    const all = [...this.data.rowsAt(shown)];
    const others = boxes === "all" ? all.filter((row) => !isChosen(row) && this.store.rowPasses(row)) : [];
    return [...others, ...all.filter(isChosen)];
  }

  draw() {
    const { clientWidth, clientHeight } = this.canvas;
    const context = prepare(this.canvas, clientWidth, clientHeight);
    this.look();
    const rows = this.rows();
    const { track } = this.store.state;
    for (const row of rows) {
      const owner = this.data.trackOf(row);
      const chosen = owner !== null && owner === track;
      const dashed = owner === null || this.data.interpolated[row] > 0;
      this.drawBox(context, this.place(this.data.box(row)), this.data.colour(owner), chosen, dashed);
      const named = rows.length <= MOST_NAMES || chosen || row === this.hovered;
      if (named) this.drawName(context, this.place(this.data.box(row)), this.nameOf(row), owner, chosen);
    }
    this.drawGhost(context);
    if (this.preview) this.drawBox(context, this.place(this.preview), this.theme.accent, true, true);
    else if (this.hasHandles) this.drawHandles(context, rows);
  }

  /** @param {CanvasRenderingContext2D} context @param {number[]} rows */
  drawHandles(context, rows) {
    const row = rows.find((candidate) => this.data.trackOf(candidate) === this.store.state.track);
    if (row === undefined || !this.store.state.track || this.store.state.playing) return;
    const rect = this.place(this.data.box(row));
    context.fillStyle = "#fff";
    context.strokeStyle = "#000";
    context.lineWidth = 1;
    for (const [x, y] of HANDLES) {
      const [left, top] = [rect.left + (rect.width * x) - 4, rect.top + (rect.height * y) - 4];
      context.fillRect(left, top, 8, 8);
      context.strokeRect(left + 0.5, top + 0.5, 7, 7);
    }
  }

  /** @param {CanvasRenderingContext2D} context @param {Rect} rect @param {string} colour @param {boolean} chosen @param {boolean} dashed */
  drawBox(context, { left, top, width, height }, colour, chosen, dashed) {
    context.setLineDash(dashed ? [5, 4] : []);
    context.strokeStyle = chosen ? "#fff" : "rgba(0, 0, 0, 0.5)";
    context.lineWidth = chosen ? 6 : 4;
    context.strokeRect(left, top, width, height);
    context.strokeStyle = colour;
    context.lineWidth = chosen ? 3 : 2;
    context.strokeRect(left, top, width, height);
    context.setLineDash([]);
  }

  /** @param {number} row */
  nameOf(row) {
    const { data } = this;
    const track = data.trackOf(row);
    const hidden = data.occluded[row] ? "  occluded" : "";
    return `${data.labels[data.rowLabels[row]]}${track ? ` ${track.id}` : ""}  ${data.score(row).toFixed(2)}${hidden}`;
  }

  /** @param {CanvasRenderingContext2D} context @param {Rect} rect @param {string} text @param {Track | null} track @param {boolean} chosen */
  drawName(context, { left, top }, text, track, chosen) {
    const colour = this.data.colour(track);
    context.font = `${chosen ? 600 : 500} 12px ${this.theme.font}`;
    const width = context.measureText(text).width + 10;
    const x = clamp(left - 1, 0, Math.max(0, this.canvas.clientWidth - width));
    const y = top - 19 < 0 ? Math.max(0, top) : top - 19;
    context.fillStyle = colour;
    context.fillRect(x, y, width, 18);
    context.fillStyle = inkOn(colour);
    context.textBaseline = "middle";
    context.fillText(text, x + 5, y + 9.5);
  }

  /** In a gap of the chosen tracklet: where it would be on a straight line. @param {CanvasRenderingContext2D} context */
  drawGhost(context) {
    const { track, shown, boxes } = this.store.state;
    const box = track && boxes !== "none" ? this.missingBox(track, shown) : null;
    if (!track || !box) return;
    const rect = this.place(box);
    for (const [offset, colour] of /** @type {const} */ ([[0, "#fff"], [5, this.data.colour(track)]])) {
      context.setLineDash([5, 5]);
      context.lineDashOffset = offset;
      context.lineWidth = 2;
      context.strokeStyle = colour;
      context.strokeRect(rect.left, rect.top, rect.width, rect.height);
    }
    context.setLineDash([]);
    context.lineDashOffset = 0;
    this.drawName(context, rect, `${this.data.nameOf(track)}  gap`, track, false);
  }

  /** @param {Track} track @param {number} frame @returns {[number, number, number, number] | null} */
  missingBox(track, frame) {
    const { data } = this;
    if (!track.gaps.some(([first, last]) => first <= frame && frame <= last)) return null;
    const row = data.rowOf(track, frame);
    const [before, after] = [data.box(row), data.box(row + 1)];
    const share = (frame - data.frames[row]) / (data.frames[row + 1] - data.frames[row]);
    return /** @type {any} */ (before.map((value, i) => value + (after[i] - value) * share));
  }

  /** Zoom in on the chosen tracklet, or show what somebody has enlarged, or the whole picture. */
  look() {
    const { zoom, track, shown } = this.store.state;
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const { own } = this;
    own.left = clamp(own.left, 1 - own.scale, 0);
    own.top = clamp(own.top, 1 - own.scale, 0);
    [this.scale, this.left, this.top] = [own.scale, own.left * width, own.top * height];
    if (zoom && track) {
      const box = this.missingBox(track, shown) ?? this.data.box(this.data.rowOf(track, shown));
      [this.scale, this.left, this.top] = [1, 0, 0];
      const at = this.place(box);
      const scale = clamp(0.4 / Math.max(at.width / width, at.height / height, 1e-6), 1, MOST_ZOOM);
      this.left = clamp(width / 2 - (at.left + at.width / 2) * scale, width * (1 - scale), 0);
      this.top = clamp(height / 2 - (at.top + at.height / 2) * scale, height * (1 - scale), 0);
      this.scale = scale;
    }
    this.canvas.classList.toggle("enlarged", this.scale > 1);
    this.video.style.transform = `translate(${this.left}px, ${this.top}px) scale(${this.scale})`;
  }

  /** The smallest box around a point of the canvas. @param {number} x @param {number} y */
  hit(x, y) {
    let best = null;
    let area = Infinity;
    for (const row of this.rows()) {
      const { left, top, width, height } = this.place(this.data.box(row));
      const isIn = x >= left - 3 && x <= left + width + 3 && y >= top - 3 && y <= top + height + 3;
      if (isIn && width * height < area) [best, area] = [row, width * height];
    }
    return best;
  }

  /** @param {(track: Track | null) => void} choose @param {() => void} onEmpty */
  listen(choose, onEmpty) {
    this.canvas.addEventListener("pointerdown", () => (this.wasDrag = false));
    this.canvas.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    this.canvas.addEventListener("pointermove", (event) => this.hover(this.hit(event.offsetX, event.offsetY)));
    this.canvas.addEventListener("pointerleave", () => this.hover(null));
    this.canvas.addEventListener("click", (event) => {
      if (this.wasDrag) return;
      const row = this.hit(event.offsetX, event.offsetY);
      if (row === null) onEmpty();
      else choose(this.data.trackOf(row));
    });
  }

  /** @param {number | null} row */
  hover(row) {
    if (row === this.hovered) return;
    this.hovered = row;
    this.canvas.style.cursor = row === null ? "" : "pointer";
    this.draw();
  }
}
