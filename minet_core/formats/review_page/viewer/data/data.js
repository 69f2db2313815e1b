// What the page shows: rows in typed arrays, tracklets, and frames against seconds.

/**
 * Something that happens to a tracklet, worth a look.
 * @typedef {"start" | "end" | "gap" | "switch" | "jump"} Kind
 * @typedef {{frame: number, kind: Kind, track: Track}} Stop
 */

/**
 * One tracklet; its rows are `from` up to but not including `to`.
 * @typedef {object} Track
 * @property {number} id
 * @property {number} label index in `Data.labels`
 * @property {number} from
 * @property {number} to
 * @property {number} first first frame with a box
 * @property {number} last last frame with a box
 * @property {number} score mean
 * @property {[number, number][]} gaps first and last frame without a box
 * @property {number[]} switches frames in which the class is another than before
 * @property {number[]} jumps frames whose box hardly meets the one before
 */

/** @type {Record<string, new (buffer: ArrayBuffer) => any>} */
const ARRAYS = {
  u1: Uint8Array, u2: Uint16Array, u4: Uint32Array, i2: Int16Array, i4: Int32Array, f8: Float64Array,
};
const SCORE_LIMIT = 65535;
const NO_TRACK = -1;
/** Two boxes in a row that overlap by less than this are a leap. */
const LEAP = 0.1;

/**
 * @param {string} text `kind:base64`
 * @returns {any} a typed array
 */
function unpack(text) {
  const [kind, content] = text.split(":");
  const characters = atob(content);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return new ARRAYS[kind](bytes.buffer);
}

/** @param {number} value @param {number} low @param {number} high */
function clamp(value, low, high) {
  return Math.max(low, Math.min(high, value));
}

/**
 * Index of the first value that is greater.
 * @param {ArrayLike<number>} sorted
 * @param {number} value
 */
function upperBound(sorted, value) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

class Data {
  /** @param {any} document as `ViewerData.document` wrote it */
  constructor(document) {
    /** @type {{src: string, annotated: boolean}[]} */
    this.videos = document.videos;
    /** @type {string[]} */
    this.labels = document.labels;
    this.name = document.name;
    this.note = document.note;
    this.width = document.width;
    this.height = document.height;
    this.pixelAspect = document.pixelAspect;
    this.frameRate = document.frameRate;
    this.leastScore = document.leastScore;
    this.startTime = document.startTime;
    this.first = document.first;
    this.last = document.last;
    this.step = document.step;
    this.colours = document.colours;
    this.noTrackColour = document.noTrackColour;
    /** What edits know the result by; null where it cannot be edited. */
    this.result = document.result ?? null;
    this.knownFrames = unpack(document.known.frame);
    this.knownTimes = unpack(document.known.time);
    this.frames = unpack(document.rows.frame);
    this.rowLabels = unpack(document.rows.label);
    this.scores = unpack(document.rows.score);
    this.baseScores = document.rows.base === null ? null : unpack(document.rows.base);
    /** Whether a row was not detected, but drawn between two of its tracklet. */
    this.interpolated = unpack(document.rows.interpolated);
    /** What the server of `minet review` tells; null in a file. @type {{edits: Edit[]} | null} */
    this.served = document.served ?? null;
    /** @type {Doubt[]} the likeliest to be wrong first */
    this.doubts = (document.doubts ?? []).map((/** @type {object} */ doubt, /** @type {number} */ place) => ({ ...doubt, place }));
    /** Corners of boxes in pixels of the video. */
    this.corners = Float64Array.from(unpack(document.rows.box), (/** @type {number} */ side) => side * document.boxUnit);
    this.occluded = new Uint8Array(this.length);
    this.tracks = this.readTracks(document.tracks);
    /** Rows of no tracklet come first. */
    this.loose = this.tracks[0]?.from ?? this.length;
    /** Tracklets as they were read of rows, which edits leave or replace. @type {WeakMap<Row[], Track>} */
    this.seen = new WeakMap();
    this.index();
  }

  /** What is found by track, by frame, or by what happens. */
  index() {
    this.byId = new Map(this.tracks.map((track) => [track.id, track]));
    this.trackOfRow = this.indexTracks();
    /** Stops of all tracklets, by frame. */
    this.stops = this.tracks.flatMap(stopsOf).sort((a, b) => a.frame - b.frame);
    // Rows by frame: those of frame k are rowsByFrame[offsets[k]] up to rowsByFrame[offsets[k + 1]].
    this.offsets = new Uint32Array(this.frameCount + 1);
    this.rowsByFrame = new Uint32Array(this.length);
    this.indexFrames();
  }

  get length() {
    return this.frames.length;
  }

  /** How many frames there are from the first to the last. */
  get frameCount() {
    return this.last - this.first + 1;
  }

  /** @param {{id: string, start: string, label: string}} columns @returns {Track[]} */
  readTracks(columns) {
    const ids = unpack(columns.id);
    const starts = unpack(columns.start);
    const labels = unpack(columns.label);
    const tracks = [];
    for (let i = 0; i < ids.length; i++) {
      if (ids[i] === NO_TRACK) continue;
      tracks.push(this.readTrack(ids[i], labels[i], starts[i], starts[i + 1] ?? this.length));
    }
    return tracks;
  }

  /** @param {number} id @param {number} label @param {number} from @param {number} to @returns {Track} */
  readTrack(id, label, from, to) {
    const { frames, rowLabels, step } = this;
    /** @type {Track} */
    const track = {
      ...{ id, label, from, to, first: frames[from], last: frames[to - 1] },
      ...{ score: this.score(from), gaps: [], switches: [], jumps: [] },
    };
    let sum = track.score;
    for (let row = from + 1; row < to; row++) {
      sum += this.score(row);
      const gap = frames[row] - frames[row - 1] > step;
      if (gap) track.gaps.push([frames[row - 1] + step, frames[row] - 1]);
      if (rowLabels[row] !== rowLabels[row - 1]) track.switches.push(frames[row]);
      if (!gap && overlap(this.box(row), this.box(row - 1)) < LEAP) track.jumps.push(frames[row]);
    }
    track.score = sum / (to - from);
    return track;
  }

  /** The tracklet of each row, as an index in `tracks`; -1 for none. */
  indexTracks() {
    const owners = new Int32Array(this.length).fill(-1);
    this.tracks.forEach((track, i) => owners.fill(i, track.from, track.to));
    return owners;
  }

  indexFrames() {
    for (const frame of this.frames) this.offsets[frame - this.first + 1]++;
    for (let i = 0; i < this.frameCount; i++) this.offsets[i + 1] += this.offsets[i];
    const next = this.offsets.slice();
    this.frames.forEach((/** @type {number} */ frame, /** @type {number} */ row) => {
      this.rowsByFrame[next[frame - this.first]++] = row;
    });
  }

  /** The frame at or before this one that was looked at. @param {number} frame */
  lookedAt(frame) {
    return frame - ((frame - this.first) % this.step);
  }

  /** Rows to show with a frame. @param {number} frame @returns {Uint32Array} */
  rowsAt(frame) {
    const k = clamp(this.lookedAt(frame), this.first, this.last) - this.first;
    return this.rowsByFrame.subarray(this.offsets[k], this.offsets[k + 1]);
  }

  /** @param {number} row @returns {Track | null} */
  trackOf(row) {
    return this.tracks[this.trackOfRow[row]] ?? null;
  }

  /** Row of a tracklet at a frame or, in a gap, the one before. @param {Track} track @param {number} frame */
  rowOf(track, frame) {
    const rows = this.frames.subarray(track.from, track.to);
    return track.from + Math.max(0, upperBound(rows, frame) - 1);
  }

  /** Corners in pixels of the video. @param {number} row @returns {[number, number, number, number]} */
  box(row) {
    const { corners } = this;
    const at = 4 * row;
    return [corners[at], corners[at + 1], corners[at + 2], corners[at + 3]];
  }

  /** @param {number} row */
  score(row) {
    return this.scores[row] / SCORE_LIMIT;
  }

  /** @param {number} row @returns {number | null} */
  baseScore(row) {
    return this.baseScores && this.baseScores[row] / SCORE_LIMIT;
  }

  /** @param {Track | null} track */
  colour(track) {
    return track ? this.colours[track.id % this.colours.length] : this.noTrackColour;
  }

  /** @param {Track} track */
  nameOf(track) {
    return `${this.labels[track.label]} ${track.id}`;
  }

  /** Seconds at which a frame begins; between frames with boxes, evenly. @param {number} frame */
  timeOf(frame) {
    return interpolate(this.knownFrames, this.knownTimes, frame, 1 / this.frameRate);
  }

  /** The frame that begins at this time. @param {number} seconds */
  frameAt(seconds) {
    return clamp(Math.round(this.placeOf(seconds)), this.first, this.last);
  }

  /** The frame that is shown at this time, which may be long past its beginning. @param {number} seconds */
  frameDuring(seconds) {
    return clamp(Math.floor(this.placeOf(seconds) + 0.01), this.first, this.last);
  }

  /** @param {number} seconds */
  placeOf(seconds) {
    return interpolate(this.knownTimes, this.knownFrames, seconds, this.frameRate);
  }
}

/**
 * y at x on the line through the points (xs, ys), with a slope of its own beyond both ends.
 * @param {ArrayLike<number>} xs @param {ArrayLike<number>} ys @param {number} x @param {number} slope
 */
function interpolate(xs, ys, x, slope) {
  if (xs.length === 0) return x * slope;
  const i = upperBound(xs, x);
  if (i === 0) return ys[0] + (x - xs[0]) * slope;
  if (i === xs.length) return ys[i - 1] + (x - xs[i - 1]) * slope;
  return ys[i - 1] + ((x - xs[i - 1]) * (ys[i] - ys[i - 1])) / (xs[i] - xs[i - 1]);
}

/** @param {Track} track @returns {Stop[]} */
function stopsOf(track) {
  /** @type {[number, Kind][]} */
  const found = [
    [track.first, "start"],
    .../** @type {[number, Kind][]} */ (track.gaps.map(([first]) => [first, "gap"])),
    .../** @type {[number, Kind][]} */ (track.switches.map((frame) => [frame, "switch"])),
    .../** @type {[number, Kind][]} */ (track.jumps.map((frame) => [frame, "jump"])),
    [track.last, "end"],
  ];
  return found.map(([frame, kind]) => ({ frame, kind, track }));
}

/** Intersection over union. @param {number[]} a @param {number[]} b */
function overlap(a, b) {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  const shared = Math.max(0, width) * Math.max(0, height);
  const area = (/** @type {number[]} */ box) => (box[2] - box[0]) * (box[3] - box[1]);
  const union = area(a) + area(b) - shared;
  return union > 0 ? shared / union : 0;
}

/** Seconds as people write them. @param {number} seconds @param {number} [digits] */
function clock(seconds, digits = 2) {
  const unit = 10 ** digits;
  const ticks = Math.round(Math.max(0, seconds) * unit);
  const whole = Math.floor(ticks / unit);
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const part = digits ? `.${String(ticks % unit).padStart(digits, "0")}` : "";
  return `${hours ? `${hours}:${two(minutes)}` : minutes}:${two(whole % 60)}${part}`;
}

/** @param {number} count @param {string} noun */
function counted(count, noun) {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : noun.endsWith("x") ? "es" : "s"}`;
}
