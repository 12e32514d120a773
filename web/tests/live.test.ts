import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { Changes, LiveEvent } from "../src/api/shapes";
import { Live } from "../src/live/live";
import type { Told } from "../src/live/socket";

const ADDRESS = { http: "h.example", realtime: "rt.example", channel: "/watch/t" };

function event(number: number): LiveEvent {
  const at = new Date(1.7e12 + number * 1000).toISOString();
  return { id: `e${number}`, at, kind: "incident", workload: "w", detail: {} };
}

/** All that ever happened, read by cursor, a page of two at a time. */
class History {
  readonly events: LiveEvent[] = [];
  isDown = false;
  isForgotten = false;
  reads = 0;

  read = ({ since }: { since?: string | null }): Promise<Changes> => {
    this.reads += 1;
    if (this.isDown) return Promise.reject(new Error("no connection"));
    const from = since == null ? Math.max(0, this.events.length - 50) : Number(since);
    const items = since == null ? this.events.slice(from) : this.events.slice(from, from + 2);
    const next = from + items.length;
    return Promise.resolve({ items, next: String(next), more: next < this.events.length, complete: !this.isForgotten });
  };
}

class Wire {
  readonly told: Told[] = [];
  closed = 0;

  connect = (_address: unknown, _token: string | null, told: Told) => {
    this.told.push(told);
    return { close: (why = "closed here") => (this.closed++, told.ended(why)) };
  };

  get last(): Told {
    return this.told.at(-1)!;
  }
}

let history: History, wire: Wire, live: Live, got: string[];

beforeEach(() => {
  vi.useFakeTimers();
  history = new History();
  wire = new Wire();
  live = new Live(history.read, () => Promise.resolve("token"), { random: () => 0.5, connect: wire.connect });
  got = [];
  live.listen((one) => got.push(one.id));
});

afterEach(() => {
  live.stop();
  vi.useRealTimers();
});

const settle = () => vi.advanceTimersByTimeAsync(0);

test("what was before the page is in the feed, and is not told as new", async () => {
  history.events.push(event(1), event(2));
  live.start(ADDRESS);
  await settle();
  expect(live.recent.value.map((one) => one.id)).toEqual(["e2", "e1"]);
  expect(got).toEqual([]);
});

test("an event that is delivered again, or by both ways, is told once", async () => {
  live.start(ADDRESS);
  await settle();
  wire.last.subscribed();
  await settle();
  history.events.push(event(1));
  wire.last.event(event(1));
  wire.last.event(event(1));
  await live.catchUp();
  expect(got).toEqual(["e1"]);
  expect(live.recent.value).toHaveLength(1);
});

test("what happened while the connection was lost is fetched, all pages of it", async () => {
  live.start(ADDRESS);
  await settle();
  wire.last.subscribed();
  await settle();
  wire.last.ended("gone");
  expect(live.state.value).toBe("lost");
  for (let number = 1; number <= 7; number++) history.events.push(event(number));
  await vi.advanceTimersByTimeAsync(1000);
  expect(wire.told).toHaveLength(2);
  wire.last.event(event(7));
  wire.last.subscribed();
  await settle();
  expect(live.state.value).toBe("live");
  expect([...got].sort()).toEqual(["e1", "e2", "e3", "e4", "e5", "e6", "e7"]);
});

test("that a lost connection is back is said, and not that a first one stands", async () => {
  live.start(ADDRESS);
  await settle();
  wire.last.subscribed();
  expect(live.returns.value).toBe(0);
  wire.last.ended("gone");
  await vi.advanceTimersByTimeAsync(1000);
  wire.last.subscribed();
  expect(live.returns.value).toBe(1);
});

test("what nobody can tell any more is said, so that what is shown is loaded again", async () => {
  live.start(ADDRESS);
  await settle();
  expect(live.gaps.value).toBe(0);
  history.isForgotten = true;
  await live.catchUp();
  expect(live.gaps.value).toBe(1);
});

test("of two changes of one instant the later one stands first", async () => {
  live.start(ADDRESS);
  await settle();
  const { at } = event(1);
  for (const id of ["w:9", "w:11", "w:10"]) wire.last.event({ ...event(1), at, id });
  expect(live.recent.value.map((one) => one.id)).toEqual(["w:11", "w:10", "w:9"]);
});

test("an event that the connection dropped comes with the next round", async () => {
  live.start(ADDRESS);
  await settle();
  wire.last.subscribed();
  await settle();
  history.events.push(event(1));
  await vi.advanceTimersByTimeAsync(31_000);
  expect(got).toEqual(["e1"]);
});

test("the list of changes that cannot be read is read from the same cursor later", async () => {
  live.start(ADDRESS);
  await settle();
  history.isDown = true;
  history.events.push(event(1), event(2));
  await live.catchUp();
  expect(got).toEqual([]);
  history.isDown = false;
  await vi.advanceTimersByTimeAsync(31_000);
  expect(got).toEqual(["e1", "e2"]);
});

test("attempts wait twice as long each time, to half a minute, and from the start after a success", async () => {
  live.start(ADDRESS);
  await settle();
  const waits: number[] = [];
  for (let attempt = 0; attempt < 9; attempt++) {
    wire.last.ended("gone");
    const before = wire.told.length;
    let waited = 0;
    while (wire.told.length === before) {
      await vi.advanceTimersByTimeAsync(125);
      waited += 125;
    }
    waits.push(waited);
  }
  expect(waits).toEqual([375, 750, 1500, 3000, 6000, 12_000, 22_500, 22_500, 22_500]);
  wire.last.subscribed();
  wire.last.ended("gone");
  await vi.advanceTimersByTimeAsync(375);
  expect(wire.told).toHaveLength(11);
});

test("one connection at a time, whatever wakes it", async () => {
  live.start(ADDRESS);
  await settle();
  globalThis.dispatchEvent(new Event("online"));
  globalThis.dispatchEvent(new Event("online"));
  await settle();
  expect(wire.told).toHaveLength(1);
});

test("without a channel, changes are fetched each half minute", async () => {
  live.start(null);
  await settle();
  history.events.push(event(1));
  await vi.advanceTimersByTimeAsync(31_000);
  expect(wire.told).toHaveLength(0);
  expect(live.state.value).toBe("off");
  expect(got).toEqual(["e1"]);
});

test("after the end nothing is asked and nothing told", async () => {
  live.start(ADDRESS);
  await settle();
  live.stop();
  const { reads } = history;
  await vi.advanceTimersByTimeAsync(120_000);
  expect(history.reads).toBe(reads);
  expect(wire.told).toHaveLength(1);
});

test("a thousand events through random losses: each told once", async () => {
  let seed = 7;
  const random = () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
  live.start(ADDRESS);
  await settle();
  let isUp = false;
  for (let number = 1; number <= 1000; number++) {
    const one = event(number);
    history.events.push(one);
    if (isUp && random() < 0.7) wire.last.event(one);
    if (isUp && random() < 0.1) wire.last.event(one);
    if (random() < 0.02) {
      if (isUp) wire.last.ended("gone");
      isUp = false;
      history.isDown = random() < 0.3;
      await vi.advanceTimersByTimeAsync(1000 * random());
    }
    if (!isUp && live.state.value !== "off" && random() < 0.1) {
      history.isDown = false;
      await vi.advanceTimersByTimeAsync(31_000);
      wire.last.subscribed();
      await settle();
      isUp = live.state.value === "live";
    }
  }
  history.isDown = false;
  await vi.advanceTimersByTimeAsync(62_000);
  expect(got).toHaveLength(1000);
  expect(new Set(got).size).toBe(1000);
});
