// Doubtful places, the worst first: a question, pictures side by side, one key decides.

/**
 * As result.json has it, with its place in the list there.
 * @typedef {{kind: string, frame: number, before: number, tracks: number[], chance: number, place: number}} Doubt
 * @typedef {{question: string, yes: string, no: string, onYes: Edit, onNo: Edit | null}} Asked
 */

const PAIR = { width: 220, height: 286 };

class Doubts {
  /** @param {Viewer} viewer */
  constructor({ data, store, player, editor }) {
    this.data = data;
    this.store = store;
    this.player = player;
    this.editor = editor;
    this.pair = new Strip(get("pair"), data, store, player, PAIR);
    /** @type {Set<number>} places of those that were put off */
    this.later = new Set();
    /** What is still to be decided, with ids as they are now; what was put off comes last. @type {Doubt[]} */
    this.open = [];
    /** @type {number | null} place of the one that is asked */
    this.asked = null;
  }

  start() {
    get("doubts").hidden = this.data.doubts.length === 0;
    get("doubt-next").addEventListener("click", () => this.next());
    get("doubt-yes").addEventListener("click", () => this.decide("onYes"));
    get("doubt-no").addEventListener("click", () => this.decide("onNo"));
    get("doubt-later").addEventListener("click", () => this.putOff());
    this.editor.listeners.push(() => this.update());
    this.update();
  }

  /** The one that is asked, while it is open. */
  get doubt() {
    return this.open.find((doubt) => doubt.place === this.asked) ?? null;
  }

  /** See which are open after edits. */
  update() {
    const { history, skipped } = this.editor;
    const edits = history.edits.filter((edit, i) => MOVING.has(edit.do) && !skipped.has(i + 1));
    const open = this.data.doubts.map((doubt) => followed(doubt, edits)).filter((doubt) => doubt !== null && this.stands(doubt));
    const isLater = (/** @type {Doubt} */ doubt) => this.later.has(doubt.place);
    this.open = /** @type {Doubt[]} */ ([...open.filter((doubt) => !isLater(doubt)), ...open.filter(isLater)]);
    this.draw();
  }

  /** Whether its tracks are there, and nobody has drawn what it misses. @param {Doubt} doubt */
  stands({ kind, tracks, before, frame }) {
    const [one] = tracks.map((id) => this.data.byId.get(id));
    if (!tracks.every((id) => this.data.byId.has(id)) || !one) return false;
    if (kind === "return") return one.gaps.some(([first, last]) => first < frame && last > before);
    return kind !== "end" || one.last <= frame;
  }

  /** To the worst one that is open. */
  next() {
    this.asked = this.open[0]?.place ?? null;
    if (this.doubt) this.go(this.doubt);
    else this.editor.say("No doubtful place is left");
    this.draw();
  }

  /** @param {Doubt} doubt */
  go({ tracks, frame }) {
    this.player.pause();
    const track = this.data.byId.get(/** @type {number} */ (tracks.at(-1))) ?? null;
    this.store.set({ track, selected: new Set(tracks.slice(0, -1)), mark: null, drawing: null });
    this.player.seek(frame);
  }

  /** @param {"onYes" | "onNo"} answer */
  decide(answer) {
    const { doubt } = this;
    if (!doubt) return this.next();
    const edit = this.ask(doubt)[answer];
    if (!edit) {
      this.later.add(doubt.place);
      this.update();
      return this.editor.say("Mend it by hand: draw the box where it goes on, with D");
    }
    this.editor.do(edit.do === "split" ? { ...edit, new: this.editor.freeId } : edit);
    this.next();
  }

  close() {
    this.asked = null;
    this.draw();
  }

  putOff() {
    if (this.doubt) this.later.add(this.doubt.place);
    this.update();
    this.next();
  }

  draw() {
    const { open, doubt } = this;
    const all = this.data.doubts.length;
    get("doubt-count").textContent = open.length ? `${open.length} of ${all} left` : `all ${all} decided`;
    get("doubt-body").hidden = doubt === null;
    get("side").classList.toggle("asking", doubt !== null); // there is no room for everything
    if (!doubt) return this.pair.show([]);
    const { question, yes, no } = this.ask(doubt);
    get("doubt-place").textContent = `${doubt.place + 1} of ${all}`;
    get("doubt-question").textContent = `${question} (${Math.round(doubt.chance * 100)} % likely wrong)`;
    get("doubt-yes-text").textContent = yes;
    get("doubt-no-text").textContent = no;
    this.pair.show(this.rowsOf(doubt));
  }

  /** Rows to compare. @param {Doubt} doubt */
  rowsOf({ kind, tracks, before, frame }) {
    const at = (/** @type {number} */ id, /** @type {number} */ where) => {
      return this.data.rowOf(/** @type {Track} */ (this.data.byId.get(id)), where);
    };
    const [one, two] = tracks;
    if (kind === "object") {
      const track = /** @type {Track} */ (this.data.byId.get(one));
      return [...new Set([track.from, (track.from + track.to) >> 1, track.to - 1])];
    }
    if (kind === "meeting") return [at(one, before), at(one, frame), at(two, before), at(two, frame)];
    if (kind === "end") return [at(one, frame)];
    return [at(one, before), at(two ?? one, frame)];
  }

  /** The question, and what its answers do. @param {Doubt} doubt @returns {Asked} */
  ask({ kind, tracks, frame }) {
    const [one, two] = tracks;
    /** @type {Edit} */
    const right = { do: "confirm", tracks, frame, doubt: kind };
    const same = { yes: "Same", no: "Not the same" };
    const label = this.data.byId.get(one)?.label ?? 0;
    const merge = { do: "merge", tracks: [two], into: one, class: this.data.labels[label] };
    const split = { do: "split", track: one, frame, new: 0 };
    /** @type {Record<string, Asked>} */
    const asked = {
      return: { question: `${one} comes back after a gap: the same?`, ...same, onYes: right, onNo: split },
      leap: { question: `${one} leaps: the same?`, ...same, onYes: right, onNo: split },
      class: { question: `${one} changes its class: the same?`, ...same, onYes: right, onNo: split },
      parted: { question: `${one} ends, ${two} begins: the same?`, ...same, onYes: merge, onNo: right },
      double: { question: `${one} and ${two} cover each other: the same?`, ...same, onYes: merge, onNo: right },
      meeting: {
        question: `${one} and ${two} have met: is each still the same?`,
        ...{ yes: "Same", no: "Swapped", onYes: right, onNo: { do: "swap", track: one, with: two, frame } },
      },
      object: {
        question: `${one}: is it an object?`,
        ...{ yes: "Yes", no: "No, delete", onYes: right, onNo: { do: "delete", tracks } },
      },
      end: { question: `${one} ends here: is it gone?`, yes: "Gone", no: "Goes on", onYes: right, onNo: null },
    };
    return asked[kind];
  }
}
