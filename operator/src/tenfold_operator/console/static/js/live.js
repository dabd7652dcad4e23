// All resources in one line each, kept up to date by server-sent events.

import { read } from "./api.js";

const RETRY_MS = 5000;

/**
 * Tells listeners what changed. It reads everything once, then takes the changes after that; when
 * the stream is lost it goes on by itself, and reads everything anew where it missed something.
 */
export class Live extends EventTarget {
  constructor() {
    super();
    this.resources = new Map();
  }

  /** The resources of a kind, by namespace and name. */
  of(kind) {
    const found = [...this.resources.values()].filter((each) => each.kind === kind);
    return found.sort((a, b) => key(a).localeCompare(key(b)));
  }

  async start() {
    try {
      await this.readAll();
    } catch (error) {
      this.say("lost", error.message);
      setTimeout(() => this.start(), RETRY_MS);
      return;
    }
    this.listen();
  }

  async readAll() {
    const found = await read("overview");
    this.lastEvent = found.lastEvent;
    this.resources = new Map(found.resources.map((each) => [key(each), each]));
    this.dispatchEvent(new CustomEvent("change", { detail: null }));
  }

  listen() {
    const stream = new EventSource(`api/v1/events?after=${encodeURIComponent(this.lastEvent)}`);
    stream.onopen = () => this.say("live", "live");
    stream.addEventListener("change", (event) => this.take(JSON.parse(event.data)));
    stream.addEventListener("reset", () => this.readAll().catch(() => this.again(stream)));
    stream.onerror = () => {
      this.say("lost", "connection lost, trying again");
      // A refusal ends the stream for good: the browser goes on only where the network failed.
      if (stream.readyState === EventSource.CLOSED) this.again(stream);
    };
  }

  again(stream) {
    stream.close();
    setTimeout(() => this.start(), RETRY_MS);
  }

  take(changes) {
    const told = [];
    for (const { kind, namespace, name, summary } of changes) {
      const place = key({ kind, namespace, name });
      const before = this.resources.get(place);
      if (summary) this.resources.set(place, summary);
      else this.resources.delete(place);
      if (before?.state !== summary?.state || before?.reason !== summary?.reason) {
        told.push({ kind, namespace, name, summary });
      }
    }
    this.dispatchEvent(new CustomEvent("change", { detail: changes }));
    if (told.length) this.dispatchEvent(new CustomEvent("news", { detail: told }));
  }

  say(state, words) {
    this.dispatchEvent(new CustomEvent("connection", { detail: { state, words } }));
  }
}

/** What tells resources apart. */
export function key({ kind, namespace, name }) {
  return `${kind} ${namespace}/${name}`;
}
