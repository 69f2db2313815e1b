// What becomes of a doubt by edits: its tracks are merged, split, swapped or renamed, or it is decided.

/**
 * Boxes that a doubt is about: of which of its tracks, and in which of its frames.
 * @type {Record<string, [number, "before" | "frame"][]>}
 */
const SIDES = {
  return: [[0, "before"], [0, "frame"]],
  leap: [[0, "before"], [0, "frame"]],
  class: [[0, "before"], [0, "frame"]],
  parted: [[0, "before"], [1, "frame"]],
  double: [[0, "frame"], [1, "frame"]],
  meeting: [[0, "before"], [0, "frame"], [1, "before"], [1, "frame"]],
  object: [[0, "frame"]],
  end: [[0, "frame"]],
};

/** Edits that decide doubts, or change whose boxes are. */
const MOVING = new Set(["merge", "split", "swap", "id", "delete", "hide", "confirm"]);

/**
 * The doubt with the ids that its tracks have now; null where edits have decided it.
 * @param {Doubt} doubt @param {Edit[]} edits of `MOVING`, without those that changed nothing
 * @returns {Doubt | null}
 */
function followed(doubt, edits) {
  const sides = SIDES[doubt.kind];
  let ids = sides.map(([place]) => doubt.tracks[place]);
  for (const edit of edits) {
    if (edit.do === "confirm") {
      const isMeant = edit.doubt === doubt.kind && edit.frame === doubt.frame;
      if (isMeant && String(edit.tracks) === String(idsOf(sides, ids))) return null;
      continue;
    }
    // Who merges a track has seen an object.
    if (doubt.kind === "object" && edit.do === "merge" && [edit.into, ...edit.tracks].includes(ids[0])) return null;
    ids = ids.map((id, i) => idAfter(edit, id, doubt[sides[i][1]]));
    if (ids.includes(NO_TRACK)) return null;
  }
  const tracks = idsOf(sides, ids);
  return tracks && { ...doubt, tracks };
}

/**
 * One id for each track of a doubt; null where its boxes are of several tracks now, or two tracks are one.
 * @param {[number, string][]} sides @param {number[]} ids
 */
function idsOf(sides, ids) {
  const tracks = [...new Set(ids)];
  const isKept = sides.every(([place], i) => ids[i] === tracks[place]);
  return isKept ? tracks : null;
}

/** Whose a box is after an edit. @param {Edit} edit @param {number} id before @param {number} frame @returns {number} */
function idAfter(edit, id, frame) {
  const isLate = frame >= edit.frame;
  switch (edit.do) {
    case "merge": return edit.tracks.includes(id) ? edit.into : id;
    case "split": return id === edit.track && isLate ? edit.new : id;
    case "id": return id === edit.track ? edit.new : id;
    case "swap":
      if (!isLate) return id;
      return id === edit.track ? edit.with : id === edit.with ? edit.track : id;
    default: // delete, hide
      return edit.tracks.includes(id) && frame >= (edit.from ?? 0) && frame <= (edit.to ?? Infinity) ? NO_TRACK : id;
  }
}
