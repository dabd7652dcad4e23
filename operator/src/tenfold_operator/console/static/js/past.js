// A resource's charts of the past, of a window that the reader chooses.

import { read } from "./api.js";
import { Chart } from "./chart.js";
import { el } from "./dom.js";

const WINDOWS = { 15: "15 minutes", 60: "1 hour", 360: "6 hours", 1440: "24 hours" };

/** Charts under one heading; the node stays the same for as long as its page is open. */
export class Past {
  /** `fixed` are the parameters of a window that nobody can change. */
  constructor(path, { minutes = 60, fixed = null, keys = null } = {}) {
    this.path = path;
    this.fixed = fixed;
    this.keys = keys;
    this.minutes = minutes;
    this.charts = new Map();
    this.trouble = el("p", { class: "dim" }, "Prometheus is asked.");
    this.place = el("div", { class: "charts" });
    this.key = `past ${path} ${JSON.stringify([fixed, keys])}`;
    this.node = el("div", { "data-keep": this.key });
    this.node.append(...(fixed ? [] : [this.chooser()]), this.trouble, this.place);
  }

  chooser() {
    const options = Object.entries(WINDOWS).map(([minutes, words]) =>
      el("option", { value: minutes, selected: Number(minutes) === this.minutes }, words),
    );
    const select = el("select", {}, options);
    select.addEventListener("change", () => {
      this.minutes = Number(select.value);
      this.refresh();
    });
    return el("div", { class: "controls" }, el("label", {}, "The last", select));
  }

  /** What stands in the page for the charts until `mount` puts them there. */
  slot() {
    return el("div", { "data-keep": this.key });
  }

  mount(root) {
    const slot = root.querySelector(`[data-keep="${CSS.escape(this.key)}"]`);
    if (slot && slot !== this.node) slot.replaceWith(this.node);
  }

  async refresh() {
    const asked = this.fixed ?? { minutes: this.minutes };
    let history;
    try {
      history = await read(`${this.path}/history`, asked);
    } catch (error) {
      this.say(error.message);
      return;
    }
    if (!this.fixed && asked.minutes !== this.minutes) return;
    this.show({ marks: [], charts: [], ...history });
  }

  show(history) {
    const byKey = new Map(history.charts.map((each) => [each.key, each]));
    const charts = (this.keys ?? [...byKey.keys()]).map((key) => byKey.get(key)).filter(Boolean);
    this.say(history.trouble || (charts.length ? "" : "Prometheus has no values of this time."));
    for (const [key, chart] of this.charts) {
      if (charts.some((each) => each.key === key)) continue;
      chart.destroy();
      chart.figure.remove();
      this.charts.delete(key);
    }
    for (const each of charts) {
      if (!this.charts.has(each.key)) {
        const chart = new Chart();
        this.charts.set(each.key, chart);
        this.place.append(chart.figure);
      }
      this.charts.get(each.key).update(each, history);
    }
  }

  say(words) {
    this.trouble.textContent = words;
    this.trouble.hidden = !words;
  }

  destroy() {
    this.charts.forEach((each) => each.destroy());
  }
}
