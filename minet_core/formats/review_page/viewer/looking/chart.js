// The score of the chosen tracklet over time, and the boxes per frame of the whole video.

const CHART_HEIGHT = 116;
const PAD = { left: 26, right: 8, top: 8, bottom: 8 };

class Chart {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {Data} data
   * @param {Store} store
   * @param {Theme} theme
   * @param {Player} player
   */
  constructor(canvas, data, store, theme, player) {
    this.canvas = canvas;
    this.data = data;
    this.store = store;
    this.theme = theme;
    this.read = get("chart-read");
    /** In CSS pixels, as of the last drawing. */
    this.plotWidth = 1;
    dragging(canvas, (x) => player.seek(this.frameAt(x)));
  }

  /** First and last frame of the axis. @returns {[number, number]} */
  get range() {
    const { track } = this.store.state;
    return track ? [track.first, Math.max(track.last, track.first + 1)] : [0, 1];
  }

  /** @param {number} frame */
  x(frame) {
    const [first, last] = this.range;
    return PAD.left + ((frame - first) / (last - first)) * this.plotWidth;
  }

  /** @param {number} score */
  y(score) {
    return PAD.top + (1 - score) * (CHART_HEIGHT - PAD.top - PAD.bottom);
  }

  /** @param {number} x */
  frameAt(x) {
    const [first, last] = this.range;
    return Math.round(clamp(first + ((x - PAD.left) / this.plotWidth) * (last - first), first, last));
  }

  draw() {
    this.store.draw(this);
  }

  paint() {
    const { track } = this.store.state;
    if (!track) return;
    const { clientWidth } = this.canvas;
    this.plotWidth = Math.max(1, clientWidth - PAD.left - PAD.right);
    const context = prepare(this.canvas, clientWidth, CHART_HEIGHT);
    this.drawGrid(context);
    this.drawGaps(context, track);
    const { data, theme } = this;
    if (data.baseScores) {
      this.drawLine(context, track, (row) => data.baseScore(row) ?? 0, theme.quiet, 1);
    }
    this.drawLine(context, track, (row) => data.score(row), theme.accent, 2);
    this.drawPlayhead(context, track);
    this.readOut(track);
  }

  /** @param {CanvasRenderingContext2D} context */
  drawGrid(context) {
    const { theme, data } = this;
    context.font = `10px ${theme.font}`;
    context.textBaseline = "middle";
    context.textAlign = "right";
    for (const score of [0, 0.5, 1]) {
      context.fillStyle = theme.line;
      context.fillRect(PAD.left, Math.round(this.y(score)), this.plotWidth, 1);
      context.fillStyle = theme.quiet;
      context.fillText(String(score), PAD.left - 6, this.y(score));
    }
    context.textAlign = "left";
    if (data.leastScore === null) return;
    context.strokeStyle = theme.quiet;
    context.lineWidth = 1;
    context.setLineDash([2, 3]);
    context.beginPath();
    context.moveTo(PAD.left, this.y(data.leastScore));
    context.lineTo(PAD.left + this.plotWidth, this.y(data.leastScore));
    context.stroke();
    context.setLineDash([]);
  }

  /** @param {CanvasRenderingContext2D} context @param {Track} track */
  drawGaps(context, track) {
    context.fillStyle = this.theme.warn;
    context.globalAlpha = 0.12;
    for (const [first, last] of track.gaps) {
      const left = this.x(first - this.data.step);
      context.fillRect(left, PAD.top, this.x(last + 1) - left, CHART_HEIGHT - PAD.top - PAD.bottom);
    }
    context.globalAlpha = 1;
  }

  /**
   * A line that is broken in gaps; a box alone is a dot.
   * @param {CanvasRenderingContext2D} context
   * @param {Track} track
   * @param {(row: number) => number} value
   * @param {string} colour
   * @param {number} width
   */
  drawLine(context, track, value, colour, width) {
    const { frames, step } = this.data;
    context.strokeStyle = context.fillStyle = colour;
    context.lineWidth = width;
    context.lineJoin = "round";
    context.beginPath();
    for (let row = track.from; row < track.to; row++) {
      const [x, y] = [this.x(frames[row]), this.y(value(row))];
      const follows = row > track.from && frames[row] - frames[row - 1] <= step;
      const leads = row + 1 < track.to && frames[row + 1] - frames[row] <= step;
      if (follows) context.lineTo(x, y);
      else context.moveTo(x, y);
      if (!follows && !leads) context.fillRect(x - 1.5, y - 1.5, 3, 3);
    }
    context.stroke();
  }

  /** @param {CanvasRenderingContext2D} context @param {Track} track */
  drawPlayhead(context, track) {
    const { frame } = this.store.state;
    if (frame < track.first || frame > track.last) return;
    context.fillStyle = this.theme.text;
    context.fillRect(this.x(frame) - 0.5, PAD.top, 1, CHART_HEIGHT - PAD.top - PAD.bottom);
    const row = this.data.rowOf(track, frame);
    if (this.data.frames[row] !== this.data.lookedAt(frame)) return;
    context.beginPath();
    context.arc(this.x(frame), this.y(this.data.score(row)), 4, 0, 7);
    context.fill();
  }

  /** The numbers at the playhead. @param {Track} track */
  readOut(track) {
    const { data } = this;
    const { frame } = this.store.state;
    const row = data.rowOf(track, frame);
    const isThere = data.frames[row] === data.lookedAt(frame);
    const base = data.baseScore(row);
    const spans = [[`frame ${frame}`, ""], ["not here", ""]];
    if (isThere) {
      spans[1] = [`score ${data.score(row).toFixed(2)}`, "accent"];
      if (data.interpolated[row]) spans.push(["interpolated", "warn"]);
      else if (base) spans.push([`detector alone ${base.toFixed(2)}`, ""]);
      if (data.rowLabels[row] !== track.label) spans.push([`as ${data.labels[data.rowLabels[row]]}`, "warn"]);
    }
    this.read.replaceChildren(...spans.map(([text, name]) => element("span", name, text)));
  }
}

/**
 * Boxes per frame along the scrubber, those that pass the filter.
 * @param {HTMLCanvasElement} canvas
 * @param {Data} data
 * @param {Store} store
 * @param {Theme} theme
 */
function drawDensity(canvas, data, store, theme) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const context = prepare(canvas, width, height);
  const columns = Math.max(1, Math.min(Math.floor(width / 2), data.frameCount));
  const counts = new Uint32Array(data.frameCount);
  for (let row = 0; row < data.loose; row++) if (store.rowPasses(row)) counts[data.frames[row] - data.first]++;
  for (const { from, to } of store.tracks) {
    for (let row = from; row < to; row++) counts[data.frames[row] - data.first]++;
  }
  const most = Array.from({ length: columns }, (_, column) => {
    const end = Math.ceil(((column + 1) / columns) * data.frameCount);
    let count = 0;
    for (let i = Math.ceil((column / columns) * data.frameCount); i < end; i++) count = Math.max(count, counts[i]);
    return count;
  });
  const top = Math.max(1, ...most);
  context.fillStyle = theme.accent;
  context.globalAlpha = 0.35;
  most.forEach((count, i) => {
    const bar = (count / top) * height;
    context.fillRect((i / columns) * width, height - bar, width / columns + 0.5, bar);
  });
}
