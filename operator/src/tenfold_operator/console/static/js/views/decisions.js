// The decision log with search and filters, which are in the address.

import { read } from "../api.js";
import { decisionTable } from "../decisions.js";
import { el, title } from "../dom.js";

const KINDS = ["Workload", "RedisTier", "RedisBackup", "RedisRestore", "AnomalyDetector"];
const TYPING_MS = 250;

export function open({ query, redraw }) {
  const wanted = { text: "", kind: "", namespace: "", name: "", refused: "", ...Object.fromEntries(query) };
  let found = [];
  let next = null;
  let older = [];
  const form = controls(wanted, () => {
    older = [];
    history.replaceState(null, "", `#/decisions?${new URLSearchParams(Object.entries(wanted).filter(([, value]) => value))}`);
    redraw();
  });
  const button = el("button", { type: "button" }, "Older ones");
  button.addEventListener("click", async () => {
    const page = await read("decisions", { ...wanted, before: next });
    older.push(...page.decisions);
    next = page.nextBefore ?? null;
    redraw();
  });
  return {
    async render() {
      const page = await read("decisions", wanted);
      found = page.decisions;
      if (!older.length) next = page.nextBefore ?? null;
      const first = older[0]?.number ?? -1;
      const all = [...found.filter((each) => each.number > first), ...older];
      const count = `${all.length}${next ? " newest" : ""} ${all.length === 1 ? "decision" : "decisions"}`;
      return [
        title("Decisions"),
        el("p", {}, "What the operator did or refused since it started, and why; the last 2000."),
        el("div", { "data-keep": "search" }),
        el("p", { role: "status" }, count),
        decisionTable("Decisions, newest first", all, false),
        el("div", { "data-keep": "older" }),
      ];
    },
    drawn(main) {
      for (const [key, node] of [["search", form], ["older", button]]) {
        const slot = main.querySelector(`[data-keep="${key}"]`);
        if (slot && !slot.contains(node)) slot.append(node);
      }
      button.hidden = next === null;
    },
  };
}

function controls(wanted, changed) {
  let typing = null;
  const later = () => {
    clearTimeout(typing);
    typing = setTimeout(changed, TYPING_MS);
  };
  const text = el("input", { type: "search", value: wanted.text, maxlength: "200" });
  text.addEventListener("input", () => {
    wanted.text = text.value;
    later();
  });
  const kind = el("select", {}, el("option", { value: "" }, "all"), KINDS.map((each) => el("option", { selected: each === wanted.kind }, each)));
  kind.addEventListener("change", () => {
    wanted.kind = kind.value;
    changed();
  });
  const refused = el("input", { type: "checkbox", checked: wanted.refused === "true" });
  refused.addEventListener("change", () => {
    wanted.refused = refused.checked ? "true" : "";
    changed();
  });
  const of = wanted.name ? el("p", {}, `Of ${wanted.namespace}/${wanted.name} only. `, el("a", { href: "#/decisions" }, "Of all")) : null;
  return el(
    "search",
    { "aria-label": "Decisions" },
    of,
    el("div", { class: "controls" }, el("label", {}, "Words in name, what or why", text), el("label", {}, "Kind", kind), el("label", { class: "line" }, refused, "refused only")),
  );
}
