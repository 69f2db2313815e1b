// The list of tracklets: only the lines in view exist, however many there are.

const ROW = 28;

class List {
  /**
   * @param {Data} data
   * @param {Store} store
   * @param {(track: Track) => void} choose
   * @param {boolean} selects whether several can be selected
   */
  constructor(data, store, choose, selects) {
    this.data = data;
    this.store = store;
    this.home = get("list");
    this.space = get("list-space");
    this.home.addEventListener("scroll", () => this.draw());
    this.selects = selects;
    if (selects) this.home.setAttribute("aria-multiselectable", "true");
    this.space.addEventListener("click", (event) => {
      const target = /** @type {HTMLElement} */ (event.target);
      const row = target.closest("[data-id]");
      const track = row && data.byId.get(Number(row.getAttribute("data-id")));
      if (!track) return;
      if (selects && event.shiftKey) this.selectTo(track);
      else if (selects && (event.ctrlKey || event.metaKey || target.closest(".dot"))) store.toggle(track.id);
      else choose(track);
    });
  }

  /** Select the lines from the chosen one to another. @param {Track} track */
  selectTo(track) {
    const { tracks, state } = this.store;
    const places = [tracks.indexOf(track), state.track ? tracks.indexOf(state.track) : 0].sort((a, b) => a - b);
    const ids = tracks.slice(Math.max(0, places[0]), places[1] + 1).map(({ id }) => id);
    this.store.set({ selected: new Set([...state.selected, ...ids]) });
  }

  /** After the filter or the order has changed. */
  arrange() {
    const { length } = this.store.tracks;
    this.home.hidden = length === 0;
    get("list-empty").hidden = length > 0;
    this.space.style.height = `${length * ROW}px`;
    this.draw();
  }

  draw() {
    this.store.draw(this);
  }

  paint() {
    const { tracks, state } = this.store;
    const begin = Math.max(0, Math.floor(this.home.scrollTop / ROW) - 2);
    const end = Math.min(tracks.length, begin + Math.ceil(this.home.clientHeight / ROW) + 4);
    const rows = [];
    for (let i = begin; i < end; i++) rows.push(this.row(tracks[i], i));
    this.space.replaceChildren(...rows);
    const isThere = rows.some((row) => row.id === `row-${state.track?.id}`);
    if (isThere) this.home.setAttribute("aria-activedescendant", `row-${state.track?.id}`);
    else this.home.removeAttribute("aria-activedescendant");
  }

  /** @param {Track} track @param {number} place */
  row(track, place) {
    const { data, store } = this;
    const row = element("div", "row");
    row.id = `row-${track.id}`;
    row.dataset.id = String(track.id);
    row.setAttribute("role", "option");
    const isSelected = store.state.selected.has(track.id);
    row.setAttribute("aria-selected", String(track === store.state.track || isSelected));
    row.classList.toggle("selected", isSelected);
    row.setAttribute("aria-setsize", String(store.tracks.length));
    row.setAttribute("aria-posinset", String(place + 1));
    row.setAttribute("aria-label", `${data.nameOf(track)}, ${factsOf(track)}`);
    row.style.top = `${place * ROW}px`;
    const dot = element("span", "dot");
    dot.style.background = data.colour(track);
    if (this.selects) dot.title = "Select  V";
    dot.textContent = isSelected ? "✓" : "";
    const meter = element("span", "meter");
    const level = element("span", "");
    level.style.width = `${track.score * 100}%`;
    meter.append(level);
    row.append(
      dot,
      element("span", "id", String(track.id)),
      element("span", "label", data.labels[track.label]),
      element("span", "flags", flagsOf(track)),
      element("span", "start", clock(data.timeOf(track.first), 1)),
      element("span", "boxes", String(track.to - track.from)),
      meter,
    );
    return row;
  }

  /** Scroll to the chosen line. */
  reveal() {
    const { tracks, state } = this.store;
    const place = state.track ? tracks.indexOf(state.track) : -1;
    if (place >= 0) {
      const top = place * ROW;
      const { scrollTop, clientHeight } = this.home;
      if (top < scrollTop) this.home.scrollTop = top - ROW;
      else if (top + ROW > scrollTop + clientHeight) this.home.scrollTop = top + 2 * ROW - clientHeight;
    }
    this.draw();
  }
}

/** What went wrong with a tracklet, in signs. @param {Track} track */
function flagsOf(track) {
  const flags = [];
  if (track.gaps.length) flags.push(`${track.gaps.length} ⋯`);
  if (track.switches.length) flags.push(`${track.switches.length} ⇄`);
  if (track.jumps.length) flags.push(`${track.jumps.length} ⤼`);
  return flags.join("  ");
}
