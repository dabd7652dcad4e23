// Which page is shown, and what keeps it up to date.

import { el, morphChildren, title } from "./dom.js";
import { Live } from "./live.js";
import * as anomalies from "./views/anomalies.js";
import * as decisions from "./views/decisions.js";
import * as detector from "./views/detector.js";
import * as models from "./views/models.js";
import * as overview from "./views/overview.js";
import * as redis from "./views/redis.js";
import * as tier from "./views/tier.js";
import * as workload from "./views/workload.js";

const PAGES = {
  "": overview,
  redis,
  anomalies,
  models,
  decisions,
  workloads: workload,
  redistiers: tier,
  anomalydetectors: detector,
};
const GATHER_MS = 200;
const AGAIN_MS = 10000;

const main = document.querySelector("main");
const live = new Live();
let shown = null;
let drawing = null;

/** The part after #/: a page, what it is of, and its query. */
function route() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const [page, ...rest] = path.split("/").map(decodeURIComponent);
  return { page, rest, query: new URLSearchParams(query) };
}

/** Show the page of the address. */
async function open() {
  const { page, rest, query } = route();
  shown?.close?.();
  const chosen = PAGES[page] ?? overview;
  shown = chosen.open({ live, rest, query, redraw: schedule });
  mark(page);
  main.replaceChildren();
  await draw();
  document.title = `${main.querySelector("h1").textContent} · Tenfold`;
}

function mark(page) {
  for (const each of document.querySelectorAll("nav a")) {
    const isHere = each.getAttribute("href") === `#/${parent(page)}`;
    if (isHere) each.setAttribute("aria-current", "page");
    else each.removeAttribute("aria-current");
  }
}

function parent(page) {
  return { workloads: "", redistiers: "redis", anomalydetectors: "anomalies" }[page] ?? page;
}

async function draw() {
  const page = shown;
  let nodes;
  try {
    nodes = await page.render();
  } catch (error) {
    nodes = [title("This cannot be shown"), el("p", { role: "alert" }, error.message)];
  }
  if (page !== shown) return;
  morphChildren(main, nodes);
  page.drawn?.(main);
}

/** Draw soon; what changes meanwhile is drawn with it. */
function schedule() {
  drawing ??= setTimeout(() => {
    drawing = null;
    draw();
  }, GATHER_MS);
}

live.addEventListener("change", (event) => {
  if (!event.detail || !shown.concerns || event.detail.some((each) => shown.concerns(each))) {
    shown.changed?.();
    schedule();
  }
});

live.addEventListener("news", ({ detail }) => {
  const announcer = document.querySelector("#announcer");
  const words = detail.map(({ kind, namespace, name, summary }) =>
    summary
      ? `${kind} ${namespace}/${name}: ${summary.reason}. ${summary.headline}`
      : `${kind} ${namespace}/${name} is gone`,
  );
  announcer.append(...words.slice(0, 3).map((each) => el("p", {}, each)));
  while (announcer.childElementCount > 5) announcer.firstElementChild.remove();
});

live.addEventListener("connection", ({ detail }) => {
  const place = document.querySelector("#connection");
  place.textContent = detail.words;
  place.dataset.state = detail.state;
});

window.addEventListener("hashchange", async () => {
  await open();
  // The title is read out, and the tab key goes on from there.
  main.querySelector("h1").focus({ preventScroll: true });
  scrollTo(0, 0);
});
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
setInterval(() => {
  // Ages in words go on; past values come in.
  if (!document.hidden) {
    shown.tick?.();
    schedule();
  }
}, AGAIN_MS);
open();
live.start();
