// How many pods are wanted and had, and why.

import { el, facts, section } from "./dom.js";
import { moment } from "./words.js";

/** The section of a Workload. */
export function scaling({ summary, scaling: told }) {
  const had = `${summary.ready} ready`;
  if (!told) {
    return section(
      "scaling",
      "Pods wanted and had",
      null,
      facts([["wanted", String(summary.wanted)], ["had", had]]),
      el("p", {}, "spec.replicas asks for them, or an autoscaler that sets it."),
    );
  }
  const count = (value) => (value === undefined ? null : String(value));
  return section(
    "scaling",
    "Pods wanted and had",
    told.held ? "working" : null,
    el("p", { class: "lead" }, told.message ?? `${told.replicas} pods`),
    facts([
      ["decided on", count(told.replicas)],
      ["had", had],
      ["for the present load", count(told.reactiveReplicas)],
      ["for the forecast", count(told.predictedReplicas) ?? "no forecast counts"],
      ["asked for before limits and doubts", count(told.wantedReplicas)],
      ["confidence of the forecast", told.confidencePercent === undefined ? null : `${told.confidencePercent} %`],
      ["looked ahead", told.horizonSeconds === undefined ? null : `${told.horizonSeconds} s`],
      ["one pod serves", told.capacityRequestsPerMinute === undefined ? null : `${told.capacityRequestsPerMinute} requests a minute`],
      ["held by", told.held],
      ["model", told.model?.version && el("code", {}, told.model.version)],
      ["fitted", moment(told.model?.trainedTime)],
      ["tried beside it", told.model?.challenger && el("code", {}, told.model.challenger)],
      ["of the model", told.model?.message],
      ["said", moment(told.time)],
    ]),
    told.reasons?.length ? [el("h3", {}, "Why"), el("ul", {}, told.reasons.map((each) => el("li", {}, each)))] : null,
  );
}
