/**
 * Events as they happen, nothing lost and nothing twice.
 *
 * The WebSocket may drop an event or say one again; the list of changes (`GET /watch/changes`) has each in
 * order behind a cursor. So the list is read after each connection and now and then while it lasts, and an
 * event counts by its id: who listens gets it once, whichever way it came first.
 */

import type { Changes, LiveAddress, LiveEvent } from "../api/shapes";
import { Signal } from "../app/signal";
import { Connection, type Told } from "./socket";

export type LiveState =
  /** No events are asked for: nobody is signed in, or there is no live channel here. */
  | "off"
  | "connecting"
  /** Events come as they happen. */
  | "live"
  /** Lost, and tried again. */
  | "lost";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
/** How often the list of changes is read beside a connection that stands, and in place of one that does not. */
const CATCH_UP_MS = 30_000;
const REMEMBERED = 5_000;
const RECENT = 100;

export interface Surroundings {
  random: () => number;
  connect: (address: LiveAddress, token: string | null, told: Told) => Pick<Connection, "close">;
}

const BROWSER: Surroundings = {
  random: Math.random,
  connect: (address, token, told) => new Connection(address, token, told),
};

export class Live {
  readonly state = new Signal<LiveState>("off");
  /** The newest events, the newest first. */
  readonly recent = new Signal<readonly LiveEvent[]>([]);

  /** Grows when something was missed that nobody can tell any more: what is shown is to be loaded again. */
  readonly gaps = new Signal(0);

  /** Grows when a lost connection is back: trainings, releases and decisions have no list of what was missed. */
  readonly returns = new Signal(0);

  readonly #listeners = new Set<(event: LiveEvent) => void>();
  readonly #seen = new Set<string>();
  #address: LiveAddress | null = null;
  #connection: Pick<Connection, "close"> | null = null;
  #running = false;
  #attempts = 0;
  #cursor: string | null = null;
  #reading: Promise<void> | null = null;
  #again = false;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #rounds: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly changes: (query: { since?: string | null }) => Promise<Changes>,
    private readonly token: () => Promise<string | null>,
    private readonly around: Surroundings = BROWSER,
  ) {}

  /** Call `listener` with each new event. Events from before the page was opened are only in `recent`. */
  listen(listener: (event: LiveEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start(address: LiveAddress | null): void {
    this.stop();
    this.#running = true;
    this.#address = address;
    this.#rounds = setInterval(() => void this.catchUp(), CATCH_UP_MS);
    globalThis.addEventListener?.("online", this.#online);
    globalThis.addEventListener?.("offline", this.#offline);
    void this.catchUp();
    if (address) void this.#open();
  }

  stop(): void {
    this.#running = false;
    this.#address = null;
    clearTimeout(this.#retry);
    clearInterval(this.#rounds);
    globalThis.removeEventListener?.("online", this.#online);
    globalThis.removeEventListener?.("offline", this.#offline);
    this.#connection?.close();
    this.#connection = null;
    this.#cursor = null;
    this.#attempts = 0;
    this.#seen.clear();
    this.recent.value = [];
    this.state.value = "off";
  }

  /** Read what happened since the cursor. One reading at a time; a call during one makes it go round again. */
  async catchUp(): Promise<void> {
    this.#again = true;
    this.#reading ??= this.#read().finally(() => (this.#reading = null));
    await this.#reading;
  }

  async #read(): Promise<void> {
    while (this.#again && this.#running) {
      this.#again = false;
      const since = this.#cursor;
      let found: Changes;
      try {
        found = await this.changes(since === null ? {} : { since });
      } catch {
        // no connection, or the API is down: the cursor stays, the next round reads from it
        return;
      }
      if (!this.#running) return;
      for (const event of found.items) this.#take(event, since !== null);
      this.#cursor = found.next;
      if (found.more) this.#again = true;
      if (since !== null && !found.complete) this.gaps.value += 1;
    }
  }

  #take(event: LiveEvent, isNew: boolean): void {
    if (this.#seen.has(event.id)) return;
    this.#seen.add(event.id);
    if (this.#seen.size > REMEMBERED) this.#seen.delete(this.#seen.values().next().value as string);
    this.recent.value = [event, ...this.recent.value].sort(newestFirst).slice(0, RECENT);
    if (isNew) for (const listener of [...this.#listeners]) listener(event);
  }

  async #open(): Promise<void> {
    const address = this.#address;
    if (!address || !this.#running) return;
    clearTimeout(this.#retry);
    if (this.state.value !== "lost") this.state.value = "connecting";
    let token: string | null;
    try {
      token = await this.token();
    } catch {
      return this.#lost();
    }
    if (!this.#running || this.#connection) return;
    this.#connection = this.around.connect(address, token, {
      subscribed: () => {
        this.#attempts = 0;
        const wasLost = this.state.value === "lost";
        this.state.value = "live";
        if (wasLost) this.returns.value += 1;
        // what happened between the last reading and the subscription
        void this.catchUp();
      },
      event: (event) => this.#take(event as LiveEvent, true),
      ended: () => {
        this.#connection = null;
        this.#lost();
      },
    });
  }

  #lost(): void {
    if (!this.#running) return;
    this.state.value = "lost";
    // full jitter: a thousand pages that lost it together do not come back together
    const most = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#attempts++);
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => void this.#open(), most / 2 + (this.around.random() * most) / 2);
  }

  readonly #online = (): void => {
    this.#attempts = 0;
    void this.catchUp();
    void this.#open();
  };

  readonly #offline = (): void => this.#connection?.close("offline");
}

/** By time; of the same time by the number that an id ends with, which grows with each change. */
function newestFirst(one: LiveEvent, other: LiveEvent): number {
  if (one.at !== other.at) return one.at < other.at ? 1 : -1;
  const number = (event: LiveEvent) => Number(event.id.split(":").at(-1)) || 0;
  return number(other) - number(one);
}
