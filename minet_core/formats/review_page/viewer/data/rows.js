// The data's rows as edits want them, and the rows after edits as the data.

/** @param {Data} data */
function sheetOf(data) {
  /** @type {Map<number, Row[]>} */
  const tracks = new Map();
  for (const track of data.tracks) {
    const rows = Array.from({ length: track.to - track.from }, (_, i) => rowAt(data, track.from + i));
    tracks.set(track.id, rows);
    data.seen.set(rows, track);
  }
  return new Sheet(tracks, data.labels, data);
}

/** @param {Data} data @param {number} row @returns {Row} */
function rowAt(data, row) {
  const keyframe = data.interpolated[row] === 0;
  const [score, base] = [data.score(row), data.baseScore(row)];
  return {
    ...{ frame: data.frames[row], box: data.box(row), score, base, label: data.rowLabels[row] },
    ...{ keyframe, occluded: data.occluded[row] > 0, drawn: false },
  };
}

/** Put other rows in the place of those of tracks; rows of no track stay. @param {Data} data @param {Sheet} sheet */
function showSheet(data, sheet) {
  let length = data.loose;
  for (const rows of sheet.tracks.values()) length += rows.length;
  const before = columnsOf(data);
  const after = before.map(([name, width, values]) => {
    const made = new values.constructor(length * width);
    made.set(values.subarray(0, data.loose * width));
    /** @type {any} */ (data)[name] = made;
    return made;
  });
  const known = data.byId;
  data.labels = sheet.classes;
  data.tracks = [];
  let from = data.loose;
  for (const [id, rows] of [...sheet.tracks].sort(([a], [b]) => a - b)) {
    const track = data.seen.get(rows);
    if (track && known.get(id) === track) {
      // No edit has touched them since they were shown.
      before.forEach(([, width, values], i) => after[i].set(values.subarray(track.from * width, track.to * width), from * width));
    } else {
      rows.forEach((row, i) => writeRow(data, from + i, row));
    }
    data.tracks.push(trackOfRows(data, id, rows, from));
    from += rows.length;
  }
  data.index();
}

/** Name, values a row, and values of each column. @param {Data} data @returns {[string, number, any][]} */
function columnsOf(data) {
  const names = /** @type {const} */ (["frames", "rowLabels", "scores", "interpolated", "occluded", "baseScores", "corners"]);
  const columns = names.map((name) => /** @type {[string, number, any]} */ ([name, name === "corners" ? 4 : 1, data[name]]));
  return columns.filter(([, , values]) => values !== null);
}

/** @param {Data} data @param {number} at @param {Row} row */
function writeRow(data, at, row) {
  data.frames[at] = row.frame;
  data.rowLabels[at] = row.label;
  data.scores[at] = Math.round(row.score * SCORE_LIMIT);
  if (data.baseScores) data.baseScores[at] = Math.round((row.base ?? 0) * SCORE_LIMIT);
  data.interpolated[at] = row.keyframe ? 0 : 1;
  data.occluded[at] = row.occluded ? 1 : 0;
  data.corners.set(row.box, 4 * at);
}

/** The tracklet of rows; what is known of rows that no edit has replaced is kept. @param {Data} data @param {number} id @param {Row[]} rows @param {number} from @returns {Track} */
function trackOfRows(data, id, rows, from) {
  const to = from + rows.length;
  let track = data.seen.get(rows);
  if (track?.id !== id) track = data.readTrack(id, votedLabel(rows), from, to);
  data.seen.set(rows, track);
  return Object.assign(track, { from, to });
}

/** The class with the highest sum of scores. @param {Row[]} rows */
function votedLabel(rows) {
  /** @type {Map<number, number>} */
  const votes = new Map();
  for (const { label, score } of rows) votes.set(label, (votes.get(label) ?? 0) + score);
  return [...votes].reduce((best, other) => (other[1] > best[1] ? other : best))[0];
}
