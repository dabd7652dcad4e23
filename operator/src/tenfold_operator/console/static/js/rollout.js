// Parts of a rollout: its steps, verdicts, shares of the traffic, and what it waits for.

import { badge, el, svg, table } from "./dom.js";
import { metric, moment, OUTCOMES, reading, ROLES } from "./words.js";

/** The steps of a strategy, the present one marked. */
export function steps(rollout, progress) {
  const known = rollout.steps ?? [];
  const weights = known.map((each) => each.weight);
  if (weights.at(-1) !== 100) weights.push(100);
  const items = weights.map((weight, index) => {
    const state = index < progress.step ? "passed" : index === progress.step ? "now" : "ahead";
    const note = known[index]?.pause ? ", until a person promotes it" : "";
    return el("li", { "aria-current": state === "now" ? "step" : null }, `${weight} % ${state}${note}`);
  });
  return el("ol", { class: "steps", "aria-label": "Steps of the rollout, by the new revision's share" }, items);
}

/** What each metric says: value against bound. */
export function verdicts(found, caption) {
  const rows = found.map((each) => {
    const [state, words] = OUTCOMES[each.outcome];
    return [metric(each.metric), badge(state, words), { class: "wide", content: [each.message, reading(each.metric)] }];
  });
  return table(caption, ["metric", "verdict", "value against bound"], rows, "Nothing was judged.");
}

/** Who gets which share of the traffic, as a bar; the table beside it says the same. */
export function shares(revisions) {
  const live = revisions.filter((each) => each.weight > 0);
  if (!live.length) return null;
  let left = 0;
  const parts = live.map((each) => {
    const part = svg("rect", { x: left, width: each.weight, height: 10, class: `fill-${each.role}` }, svg("title", {}, `${each.name} ${each.weight} %`));
    left += each.weight;
    return part;
  });
  const words = live.map((each) => `${each.weight} % to ${each.name} (${ROLES[each.role].split(":")[0]})`).join(", ");
  const picture = svg("svg", { class: "shares", viewBox: "0 0 100 10", preserveAspectRatio: "none", role: "img", "aria-label": `Traffic: ${words}` }, parts);
  return [picture, el("p", { class: "dim", "aria-hidden": "true" }, `Traffic: ${words}.`)];
}

/** What is waited for, and until when. */
export function waits(found) {
  if (!found.length) return null;
  const items = found.map((each) => el("li", {}, each.what, each.until ? [", at the latest until ", moment(each.until)] : null));
  return [el("h3", {}, "What is waited for"), el("ul", {}, items)];
}
