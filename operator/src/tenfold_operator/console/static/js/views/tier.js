// A Redis tier: who is the primary, how it moved, and whether its copies can be trusted.

import { path, read } from "../api.js";
import { decisionTable } from "../decisions.js";
import { badge, el, facts, section, table, title } from "../dom.js";
import { Past } from "../past.js";
import { waits } from "../rollout.js";
import { behind, cluster, topology } from "../topology.js";
import { bytes, duration, moment } from "../words.js";

export function open({ rest }) {
  const [namespace, name] = rest;
  const own = path("redistiers", namespace, name);
  const past = new Past(own, { minutes: 15 });
  past.refresh();
  return {
    concerns: (each) => each.namespace === namespace && (each.name === name || each.summary?.tier === name),
    async render() {
      const found = await read(own);
      const { summary } = found;
      const look = { bad: "bad", working: "working" }[summary.state] ?? null;
      return [
        title(`${namespace}/${name} `, badge(summary.state, summary.reason || undefined)),
        section("now", "Now", look, el("p", { class: "lead" }, summary.headline), meaning(found), waits(found.waiting), settings(found)),
        section("topology", "Topology", null, topologyOf(found)),
        handOverSection(found),
        copySection(found),
        section("past", "The last minutes, server by server", null, past.slot()),
        section("decisions", "What the operator did, and why", null, decisionTable("Last decisions", found.decisions, true)),
      ];
    },
    tick: () => past.refresh(),
    drawn: (main) => past.mount(main),
    close: () => past.destroy(),
  };
}

function meaning({ explanation }) {
  return explanation.means ? el("p", {}, `${explanation.means} ${explanation.advice}`) : null;
}

function settings(found) {
  return facts([
    ["memory of each server", found.memory],
    ["when it is full", found.evictionPolicy],
    ["persistence", found.persistence],
  ]);
}

function topologyOf(found) {
  const isCluster = found.summary.sentinels === 0;
  if (!isCluster) return [topology(found), serverTable(found), sentinelTable(found)];
  return [cluster(found), shardTable(found), serverTable(found)];
}

function shardTable({ status }) {
  const rows = (status.shards ?? []).map((each) => [
    `shard ${each.number}`,
    each.primary ?? "none that answers",
    { class: "number", content: String(each.replicas) },
    { class: "number", content: `${each.slots} of 16384` },
  ]);
  return table("Shards", ["shard", "primary", "replicas connected", "slots"], rows);
}

function serverTable({ status, servers }) {
  const rows = (status.replicas ?? []).map((each) => {
    const pod = servers.find((known) => known.name === each.name);
    const isPrimary = each.role === "primary" || each.name === status.primary;
    const lag = isPrimary || status.shards?.length ? "" : behind(each);
    return [each.name, isPrimary ? "primary" : each.role, lag, pod?.isReady ? "ready" : "not ready", pod?.node ?? ""];
  });
  return table("Servers", ["server", "role", "behind the primary", "pod", "node"], rows);
}

function sentinelTable({ sentinels }) {
  const rows = sentinels.map((each) => [each.name, each.isReady ? "ready" : "not ready", each.node ?? ""]);
  return table("Sentinels", ["Sentinel", "pod", "node"], rows);
}

function handOverSection(found) {
  const { lastFailover: moved, lastSplit: split, conditions } = found.status;
  const due = conditions?.find((each) => each.type === "HandOverDue");
  return section(
    "handovers",
    "Hand-overs",
    null,
    facts([
      ["the primary last moved", moved ? [moment(moved.time), ` from ${moved.from} to ${moved.to}`, moved.withoutQuorum ? ", decided by the operator without a quorum" : ""] : "not since the tier is known"],
      ["should it move now", due ? `${due.status === "True" ? "yes" : "no"}: ${due.message}` : null],
      ["last second primary", split ? [moment(split.time), ` ${split.pod} beside ${split.primary}, ${split.lostBytes === undefined ? "loss not known" : `${bytes(split.lostBytes)} of writes lost`}`] : "none seen"],
    ]),
    decisionTable("Hand-overs decided and refused", found.handOvers, true),
  );
}

function copySection({ copies }) {
  const rows = copies.map(({ summary, mode, schedule, backup, restore }) => [
    summary.name,
    summary.kind === "RedisBackup" ? "backup" : mode,
    badge(summary.state, summary.reason || undefined),
    { class: "wide", content: summary.headline },
    { class: "nowrap", content: moment(summary.lastGood) ?? "never" },
    { class: "wide", content: measured(backup?.lastBackup, restore?.lastRun) },
    schedule || "once",
  ]);
  return section("copies", "Backups, restores and drills", null, table("Copies of the data", ["name", "kind", "state", "what goes on", "last good", "last result", "schedule"], rows));
}

function measured(backup, run) {
  if (backup) {
    return [`${backup.keys ?? "?"} keys`, bytes(backup.bytes), backup.seconds === undefined ? null : `in ${duration(backup.seconds)}`, backup.kept === undefined ? null : `${backup.kept} kept`].filter(Boolean).join(", ");
  }
  if (run) return `${run.found ?? "?"} of ${run.keys ?? "?"} keys, ${run.different ?? 0} of ${run.sampled ?? 0} compared differ`;
  return "";
}
