// Where each tracklet's bar goes: by class, and in as few lanes as will hold them.

const LANE = 18;
const HEAD = 22;
/** Frames between two bars of a lane, so that they can be told apart. */
const APART = 2;

/**
 * @typedef {{label: number, count: number, top: number}} Group
 * @typedef {{track: Track, top: number}} Bar
 * @typedef {{groups: Group[], bars: Bar[], height: number}} Layout
 */

/**
 * The classes with most tracklets come first.
 * @param {Track[]} tracks
 * @param {string[]} labels
 * @returns {Layout}
 */
function layOut(tracks, labels) {
  /** @type {Map<number, Track[]>} */
  const byLabel = new Map();
  for (const track of tracks) {
    const group = byLabel.get(track.label);
    if (group) group.push(track);
    else byLabel.set(track.label, [track]);
  }
  /** @type {Layout} */
  const layout = { groups: [], bars: [], height: 0 };
  const order = byCount(labels);
  const ordered = [...byLabel].sort(([a, one], [b, other]) => order([a, one.length], [b, other.length]));
  for (const [label, group] of ordered) {
    layout.groups.push({ label, count: group.length, top: layout.height });
    layout.height += HEAD;
    const lanes = pack(group, layout.height, layout.bars);
    layout.height += lanes * LANE + 4;
  }
  return layout;
}

/** The order of classes with their counts: the greatest first, then by name. @param {string[]} labels */
function byCount(labels) {
  return (/** @type {[number, number]} */ [a, m], /** @type {[number, number]} */ [b, n]) => n - m
    || labels[a].localeCompare(labels[b], "en", { numeric: true });
}

/**
 * Put each tracklet into the first lane that is free by then; how many lanes that takes.
 * @param {Track[]} tracks
 * @param {number} top
 * @param {Bar[]} bars gets them
 */
function pack(tracks, top, bars) {
  /** @type {number[]} */
  const free = [];
  for (const track of [...tracks].sort(ORDERS.start)) {
    const found = free.findIndex((frame) => frame <= track.first);
    const lane = found < 0 ? free.length : found;
    free[lane] = track.last + 1 + APART;
    bars.push({ track, top: top + lane * LANE });
  }
  return free.length;
}

/** Steps between marks of a ruler, in seconds. */
const TICKS = [0.04, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200];

/** The smallest step that leaves room for its marks. @param {number} seconds @param {number} width @param {number} room */
function tickStep(seconds, width, room) {
  return TICKS.find((step) => (step / seconds) * width >= room) ?? 14400;
}
