// The filter's controls. They write the store's filter, and show what it is, whoever changed it.

/** What stands on the buttons of `Filter.having`, and their names in a sentence. */
const HAVING = /** @type {[Kind, string][]} */ ([
  ["gap", "gaps ⋯"], ["switch", "class changes ⇄"], ["jump", "leaps ⤼"],
]);

class Filters {
  /** @param {Data} data @param {Store} store */
  constructor(data, store) {
    this.data = data;
    this.store = store;
    this.inputs = {
      minLength: input("min-length"), maxLength: input("max-length"),
      minScore: input("min-score"), maxScore: input("max-score"),
    };
    for (const name of RANGES) {
      this.inputs[name].addEventListener("input", () => store.setFilter({ [name]: numberIn(this.inputs[name]) }));
    }
    const clear = get("clear-filters");
    clear.addEventListener("click", (event) => {
      event.preventDefault(); // it stands in a summary, which would fold up
      store.set({ filter: noFilter() });
      get("classes").querySelector("button")?.focus();
    });
    this.addClasses();
    this.addHaving();
  }

  addClasses() {
    /** @type {Map<number, number>} */
    const counts = new Map();
    for (const { label } of this.data.tracks) counts.set(label, (counts.get(label) ?? 0) + 1);
    const ordered = [...counts].sort(byCount(this.data.labels));
    get("classes").replaceChildren(...ordered.map(([label, count]) => {
      const chip = this.chip(this.data.labels[label], count, () => this.toggle("classes", label));
      chip.dataset.label = String(label);
      return chip;
    }));
  }

  addHaving() {
    get("having").replaceChildren(...HAVING.map(([kind, text]) => {
      const { length } = this.data.tracks.filter((track) => passes(track, { ...noFilter(), having: new Set([kind]) }));
      const chip = this.chip(text, length, () => this.toggle("having", kind));
      chip.dataset.kind = kind;
      return chip;
    }));
  }

  /** @param {string} text @param {number} count @param {() => void} onClick */
  chip(text, count, onClick) {
    const chip = element("button", "chip", text);
    chip.type = "button";
    chip.append(element("span", "quiet", String(count)));
    chip.addEventListener("click", onClick);
    return chip;
  }

  /** @param {"classes" | "having"} name @param {any} value */
  toggle(name, value) {
    const values = new Set(/** @type {Set<any>} */ (this.store.state.filter[name]));
    if (!values.delete(value)) values.add(value);
    this.store.setFilter({ [name]: values });
  }

  /** After the tracklets have changed. */
  renew() {
    this.addClasses();
    this.addHaving();
    this.draw();
  }

  draw() {
    const { filter } = this.store.state;
    for (const name of RANGES) {
      // What is being typed, such as "0.", is left alone.
      if (numberIn(this.inputs[name]) !== filter[name]) this.inputs[name].value = String(filter[name] ?? "");
    }
    for (const chip of chipsIn("classes")) {
      chip.setAttribute("aria-pressed", String(filter.classes.has(Number(chip.dataset.label))));
    }
    for (const chip of chipsIn("having")) {
      chip.setAttribute("aria-pressed", String(filter.having.has(/** @type {Kind} */ (chip.dataset.kind))));
    }
    const [shown, all] = [this.store.tracks.length, this.data.tracks.length];
    get("filter-count").textContent = `${shown.toLocaleString("en")} of ${counted(all, "tracklet")}`;
    get("clear-filters").hidden = shown === all;
  }
}

/** @param {string} id @returns {NodeListOf<HTMLElement>} */
function chipsIn(id) {
  return get(id).querySelectorAll(".chip");
}
