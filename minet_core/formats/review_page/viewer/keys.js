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
    key(["Shift+Z"], "Shift Z", "enlarge the picture, then show all of it again", () => viewer.overlay.enlargeMore()),
    key(["l"], "L", "play the chosen tracklet over and over", () => viewer.flip("loop")),
    key(["b"], "B", "all boxes, the chosen one, none", () => viewer.nextBoxes()),
    key(["m"], "M", "sound", () => viewer.flipSound()),
    key(["+", "="], "+", "show less time in the timeline", () => timeline.zoom(0.5)),
    key(["-"], "−", "show more time in the timeline", () => timeline.zoom(2)),
    key(["0"], "0", "show the whole video in the timeline", () => timeline.fit()),
    key(["/"], "/", "go to a tracklet by its id", () => get("find").focus()),
    key(["Escape"], "Esc", "choose no tracklet", () => viewer.chooseNone()),
    key(["?"], "?", "these keys", () => /** @type {HTMLDialogElement} */ (get("help")).showModal()),
    ...(viewer.editor.isOn ? [...doubtKeys(viewer.doubts), ...editKeys(viewer.editor)] : []),
  ];
}

/** @param {Doubts} doubts @returns {Key[]} */
function doubtKeys(doubts) {
  return [
    { keys: ["q"], shown: "Q", does: "to the place that is most likely wrong", run: () => doubts.next() },
    { keys: ["1"], shown: "1", does: "of a doubtful place: same, it is right", run: () => doubts.decide("onYes") },
    { keys: ["2"], shown: "2", does: "of a doubtful place: not the same, it is wrong", run: () => doubts.decide("onNo") },
    { keys: ["3"], shown: "3", does: "of a doubtful place: later", run: () => doubts.putOff() },
  ];
}

/** @param {Editor} editor @returns {Key[]} */
function editKeys(editor) {
  const { store } = editor;
  const key = (/** @type {string} */ keys, /** @type {string} */ does, /** @type {() => void} */ run, shown = keys.toUpperCase()) => ({ keys: keys.split(" "), shown, does, run });
  const nudges = /** @type {[string, string, number, number][]} */ ([
    ["ArrowLeft", "←", -1, 0], ["ArrowRight", "→", 1, 0], ["ArrowUp", "↑", 0, -1], ["ArrowDown", "↓", 0, 1],
  ]);
  return [
    key("v", "select the chosen tracklet too, or no longer", () => store.state.track && store.toggle(store.state.track.id)),
    key("g", "merge the selected tracklets", () => editor.merge()),
    key("s", "split the chosen tracklet at this frame", () => editor.split()),
    key("x", "swap two selected tracklets from this frame on", () => editor.swap()),
    key("Delete Backspace", "delete the selected tracklets", () => editor.delete(), "Del"),
    key("c", "change the class", () => editor.setClass()),
    key("i", "change the id", () => editor.setId()),
    key("t", "write a text", () => editor.setText()),
    key("a", "mark a stretch, from here to where you go", () => store.set({ mark: store.state.mark === null ? editor.frame : null })),
    key("h", "hide over the stretch: not to be seen there", () => editor.takeOut("hide")),
    key("Shift+Delete Shift+Backspace", "delete over the stretch", () => editor.takeOut("delete"), "Shift Del"),
    key("o", "occluded over the stretch, or no longer", () => editor.occlude()),
    key("f", "fill the gap at this frame", () => editor.fill()),
    key("d", "draw a box of the chosen tracklet, and fill up to it", () => editor.draw("track")),
    key("e", "draw a box of a new object", () => editor.draw("new")),
    key("Enter", "put the box that is to be drawn", () => editor.drawHere(), "Enter"),
    ...nudges.map(([name, sign, x, y]) => key(`Alt+${name}`, "move the box", () => editor.nudge(x, y, false), `Alt ${sign}`)),
    ...nudges.map(([name, sign, x, y]) => key(`Alt+Shift+${name}`, "resize the box", () => editor.nudge(x, y, true), `Alt Shift ${sign}`)),
    key("u Ctrl+z", "undo", () => editor.undo()),
    key("y Ctrl+y Ctrl+Shift+z", "do again what was undone", () => editor.redo(), "Y"),
    key("w Ctrl+s", "save edits.json", () => editor.save(), "W"),
  ].map((entry) => ({ ...entry, shown: entry.shown.split(" CTRL")[0] }));
}

/** @param {Key[]} table */
function listenToKeys(table) {
  const byName = new Map(table.flatMap((entry) => entry.keys.map((name) => [name, entry])));
  document.addEventListener("keydown", (event) => {
    if (isMeantElsewhere(event)) return;
    // A letter with Shift has a name of its own; a sign such as ? needs Shift on many keyboards.
    const shifted = event.shiftKey && (event.key.length > 1 || /[a-z]/i.test(event.key));
    const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const held = [event.ctrlKey || event.metaKey ? "Ctrl+" : "", event.altKey ? "Alt+" : "", shifted ? "Shift+" : ""].join("");
    const entry = byName.get(held + (held === "Shift+" && name.length === 1 ? name.toUpperCase() : name));
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
