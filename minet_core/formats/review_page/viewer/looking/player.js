// The video, frame by frame. Which frame is on the screen is told by the picture's own time.

/** What stands in for a video that cannot be played: time that passes. */
class StillMedia extends EventTarget {
  /** @param {number} duration in seconds */
  constructor(duration) {
    super();
    this.duration = duration;
    this.paused = true;
    this.muted = true;
    this.rate = 1;
    this.time = 0;
    this.since = 0;
  }

  get currentTime() {
    const passed = this.paused ? 0 : ((performance.now() - this.since) / 1000) * this.rate;
    return Math.min(this.duration, this.time + passed);
  }

  set currentTime(seconds) {
    this.time = seconds;
    this.since = performance.now();
    queueMicrotask(() => this.dispatchEvent(new Event("seeked")));
  }

  get playbackRate() {
    return this.rate;
  }

  set playbackRate(rate) {
    this.currentTime = this.currentTime;
    this.rate = rate;
  }

  async play() {
    this.since = performance.now();
    this.paused = false;
    this.dispatchEvent(new Event("play"));
  }

  pause() {
    this.time = this.currentTime;
    this.paused = true;
    this.dispatchEvent(new Event("pause"));
  }
}

class Player {
  /**
   * @param {HTMLVideoElement} video
   * @param {Data} data
   * @param {Store} store
   */
  constructor(video, data, store) {
    this.video = video;
    this.data = data;
    this.store = store;
    /** @type {HTMLVideoElement | StillMedia} */
    this.media = video;
    this.ready = false;
    this.seeking = false;
    /** @type {number | null} a frame to go to when the browser is done with the last one */
    this.wanted = null;
    /** The frame of the last seek. */
    this.target = data.first;
    /** What to add to a media time to get a time of the data. */
    this.shift = 0;
    this.turn = 0;
    this.hasFrameCallback = "requestVideoFrameCallback" in video;
    this.listen(video);
  }

  /** Whether the picture on the screen is the one that was asked for. */
  get settled() {
    return this.ready && !this.seeking && this.wanted === null;
  }

  /** @param {EventTarget} media */
  listen(media) {
    media.addEventListener("seeked", () => this.onSeeked());
    for (const name of ["play", "pause"]) {
      media.addEventListener(name, () => this.onPlaying());
    }
  }

  /**
   * Open a video. False where this browser cannot play it.
   * @param {string} src
   * @param {boolean} annotated it begins with the first frame that was looked at
   */
  async load(src, annotated) {
    this.ready = false;
    this.media = this.video;
    const { video } = this;
    const opened = new Promise((resolve) => {
      video.onloadeddata = () => resolve(video.videoWidth > 0);
      video.onerror = () => resolve(false);
    });
    const firstTime = this.firstTime(annotated ? 0 : this.data.startTime);
    video.src = src;
    video.load();
    if (!(await opened)) return false;
    const begin = annotated ? this.data.timeOf(this.data.first) : 0;
    this.shift = begin - (await firstTime);
    this.begin();
    return true;
  }

  /** Go on without a picture. */
  loadNothing() {
    this.video.removeAttribute("src");
    this.media = new StillMedia(this.data.timeOf(this.data.last));
    this.shift = 0;
    this.listen(this.media);
    this.begin();
  }

  begin() {
    this.ready = true;
    this.seeking = false;
    this.seek(this.store.state.frame);
  }

  /**
   * Media time of the first picture: not 0 where the sound begins before it.
   * @param {number} expected in seconds, where the browser does not tell
   */
  firstTime(expected) {
    if (!this.hasFrameCallback) return Promise.resolve(expected);
    const { video } = this;
    return new Promise((resolve) => {
      video.requestVideoFrameCallback((_, picture) => resolve(picture.mediaTime));
      // A tab that is not shown is told of no picture.
      const giveUp = () => setTimeout(() => resolve(expected), 500);
      video.addEventListener("loadeddata", giveUp, { once: true });
    });
  }

  /** Whether the browser tells which picture is on the screen; otherwise the clock has to. */
  get tellsPictures() {
    return this.media === this.video && this.hasFrameCallback;
  }

  /** While it plays, follow the pictures, in place of any earlier watch. */
  watch() {
    const turn = ++this.turn;
    const isOver = () => turn !== this.turn || this.media.paused;
    const byPicture = (/** @type {number} */ _, /** @type {{mediaTime: number}} */ picture) => {
      if (isOver()) return;
      this.onPicture(this.data.frameAt(picture.mediaTime + this.shift));
      this.video.requestVideoFrameCallback(byPicture);
    };
    const byClock = () => {
      if (isOver()) return;
      this.onPicture(this.data.frameDuring(this.media.currentTime + this.shift));
      requestAnimationFrame(byClock);
    };
    if (this.tellsPictures) this.video.requestVideoFrameCallback(byPicture);
    else byClock();
  }

  /** A picture came while playing. @param {number} frame */
  onPicture(frame) {
    if (this.seeking) return;
    this.store.set({ frame, shown: frame });
    const { track, loop } = this.store.state;
    const last = loop && track ? track.last : this.data.last;
    if (frame < last) return;
    if (!loop) return this.pause();
    this.seek(track ? track.first : this.data.first);
    this.resume();
  }

  onPlaying() {
    const playing = !this.media.paused;
    this.store.set({ playing });
    if (playing) this.watch();
    else if (this.video.ended && this.store.state.loop) this.onPicture(this.data.last);
    else if (this.video.ended) this.seek(this.data.last);
    else if (!this.seeking) this.seek(this.store.state.frame); // away from the next picture
  }

  /** Show a frame. While the browser is busy, only the last one that was asked for counts. @param {number} frame */
  seek(frame) {
    const target = clamp(Math.round(frame), this.data.first, this.data.last);
    this.store.set({ frame: target });
    if (!this.ready) return;
    if (this.seeking) this.wanted = target;
    else this.go(target);
  }

  /** @param {number} frame */
  go(frame) {
    this.wanted = null;
    this.seeking = true;
    this.target = frame;
    this.media.currentTime = this.mediaTimeOf(frame);
  }

  /** Chrome does not always tell of the picture after a seek, but it is the one that was asked for. */
  onSeeked() {
    this.seeking = false;
    this.store.set({ shown: this.target });
    if (this.wanted !== null) this.go(this.wanted);
  }

  /** The middle of the time that a frame is shown, away from both neighbours. @param {number} frame */
  mediaTimeOf(frame) {
    const middle = (this.data.timeOf(frame) + this.data.timeOf(frame + 1)) / 2;
    return Math.max(0, middle - this.shift);
  }

  /** @param {number} count frames that were looked at, forward or back */
  step(count) {
    this.pause();
    const { data, store } = this;
    const here = data.lookedAt(store.state.frame);
    const between = here !== store.state.frame && count < 0 ? 1 : 0;
    this.seek(here + (count + between) * data.step);
  }

  play() {
    const { state } = this.store;
    if (!this.ready) return;
    if (state.loop && state.track && !inside(state.track, state.frame)) this.seek(state.track.first);
    else if (state.frame >= this.data.last) this.seek(this.data.first);
    this.resume();
  }

  resume() {
    this.media.play().catch(() => {}); // a browser may refuse, and the button still says "Play"
  }

  pause() {
    if (!this.media.paused) this.media.pause();
  }

  toggle() {
    if (this.media.paused) this.play();
    else this.pause();
  }

  /** @param {number} rate */
  setSpeed(rate) {
    this.media.playbackRate = rate;
  }
}

/** @param {Track} track @param {number} frame */
function inside(track, frame) {
  return frame >= track.first && frame < track.last;
}
