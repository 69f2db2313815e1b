// Every key and what it does: the help is written from the same table.

/** @typedef {{keys: string[], shown: string, does: string, run: () => void}} Key */

/** @param {Viewer} viewer @returns {Key[]} */
function keyTable(viewer) {
  const { player, timeline } = viewer;
  const key = (/** @type {string[]} */ keys, /** @type {string} */ shown, /** @type {string} */ does, /** @type {() => void} */ run) => ({ keys, shown, does, run });
  return [
    key([" ", "k"], "Space", "play or pause", () => player.toggle()),
    key(["ArrowLeft"], "←", "one frame back", () => player.step(-1)),
    key(["ArrowRight"], "→", "one frame forward", () => player.step(1)),
    key(["Shift+ArrowLeft"], "Shift ←", "ten frames back", () => player.step(-10)),
    key(["Shift+ArrowRight"], "Shift →", "ten frames forward", () => player.step(10)),
    key(["Home"], "Home", "first frame", () => player.seek(viewer.data.first)),
    key(["End"], "End", "last frame", () => player.seek(viewer.data.last)),
    key(["ArrowDown", "j"], "↓", "next tracklet of the list", () => viewer.leaf(1)),
    key(["ArrowUp"], "↑", "tracklet before", () => viewer.leaf(-1)),
    key(["["], "[", "start of the chosen tracklet", () => viewer.toEnd("first")),
    key(["]"], "]", "end of the chosen tracklet", () => viewer.toEnd("last")),
    key(["n"], "N", "next stop: a start, end, gap, class change or leap", () => viewer.toStop(1, false)),
    key(["p"], "P", "stop before", () => viewer.toStop(-1, false)),
    key(["Shift+N"], "Shift N", "next stop of the chosen tracklet", () => viewer.toStop(1, true)),
    key(["Shift+P"], "Shift P", "stop before of the chosen tracklet", () => viewer.toStop(-1, true)),
    key(["z"], "Z", "zoom in on the chosen tracklet", () => viewer.flip("zoom")),
    key(["l"], "L", "play the chosen tracklet over and over", () => viewer.flip("loop")),
    key(["b"], "B", "all boxes, the chosen one, none", () => viewer.nextBoxes()),
    key(["m"], "M", "sound", () => viewer.flipSound()),
    key(["+", "="], "+", "show less time in the timeline", () => timeline.zoom(0.5)),
    key(["-"], "−", "show more time in the timeline", () => timeline.zoom(2)),
    key(["0"], "0", "show the whole video in the timeline", () => timeline.fit()),
    key(["/"], "/", "go to a tracklet by its id", () => get("find").focus()),
    key(["Escape"], "Esc", "choose no tracklet", () => viewer.store.set({ track: null })),
    key(["?"], "?", "these keys", () => /** @type {HTMLDialogElement} */ (get("help")).showModal()),
  ];
}

/** @param {Key[]} table */
function listenToKeys(table) {
  const byName = new Map(table.flatMap((entry) => entry.keys.map((name) => [name, entry])));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isMeantElsewhere(event)) return;
    // A letter with Shift has a name of its own; a sign such as ? needs Shift on many keyboards.
    const shifted = event.shiftKey && (event.key.length > 1 || /[a-z]/i.test(event.key));
    const name = event.key.length === 1 && !shifted ? event.key.toLowerCase() : event.key;
    const entry = byName.get(shifted ? `Shift+${name.length === 1 ? name.toUpperCase() : name}` : name);
    if (!entry) return;
    event.preventDefault();
    entry.run();
  });
}

/** Whether what has the focus does something of its own with a key. @param {KeyboardEvent} event */
function isMeantElsewhere(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  if (document.querySelector("dialog[open]")) return true;
  if (target instanceof HTMLInputElement && target.type !== "range") {
    if (event.key === "Escape" || event.key === "Enter") target.blur();
    return true;
  }
  if (target instanceof HTMLSelectElement) return true;
  const presses = event.key === " " || event.key === "Enter";
  return presses && target.closest("button, summary") !== null;
}

/** @param {Key[]} table */
function writeHelp(table) {
  get("help-keys").append(...table.map(({ shown, does }) => {
    const line = element("div", "");
    const term = document.createElement("dt");
    term.append(...shown.split(" ").map((text) => element("kbd", "", text)));
    const text = document.createElement("dd");
    text.textContent = does;
    line.append(term, text);
    return line;
  }));
}
