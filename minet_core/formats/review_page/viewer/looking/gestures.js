// Fingers on a part of the page: one carries it along, two also spread it about their middle.

/** How far a press has to go to be more than a press, in CSS pixels. */
const MOVED = 4;

/** @typedef {{x: number, y: number, far: boolean}} Finger */

class Fingers {
  /**
   * @param {HTMLElement} element
   * @param {(dx: number, dy: number) => void} pan by so many CSS pixels
   * @param {(factor: number, x: number, y: number) => void} spread so much larger, about this place
   * @param {boolean} mouse whether a mouse with its button down counts as a finger
   */
  constructor(element, pan, spread, mouse) {
    this.pan = pan;
    this.spread = spread;
    /** @type {Map<number, Finger>} */
    this.down = new Map();
    element.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "mouse" && (!mouse || event.button !== 0)) return;
      this.down.set(event.pointerId, { x: event.offsetX, y: event.offsetY, far: false });
    });
    element.addEventListener("pointermove", (event) => this.move(event));
    for (const name of /** @type {const} */ (["pointerup", "pointercancel", "lostpointercapture"])) {
      element.addEventListener(name, (event) => this.down.delete(event.pointerId));
    }
  }

  /** How many there are. */
  get count() {
    return this.down.size;
  }

  /** @param {PointerEvent} event */
  move(event) {
    const before = this.down.get(event.pointerId);
    if (!before) return;
    if (event.pointerType === "mouse" && event.buttons === 0) return void this.down.delete(event.pointerId);
    const [dx, dy] = [event.offsetX - before.x, event.offsetY - before.y];
    if (!before.far && Math.hypot(dx, dy) < MOVED) return;
    const now = { x: event.offsetX, y: event.offsetY, far: true };
    const other = [...this.down].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const length = (/** @type {Finger} */ finger) => Math.max(1, Math.hypot(finger.x - other.x, finger.y - other.y));
      this.spread(length(now) / length(before), (now.x + other.x) / 2, (now.y + other.y) / 2);
    }
    this.pan(other ? dx / 2 : dx, other ? dy / 2 : dy);
    this.down.set(event.pointerId, now);
  }
}
