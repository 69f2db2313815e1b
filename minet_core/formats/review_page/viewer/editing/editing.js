// The parts of the page that edits are made with: buttons, the list of what was done, questions.

/** @param {Viewer} viewer */
function openEditing(viewer) {
  const { editor, store, overlay, timeline } = viewer;
  get("edit").hidden = get("done").hidden = false;
  overlay.hasHandles = true;
  makeBar(viewer.keys);
  listenToPicture(viewer);
  listenToDrags(timeline, (id, into) => editor.merge([id, into], into));
  get("save-edits").addEventListener("click", () => editor.save());
  get("open-edits").addEventListener("click", () => get("edits-file").click());
  input("edits-file").addEventListener("change", () => {
    const file = input("edits-file").files?.[0];
    if (file) editor.open(file);
    input("edits-file").value = "";
  });
  editor.listeners.push(() => drawDone(editor));
  store.on(["drawing", "mark", "frame", "selected", "track"], () => drawEditState(viewer));
  viewer.doubts.start();
  editor.history.restore();
  if (editor.history.steps.length) editor.refresh();
  if (editor.history.served) new GoOn(editor).open();
  drawDone(editor);
  drawEditState(viewer);
}

/** What stands on the buttons of the bar, by the key that does the same. */
const BUTTONS = [
  ["g", "Merge"], ["s", "Split"], ["x", "Swap"], ["Delete", "Delete"], ["c", "Class"], ["i", "Id"], ["t", "Text"],
  ["a", "Stretch"], ["h", "Hide"], ["o", "Occluded"], ["Shift+Delete", "Delete stretch"], ["f", "Fill gap"],
  ["d", "Draw box"], ["e", "New object"],
  ["u", "Undo"], ["y", "Redo"],
];

/** @param {Key[]} keys */
function makeBar(keys) {
  get("edit-buttons").append(...BUTTONS.map(([name, text]) => {
    const key = /** @type {Key} */ (keys.find((candidate) => candidate.keys.includes(name)));
    const button = element("button", "", text);
    button.type = "button";
    button.id = `edit-${name.toLowerCase().replace("+", "-")}`;
    button.title = key.does;
    button.setAttribute("aria-keyshortcuts", name);
    button.append(" ", element("kbd", "", key.shown));
    button.addEventListener("click", () => key.run());
    return button;
  }));
}

/** @param {Viewer} viewer */
function drawEditState({ editor, store, overlay }) {
  const { drawing, mark, selected, track } = store.state;
  get("edit-d").setAttribute("aria-pressed", String(drawing === "track"));
  get("edit-e").setAttribute("aria-pressed", String(drawing === "new"));
  get("edit-a").setAttribute("aria-pressed", String(mark !== null));
  overlay.canvas.classList.toggle("drawing", drawing !== null);
  overlay.canvas.classList.toggle("editable", track !== null);
  const { from, to } = editor.stretch;
  const parts = [
    selected.size ? `selected: ${[...selected].join(", ")}` : "",
    mark === null ? "" : `stretch: frames ${from}–${to}`,
  ];
  get("edit-state").textContent = parts.filter(Boolean).join(" · ");
}

/** @param {Editor} editor */
function drawDone(editor) {
  const { edits } = editor.history;
  get("done-count").textContent = edits.length ? String(edits.length) : "none yet";
  get("done-list").replaceChildren(...edits.map((edit, i) => {
    const line = element("li", "");
    const reason = editor.skipped.get(i + 1);
    const jump = element("button", "jump", wordsOf(edit));
    const back = element("button", "back", "×");
    jump.type = back.type = "button";
    jump.title = reason ? `Changes nothing any more: ${reason}` : "Go there";
    line.classList.toggle("skipped", reason !== undefined);
    back.title = "Take back";
    back.setAttribute("aria-label", `Take back: ${wordsOf(edit)}`);
    jump.addEventListener("click", () => editor.jump(edit));
    back.addEventListener("click", () => editor.drop(i));
    line.append(jump, back);
    return line;
  }));
  get("done-list").scrollTop = get("done-list").scrollHeight;
}

/**
 * Ask for a line of text; null where nobody gives one.
 * @param {string} title @param {string} value @param {string[]} known to choose from @param {number} [most] characters
 * @returns {Promise<string | null>}
 */
function ask(title, value, known, most = 64) {
  const dialog = /** @type {HTMLDialogElement} */ (get("ask"));
  get("ask-title").textContent = title;
  get("ask-known").replaceChildren(...known.map((name) => Object.assign(document.createElement("option"), { value: name })));
  input("ask-value").maxLength = most;
  input("ask-value").value = value;
  dialog.returnValue = "";
  dialog.showModal();
  input("ask-value").select();
  return new Promise((resolve) => {
    const answer = () => resolve(dialog.returnValue === "ok" ? input("ask-value").value.trim() : null);
    dialog.addEventListener("close", answer, { once: true });
  });
}
