// All detectors on time lines with their bands.

import { path } from "../api.js";
import { badge, el, section, title } from "../dom.js";
import { Past } from "../past.js";
import { link } from "../words.js";
import { detectorTable } from "./overview.js";

const MOST_CHARTS = 12;

export function open({ live }) {
  const charts = new Map();

  function chart({ namespace, name }) {
    const own = path("anomalydetectors", namespace, name);
    if (!charts.has(own)) {
      const past = new Past(own, { fixed: { minutes: 360 }, keys: ["band", "score"] });
      charts.set(own, past);
      past.refresh();
    }
    return charts.get(own);
  }

  return {
    concerns: ({ kind }) => kind === "AnomalyDetector",
    render() {
      const found = live.of("AnomalyDetector");
      const order = ["bad", "working", "unknown", "good"];
      const first = [...found].sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state)).slice(0, MOST_CHARTS);
      return [
        title("Anomalies"),
        el("p", {}, "A detector learns what is normal and says when it is not. A verdict raises suspicion; it changes nothing by itself."),
        section("detectors", "Detectors", null, detectorTable(found)),
        first.map((each, index) =>
          section(`detector-${index}`, `The last 6 hours of ${each.namespace}/${each.name}`, null, el("p", {}, badge(each.state, each.verdict), " ", link(each)), chart(each).slot()),
        ),
      ].flat();
    },
    tick: () => charts.forEach((each) => each.refresh()),
    drawn: (main) => charts.forEach((each) => each.mount(main)),
    close: () => charts.forEach((each) => each.destroy()),
  };
}
