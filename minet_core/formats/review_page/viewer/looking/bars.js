// How tracklets look in the timeline: a bar each, as high as its score, with what happens to it.

const BAR = LANE - 4;

class Bars {
  /** @param {Timeline} timeline where they go */
  constructor(timeline) {
    this.timeline = timeline;
    this.data = timeline.data;
    this.store = timeline.store;
    this.theme = timeline.theme;
  }

  /** Those in view. @param {CanvasRenderingContext2D} context */
  draw(context) {
    const { scroller, layout, from, to } = this.timeline;
    const [top, bottom] = [scroller.scrollTop - LANE, scroller.scrollTop + scroller.clientHeight];
    this.drawStretch(context);
    for (const group of layout.groups) this.drawGroup(context, group);
    for (const bar of layout.bars) {
      const { track } = bar;
      const isSeen = bar.top > top && bar.top < bottom && track.last + 1 > from && track.first < to;
      if (isSeen) this.drawBar(context, bar);
    }
  }

  /** What an edit over a stretch is about. @param {CanvasRenderingContext2D} context */
  drawStretch(context) {
    const { mark, frame } = this.store.state;
    if (mark === null) return;
    const [left, right] = [this.timeline.x(Math.min(mark, frame)), this.timeline.x(Math.max(mark, frame) + 1)];
    context.globalAlpha = 0.18;
    context.fillStyle = this.theme.accent;
    context.fillRect(left, this.timeline.scroller.scrollTop, right - left, this.timeline.scroller.clientHeight);
    context.globalAlpha = 1;
  }

  /** @param {CanvasRenderingContext2D} context @param {Group} group */
  drawGroup(context, group) {
    context.fillStyle = this.theme.band;
    context.fillRect(0, group.top, this.timeline.width, HEAD - 4);
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
    const [left, right] = this.timeline.ends(track);
    const { state } = this.store;
    const { drag, wasDrag } = this.timeline;
    const isChosen = track === state.track || track === drag?.over || state.selected.has(track.id);
    const isDragged = wasDrag && track === drag?.track;
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
    if (isChosen || isDragged) {
      context.strokeStyle = this.theme.text;
      context.lineWidth = 2;
      context.setLineDash(isDragged ? [4, 3] : []);
      context.strokeRect(left - 1, top - 1, right - left + 2, BAR + 2);
      context.setLineDash([]);
    }
    this.drawId(context, track, top, left, right);
  }

  /** The scores as a hill on the bar's lower edge, the best one of each pixel. @param {Track} track @param {number} top */
  scores(track, top) {
    const { data } = this;
    const path = new Path2D();
    const begin = data.rowOf(track, Math.floor(this.timeline.from));
    let [left, best] = [-1, 0];
    const flush = (/** @type {number} */ right) => {
      if (best > 0) path.rect(left, top + BAR * (1 - best), right - left, BAR * best);
    };
    for (let row = begin; row < track.to && data.frames[row] < this.timeline.to; row++) {
      const x = Math.max(0, Math.floor(this.timeline.x(data.frames[row])));
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
    return Math.max(3, Math.ceil((this.timeline.width / (this.timeline.to - this.timeline.from)) * this.data.step) + 1);
  }

  /** @param {CanvasRenderingContext2D} context @param {Track} track @param {number} top */
  drawGaps(context, track, top) {
    for (const [first, last] of track.gaps) {
      const [left, right] = [this.timeline.x(first), this.timeline.x(last + 1)];
      if (right < 0 || left > this.timeline.width) continue;
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
    for (const frame of track.switches) context.fillRect(this.timeline.x(frame) - 0.5, top - 1, 1.5, BAR + 2);
    context.fillStyle = this.theme.warn;
    for (const frame of track.jumps) {
      const x = this.timeline.x(frame);
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
    if (Math.min(right, this.timeline.width) - from < 2.5 * width) return;
    context.fillStyle = this.theme.panel;
    context.globalAlpha = 0.82;
    context.fillRect(from + 2, top + 1, width, BAR - 2);
    context.globalAlpha = 1;
    context.fillStyle = this.theme.text;
    context.fillText(text, from + 5, top + BAR / 2 + 0.5);
  }
}
