// All tiers with their backups and drills.

import { badge, el, section, table, title } from "../dom.js";
import { moment, place } from "../words.js";
import { tierTable } from "./overview.js";

export function open({ live }) {
  return {
    concerns: ({ kind }) => kind.startsWith("Redis"),
    render: () => [
      title("Redis"),
      section("tiers", "Tiers", null, tierTable(live.of("RedisTier"))),
      section("backups", "Backups", null, copies("Backups", live.of("RedisBackup"))),
      section("restores", "Restores and drills", null, copies("Restores and drills", live.of("RedisRestore"))),
    ],
  };
}

function copies(caption, found) {
  const rows = found.map((each) => [
    `${each.namespace}/${each.name}`,
    each.tier ? el("a", { href: place("RedisTier", each.namespace, each.tier) }, each.tier) : "",
    badge(each.state, each.reason || undefined),
    { class: "wide", content: each.headline },
    { class: "nowrap", content: moment(each.lastGood) ?? "never" },
  ]);
  return table(caption, ["name", "tier", "state", "what goes on", "last good"], rows);
}
