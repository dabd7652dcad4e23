// Everything in one line each; what needs a look comes first.

import { read } from "../api.js";
import { decisionTable } from "../decisions.js";
import { badge, el, section, table, title } from "../dom.js";
import { link, moment } from "../words.js";

const LATEST = 8;
const NAMES = {
  Workload: "Workload",
  RedisTier: "Redis tier",
  RedisBackup: "Backup",
  RedisRestore: "Restore",
  AnomalyDetector: "Anomaly detector",
};

export function open({ live }) {
  return {
    async render() {
      const { decisions } = await read("decisions", { limit: LATEST });
      const all = Object.keys(NAMES).flatMap((kind) => live.of(kind));
      return [
        title("Overview"),
        health(all),
        workloadSection(live.of("Workload")),
        section("tiers", "Redis tiers", null, tierTable(live.of("RedisTier"))),
        section("detectors", "Anomalies", null, detectorTable(live.of("AnomalyDetector"))),
        section("latest", "Last decisions", null, decisionTable("Last decisions", decisions, false), more()),
      ];
    },
  };
}

function more() {
  return el("p", {}, el("a", { href: "#/decisions" }, "All decisions, with search"));
}

function health(all) {
  const bad = all.filter((each) => each.state === "bad");
  const working = all.filter((each) => each.state === "working");
  if (!all.length) return section("health", "Nothing yet", null, el("p", {}, "The operator has seen no resource yet."));
  if (!bad.length && !working.length) {
    return section("health", "All is well", null, el("p", {}, `${all.length} resources, none needs a look.`));
  }
  const items = [...bad, ...working].map((each) =>
    el("li", {}, badge(each.state), " ", NAMES[each.kind], " ", link(each), ` ${each.reason}: ${each.headline}`),
  );
  const title = bad.length ? `${bad.length} of ${all.length} need a look` : "Something goes on";
  return section("health", title, bad.length ? "bad" : "working", el("ul", {}, items));
}

function workloadSection(found) {
  const heads = ["Workload", "state", "what goes on", "rollout", "pods ready", "since"];
  const rows = found.map((each) => [
    link(each),
    badge(each.state, each.reason || undefined),
    { class: "wide", content: each.headline },
    { class: "nowrap", content: each.weight === undefined ? `${each.stable} serves` : `step ${each.step} of ${each.steps}, ${each.weight} %` },
    { class: "number", content: `${each.ready} of ${each.wanted}` },
    { class: "nowrap", content: moment(each.since) },
  ]);
  return section("workloads", "Workloads", null, table("Workloads and their rollouts", heads, rows));
}

/** Tiers in one line each. */
export function tierTable(found) {
  const heads = ["tier", "state", "what goes on", "primary or shards", "replicas in sync", "Sentinels that agree", "last hand-over"];
  const rows = found.map((each) => [
    link(each),
    badge(each.state, each.reason || undefined),
    { class: "wide", content: each.headline },
    each.shards ? `${each.shards} shards` : each.primary,
    { class: "number", content: `${each.inSync} of ${each.replicas}` },
    { class: "number", content: each.sentinels ? `${each.sentinelsAgreeing} of ${each.sentinels}` : "a cluster has none" },
    { class: "nowrap", content: moment(each.lastFailover) ?? "none seen" },
  ]);
  return table("Redis tiers", heads, rows);
}

/** Detectors in one line each. */
export function detectorTable(found) {
  const heads = ["detector", "verdict", "what goes on", "score (anomalous above 1)", "since"];
  const rows = found.map((each) => [
    link(each),
    badge(each.state, each.verdict),
    { class: "wide", content: each.headline },
    { class: "number", content: each.score?.toFixed(2) ?? "" },
    { class: "nowrap", content: moment(each.since) },
  ]);
  return table("Anomaly detectors", heads, rows);
}
