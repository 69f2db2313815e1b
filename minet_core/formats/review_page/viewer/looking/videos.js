// Which video is under the boxes: the first that this browser plays, or one that somebody opens.

class Videos {
  /** @param {Viewer} viewer */
  constructor(viewer) {
    this.viewer = viewer;
    this.data = viewer.data;
    this.store = viewer.store;
    this.player = viewer.player;
  }

  /** The first video that this browser plays; without one, boxes on an empty picture. */
  async openFirst() {
    const { videos } = this.data;
    for (const { src, annotated } of videos) {
      if (!(await this.player.load(src, annotated))) continue;
      if (annotated) this.noticeAnnotated(videos.length > 1);
      this.onOpened();
      return;
    }
    this.player.loadNothing();
    this.viewer.notice(`No video to play here: ${videos.length ? "the browser cannot read it" : "it was not found"}. `
      + "The boxes are shown on an empty picture; “Open video…” brings the video back.");
  }

  /** @param {boolean} hasSource whether there is a source that could not be played */
  noticeAnnotated(hasSource) {
    this.store.set({ boxes: "chosen" });
    this.viewer.notice(`${hasSource ? "This browser cannot play the source" : "The source is no video file"}: `
      + "this is the annotated video, with boxes drawn in. Only the chosen tracklet is drawn over it.");
  }

  /** @param {File | undefined} file */
  async openFile(file) {
    if (!file) return;
    if (file.name.toLowerCase().endsWith(".json") && this.viewer.editor.isOn) return this.viewer.editor.open(file);
    get("notice").hidden = true;
    if (await this.player.load(URL.createObjectURL(file), false)) {
      this.store.set({ boxes: "all" });
      this.onOpened();
    } else {
      this.player.loadNothing();
      this.viewer.notice(`${file.name}: this browser cannot play it.`);
    }
  }

  onOpened() {
    this.viewer.strip.update();
    this.viewer.doubts.draw();
    const { videoWidth, videoHeight } = this.player.video;
    const { width, height, pixelAspect } = this.data;
    const aspect = videoWidth / videoHeight;
    get("stage").style.setProperty("--aspect", String(aspect));
    const ratio = aspect / ((width * (pixelAspect ?? 1)) / height);
    // Where the shape of pixels is not known, they may be half as wide again, as of a DVD.
    if (Math.abs(ratio - 1) > (pixelAspect === null ? 0.55 : 0.03)) {
      this.viewer.notice("This video has another shape than the one the boxes were made on: it may be another video.");
    }
  }
}
