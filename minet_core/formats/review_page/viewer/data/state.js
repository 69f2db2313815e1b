// What is being looked at: one store that views listen to, and its part that stands in the URL.

/**
 * @typedef {object} Filter
 * @property {Set<number>} classes labels; empty for all
 * @property {number | null} minLength
 * @property {number | null} maxLength
 * @property {number | null} minScore
 * @property {number | null} maxScore
 * @property {Set<Kind>} having kinds of which a tracklet has at least one; empty for any tracklet
 */

/**
 * @typedef {object} State
 * @property {number} frame where the playhead is
 * @property {number} shown frame of the picture; it lags behind while the browser seeks
 * @property {Track | null} track the chosen one
 * @property {Filter} filter
 * @property {string} sort
 * @property {"all" | "chosen" | "none"} boxes
 * @property {boolean} zoom whether the picture follows the chosen tracklet
 * @property {boolean} loop
 * @property {boolean} playing
 * @property {Set<number>} selected ids of tracklets that an edit is about, beside the chosen one
 * @property {number | null} mark frame at which a stretch begins, or ends
 * @property {"track" | "new" | null} drawing whose box is to be drawn next
 */

/** @returns {Filter} */
function noFilter() {
  const [minLength, maxLength, minScore, maxScore] = [null, null, null, null];
  return { classes: new Set(), minLength, maxLength, minScore, maxScore, having: new Set() };
}

class Store {
  /** @param {Data} data */
  constructor(data) {
    this.data = data;
    /** @type {State} */
    this.state = {
      ...{ frame: data.first, shown: data.first, track: null, filter: noFilter(), sort: "start" },
      ...{ boxes: "all", zoom: false, loop: false, playing: false },
      ...{ selected: new Set(), mark: null, drawing: null },
    };
    /** @type {Track[]} tracklets that pass the filter, sorted */
    this.tracks = [];
    /** @type {Set<Track>} */
    this.passing = new Set();
    /** @type {[Set<string>, () => void][]} */
    this.listeners = [];
    /** @type {Set<string>} */
    this.changed = new Set();
    /** Views that are to be drawn. @type {Set<{paint: () => void}>} */
    this.stale = new Set();
    /** Grows with each change of the data. */
    this.version = 0;
    this.select();
  }

  /** After the data have changed: everything is to be drawn again. */
  refresh() {
    this.select();
    this.version++;
    this.set(/** @type {any} */ ({ data: this.version }));
  }

  /** Select a tracklet, or no longer. @param {number} id */
  toggle(id) {
    const selected = new Set(this.state.selected);
    if (!selected.delete(id)) selected.add(id);
    this.set({ selected });
  }

  /** Call a function once a screen refresh in which one of these has changed. @param {string[]} names @param {() => void} listener */
  on(names, listener) {
    this.listeners.push([new Set(names), listener]);
  }

  /** @param {Partial<State>} patch */
  set(patch) {
    for (const [name, value] of Object.entries(patch)) {
      if (/** @type {any} */ (this.state)[name] === value) continue;
      /** @type {any} */ (this.state)[name] = value;
      if (this.changed.size === 0) requestAnimationFrame(() => this.flush());
      this.changed.add(name);
    }
    if ("filter" in patch || "sort" in patch) this.select();
  }

  /** @param {Partial<Filter>} patch */
  setFilter(patch) {
    this.set({ filter: { ...this.state.filter, ...patch } });
  }

  flush() {
    const changed = this.changed;
    this.changed = new Set();
    for (const [names, listener] of this.listeners) {
      if ([...changed].some((name) => names.has(name))) listener();
    }
    this.paint();
  }

  /** Draw a view before the next screen refresh, once, however often it is asked for. @param {{paint: () => void}} view */
  draw(view) {
    if (this.stale.size === 0) requestAnimationFrame(() => this.paint());
    this.stale.add(view);
  }

  paint() {
    const views = this.stale;
    this.stale = new Set();
    for (const view of views) view.paint();
  }

  select() {
    const { filter, sort } = this.state;
    this.tracks = this.data.tracks.filter((track) => passes(track, filter)).sort(ORDERS[sort]);
    this.passing = new Set(this.tracks);
  }

  /** Whether a row passes; one of no tracklet counts as a tracklet of one box. @param {number} row */
  rowPasses(row) {
    const track = this.data.trackOf(row);
    if (track) return this.passing.has(track);
    const { filter } = this.state;
    const score = this.data.score(row);
    return filter.having.size === 0 && within(filter, this.data.rowLabels[row], 1, score);
  }
}

/** @param {Filter} filter @param {number} label @param {number} length @param {number} score */
function within(filter, label, length, score) {
  const { classes, minLength, maxLength, minScore, maxScore } = filter;
  return (classes.size === 0 || classes.has(label))
    && (minLength === null || length >= minLength) && (maxLength === null || length <= maxLength)
    && (minScore === null || score >= minScore) && (maxScore === null || score <= maxScore);
}

/** @param {Track} track @param {Filter} filter */
function passes(track, filter) {
  if (!within(filter, track.label, track.to - track.from, track.score)) return false;
  const { having } = filter;
  return having.size === 0
    || (having.has("gap") && track.gaps.length > 0)
    || (having.has("switch") && track.switches.length > 0)
    || (having.has("jump") && track.jumps.length > 0);
}

/** @param {Track} track */
const troubles = (track) => track.gaps.length + track.switches.length + track.jumps.length;

/** @type {Record<string, (a: Track, b: Track) => number>} */
const ORDERS = {
  start: (a, b) => a.first - b.first || a.id - b.id,
  id: (a, b) => a.id - b.id,
  trouble: (a, b) => troubles(b) - troubles(a) || ORDERS.start(a, b),
  short: (a, b) => a.to - a.from - (b.to - b.from) || ORDERS.start(a, b),
  long: (a, b) => b.to - b.from - (a.to - a.from) || ORDERS.start(a, b),
  low: (a, b) => a.score - b.score || ORDERS.start(a, b),
};

/** The part of the state that a link carries. @param {State} state @param {Data} data */
function toHash(state, data) {
  const { frame, track, filter, sort } = state;
  const entries = new URLSearchParams({ frame: String(frame) });
  if (track) entries.set("track", String(track.id));
  for (const label of filter.classes) entries.append("class", data.labels[label]);
  for (const kind of filter.having) entries.append("with", kind);
  for (const name of RANGES) if (filter[name] !== null) entries.set(name, String(filter[name]));
  if (sort !== "start") entries.set("sort", sort);
  return `#${entries}`;
}

/** @type {("minLength" | "maxLength" | "minScore" | "maxScore")[]} */
const RANGES = ["minLength", "maxLength", "minScore", "maxScore"];
/** @type {Kind[]} */
const TROUBLES = ["gap", "switch", "jump"];

/** What a link says; what it says wrongly is passed over. @param {string} hash @param {Data} data @returns {Partial<State>} */
function fromHash(hash, data) {
  const entries = new URLSearchParams(hash.slice(1));
  const number = (/** @type {string} */ name) => {
    const text = entries.get(name);
    return text && Number.isFinite(Number(text)) ? Number(text) : null;
  };
  const filter = noFilter();
  for (const name of RANGES) filter[name] = number(name);
  const labels = entries.getAll("class").map((name) => data.labels.indexOf(name));
  filter.classes = new Set(labels.filter((label) => label >= 0));
  filter.having = new Set(TROUBLES.filter((kind) => entries.getAll("with").includes(kind)));
  const track = data.byId.get(number("track") ?? NO_TRACK) ?? null;
  const frame = Math.round(number("frame") ?? track?.first ?? data.first);
  const sort = Object.keys(ORDERS).find((name) => name === entries.get("sort")) ?? "start";
  return { track, filter, sort, frame: clamp(frame, data.first, data.last) };
}
