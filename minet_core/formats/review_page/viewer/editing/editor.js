// Turns what a person does into edits, and shows the tracks as they are then.

const LEAST_SIDE = 2;
const LONGEST_TEXT = 1000;

class Editor {
  /** @param {Viewer} viewer */
  constructor(viewer) {
    const { data, store, player, overlay } = viewer;
    this.viewer = viewer;
    this.data = data;
    this.store = store;
    this.player = player;
    this.overlay = overlay;
    this.history = new EditLog(data.result, data.served);
    this.base = sheetOf(data);
    this.sheet = this.base;
    /** @type {Map<number, string>} */
    this.skipped = new Map();
    this.lastClass = data.labels[data.tracks[0]?.label ?? 0] ?? "object";
    this.listeners = /** @type {(() => void)[]} */ ([]);
    this.history.onKept = () => this.history.isKept || this.say("Not saved");
  }

  get isOn() {
    return this.data.result !== null;
  }

  /** Apply all that was done and show it. */
  refresh() {
    const sheet = this.base.copy();
    this.skipped = applyEdits(sheet, this.history.edits);
    this.show(sheet);
  }

  /** @param {Sheet} sheet as it is now */
  show(sheet) {
    this.sheet = sheet;
    showSheet(this.data, sheet);
    const { track, selected } = this.store.state;
    this.store.set({
      track: this.data.byId.get(track?.id ?? NO_TRACK) ?? null,
      selected: new Set([...selected].filter((id) => this.data.byId.has(id))),
    });
    this.store.refresh();
    for (const listener of this.listeners) listener();
  }

  /** @param {Edit} edit @param {boolean} [amends] whether it goes on with the last one */
  do(edit, amends = false) {
    if (!this.isOn) return;
    this.player.pause();
    const trial = this.sheet.copy();
    trial.texts = new Map(this.sheet.texts);
    const reason = applyEdits(trial, [edit]).get(1);
    if (reason) return this.say(`Not done: ${reason}`);
    if (amends) {
      this.history.amend(edit);
      this.refresh();
    } else {
      this.history.take({ add: edit });
      this.show(trial); // it comes after all others, which need not be done again
    }
    this.say(wordsOf(edit));
  }

  undo() {
    if (!this.history.move(-1)) return this.say("Nothing to undo");
    this.refresh();
    this.say("Undone");
  }

  redo() {
    if (!this.history.move(1)) return this.say("Nothing to do again");
    this.refresh();
    this.say("Done again");
  }

  /** Take one of the list back. @param {number} place */
  drop(place) {
    this.history.take({ drop: place });
    this.refresh();
  }

  /** @param {string} text */
  say(text) {
    get("edit-said").textContent = this.history.isKept ? text : `${text}. ${this.history.served ? "The server does not save any more: save the edits here, with W" : "This browser keeps nothing: save the edits"}`;
  }

  /** An id that no track has or had. */
  get freeId() {
    const told = this.history.edits.flatMap((edit) => [...tracksOf(edit), edit.new ?? 0]);
    return 1 + Math.max(0, ...this.base.tracks.keys(), ...told);
  }

  /** Ids that were selected, and the chosen one. @returns {number[]} */
  get ids() {
    const { track, selected } = this.store.state;
    return [...new Set([...selected, ...(track ? [track.id] : [])])];
  }

  /** @param {number} count @param {string} what */
  need(count, what) {
    const { ids } = this;
    if (ids.length >= count) return ids;
    this.say(count === 1 ? `Choose a tracklet to ${what}` : `Select ${count} tracklets to ${what}: Ctrl+click in the list, or V`);
    return null;
  }

  /** The frame that is shown, if it was looked at; the one before otherwise. */
  get frame() {
    return this.data.lookedAt(this.store.state.frame);
  }

  /** From the mark to here, or this frame alone. */
  get stretch() {
    const { mark } = this.store.state;
    const ends = [mark ?? this.frame, this.frame];
    return { from: Math.min(...ends), to: Math.max(...ends) };
  }

  /** Into the one that begins first, or into a certain one. @param {number[] | null} ids @param {number} [into] */
  merge(ids = this.need(2, "merge"), into = undefined) {
    if (!ids) return;
    const tracks = ids.map((id) => /** @type {Track} */ (this.data.byId.get(id))).sort(ORDERS.start);
    const target = tracks.find((track) => track.id === into) ?? tracks[0];
    const others = tracks.filter((track) => track !== target).map((track) => track.id);
    this.do({ do: "merge", tracks: others, into: target.id, class: this.data.labels[target.label] });
    this.store.set({ track: this.data.byId.get(target.id) ?? null, selected: new Set() });
  }

  split() {
    const { track } = this.store.state;
    if (!track) return void this.need(1, "split");
    const free = this.freeId;
    this.do({ do: "split", track: track.id, frame: this.frame, new: free });
    this.store.set({ track: this.data.byId.get(free) ?? track });
  }

  swap() {
    const ids = this.need(2, "swap");
    if (!ids) return;
    if (ids.length > 2) return this.say("Select two tracklets to swap, not more");
    this.do({ do: "swap", track: ids[0], with: ids[1], frame: this.frame });
  }

  delete() {
    const tracks = this.need(1, "delete");
    if (tracks) this.do({ do: "delete", tracks });
  }

  /** @param {"delete" | "hide"} what */
  takeOut(what) {
    const tracks = this.need(1, what);
    if (!tracks) return;
    this.do({ do: what, tracks, ...this.stretch });
    this.store.set({ mark: null });
  }

  occlude() {
    const tracks = this.need(1, "mark as occluded");
    if (!tracks) return;
    const isIn = inStretch({ do: "", ...this.stretch });
    const rows = tracks.flatMap((id) => this.sheet.rows(id).filter(isIn));
    this.do({ do: "occluded", tracks, ...this.stretch, occluded: rows.some((row) => !row.occluded) });
    this.store.set({ mark: null });
  }

  fill() {
    const { track } = this.store.state;
    if (!track) return void this.need(1, "fill");
    const rows = this.sheet.rows(track.id);
    const before = rows.findLast((row) => row.frame <= this.frame);
    const after = rows.find((row) => row.frame > this.frame);
    if (!before || !after || after.frame - before.frame <= this.data.step) return this.say("There is no gap here");
    this.do({ do: "fill", track: track.id, from: before.frame, to: after.frame });
  }

  async setClass() {
    const tracks = this.need(1, "call something else");
    const name = tracks && await ask("Class", this.nameOf(tracks[0]), this.data.labels);
    if (!name) return;
    this.lastClass = name;
    this.do({ do: "class", tracks, class: name });
  }

  async setId() {
    const { track } = this.store.state;
    if (!track) return void this.need(1, "give another id");
    const id = Number(await ask("Id", String(track.id), []));
    if (!Number.isInteger(id) || id < 1 || id > 1e9 || id === track.id) return;
    this.do({ do: "id", track: track.id, new: id });
    this.store.set({ track: this.data.byId.get(id) ?? null });
  }

  async setText() {
    const tracks = this.need(1, "write of");
    const text = tracks && await ask("Text", this.sheet.texts.get(tracks[0]) ?? "", [], LONGEST_TEXT);
    if (tracks && text !== null) this.do({ do: "text", tracks, text });
  }

  /** @param {number} id */
  nameOf(id) {
    return this.data.labels[/** @type {Track} */ (this.data.byId.get(id)).label];
  }

  /** Wait for a box to be drawn: of the chosen tracklet, or of a new one. @param {"track" | "new"} kind */
  async draw(kind) {
    const { track, drawing } = this.store.state;
    if (drawing) return this.store.set({ drawing: null });
    this.player.pause();
    if (kind === "new" || !track) {
      const name = await ask("New object of class", this.lastClass, this.data.labels);
      if (!name) return;
      this.lastClass = name;
      this.store.set({ track: null, drawing: "new" });
    } else {
      this.store.set({ drawing: "track" });
    }
    this.say("Draw the box with the mouse, or press Enter and move it with Alt and the arrows");
  }

  /** A box has been drawn. @param {Box} box */
  drawn(box) {
    const { drawing, track } = this.store.state;
    this.store.set({ drawing: null });
    const id = drawing === "new" || !track ? this.freeId : track.id;
    this.setBox(id, box, drawing !== null);
    this.store.set({ track: this.data.byId.get(id) ?? null, selected: new Set() });
  }

  /** Put a box without a mouse: where the tracklet would be, or in the middle. */
  drawHere() {
    const { drawing, track } = this.store.state;
    if (!drawing) return;
    const { width, height } = this.data;
    const guess = drawing === "track" && track
      ? this.overlay.missingBox(track, this.frame) ?? this.data.box(this.data.rowOf(track, this.frame))
      : [width * 0.4, height * 0.4, width * 0.6, height * 0.6];
    this.drawn(/** @type {Box} */ (guess));
  }

  /** @param {number} track @param {Box} box @param {boolean} fill @param {boolean} [amends] */
  setBox(track, box, fill, amends = false) {
    const { width, height } = this.data;
    const limits = [width, height, width, height];
    const sides = box.map((side, i) => Math.round(clamp(side, 0, limits[i]) * 100) / 100);
    if (sides[2] - sides[0] < LEAST_SIDE || sides[3] - sides[1] < LEAST_SIDE) return this.say("Too small a box");
    const known = this.data.byId.get(track);
    const name = known ? this.data.labels[known.label] : this.lastClass;
    this.do({ do: "box", track, frame: this.frame, box: sides, class: name, ...(fill ? { fill } : {}) }, amends);
  }

  /** The box of the chosen tracklet in this frame. @returns {Box | null} */
  get box() {
    const { track } = this.store.state;
    return (track && this.sheet.tracks.get(track.id)?.find((row) => row.frame === this.frame)?.box) ?? null;
  }

  /** Move the chosen box, or its lower right corner. @param {number} x @param {number} y @param {boolean} resizes */
  nudge(x, y, resizes) {
    const { track } = this.store.state;
    const { box } = this;
    if (!track || !box) return this.say("Choose a box to move");
    const [x1, y1, x2, y2] = box;
    const last = this.history.at === this.history.steps.length && this.history.steps.at(-1);
    const amends = last && "add" in last && last.add.do === "box" && last.add.track === track.id && last.add.frame === this.frame;
    const fill = Boolean(amends && last && "add" in last && last.add.fill);
    this.setBox(track.id, resizes ? [x1, y1, x2 + x, y2 + y] : [x1 + x, y1 + y, x2 + x, y2 + y], fill, Boolean(amends));
  }

  /** To where an edit was. @param {Edit} edit */
  jump(edit) {
    const id = [edit.into, edit.new, ...tracksOf(edit)].find((candidate) => this.data.byId.has(candidate));
    const track = this.data.byId.get(id) ?? null;
    this.player.pause();
    this.store.set({ track });
    this.player.seek(edit.frame ?? edit.from ?? track?.first ?? this.store.state.frame);
  }

  save() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([this.history.text], { type: "application/json" }));
    link.download = "edits.json";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    this.say("Saved as edits.json");
  }

  /** @param {File} file */
  async open(file) {
    try {
      this.history.open(readEdits(await file.text(), this.data.result));
      this.refresh();
      this.say(`${file.name}: ${counted(this.history.edits.length, "edit")}`);
    } catch (error) {
      this.viewer.notice(`${file.name}: ${/** @type {Error} */ (error).message}.`);
    }
  }
}
