// A Workload: what serves, what is rolled out and how it is judged, and why a revision went back.

import { path, read } from "../api.js";
import { decisionTable } from "../decisions.js";
import { badge, el, facts, section, table, title } from "../dom.js";
import { Past } from "../past.js";
import { shares, steps, verdicts, waits } from "../rollout.js";
import { scaling } from "../scaling.js";
import { moment, ROLES } from "../words.js";
import { story } from "./story.js";

export function open({ rest }) {
  const [namespace, name] = rest;
  const own = path("workloads", namespace, name);
  const past = new Past(own, { minutes: 15 });
  const stories = new Map();

  /** The charts around a failed attempt; they are asked for once, and again until it is over. */
  function around(attempt) {
    if (!stories.has(attempt)) {
      const charts = new Past(own, { fixed: { attempt }, keys: ["errors", "latency", "weights"] });
      stories.set(attempt, charts);
      charts.refresh();
    }
    return stories.get(attempt);
  }

  past.refresh();
  return {
    concerns: (each) => each.kind === "Workload" && each.namespace === namespace && each.name === name,
    async render() {
      const found = await read(own);
      const failure = found.failures[0];
      const told = failure?.isTarget ? failure : null;
      return [
        title(`${namespace}/${name} `, badge(found.summary.state, found.summary.reason || undefined)),
        told ? story(found, told, around(told.failed.attempt)) : now(found),
        revisionSection(found),
        section("past", "The last minutes, revision by revision", null, past.slot()),
        scaling(found),
        failureSection(found, told),
        section("decisions", "What the operator did, and why", null, decisionTable("Last decisions", found.decisions, true), more(found)),
        conditionSection(found),
      ];
    },
    tick() {
      past.refresh();
      const [newest] = [...stories.values()].slice(-1);
      newest?.refresh();
    },
    drawn(main) {
      [past, ...stories.values()].forEach((each) => each.mount(main));
    },
    close() {
      [past, ...stories.values()].forEach((each) => each.destroy());
    },
  };
}

function more({ summary }) {
  const query = new URLSearchParams({ kind: "Workload", namespace: summary.namespace, name: summary.name });
  return el("p", {}, el("a", { href: `#/decisions?${query}` }, "All decisions on it, with search"));
}

/** What goes on while nothing has failed. */
function now(found) {
  const { summary, progress, explanation } = found;
  if (!progress) {
    const look = summary.state === "bad" ? "bad" : null;
    return section("now", "Now", look, el("p", { class: "lead" }, summary.headline), meaning(explanation), waits(found.waiting));
  }
  return section(
    "now",
    `Revision ${progress.revision} is being rolled out`,
    "working",
    el("p", { class: "lead" }, summary.headline),
    meaning(explanation),
    steps(found.rollout, progress),
    waits(found.waiting),
    facts([
      ["attempt", String(progress.attempt)],
      ["began", moment(progress.startTime)],
      ["failed judgements in a row", failuresInARow(found)],
      ["judged last", moment(progress.judgedTime)],
    ]),
    verdicts(progress.verdicts ?? [], "Verdicts on the new revision"),
  );
}

function failuresInARow({ progress, rollout }) {
  const limit = rollout.analysis?.failureLimit;
  return limit && progress.failures ? `${progress.failures} of ${limit}, then it goes back` : null;
}

function meaning({ means, advice }) {
  return means ? el("p", {}, `${means} ${advice}`) : null;
}

function revisionSection(found) {
  const heads = ["revision", "role", "traffic", "pods ready", "image", "made"];
  const rows = found.revisions.map((each) => [
    el("code", {}, each.name),
    ROLES[each.role],
    { class: "number", content: `${each.weight} %` },
    { class: "number", content: `${each.ready} of ${each.replicas}` },
    el("code", {}, each.images.join(", ")),
    { class: "nowrap", content: moment(each.createdAt) },
  ]);
  return section("revisions", "Revisions and their traffic", null, shares(found.revisions), table("Revisions", heads, rows));
}

function failureSection(found, told) {
  const earlier = found.failures.filter((each) => each !== told);
  if (!earlier.length) return section("failures", "Revisions that failed before", null, el("p", { class: "dim" }, "None that is remembered."));
  const rows = earlier.map(({ failed, explanation }) => [
    el("code", {}, failed.revision),
    { class: "nowrap", content: moment(failed.time) },
    failed.reason,
    { class: "wide", content: failed.message },
    { class: "wide", content: explanation.means },
  ]);
  return section("failures", "Revisions that failed before", null, table("Revisions that were given up", ["revision", "when", "reason", "in words", "what that means"], rows));
}

function conditionSection({ conditions }) {
  const rows = conditions.map((each) => [
    each.type,
    each.status,
    each.reason,
    { class: "wide", content: each.message },
    { class: "nowrap", content: moment(each.lastTransitionTime) },
  ]);
  return section("conditions", "Conditions", null, table("As kubectl shows them", ["condition", "status", "reason", "message", "since"], rows));
}
