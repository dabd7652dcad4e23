// Decisions as a table: the same wherever they are shown.

import { badge, el, table } from "./dom.js";
import { link, moment } from "./words.js";

/** `isOwn`: all are of one resource, which need not be named. */
export function decisionTable(caption, decisions, isOwn) {
  const heads = ["time", ...(isOwn ? [] : ["of"]), "what", "why", "confidence"];
  const rows = decisions.map((each) => [
    { class: "nowrap", content: moment(each.time) },
    ...(isOwn ? [] : [link(each)]),
    { class: "wide", content: [each.refused ? [badge("bad", "refused"), " "] : null, each.what] },
    { class: "wide", content: [each.why, each.means ? el("p", { class: "dim" }, each.means) : null] },
    { class: "number", content: each.confidencePercent ? `${each.confidencePercent} %` : "" },
  ]);
  const none = "None since the operator started. What it decided before is in the status and in the events of Kubernetes.";
  return table(caption, heads, rows, none);
}
