// Charts by uPlot, each with the same in words beside it.

import uPlot from "../vendor/uplot/uPlot.esm.js";
import { el, table } from "./dom.js";
import { inUnit } from "./words.js";

const HEIGHT = 220;
const ROWS = 12;
const DASHES = { failed: [8, 4], expected: [6, 4], lower: [2, 2], upper: [2, 2] };
const COLOURS = {
  stable: "--stable",
  target: "--target",
  failed: "--failed",
  expected: "--stable",
  lower: "--stable",
  upper: "--stable",
};
const PALETTE = ["--stable", "--good", "--failed", "--other", "--target"];
const dark = matchMedia("(prefers-color-scheme: dark)");

/** One figure; `update` gives it other values without losing what the reader looks at. */
export class Chart {
  constructor() {
    this.plot = el("div", { class: "plot", role: "img" });
    this.title = el("figcaption", {});
    this.words = el("p", {});
    this.numbers = el("div", {});
    const details = el("details", {}, el("summary", {}, "The same as a table"), this.numbers);
    this.figure = el("figure", {}, this.title, this.plot, this.words, details);
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(this.plot);
    this.recolour = () => this.redraw();
    dark.addEventListener("change", this.recolour);
  }

  update(chart, history) {
    const told = JSON.stringify([chart, history.times]);
    if (told === this.told) return;
    this.told = told;
    this.chart = chart;
    this.history = history;
    this.title.textContent = chart.title;
    const words = inWords(chart, history);
    this.words.textContent = words;
    this.plot.setAttribute("aria-label", `${chart.title}. ${words}`);
    this.numbers.replaceChildren(numbers(chart, history));
    this.redraw();
  }

  redraw() {
    if (!this.chart || !this.plot.clientWidth) return;
    this.drawn?.destroy();
    const { options, data } = uplot(this.chart, this.history, this.plot.clientWidth);
    this.drawn = new uPlot(options, data, this.plot);
    this.drawn.root.setAttribute("aria-hidden", "true");
  }

  resize() {
    const width = this.plot.clientWidth;
    if (!this.drawn) this.redraw();
    else if (width && Math.abs(this.drawn.width - width) > 1) this.drawn.setSize({ width, height: HEIGHT });
  }

  destroy() {
    this.sizes.disconnect();
    dark.removeEventListener("change", this.recolour);
    this.drawn?.destroy();
  }
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function uplot(chart, history, width) {
  const lines = withBound(chart, history);
  const format = (value) => inUnit(value, chart.unit);
  const axis = { stroke: colour("--dim"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") } };
  const times = { ...axis, space: 80, values: (_, ticks) => ticks.map(clockOf(ticks)) };
  const options = {
    width,
    height: HEIGHT,
    cursor: { y: false, drag: { x: false, y: false } },
    scales: { y: { range: (_, low, high) => around(low, high) } },
    axes: [times, { ...axis, size: 70, values: (_, ticks) => ticks.map(format) }],
    series: [{ value: "{HH}:{mm}:{ss}" }, ...lines.map((line) => look(line, lines, format))],
    bands: band(lines),
    hooks: { draw: [(plot) => drawMarks(plot, history.marks)] },
  };
  return { options, data: [history.times, ...lines.map((line) => line.values)] };
}

function withBound(chart, history) {
  if (chart.bound === undefined) return chart.lines;
  const name = `${chart.boundName} ${inUnit(chart.bound, chart.unit)}`;
  return [...chart.lines, { name, role: "bound", values: history.times.map(() => chart.bound) }];
}

/** Colour and dashes: by the role where there is one, else one after the other. */
function shade(line, lines) {
  if (line.role === "bound") return ["--bad", [3, 3]];
  if (line.role in COLOURS) return [COLOURS[line.role], DASHES[line.role]];
  if (lines.some((each) => each.role === "stable")) return ["--other", [2, 3]];
  const place = lines.filter((each) => each.role === "other").indexOf(line);
  return [PALETTE[place % PALETTE.length], place < PALETTE.length ? undefined : [6, 4]];
}

function look(line, lines, format) {
  const [name, dash] = shade(line, lines);
  return {
    label: named(line, lines),
    stroke: colour(name),
    width: line.role === "bound" ? 1 : 2,
    dash,
    points: { show: line.values.filter((each) => each !== undefined && each !== null).length < 3 },
    value: (_, value) => (value === null || value === undefined ? "" : format(value)),
  };
}

function band(lines) {
  const [lower, upper] = ["lower", "upper"].map((role) => lines.findIndex((each) => each.role === role));
  return lower < 0 || upper < 0 ? [] : [{ series: [upper + 1, lower + 1], fill: colour("--band") }];
}

/** The range of the values with some room; zero is in it where they are near. */
function around(low, high) {
  if (low === null || high === null) return [0, 1];
  const room = (high - low) * 0.1 || Math.abs(high) * 0.1 || 1;
  return [low >= 0 && low < high / 2 + room ? 0 : low - room, high + room];
}

function drawMarks(plot, marks) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
  for (const mark of marks) {
    const x = plot.valToPos(Date.parse(mark.time) / 1000, "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.strokeStyle = colour(`--${mark.state}`);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}

/** How the times of an axis are written: seconds only where it is so close that they differ. */
function clockOf(ticks) {
  const isClose = ticks.length > 1 && ticks[1] - ticks[0] < 60;
  const clock = new Intl.DateTimeFormat(undefined, { timeStyle: isClose ? "medium" : "short" });
  return (seconds) => clock.format(new Date(seconds * 1000));
}

/** The name of a line; of a revision also what it is to the rollout. */
function named(line, lines) {
  const isRollout = lines.some((each) => each.role === "stable");
  const word = isRollout && { stable: "stable", target: "new", failed: "failed" }[line.role];
  return word ? `${line.name} (${word})` : line.name;
}

function known(values) {
  return values.filter((each) => each !== null && each !== undefined);
}

/** The chart as sentences: last and highest value of each line, the bound, what happened. */
function inWords(chart, history) {
  const bound = chart.bound === undefined ? [] : [`${chart.boundName} ${inUnit(chart.bound, chart.unit)}`];
  const lines = chart.lines.map((line) => {
    const values = known(line.values);
    const name = named(line, chart.lines);
    if (!values.length) return `${name}: no values`;
    const [last, most] = [values.at(-1), Math.max(...values)].map((each) => inUnit(each, chart.unit));
    return `${name}: last ${last}, highest ${most}`;
  });
  const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
  const [start, end] = [Date.parse(history.start), Date.parse(history.end)];
  const marks = history.marks
    .filter((each) => Date.parse(each.time) >= start && Date.parse(each.time) <= end)
    .map((each) => `${clock.format(new Date(each.time))} ${each.name}`);
  return `${[...lines, ...bound, ...marks].join("; ")}.`;
}

function numbers(chart, history) {
  const every = Math.max(1, Math.ceil(history.times.length / ROWS));
  const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
  const rows = history.times
    .map((time, index) => [clock.format(new Date(time * 1000)), ...chart.lines.map((line) => inUnit(line.values[index], chart.unit))])
    .filter((_, index) => (history.times.length - 1 - index) % every === 0);
  return table(chart.title, ["time", ...chart.lines.map((line) => named(line, chart.lines))], rows);
}
