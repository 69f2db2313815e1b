// Going on from edits: the server finds the tracks again around them, and the page shows the new result.

/** @typedef {{state: "idle" | "running" | "done" | "failed", share: number, line: string}} Going */

const GOING_PAUSE = 400;

class GoOn {
  /** @param {Editor} editor */
  constructor(editor) {
    this.editor = editor;
    this.dialog = /** @type {HTMLDialogElement} */ (get("going"));
    this.dialog.addEventListener("cancel", (event) => event.preventDefault());
  }

  /** Offer it, and wait on where an earlier page has begun it. */
  async open() {
    get("go-on").hidden = false;
    get("go-on").addEventListener("click", () => this.begin());
    const { state } = await this.ask("GET");
    if (state === "running") this.watch();
  }

  async begin() {
    const { editor } = this;
    if (!editor.history.edits.length) return editor.say("Mend something first: tracks are found again around that");
    editor.player.pause();
    await editor.history.saving; // the server goes on from what it has
    if (!editor.history.isKept) return editor.say("Not begun");
    const { state, line } = await this.ask("POST");
    if (state === "running") this.watch();
    else editor.say(line);
  }

  async watch() {
    const bar = /** @type {HTMLProgressElement} */ (get("going-share"));
    if (!this.dialog.open) this.dialog.showModal();
    for (;;) {
      const { state, share, line } = await this.ask("GET");
      bar.value = share;
      get("going-line").textContent = line;
      if (state === "done") return location.reload();
      if (state !== "running") {
        this.dialog.close();
        return this.editor.say(line);
      }
      await new Promise((resolve) => setTimeout(resolve, GOING_PAUSE));
    }
  }

  /** @param {"GET" | "POST"} method @returns {Promise<Going>} */
  async ask(method) {
    try {
      return await (await fetch("going-on", { method })).json();
    } catch {
      return { state: "failed", share: 0, line: "The server does not answer; nothing is lost" };
    }
  }
}
