/**
 * The states of a workflow as a graph: one row a state, the way down beside them.
 *
 * States of one way stand below each other; what leaves it, and what goes back, has a rail of its own. Ways that
 * lead to the same state share their rail, as all that fails does.
 */

import type { RunState } from "../api/shapes";

export interface Rail {
  /** 1 is next to the states. */
  lane: number;
  /** `out`: leaves the state of this row; `in`: arrives; `past`: goes by. */
  part: "out" | "in" | "past";
  /** Whether it goes to a row above. */
  isBack: boolean;
  isTaken: boolean;
}

export interface Row {
  state: RunState;
  rails: Rail[];
  /** The line straight down from here, to the next row; null where there is none. */
  down: { isTaken: boolean } | null;
  up: { isTaken: boolean } | null;
}

/** Put states in the order of their ways: what may follow stands below, the usual next one first. */
export function inOrder(states: readonly RunState[]): RunState[] {
  const named = new Map(states.map((state) => [state.name, state]));
  const seen = new Set<string>();
  const found: RunState[] = [];
  const visit = (state: RunState): void => {
    if (seen.has(state.name)) return;
    seen.add(state.name);
    for (const name of [...state.next].reverse()) {
      const next = named.get(name);
      if (next) visit(next);
    }
    found.unshift(state);
  };
  for (const state of states) visit(state);
  return found;
}

/**
 * Return the states that tell how a run went: those it entered, and while it runs those that it may come to where
 * nothing fails.
 */
export function telling(states: readonly RunState[], isRunning: boolean): RunState[] {
  const named = new Map(states.map((state) => [state.name, state]));
  const kept = new Set(states.filter((state) => state.status !== "waiting").map((state) => state.name));
  const ahead = isRunning ? states.filter((state) => state.status === "running") : [];
  if (isRunning && !ahead.length) ahead.push(...[...states].filter((state) => state.status !== "waiting").slice(-1), ...(kept.size ? [] : states.slice(0, 1)));
  while (ahead.length) {
    const state = ahead.pop()!;
    kept.add(state.name);
    // all but a choice's name the way without a failure first
    for (const name of state.kind === "Choice" ? state.next : state.next.slice(0, 1)) {
      const next = named.get(name);
      if (next && !kept.has(name)) ahead.push(next);
    }
  }
  return inOrder(states).filter((state) => kept.has(state.name));
}

/** The state that a run went to from this one; null where it went nowhere yet. */
function taken(state: RunState, named: ReadonlyMap<string, RunState>): string | null {
  if (state.status === "waiting" || state.entered_at === null) return null;
  const after = state.next
    .map((name) => named.get(name))
    .filter((next): next is RunState => next?.entered_at != null && next.entered_at >= state.entered_at!);
  after.sort((one, other) => (one.entered_at! < other.entered_at! ? -1 : 1));
  return after[0]?.name ?? null;
}

/** Lay out rows: lanes are given to ways in the order of where they end, as few as there may be. */
export function rowsOf(states: readonly RunState[]): Row[] {
  const place = new Map(states.map((state, index) => [state.name, index]));
  const named = new Map(states.map((state) => [state.name, state]));
  const rows: Row[] = states.map((state) => ({ state, rails: [], down: null, up: null }));
  const ways = new Map<string, { target: number; isBack: boolean; sources: { at: number; isTaken: boolean }[] }>();
  states.forEach((state, index) => {
    const went = taken(state, named);
    for (const name of state.next) {
      const target = place.get(name);
      if (target === undefined) continue;
      const isTaken = went === name;
      if (target === index + 1) {
        rows[index]!.down = { isTaken };
        rows[target]!.up = { isTaken };
        continue;
      }
      const isBack = target <= index;
      const key = `${name}|${isBack}`;
      const way = ways.get(key) ?? { target, isBack, sources: [] };
      way.sources.push({ at: index, isTaken });
      ways.set(key, way);
    }
  });
  const ends: [number, number][][] = [];
  const spans = [...ways.values()].map((way) => {
    const all = [way.target, ...way.sources.map((source) => source.at)];
    return { ...way, from: Math.min(...all), to: Math.max(...all) };
  });
  spans.sort((one, other) => one.to - one.from - (other.to - other.from));
  for (const { target, isBack, sources, from, to } of spans) {
    let lane = ends.findIndex((used) => used.every(([start, end]) => to <= start || from >= end));
    if (lane < 0) lane = ends.push([]) - 1;
    ends[lane]!.push([from, to]);
    const took = sources.filter((source) => source.isTaken).map((source) => source.at);
    // the part of the rail between a source that was left by it and the target was gone
    const gone = (row: number) => took.some((at) => (isBack ? row < at && row > target : row > at && row < target));
    for (let row = from + 1; row < to; row++) rows[row]!.rails.push({ lane: lane + 1, part: "past", isBack, isTaken: gone(row) });
    for (const source of sources) rows[source.at]!.rails.push({ lane: lane + 1, part: "out", isBack, isTaken: source.isTaken });
    rows[target]!.rails.push({ lane: lane + 1, part: "in", isBack, isTaken: took.length > 0 });
  }
  return rows;
}

/** How many lanes there are besides the states' own. */
export function lanesOf(rows: readonly Row[]): number {
  return Math.max(0, ...rows.flatMap((row) => row.rails.map((rail) => rail.lane)));
}
