// Edits and what they do to rows: the same, edit by edit, as `minet_core/formats/edits` does in Python.

/**
 * One edit, as edits.json has it.
 * @typedef {{do: string, [field: string]: any}} Edit
 * @typedef {[number, number, number, number]} Box
 */

/**
 * One box of a track. Rows are never changed, only replaced.
 * @typedef {object} Row
 * @property {number} frame
 * @property {Box} box
 * @property {number} score
 * @property {number | null} base the detector's own score
 * @property {number} label index in `Sheet.classes`
 * @property {boolean} keyframe detected or drawn, not interpolated
 * @property {boolean} occluded
 * @property {boolean} drawn by a person
 */

/** What a new class may not have in its name. */
const NOT_IN_NAMES = /[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]|^$|\p{Cs}/u;

class Unfit extends Error {}

/** Rows of each track, by frame. */
class Sheet {
  /**
   * @param {Map<number, Row[]>} tracks
   * @param {string[]} classes
   * @param {{width: number, height: number, first: number, last: number, step: number}} video
   */
  constructor(tracks, classes, video) {
    this.tracks = tracks;
    this.classes = classes;
    this.video = video;
    /** @type {Map<number, string>} */
    this.texts = new Map();
  }

  copy() {
    return new Sheet(new Map(this.tracks), [...this.classes], this.video);
  }

  /** @param {number} track @param {Row[]} rows */
  put(track, rows) {
    if (rows.length) {
      this.tracks.set(track, rows);
    } else {
      this.tracks.delete(track);
      this.texts.delete(track);
    }
  }

  /** @param {number} track @returns {Row[]} */
  rows(track) {
    const rows = this.tracks.get(track);
    if (!rows) throw new Unfit(`there is no track ${track}`);
    return rows;
  }

  /** @param {number} track */
  requireFree(track) {
    if (this.tracks.has(track)) throw new Unfit(`there is a track ${track} already`);
  }

  /** Index of a class, which is added if it is new. @param {string} name */
  numberOf(name) {
    const known = this.classes.indexOf(name);
    if (known >= 0) return known;
    if ([...name].length > 64 || name !== name.trim() || NOT_IN_NAMES.test(name)) throw new Unfit("a new class cannot be called so");
    return this.classes.push(name) - 1;
  }
}

/**
 * Do edits in order; those that do not fit are told, from 1, with the reason.
 * @param {Sheet} sheet is changed
 * @param {Edit[]} edits
 */
function applyEdits(sheet, edits) {
  /** @type {Map<number, string>} */
  const skipped = new Map();
  edits.forEach((edit, i) => {
    try {
      if (edit.do !== "box") tracksOf(edit).forEach((track) => sheet.rows(track));
      OPERATIONS[edit.do](sheet, edit);
    } catch (error) {
      if (!(error instanceof Unfit)) throw error;
      skipped.set(i + 1, error.message);
    }
  });
  return skipped;
}

/** @param {Edit} edit @returns {number[]} */
function tracksOf(edit) {
  return edit.tracks ?? [edit.track];
}

/** @param {Row[]} own @param {Row[]} others rows of both by frame; where both have one, the own */
function joined(own, others) {
  const taken = new Set(own.map((row) => row.frame));
  return [...own, ...others.filter((row) => !taken.has(row.frame))].sort((a, b) => a.frame - b.frame);
}

/** @param {Row[]} rows @param {number} label */
function ofClass(rows, label) {
  return rows.map((row) => ({ ...row, label }));
}

/** @param {Edit} edit @returns {(row: Row) => boolean} */
function inStretch({ from, to }) {
  return ({ frame }) => frame >= (from ?? 0) && (to === undefined || frame <= to);
}

/** @param {Sheet} sheet @param {Edit} edit */
function requireStretch(sheet, edit) {
  if (!edit.tracks.some((/** @type {number} */ track) => sheet.rows(track).some(inStretch(edit)))) {
    throw new Unfit(`no box from frame ${edit.from} to ${edit.to}`);
  }
}

/** @param {Sheet} sheet @param {Edit} edit */
function takeOut(sheet, edit) {
  requireStretch(sheet, edit);
  const isIn = inStretch(edit);
  for (const track of edit.tracks) sheet.put(track, sheet.rows(track).filter((row) => !isIn(row)));
}

/** @type {Record<string, (sheet: Sheet, edit: Edit) => void>} */
const OPERATIONS = {
  merge(sheet, edit) {
    let rows = sheet.rows(edit.into);
    for (const track of edit.tracks) {
      const others = sheet.rows(track);
      const detected = new Set(others.filter((row) => row.keyframe).map((row) => row.frame));
      rows = joined(rows.filter((row) => row.keyframe || !detected.has(row.frame)), others);
      const text = sheet.texts.get(track);
      if (text && !sheet.texts.has(edit.into)) sheet.texts.set(edit.into, text);
      sheet.put(track, []);
    }
    sheet.put(edit.into, ofClass(rows, sheet.numberOf(edit.class)));
  },
  split(sheet, { track, frame, new: free }) {
    sheet.requireFree(free);
    const rows = sheet.rows(track);
    const later = rows.filter((row) => row.frame >= frame);
    if (later.length === rows.length) throw new Unfit(`track ${track} has no box before frame ${frame}`);
    if (later.length === 0) throw new Unfit(`track ${track} has no box from frame ${frame}`);
    sheet.put(track, rows.filter((row) => row.frame < frame));
    sheet.put(free, later);
  },
  swap(sheet, { track, with: other, frame }) {
    const [one, two] = [sheet.rows(track), sheet.rows(other)];
    const isLate = (/** @type {Row} */ row) => row.frame >= frame;
    if (!one.some(isLate) && !two.some(isLate)) throw new Unfit(`no box from frame ${frame} on`);
    const early = (/** @type {Row[]} */ rows) => rows.filter((row) => !isLate(row));
    sheet.put(track, [...early(one), ...two.filter(isLate)]);
    sheet.put(other, [...early(two), ...one.filter(isLate)]);
  },
  delete: takeOut,
  hide: takeOut,
  class(sheet, edit) {
    const label = sheet.numberOf(edit.class);
    for (const track of edit.tracks) sheet.put(track, ofClass(sheet.rows(track), label));
  },
  id(sheet, { track, new: free }) {
    sheet.requireFree(free);
    const text = sheet.texts.get(track);
    if (text) sheet.texts.set(free, text);
    sheet.put(free, sheet.rows(track));
    sheet.put(track, []);
  },
  box(sheet, edit) {
    const { first, last, step, width, height } = sheet.video;
    const { track, frame } = edit;
    if (frame < first || frame > last || (frame - first) % step) throw new Unfit(`frame ${frame} was not processed`);
    const [x1, x2] = [edit.box[0], edit.box[2]].map((x) => clamp(x, 0, width));
    const [y1, y2] = [edit.box[1], edit.box[3]].map((y) => clamp(y, 0, height));
    if (x1 >= x2 || y1 >= y2) throw new Unfit("the box is outside the picture");
    const rows = sheet.tracks.get(track);
    const label = rows ? nearest(rows, frame).label : sheet.numberOf(edit.class);
    sheet.put(track, withKeyframe(rows ?? [], frame, [x1, y1, x2, y2], label, edit.fill ? step : null));
  },
  fill(sheet, { track, from, to }) {
    const rows = sheet.rows(track);
    for (const frame of [from, to]) {
      if (!rows.some((row) => row.frame === frame)) throw new Unfit(`track ${track} has no box in frame ${frame}`);
    }
    const known = rows.filter((row) => row.frame >= from && row.frame <= to);
    const missing = known.slice(1).flatMap((row, i) => onLine(known[i], row, between(known[i], row, sheet.video.step)));
    sheet.put(track, joined(rows, missing));
  },
  occluded(sheet, edit) {
    requireStretch(sheet, edit);
    const isIn = inStretch(edit);
    for (const track of edit.tracks) {
      const { occluded } = edit;
      sheet.put(track, sheet.rows(track).map((row) => (isIn(row) ? { ...row, occluded } : row)));
    }
  },
  text(sheet, { tracks, text }) {
    for (const track of tracks) {
      if (text) sheet.texts.set(track, text);
      else sheet.texts.delete(track);
    }
  },
  confirm() {},
};

/** The row of a frame, else the one before, else the first. @param {Row[]} rows @param {number} frame */
function nearest(rows, frame) {
  return rows.findLast((row) => row.frame <= frame) ?? rows[0];
}

/**
 * The rows with a box that a person drew; interpolated ones around it follow, up to the next keyframes.
 * @param {Row[]} rows @param {number} frame @param {Box} box @param {number} label
 * @param {number | null} step also where no rows are yet, so many frames apart
 */
function withKeyframe(rows, frame, box, label, step) {
  const old = rows.find((row) => row.frame === frame);
  /** @type {Row} */
  const drawn = { frame, box, score: 1, base: null, label, keyframe: true, occluded: old?.occluded ?? false, drawn: true };
  const before = rows.findLast((row) => row.keyframe && row.frame < frame);
  const after = rows.find((row) => row.keyframe && row.frame > frame);
  const lines = [[before, drawn], [drawn, after]].flatMap(([a, b]) => {
    if (!a || !b) return [];
    const own = rows.filter((row) => row.frame > a.frame && row.frame < b.frame && row.frame !== frame);
    const hidden = new Map(own.map((row) => [row.frame, row.occluded]));
    const frames = new Set([...hidden.keys(), ...(step ? between(a, b, step) : [])]);
    const line = onLine(a, b, [...frames].sort((p, q) => p - q));
    return line.map((row) => ({ ...row, occluded: hidden.get(row.frame) ?? false }));
  });
  return joined([drawn, ...lines], rows);
}

/** Frames between two rows. @param {Row} a @param {Row} b @param {number} step */
function between(a, b, step) {
  const frames = [];
  for (let frame = a.frame + step; frame < b.frame; frame += step) frames.push(frame);
  return frames;
}

/** Interpolated rows between two. @param {Row} a @param {Row} b @param {number[]} frames @returns {Row[]} */
function onLine(a, b, frames) {
  return frames.map((frame) => {
    const share = (frame - a.frame) / (b.frame - a.frame);
    const at = (/** @type {number} */ p, /** @type {number} */ q) => p + (q - p) * share;
    const box = /** @type {Box} */ (a.box.map((side, i) => at(side, b.box[i])));
    return { frame, box, score: at(a.score, b.score), base: null, label: a.label, keyframe: false, occluded: false, drawn: false };
  });
}

/** An edit in words. @param {Edit} edit */
function wordsOf(edit) {
  const names = tracksOf(edit).join(", ");
  const frames = edit.from === edit.to ? `frame ${edit.from}` : `frames ${edit.from}–${edit.to}`;
  const stretch = edit.from === undefined ? "" : `, ${frames}`;
  /** @type {Record<string, string>} */
  const words = {
    merge: `merge ${names} into ${edit.into}`,
    split: `split ${names} at frame ${edit.frame}: ${edit.new}`,
    swap: `swap ${names} and ${edit.with} from frame ${edit.frame}`,
    delete: `delete ${names}${stretch}`,
    class: `${names} is a ${edit.class}`,
    id: `${names} is now ${edit.new}`,
    hide: `hide ${names}${stretch}`,
    box: `box of ${names} in frame ${edit.frame}`,
    fill: `fill ${names}${stretch}`,
    occluded: `${names} ${edit.occluded ? "" : "not "}occluded${stretch}`,
    text: edit.text ? `${names}: “${edit.text}”` : `no text on ${names}`,
    confirm: `${names} is right at frame ${edit.frame}`,
  };
  return words[edit.do];
}
