// Edits by mouse and by touch: boxes of the picture, and bars of the timeline.

/** How near to a handle a press counts as on it, in CSS pixels: of a mouse, of a finger. */
const NEAR = { mouse: 8, touch: 20 };

/** Draw, move and resize boxes with the pointer. @param {Viewer} viewer */
function listenToPicture({ overlay, store, editor, player }) {
  const { canvas } = overlay;
  /** @type {{x: number, y: number, box: Box, sides: [number, number] | null} | null} */
  let grip = null;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    if (overlay.fingers.count > 1) return end(false);
    const { offsetX: x, offsetY: y } = event;
    if (store.state.drawing) {
      const [left, top] = overlay.pointAt(x, y);
      grip = { x, y, box: [left, top, left, top], sides: [1, 1] };
    } else if (editor.box && store.state.boxes !== "none" && !store.state.playing) {
      const sides = gripOf(overlay.place(editor.box), x, y, event.pointerType === "touch" ? NEAR.touch : NEAR.mouse);
      grip = sides === undefined ? null : { x, y, box: editor.box, sides };
    }
    overlay.holds = grip !== null;
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
    overlay.holds = false;
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
 * @param {Rect} rect @param {number} x @param {number} y @param {number} reach @returns {[number, number] | null | undefined}
 */
function gripOf({ left, top, width, height }, x, y, reach) {
  const near = [width, height].map((side) => Math.min(reach, Math.max(3, side / 5))); // a small box can still be moved
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
    start = event.offsetY;
    const track = timeline.hit(event.offsetX, event.offsetY);
    // A finger scrolls, unless it takes hold of the chosen bar.
    const takes = event.pointerType !== "touch" || (track !== null && track === timeline.store.state.track);
    timeline.drag = takes && timeline.fingers.count < 2 && track ? { track, over: null } : null;
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!timeline.drag || (!timeline.wasDrag && Math.abs(event.offsetY - start) < LANE / 2)) return;
    if (!timeline.wasDrag) canvas.setPointerCapture(event.pointerId);
    timeline.wasDrag = true;
    const over = timeline.hit(event.offsetX, event.offsetY);
    timeline.drag.over = over === timeline.drag.track ? null : over;
    canvas.style.cursor = timeline.drag.over ? "copy" : "grabbing";
    timeline.onHover(event);
    timeline.draw();
  });
  const end = (/** @type {boolean} */ isDone) => {
    const { drag } = timeline;
    timeline.drag = null;
    timeline.tip.hidden = true;
    if (isDone && timeline.wasDrag && drag?.over) merge(drag.track.id, drag.over.id);
    else if (drag) timeline.draw();
  };
  canvas.addEventListener("pointerup", () => end(true));
  canvas.addEventListener("pointercancel", () => end(false));
}
