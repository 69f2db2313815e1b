// Puts the page together.

class Viewer {
  /** @param {Data} data */
  constructor(data) {
    this.data = data;
    this.store = new Store(data);
    this.theme = new Theme();
    const video = /** @type {HTMLVideoElement} */ (get("video"));
    const { store, theme } = this;
    this.player = new Player(video, data, store);
    this.overlay = new Overlay(canvasOf("boxes"), video, data, store, theme);
    this.timeline = new Timeline(data, store, theme, this.player);
    this.chart = new Chart(canvasOf("chart"), data, store, theme, this.player);
    this.strip = new Strip(get("strip"), data, store, this.player);
    this.list = new List(data, store, (track) => this.choose(track), data.result !== null);
    this.filters = new Filters(data, store);
    this.editor = new Editor(this);
    this.doubts = new Doubts(this);
    this.videos = new Videos(this);
    this.hashTimer = 0;
    this.invitation = [...get("chosen-facts").childNodes];
    this.keys = keyTable(this);
    /** The stop that was gone to last, as several can be in one frame. @type {Stop | null} */
    this.stop = null;
  }

  start() {
    this.writeFacts();
    this.overlay.listen((track) => this.store.set({ track }), () => this.player.toggle());
    this.listenToStore();
    this.listenToControls();
    this.listenToWindow();
    if (this.editor.isOn) openEditing(this);
    listenToKeys(this.keys);
    writeHelp(this.keys);
    this.store.set(fromHash(location.hash, this.data));
    this.drawAll();
    this.videos.openFirst();
  }

  writeFacts() {
    const { data } = this;
    get("name").textContent = data.name;
    const seconds = data.timeOf(data.last + 1) - data.timeOf(data.first);
    const gaps = data.tracks.reduce((sum, track) => sum + track.gaps.length, 0);
    get("summary").textContent = [
      counted(data.tracks.length, "tracklet"), counted(gaps, "gap"), counted(data.length, "box"),
      counted(data.frameCount, "frame"), clock(seconds, 1),
    ].join(" · ");
    get("note").textContent = data.note;
    const aspect = (data.width * (data.pixelAspect ?? 1)) / data.height;
    get("stage").style.setProperty("--aspect", String(aspect));
    get("of").textContent = `of ${data.last}`;
    for (const id of ["scrubber", "frame"]) {
      Object.assign(input(id), { min: String(data.first), max: String(data.last) });
    }
  }

  /** After edits. */
  renew() {
    this.filters.renew();
    this.timeline.arrange();
    this.writeFacts();
    this.strip.update();
    this.drawAll();
    this.list.reveal();
  }

  listenToStore() {
    const { store, overlay, timeline, chart, list, strip, filters } = this;
    store.on(["data"], () => this.renew());
    store.on(["selected"], () => list.draw());
    store.on(["selected", "mark"], () => timeline.draw());
    store.on(["shown", "track", "filter", "boxes", "zoom", "playing"], () => overlay.draw());
    store.on(["frame"], () => timeline.follow());
    store.on(["frame"], () => store.state.mark !== null && timeline.draw());
    store.on(["frame", "track"], () => chart.draw());
    store.on(["frame"], () => this.drawPlace());
    store.on(["filter"], () => this.drawDensity());
    store.on(["filter"], () => timeline.arrange());
    store.on(["filter"], () => filters.draw());
    store.on(["filter", "sort"], () => list.arrange());
    store.on(["track"], () => this.drawChosen());
    store.on(["track"], () => timeline.reveal());
    store.on(["track", "sort"], () => list.reveal());
    store.on(["track"], () => strip.update());
    store.on(["playing", "zoom", "loop", "boxes", "sort"], () => this.drawControls());
    store.on(["frame", "track", "filter", "sort", "playing"], () => this.writeHashSoon());
  }

  listenToControls() {
    const { store, player } = this;
    const click = (/** @type {string} */ id, /** @type {() => void} */ run) => get(id).addEventListener("click", run);
    click("play", () => player.toggle());
    click("step-back", () => player.step(-1));
    click("step-forward", () => player.step(1));
    click("previous-stop", () => this.toStop(-1, false));
    click("next-stop", () => this.toStop(1, false));
    click("zoom", () => this.flip("zoom"));
    click("loop", () => this.flip("loop"));
    click("sound", () => this.flipSound());
    click("unchoose", () => this.chooseNone());
    click("open-help", () => /** @type {HTMLDialogElement} */ (get("help")).showModal());
    click("open-video", () => get("file").click());
    input("scrubber").addEventListener("input", () => player.seek(input("scrubber").valueAsNumber));
    input("frame").addEventListener("change", () => player.seek(numberIn(input("frame")) ?? store.state.frame));
    input("find").addEventListener("input", () => this.find());
    input("file").addEventListener("change", () => this.videos.openFile(input("file").files?.[0]));
    select("speed").addEventListener("change", () => player.setSpeed(Number(select("speed").value)));
    select("sort").addEventListener("change", () => store.set({ sort: select("sort").value }));
    select("boxes-shown").addEventListener("change", () => {
      store.set({ boxes: /** @type {State["boxes"]} */ (select("boxes-shown").value) });
    });
  }

  listenToWindow() {
    new ResizeObserver(() => this.drawAll()).observe(document.body);
    new ResizeObserver(() => this.overlay.draw()).observe(get("stage"));
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", () => {
      this.theme.read();
      this.drawAll();
    });
    addEventListener("hashchange", () => {
      const state = fromHash(location.hash, this.data);
      this.store.set(state);
      this.player.seek(state.frame ?? this.data.first);
    });
    addEventListener("dragover", (event) => event.preventDefault());
    addEventListener("drop", (event) => {
      event.preventDefault();
      this.videos.openFile(event.dataTransfer?.files[0]);
    });
  }

  drawAll() {
    this.overlay.draw();
    this.timeline.draw();
    this.chart.draw();
    this.list.arrange();
    this.filters.draw();
    this.drawDensity();
    this.drawPlace();
    this.drawChosen();
    this.drawControls();
  }

  drawDensity() {
    drawDensity(canvasOf("density"), this.data, this.store, this.theme);
  }

  drawPlace() {
    const { frame } = this.store.state;
    input("scrubber").valueAsNumber = frame;
    if (document.activeElement !== get("frame")) input("frame").valueAsNumber = frame;
    const time = clock(this.data.timeOf(frame));
    get("time").textContent = time;
    input("scrubber").setAttribute("aria-valuetext", `frame ${frame}, ${time}`);
  }

  drawControls() {
    const { playing, zoom, loop, boxes, sort } = this.store.state;
    get("play").setAttribute("aria-label", playing ? "Pause" : "Play");
    get("play").querySelector("use")?.setAttribute("href", playing ? "#i-pause" : "#i-play");
    get("zoom").setAttribute("aria-pressed", String(zoom));
    get("loop").setAttribute("aria-pressed", String(loop));
    get("sound").setAttribute("aria-pressed", String(!this.player.video.muted));
    select("boxes-shown").value = boxes;
    select("sort").value = sort;
  }

  drawChosen() {
    const { track } = this.store.state;
    get("chosen-more").hidden = get("unchoose").hidden = track === null;
    get("chosen-dot").hidden = track === null;
    if (!track) {
      get("chosen-name").textContent = "No tracklet chosen";
      get("chosen-facts").replaceChildren(...this.invitation);
      return;
    }
    get("chosen-dot").style.background = this.data.colour(track);
    const text = this.editor.sheet.texts.get(track.id);
    const facts = factsOf(track) + (text ? ` · “${text}”` : "");
    get("chosen-name").textContent = this.data.nameOf(track);
    get("chosen-facts").textContent = facts;
    get("announcer").textContent = `${this.data.nameOf(track)}, ${facts}`;
    this.chart.draw();
  }

  chooseNone() {
    this.store.set({ track: null, selected: new Set(), mark: null, drawing: null });
    if (this.editor.isOn) this.doubts.close();
  }

  /** Go to a tracklet. @param {Track} track */
  choose(track) {
    this.player.pause();
    this.store.set({ track });
    this.player.seek(track.first);
  }

  /** To another tracklet of the list. @param {number} step */
  leaf(step) {
    const { tracks, state } = this.store;
    const place = state.track ? tracks.indexOf(state.track) : -1;
    const next = place < 0 ? tracks[0] : tracks[place + step];
    if (next) this.choose(next);
  }

  find() {
    const track = this.data.byId.get(numberIn(input("find")) ?? NO_TRACK);
    if (track) this.choose(track);
  }

  /** @param {"first" | "last"} end */
  toEnd(end) {
    const { track } = this.store.state;
    if (!track) return;
    this.player.pause();
    this.player.seek(track[end]);
  }

  /** To the next stop, or the one before. @param {1 | -1} step @param {boolean} ofChosen */
  toStop(step, ofChosen) {
    const kind = select("stops").value;
    const { frame, track } = this.store.state;
    const fits = (/** @type {Stop} */ stop) => (kind === "any" || stop.kind === kind)
      && (ofChosen ? stop.track === track : this.store.passing.has(stop.track));
    const stops = this.data.stops.filter(fits);
    const here = this.stop?.frame === frame && this.stop.track === track ? stops.indexOf(this.stop) : -1;
    const forward = stops.findIndex((stop) => stop.frame > frame);
    const back = stops.filter((stop) => stop.frame < frame).length - 1;
    const next = here >= 0 ? stops[here + step] : stops[step > 0 ? forward : back];
    if (!next) return;
    this.stop = next;
    this.player.pause();
    this.store.set({ track: next.track });
    this.player.seek(next.frame);
  }

  /** @param {"zoom" | "loop"} name */
  flip(name) {
    this.store.set({ [name]: !this.store.state[name] });
  }

  nextBoxes() {
    /** @type {State["boxes"][]} */
    const kinds = ["all", "chosen", "none"];
    this.store.set({ boxes: kinds[(kinds.indexOf(this.store.state.boxes) + 1) % kinds.length] });
  }

  flipSound() {
    this.player.video.muted = !this.player.video.muted;
    this.drawControls();
  }

  writeHashSoon() {
    if (this.store.state.playing) return;
    clearTimeout(this.hashTimer);
    this.hashTimer = setTimeout(() => {
      history.replaceState(null, "", toHash(this.store.state, this.data));
    }, 150);
  }

  /** @param {string} text */
  notice(text) {
    get("notice").textContent = text;
    get("notice").hidden = false;
  }
}

const viewer = new Viewer(new Data(JSON.parse(get("data").textContent ?? "")));
viewer.start();
