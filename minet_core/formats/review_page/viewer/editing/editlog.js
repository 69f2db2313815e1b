// What was done, with undo and redo without limit; kept in the browser's storage as it grows.

const EDITS_SCHEMA = "minet-edits";
const EDITS_VERSION = 1;

/**
 * Adding an edit, or taking one of the list back, by its place then.
 * @typedef {{add: Edit} | {drop: number}} Step
 */

class EditLog {
  /**
   * @param {{sha256: string} | null} result that is edited
   * @param {{edits: Edit[]} | null} served what a server had saved, if there is one; it saves in the browser's place
   */
  constructor(result, served) {
    this.served = served;
    this.saving = Promise.resolve();
    /** Called when a server has answered. */
    this.onKept = () => {};
    this.key = result ? `minet-edits ${result.sha256}` : "";
    this.result = result;
    /** @type {Step[]} */
    this.steps = [];
    /** How many of the steps hold; the others can be done again. */
    this.at = 0;
    /** Whether the browser's storage takes them. */
    this.isKept = true;
  }

  /** @returns {Edit[]} */
  get edits() {
    /** @type {Edit[]} */
    const edits = [];
    for (const step of this.steps.slice(0, this.at)) {
      if ("add" in step) edits.push(step.add);
      else edits.splice(step.drop, 1);
    }
    return edits;
  }

  /** @param {Step} step */
  take(step) {
    this.steps = [...this.steps.slice(0, this.at), step];
    this.at++;
    this.keep();
  }

  /** Put an edit in the place of the last one. @param {Edit} edit */
  amend(edit) {
    this.steps = [...this.steps.slice(0, this.at - 1), { add: edit }];
    this.keep();
  }

  /** @param {1 | -1} direction whether there was one to take back, or to do again */
  move(direction) {
    const at = this.at + direction;
    if (at < 0 || at > this.steps.length) return false;
    this.at = at;
    this.keep();
    return true;
  }

  keep() {
    if (this.served) return this.send();
    try {
      localStorage.setItem(this.key, JSON.stringify({ version: EDITS_VERSION, steps: this.steps, at: this.at }));
      this.isKept = true;
    } catch {
      this.isKept = false; // full, or forbidden
    }
  }

  /** Have the server save, one state after the other. */
  send() {
    const { text } = this;
    this.saving = this.saving.then(async () => {
      try {
        this.isKept = (await fetch("edits.json", { method: "PUT", body: text })).ok;
      } catch {
        this.isKept = false;
      }
      this.onKept();
    });
  }

  /** What an earlier visit left. */
  restore() {
    if (this.served) {
      this.steps = this.served.edits.map((edit) => ({ add: edit }));
      this.at = this.steps.length;
      return;
    }
    try {
      const kept = JSON.parse(localStorage.getItem(this.key) ?? "null");
      if (kept?.version !== EDITS_VERSION || !Array.isArray(kept.steps)) return;
      this.steps = kept.steps;
      this.at = kept.at;
    } catch {
      this.isKept = false;
    }
  }

  /** Go on from a list. @param {Edit[]} edits */
  open(edits) {
    this.steps = edits.map((edit) => ({ add: edit }));
    this.at = edits.length;
    this.keep();
  }

  /** The text of edits.json, an edit a line. */
  get text() {
    const lines = this.edits.map((edit) => JSON.stringify(edit)).join(",\n");
    return `{"schema": "${EDITS_SCHEMA}",\n"version": ${EDITS_VERSION},\n`
      + `"result": ${JSON.stringify(this.result)},\n"edits": [\n${lines}\n]}\n`;
  }
}

/**
 * The edits in the text of an edits.json.
 * @param {string} text @param {any} result that they have to be of @returns {Edit[]}
 * @throws {Error} they are none, or of another result
 */
function readEdits(text, result) {
  let document;
  try {
    document = JSON.parse(text);
  } catch {
    throw new Error("not JSON, or only half of it");
  }
  if (document?.schema !== EDITS_SCHEMA || !Array.isArray(document.edits)) throw new Error("no edits of a review page");
  if (document.version !== EDITS_VERSION) throw new Error(`version ${document.version}, and this page reads ${EDITS_VERSION}`);
  const differs = ["width", "height", "boxes", "tracks", "sha256"].find((name) => document.result?.[name] !== result[name]);
  if (differs === "sha256") throw new Error("edits of another result: other boxes, of as many tracks");
  if (differs) throw new Error(`edits of another result: ${differs} ${document.result?.[differs]}, here ${result[differs]}`);
  const strange = document.edits.find((/** @type {Edit} */ edit) => !Object.hasOwn(OPERATIONS, edit?.do));
  if (strange) throw new Error(`an edit does nothing that is known: ${JSON.stringify(strange).slice(0, 60)}`);
  return document.edits;
}
