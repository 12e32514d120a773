/**
 * A series' intervals as columns that can be drawn at any zoom in one frame.
 *
 * Each column has a pyramid: for 2, 4, 8 … intervals together the lowest and the highest value. A view takes
 * the level that has about one bucket a pixel, so what is drawn never depends on how much there is, and no
 * peak is lost. Buckets lie at fixed indices: panning does not make them flicker.
 */

import type { Points } from "../api/shapes";

/** What a chart draws: as uPlot takes it, null where there is a gap. */
export interface View {
  x: number[];
  lines: (number | null)[][];
}

export type LineName = "value" | "expected" | "lower" | "upper" | "score" | "threshold" | "severity";

export class Columns {
  readonly length: number;
  /** Indices of anomalous intervals, ascending. */
  readonly anomalies: Int32Array;
  readonly #pyramids = new Map<LineName, Pyramid>();

  private constructor(
    readonly series: string,
    readonly interval: number,
    /** Starts, seconds since 1970, ascending. */
    readonly start: Float64Array,
    private readonly columns: Readonly<Record<LineName, Float64Array>>,
    anomalous: Uint8Array,
    /** What it was put together of. */
    readonly pages: readonly Points[],
  ) {
    this.length = start.length;
    const found: number[] = [];
    anomalous.forEach((one, index) => one && found.push(index));
    this.anomalies = Int32Array.from(found);
  }

  /** Put pages of points together. Where intervals are left out between two, one without values stands for them. */
  static of(pages: readonly Points[]): Columns {
    const interval = pages[0]?.interval_seconds ?? 1;
    const rows: [Points, number, number][] = [];
    let last = -Infinity;
    for (const page of pages) {
      page.start.forEach((at, index) => {
        if (at <= last) return;
        if (at > last + 1.5 * interval && last > -Infinity) rows.push([page, -1, last + interval]);
        rows.push([page, index, at]);
        last = at;
      });
    }
    const column = (name: LineName) => Float64Array.from(rows, ([page, index]) => page[name][index] ?? NaN);
    return new Columns(
      pages[0]?.series ?? "",
      interval,
      Float64Array.from(rows, ([, , at]) => at),
      {
        value: column("value"),
        expected: column("expected"),
        lower: column("lower"),
        upper: column("upper"),
        score: column("score"),
        threshold: column("threshold"),
        severity: column("severity"),
      },
      Uint8Array.from(rows, ([page, index]) => (page.anomalous[index] ? 1 : 0)),
      pages,
    );
  }

  /** The value of a line at an index; null where there is none. */
  at(name: LineName, index: number): number | null {
    const found = this.columns[name][index];
    return found === undefined || Number.isNaN(found) ? null : found;
  }

  /** Index of the first interval that starts at `seconds` or later. */
  indexAt(seconds: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.start[middle]! < seconds) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Index of the interval that is closest to an instant; -1 where there are none. */
  nearest(seconds: number): number {
    const after = this.indexAt(seconds);
    if (after === 0) return this.length ? 0 : -1;
    if (after === this.length) return after - 1;
    return seconds - this.start[after - 1]! <= this.start[after]! - seconds ? after - 1 : after;
  }

  /** Indices of anomalous intervals in a range of time. */
  anomaliesIn(from: number, to: number): Int32Array {
    const first = this.#lowerBound(this.indexAt(from));
    const end = this.#lowerBound(this.indexAt(to));
    return this.anomalies.subarray(first, end);
  }

  #lowerBound(index: number): number {
    let low = 0;
    let high = this.anomalies.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.anomalies[middle]! < index) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * What is to be drawn of some lines from one instant to another in so many pixels.
   *
   * `lower` shows the lowest of a bucket and `upper` the highest; every other line goes through both.
   */
  view(names: readonly LineName[], from: number, to: number, pixels: number): View {
    const first = Math.max(0, this.indexAt(from) - 1);
    const end = Math.min(this.length, this.indexAt(to) + 1);
    const level = Math.max(0, Math.ceil(Math.log2((end - first) / Math.max(1, pixels))));
    if (level === 0) {
      const x = Array.from(this.start.subarray(first, end));
      return {
        x,
        lines: names.map((name) => Array.from(this.columns[name].subarray(first, end), (one) => (Number.isNaN(one) ? null : one))),
      };
    }
    const size = 2 ** level;
    const firstBucket = first >> level;
    const endBucket = Math.ceil(end / size);
    const x: number[] = [];
    for (let bucket = firstBucket; bucket < endBucket; bucket++) {
      const start = bucket * size;
      x.push(this.start[start]!, this.start[Math.min(this.length - 1, start + size / 2)]! + (start + size / 2 >= this.length ? 0.5 : 0));
    }
    const lines = names.map((name) => {
      const { lowest, highest, lowestFirst } = this.#pyramid(name).level(level);
      const line: (number | null)[] = [];
      for (let bucket = firstBucket; bucket < endBucket; bucket++) {
        const low = orNull(lowest[bucket]!);
        const high = orNull(highest[bucket]!);
        if (name === "lower") line.push(low, low);
        else if (name === "upper") line.push(high, high);
        else if (lowestFirst[bucket]) line.push(low, high);
        else line.push(high, low);
      }
      return line;
    });
    return { x, lines };
  }

  #pyramid(name: LineName): Pyramid {
    let found = this.#pyramids.get(name);
    if (!found) this.#pyramids.set(name, (found = new Pyramid(this.columns[name])));
    return found;
  }
}

interface Level {
  lowest: Float64Array;
  highest: Float64Array;
  /** Whether the lowest comes before the highest. */
  lowestFirst: Uint8Array;
}

/** Lowest and highest of 2, 4, 8 … neighbours; NaN where all of them are gaps. Levels are made when asked for. */
export class Pyramid {
  readonly #levels: Level[];

  constructor(column: Float64Array) {
    this.#levels = [{ lowest: column, highest: column, lowestFirst: new Uint8Array(column.length).fill(1) }];
  }

  level(number: number): Level {
    while (this.#levels.length <= number) this.#levels.push(halved(this.#levels.at(-1)!));
    return this.#levels[number]!;
  }
}

function halved(below: Level): Level {
  const length = Math.ceil(below.lowest.length / 2);
  const lowest = new Float64Array(length);
  const highest = new Float64Array(length);
  const lowestFirst = new Uint8Array(length);
  for (let index = 0; index < length; index++) {
    const left = 2 * index;
    const right = left + 1;
    const lowLeft = below.lowest[left]!;
    const lowRight = below.lowest[right] ?? NaN;
    const highLeft = below.highest[left]!;
    const highRight = below.highest[right] ?? NaN;
    const lowIsLeft = !(lowRight < lowLeft) && !Number.isNaN(lowLeft);
    const highIsLeft = !(highRight > highLeft) && !Number.isNaN(highLeft);
    lowest[index] = lowIsLeft ? lowLeft : lowRight;
    highest[index] = highIsLeft ? highLeft : highRight;
    lowestFirst[index] = lowIsLeft === highIsLeft ? below.lowestFirst[lowIsLeft ? left : right]! : lowIsLeft ? 1 : 0;
  }
  return { lowest, highest, lowestFirst };
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
