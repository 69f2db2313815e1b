// Pictures of the chosen tracklet from its first box to its last: a swap of objects shows at once.

const PICTURES = 8;
const PICTURE = { width: 40, height: 52 };
/** Pause before pictures are fetched, so that leafing through the list stays quick. */
const STRIP_DELAY = 180;

class Strip {
  /**
   * @param {HTMLElement} home
   * @param {Data} data
   * @param {Store} store
   * @param {Player} player
   * @param {{width: number, height: number}} [size] of a picture, in pixels
   */
  constructor(home, data, store, player, size = { width: PICTURE.width * 2, height: PICTURE.height * 2 }) {
    this.size = size;
    this.home = home;
    this.data = data;
    this.store = store;
    this.player = player;
    this.video = document.createElement("video");
    this.video.muted = true;
    this.video.preload = "auto";
    this.turn = 0;
    this.timer = 0;
  }

  /** Rows to show, evenly over the tracklet. @param {Track} track */
  rowsOf(track) {
    const count = Math.min(PICTURES, track.to - track.from);
    const last = Math.max(1, count - 1);
    return Array.from({ length: count }, (_, i) => {
      return track.from + Math.round((i / last) * (track.to - 1 - track.from));
    });
  }

  /** Show the chosen tracklet. */
  update() {
    const { track } = this.store.state;
    this.show(track ? this.rowsOf(track) : []);
  }

  /** Show pictures of some rows. @param {number[]} rows */
  show(rows) {
    const turn = ++this.turn;
    clearTimeout(this.timer);
    this.home.hidden = rows.length === 0 || this.player.media !== this.player.video;
    if (this.home.hidden) return;
    const places = rows.map((row) => ({ row, canvas: this.addPicture(row) }));
    this.home.replaceChildren(...places.map(({ canvas }) => /** @type {Node} */ (canvas.parentNode)));
    this.timer = setTimeout(() => this.fill(places, turn), STRIP_DELAY);
  }

  /** @param {number} row */
  addPicture(row) {
    const frame = this.data.frames[row];
    const button = element("button", "picture");
    button.title = `Frame ${frame}`;
    button.setAttribute("aria-label", `Go to frame ${frame}`);
    button.addEventListener("click", () => this.player.seek(frame));
    const canvas = document.createElement("canvas");
    canvas.width = this.size.width;
    canvas.height = this.size.height;
    button.append(canvas);
    return canvas;
  }

  /** @param {{row: number, canvas: HTMLCanvasElement}[]} places @param {number} turn */
  async fill(places, turn) {
    const { video, player } = this;
    if (video.src !== player.video.src) video.src = player.video.src;
    for (const { row, canvas } of places) {
      const seeked = new Promise((resolve) => (video.onseeked = video.onerror = resolve));
      video.currentTime = player.mediaTimeOf(this.data.frames[row]);
      await seeked;
      if (turn !== this.turn) return;
      this.cut(row, canvas);
    }
  }

  /** The box with a margin, in the shape of the picture. @param {number} row @param {HTMLCanvasElement} canvas */
  cut(row, canvas) {
    const { video, data } = this;
    const [kx, ky] = [video.videoWidth / data.width, video.videoHeight / data.height];
    const [x1, y1, x2, y2] = data.box(row);
    const scale = 0.85 * Math.min(canvas.width / ((x2 - x1) * kx), canvas.height / ((y2 - y1) * ky));
    const [width, height] = [canvas.width / scale, canvas.height / scale];
    const [left, top] = [((x1 + x2) / 2) * kx - width / 2, ((y1 + y2) / 2) * ky - height / 2];
    canvas.getContext("2d")?.drawImage(video, left, top, width, height, 0, 0, canvas.width, canvas.height);
  }
}
