// Why a revision was rolled back, for somebody who has never seen this project.

import { el, facts, section } from "../dom.js";
import { verdicts, waits } from "../rollout.js";
import { duration, METRICS, moment } from "../words.js";

/** `charts` are those around the attempt. */
export function story(found, { failed, explanation, images }, charts) {
  const { summary } = found;
  const lasted = failed.startTime ? duration((Date.parse(failed.time) - Date.parse(failed.startTime)) / 1000) : null;
  return section(
    "story",
    `Why revision ${failed.revision} was rolled back`,
    "bad",
    el("p", { class: "lead" }, lead(failed)),
    el("p", {}, explanation.means),
    facts([
      ["given up", moment(failed.time)],
      ["after", lasted && `${lasted}, in attempt ${failed.attempt}`],
      ["share of the traffic that it had", failed.weight === undefined ? null : `at most ${failed.weight} %`],
      ["its image", images.length ? el("code", {}, images.join(", ")) : null],
      ["reason", el("code", {}, failed.reason)],
    ]),
    verdicts(failed.verdicts ?? [], "What was measured when it was given up"),
    el("h3", {}, "What came of it"),
    after(found, failed),
    waits(found.waiting),
    el("h3", {}, "What to do"),
    el("p", {}, explanation.advice),
    el("pre", { tabindex: "0" }, `kubectl tenfold -n ${summary.namespace} retry ${summary.name}`),
    el("h3", {}, "How it went"),
    charts.slot(),
  );
}

/** What failed, without the names of metrics where they have one for people. */
function lead(failed) {
  const bad = (failed.verdicts ?? []).filter((each) => each.outcome === "Failed");
  if (failed.reason !== "AnalysisFailed" || !bad.length) return failed.message;
  return bad.map((each) => `${METRICS[each.metric] ?? each.metric}: ${each.message}`).join("; ");
}

function after({ revisions, summary }, failed) {
  const left = revisions.find((each) => each.name === failed.revision)?.weight ?? 0;
  const stable = revisions.find((each) => each.role === "stable");
  const words = left
    ? `${left} % of the traffic still goes to it; the rest is back on ${summary.stable}.`
    : `All traffic is back on revision ${summary.stable}, which served before, with ${stable?.ready ?? 0} of ${stable?.replicas ?? 0} pods ready.`;
  return el("p", {}, words, " It is not tried again until a person says so.");
}
