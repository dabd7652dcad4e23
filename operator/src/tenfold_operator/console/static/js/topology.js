// A tier as a picture: who is the primary, who follows it, and which Sentinels watch.

import { svg } from "./dom.js";

const [WIDTH, ROW, BOX, HIGH] = [640, 74, 190, 52];

/** The table beside it says the same, so the picture is one image with one name. */
export function topology({ status, servers, sentinels, summary }) {
  const known = status.replicas ?? [];
  const primary = known.find((each) => each.name === status.primary);
  const others = known.filter((each) => each !== primary);
  const height = Math.max(others.length, sentinels.length, 1) * ROW;
  const middle = (height - HIGH) / 2;
  const place = (count, index) => (height - count * ROW) / 2 + index * ROW + (ROW - HIGH) / 2;
  const lines = others.map((each, index) => {
    const y = place(others.length, index) + HIGH / 2;
    const isOff = each.lag === undefined;
    return svg("line", { x1: BOX, y1: middle + HIGH / 2, x2: WIDTH / 2 - 80, y2: y, class: isOff ? "off" : null });
  });
  const words = [
    `${status.primary ?? "no server"} is the primary`,
    ...others.map((each) => `${each.name} ${behind(each)}`),
    `${summary.sentinelsAgreeing} of ${summary.sentinels} Sentinels agree`,
  ].join("; ");
  return svg(
    "svg",
    { class: "topology", viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": words },
    lines,
    box(0, middle, status.primary ?? "no primary", `primary${node(servers, status.primary)}`, primary?.role === "primary" ? "good" : "bad"),
    others.map((each, index) =>
      box(WIDTH / 2 - 80, place(others.length, index), each.name, `${behind(each)}${node(servers, each.name)}`, look(each)),
    ),
    sentinels.map((each, index) =>
      box(WIDTH - BOX, place(sentinels.length, index), each.name, `Sentinel${each.node ? `, ${each.node}` : ""}`, each.isReady ? "good" : "bad"),
    ),
  );
}

/** A cluster: one box a shard, with what it holds. */
export function cluster({ status }) {
  const shards = status.shards ?? [];
  const columns = Math.max(1, Math.floor(WIDTH / (BOX + 20)));
  const words = shards.map((each) => `shard ${each.number}: ${each.primary ?? "no primary"}, ${each.slots} slots, ${each.replicas} replicas`);
  const height = Math.max(1, Math.ceil(shards.length / columns)) * ROW;
  return svg(
    "svg",
    { class: "topology", viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": words.join("; ") || "no shards yet" },
    shards.map((each, index) =>
      box((index % columns) * (BOX + 20), Math.floor(index / columns) * ROW, each.primary ?? `shard ${each.number}`, `${each.slots} slots, ${each.replicas} replicas`, each.primary ? "good" : "bad"),
    ),
  );
}

/** How far a replica is behind, in words. */
export function behind(server) {
  if (server.role === "unknown") return "does not answer";
  if (server.lag === undefined) return "not connected";
  return server.lag ? `${server.lag} s behind` : "in sync";
}

function look(server) {
  if (server.lag === undefined) return "bad";
  return server.lag ? "working" : "good";
}

function node(servers, name) {
  const found = servers.find((each) => each.name === name);
  return found?.node ? `, ${found.node}` : "";
}

function box(x, y, title, words, state) {
  return svg(
    "g",
    {},
    svg("rect", { x: x + 1, y: y + 1, width: BOX - 2, height: HIGH - 2, rx: 8, class: `node ${state}` }),
    svg("text", { x: x + 10, y: y + 22 }, title),
    svg("text", { x: x + 10, y: y + 41, class: "small" }, words),
  );
}
