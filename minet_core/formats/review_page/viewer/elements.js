// Finding and making elements of the page, and what canvases have in common.

/** @param {string} id @returns {HTMLElement} */
function get(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/**
 * An element with text in it; never with markup.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {string} name its class
 * @param {string} [text]
 */
function element(tag, name, text = "") {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text) made.textContent = text;
  return made;
}

/** @param {string} id */
function canvasOf(id) {
  return /** @type {HTMLCanvasElement} */ (get(id));
}

/** @param {string} id */
function select(id) {
  return /** @type {HTMLSelectElement} */ (get(id));
}

/** @param {string} id */
function input(id) {
  return /** @type {HTMLInputElement} */ (get(id));
}

/** The number in a field, null where it is empty. @param {HTMLInputElement} field */
function numberIn(field) {
  return field.value === "" || Number.isNaN(field.valueAsNumber) ? null : field.valueAsNumber;
}

/** Colours and fonts of the page's style, for canvases. */
class Theme {
  constructor() {
    this.text = this.quiet = this.line = this.panel = this.band = this.accent = this.warn = "";
    this.font = getComputedStyle(document.body).fontFamily;
    this.read();
  }

  read() {
    const style = getComputedStyle(document.documentElement);
    const colour = (/** @type {string} */ name) => style.getPropertyValue(`--${name}`).trim();
    [this.text, this.quiet, this.line] = ["text", "quiet", "line"].map(colour);
    [this.panel, this.band, this.accent, this.warn] = ["panel", "band", "accent", "warn"].map(colour);
  }
}

/**
 * Make a canvas as sharp as the screen, and clear it.
 * @param {HTMLCanvasElement} canvas
 * @param {number} width in CSS pixels
 * @param {number} height in CSS pixels
 */
function prepare(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w) canvas.width = w;
  if (canvas.height !== h) canvas.height = h;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

/** Black or white, whichever reads better on a colour. @param {string} hex */
function inkOn(hex) {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  return 0.299 * r + 0.587 * g + 0.114 * b > 140 ? "#000" : "#fff";
}
