// The parts of the page that edits are made with: bar, picture, timeline, list of what was done.

/** How near to a handle a press counts as on it, in CSS pixels. */
const NEAR = 8;
/** How far a press has to go to be a drag. */
const MOVED = 4;

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
  ["a", "Stretch"], ["h", "Hide"], ["o", "Occluded"], ["f", "Fill gap"], ["d", "Draw box"], ["e", "New object"],
  ["u", "Undo"], ["y", "Redo"],
];

/** @param {Key[]} keys */
function makeBar(keys) {
  get("edit-buttons").append(...BUTTONS.map(([name, text]) => {
    const key = /** @type {Key} */ (keys.find((candidate) => candidate.keys.includes(name)));
    const button = element("button", "", text);
    button.type = "button";
    button.id = `edit-${name.toLowerCase()}`;
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

/** Draw, move and resize boxes with the pointer. @param {Viewer} viewer */
function listenToPicture({ overlay, store, editor, player }) {
  const { canvas } = overlay;
  /** @type {{x: number, y: number, box: Box, sides: [number, number] | null} | null} */
  let grip = null;
  canvas.addEventListener("pointerdown", (event) => {
    overlay.wasDrag = false;
    if (event.button !== 0) return;
    const { offsetX: x, offsetY: y } = event;
    if (store.state.drawing) {
      const [left, top] = overlay.pointAt(x, y);
      grip = { x, y, box: [left, top, left, top], sides: [1, 1] };
    } else if (editor.box && store.state.boxes !== "none" && !store.state.playing) {
      const sides = gripOf(overlay.place(editor.box), x, y);
      grip = sides === undefined ? null : { x, y, box: editor.box, sides };
    }
    if (grip) canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!grip) return;
    const far = Math.hypot(event.offsetX - grip.x, event.offsetY - grip.y) >= MOVED;
    if (!far && !overlay.wasDrag) return;
    if (!overlay.wasDrag) player.pause();
    overlay.wasDrag = true;
    const [x0, y0] = overlay.pointAt(grip.x, grip.y);
    const [x, y] = overlay.pointAt(event.offsetX, event.offsetY);
    overlay.preview = pulled(grip.box, grip.sides, x - x0, y - y0);
    overlay.draw();
  });
  const end = (/** @type {boolean} */ isDone) => {
    const box = overlay.preview;
    const { track, drawing } = store.state;
    grip = overlay.preview = null;
    if (!isDone || !box) return overlay.draw();
    if (drawing) editor.drawn(box);
    else if (track) editor.setBox(track.id, box, false);
    overlay.draw();
  };
  canvas.addEventListener("pointerup", () => end(true));
  canvas.addEventListener("pointercancel", () => end(false));
}

/**
 * What a press on a box takes hold of: sides to pull (-1 left or upper, 0 none, 1 right or lower), null for the
 * whole box, undefined where it is beside.
 * @param {Rect} rect @param {number} x @param {number} y @returns {[number, number] | null | undefined}
 */
function gripOf({ left, top, width, height }, x, y) {
  const near = [width, height].map((side) => Math.min(NEAR, Math.max(3, side / 5))); // a small box can still be moved
  for (const [u, v] of HANDLES) {
    const isOn = Math.abs(x - left - u * width) <= near[0] && Math.abs(y - top - v * height) <= near[1];
    if (isOn) return [2 * u - 1, 2 * v - 1];
  }
  return x >= left && x <= left + width && y >= top && y <= top + height ? null : undefined;
}

/** A box after its sides, or all of it, went some way. @param {Box} box @param {[number, number] | null} sides @param {number} dx @param {number} dy @returns {Box} */
function pulled([x1, y1, x2, y2], sides, dx, dy) {
  const [u, v] = sides ?? [0, 0];
  const [xs, ys] = [[x1, x2], [y1, y2]];
  if (!sides || u < 0) xs[0] += dx;
  if (!sides || u > 0) xs[1] += dx;
  if (!sides || v < 0) ys[0] += dy;
  if (!sides || v > 0) ys[1] += dy;
  const [left, right] = xs.sort((a, b) => a - b);
  const [upper, lower] = ys.sort((a, b) => a - b);
  return [left, upper, right, lower];
}

/** Let a bar be dragged onto another one. @param {Timeline} timeline @param {(id: number, into: number) => void} merge */
function listenToDrags(timeline, merge) {
  const { canvas } = timeline;
  let start = 0;
  canvas.addEventListener("pointerdown", (event) => {
    timeline.wasDrag = false;
    start = event.offsetY;
    const track = event.pointerType === "touch" ? null : timeline.hit(event.offsetX, event.offsetY);
    timeline.drag = track && { track, over: null };
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!timeline.drag || (!timeline.wasDrag && Math.abs(event.offsetY - start) < LANE / 2)) return;
    if (!timeline.wasDrag) canvas.setPointerCapture(event.pointerId);
    timeline.wasDrag = true;
    const over = timeline.hit(event.offsetX, event.offsetY);
    timeline.drag.over = over === timeline.drag.track ? null : over;
    canvas.style.cursor = timeline.drag.over ? "copy" : "grabbing";
    timeline.draw();
  });
  const end = (/** @type {boolean} */ isDone) => {
    const { drag } = timeline;
    timeline.drag = null;
    if (isDone && timeline.wasDrag && drag?.over) merge(drag.track.id, drag.over.id);
    else if (drag) timeline.draw();
  };
  canvas.addEventListener("pointerup", () => end(true));
  canvas.addEventListener("pointercancel", () => end(false));
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
