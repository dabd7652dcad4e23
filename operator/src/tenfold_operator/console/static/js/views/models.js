// Which version of which model is in use.

import { el, section, table, title } from "../dom.js";
import { link } from "../words.js";

export function open({ live }) {
  return {
    concerns: ({ kind }) => kind === "AnomalyDetector" || kind === "Workload",
    render: () => [
      title("Models"),
      section("forecast-models", "Forecasts of Workloads", null, forecasts(live.of("Workload"))),
      section("detector-models", "Anomaly detectors", null, detectors(live.of("AnomalyDetector"))),
    ],
  };
}

function forecasts(workloads) {
  const heads = ["Workload", "champion", "challenger", "confidence", "how they do"];
  const scaled = workloads.filter((each) => each.model || each.modelNote);
  const rows = scaled.map((each) => [
    link(each),
    el("code", {}, each.model || "not fitted yet"),
    each.challenger ? el("code", {}, each.challenger) : "none",
    { class: "number", content: each.confidencePercent === undefined ? "" : `${each.confidencePercent} %` },
    { class: "wide", content: each.modelNote ?? "" },
  ]);
  const none = "No Workload is scaled by forecasts: spec.scaling asks for it.";
  return table("Models of forecasts", heads, rows, none);
}

function detectors(found) {
  const rows = found.map((each) => [link(each), el("code", {}, each.model || "not fitted yet"), each.verdict]);
  return table("Models of anomaly detectors", ["detector", "version", "verdict"], rows);
}
