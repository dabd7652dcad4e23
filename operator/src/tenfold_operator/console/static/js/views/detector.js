// An anomaly detector: its verdict, what speaks for it, and the time line with its band.

import { path, read } from "../api.js";
import { decisionTable } from "../decisions.js";
import { badge, el, facts, section, table, title } from "../dom.js";
import { Past } from "../past.js";
import { waits } from "../rollout.js";
import { moment, number } from "../words.js";

export function open({ rest }) {
  const [namespace, name] = rest;
  const own = path("anomalydetectors", namespace, name);
  const past = new Past(own);
  past.refresh();
  return {
    concerns: (each) => each.kind === "AnomalyDetector" && each.namespace === namespace && each.name === name,
    async render() {
      const found = await read(own);
      const { summary, status, explanation } = found;
      const look = { bad: "bad", working: "working" }[summary.state] ?? null;
      return [
        title(`${namespace}/${name} `, badge(summary.state, summary.verdict)),
        section("now", "Now", look, el("p", { class: "lead" }, summary.headline), explanation.means ? el("p", {}, `${explanation.means} ${explanation.advice}`) : null, said(status), reasons(status), waits(found.waiting)),
        section("past", "Time line", null, past.slot()),
        section("model", "Model", null, model(found)),
        section("decisions", "Decisions", null, decisionTable("Last decisions", found.decisions, true)),
      ];
    },
    tick: () => past.refresh(),
    drawn: (main) => past.mount(main),
    close: () => past.destroy(),
  };
}

function said({ score, band, rowTime, warmUp }) {
  return facts([
    ["score", score === undefined ? null : `${number(score)}, anomalous above 1`],
    ["expected", band ? `${number(band.expected)}, between ${number(band.lower)} and ${number(band.upper)}` : null],
    ["newest row", moment(rowTime)],
    ["warm-up", warmUp ? `${warmUp.rows} of ${warmUp.needed} rows` : null],
  ]);
}

function reasons({ reasons: told = [] }) {
  return told.length ? [el("h3", {}, "What speaks for an anomaly"), el("ul", {}, told.map((each) => el("li", {}, each)))] : null;
}

function model({ spec, status }) {
  const rows = spec.queries.map((each) => [each.name, el("code", {}, each.expr)]);
  return [
    facts([
      ["version", status.model?.version],
      ["fitted", moment(status.model?.trainedAt)],
      ["learned from", status.model ? `${status.model.rows} rows` : "nothing yet"],
      ["sensitivity", spec.sensitivity],
      ["anomalous when", `${spec.persistence.wanted} of the last ${spec.persistence.of} rows score above 1`],
    ]),
    table("What is measured", ["name", "PromQL"], rows),
  ];
}
