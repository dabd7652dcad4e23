// Numbers, times and names in words.

import { el } from "./dom.js";

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const DAY = 86400;

/** A length of time in its largest units: 45 s, 3 min 20 s, 2 h 5 min, 5 d. */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return pair(Math.floor(whole / 60), "min", whole % 60, "s");
  if (whole < 2 * DAY) return pair(Math.floor(whole / 3600), "h", Math.floor((whole % 3600) / 60), "min");
  return `${Math.floor(whole / DAY)} d`;
}

function pair(large, unit, small, smaller) {
  return small ? `${large} ${unit} ${small} ${smaller}` : `${large} ${unit}`;
}

/** A moment, with how long ago it was or is to come. */
export function moment(iso) {
  if (!iso) return null;
  const date = new Date(iso);
  const seconds = (Date.now() - date) / 1000;
  const shown = Math.abs(seconds) < DAY ? clock.format(date) : full.format(date);
  const distance = seconds >= 0 ? `${duration(seconds)} ago` : `in ${duration(-seconds)}`;
  return el("time", { datetime: iso, title: full.format(date) }, `${shown} (${distance})`);
}

/** A size in bytes. */
export function bytes(count) {
  if (count === null || count === undefined) return null;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let [value, unit] = [count, 0];
  while (value >= 1024 && unit < units.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${number(value)} ${units[unit]}`;
}

/** A number with three digits that count. */
export function number(value) {
  if (value === null || value === undefined) return "";
  const size = Math.abs(value);
  if (size >= 100 || Number.isInteger(value)) return value.toLocaleString(undefined, { maximumFractionDigits: 0 });
  return value.toLocaleString(undefined, { maximumSignificantDigits: 3 });
}

const UNITS = {
  percent: (value) => `${number(value)} %`,
  "per second": (value) => `${number(value)}/s`,
  milliseconds: (value) => `${number(value)} ms`,
  seconds: (value) => `${number(value)} s`,
  bytes: (value) => bytes(value),
};

/** A value in the unit of a chart. */
export function inUnit(value, unit) {
  if (value === null || value === undefined) return "no value";
  return (UNITS[unit] ?? number)(value);
}

export const METRICS = {
  errorRatio: "Requests answered with an error (5xx)",
  latency: "How long requests take",
  comparison: "Durations beside the stable revision's",
  errorBudget: "Error budget that is left",
};

const HOW = {
  comparison:
    "Effect: from -1 (every request is quicker than with the stable revision) to +1 (every one is slower). " +
    "p: how probable so large a one is by chance.",
};

/** How the value of a metric is to be read; nothing for those that speak for themselves. */
export function reading(name) {
  return name in HOW ? el("p", { class: "dim" }, HOW[name]) : null;
}

/** The name of a metric of an analysis, for people. */
export function metric(name) {
  return name in METRICS ? [METRICS[name], " ", el("code", {}, name)] : el("code", {}, name);
}

export const OUTCOMES = {
  Passed: ["good", "passed"],
  Failed: ["bad", "failed"],
  TooFew: ["working", "too few requests to tell"],
  Unjudged: ["unknown", "cannot be judged"],
};

export const ROLES = {
  stable: "stable: served before and is trusted",
  target: "new: is being rolled out",
  failed: "failed: was given up",
  drains: "drains: is on its way out",
  kept: "kept: has no traffic",
};

export const PLURALS = {
  Workload: "workloads",
  RedisTier: "redistiers",
  AnomalyDetector: "anomalydetectors",
};

/** Where a resource has a page; its tier's for backups and restores. */
export function place(kind, namespace, name) {
  const plural = PLURALS[kind];
  return plural ? `#/${plural}/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}` : null;
}

/** A link to a resource. */
export function link(resource) {
  const { kind, namespace, name } = resource;
  const href = place(kind, namespace, name);
  return href ? el("a", { href }, `${namespace}/${name}`) : `${namespace}/${name}`;
}
