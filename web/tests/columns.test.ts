// @vitest-environment node
import { expect, test } from "vitest";

import type { Points } from "../src/api/shapes";
import { Columns } from "../src/parts/columns";

const INTERVAL = 300;

function points(values: (number | null)[], from = 0): Points {
  const same = (of: number) => values.map((value) => (value === null ? null : value + of));
  return {
    series: "co",
    interval_seconds: INTERVAL,
    start: values.map((_, index) => from + index * INTERVAL),
    value: values,
    expected: same(0),
    lower: same(-1),
    upper: same(1),
    score: same(0),
    threshold: values.map(() => 10),
    severity: same(0),
    anomalous: values.map((value) => (value ?? 0) > 50),
    complete: true,
    next: null,
  };
}

function noisy(length: number): (number | null)[] {
  let seed = 11;
  return Array.from({ length }, (_, index) => {
    seed = (seed * 16_807) % 2_147_483_647;
    return index % 97 === 0 ? null : seed % 100;
  });
}

test("pages that overlap count once, and what lies between two is a gap", () => {
  const columns = Columns.of([points([1, 2, 3]), points([3, 4], 2 * INTERVAL), points([9], 10 * INTERVAL)]);
  expect([...columns.start]).toEqual([0, 300, 600, 900, 1200, 3000]);
  expect(columns.at("value", 4)).toBeNull();
  expect(columns.at("value", 5)).toBe(9);
});

test("few intervals are drawn as they are, gaps as null", () => {
  const columns = Columns.of([points([1, null, 3])]);
  const { x, lines } = columns.view(["value", "upper"], 0, 600, 500);
  expect(x).toEqual([0, 300, 600]);
  expect(lines).toEqual([
    [1, null, 3],
    [2, null, 4],
  ]);
});

test("however many there are, what is drawn is bounded by the pixels, and no peak is lost", () => {
  const values = noisy(100_000);
  values[54_321] = 5000;
  values[77_777] = -5000;
  const columns = Columns.of([points(values)]);
  for (const pixels of [100, 333, 1000]) {
    const { x, lines } = columns.view(["value"], 0, 100_000 * INTERVAL, pixels);
    expect(x.length).toBeLessThanOrEqual(2 * (pixels + 2));
    expect(x.length).toBeGreaterThan(pixels / 2);
    expect(lines[0]).toContain(5000);
    expect(lines[0]).toContain(-5000);
    expect(x.every((at, index) => index === 0 || at > x[index - 1]!)).toBe(true);
  }
});

test("a bucket's lowest and highest are those of its intervals, at every zoom", () => {
  const values = noisy(5000);
  const columns = Columns.of([points(values)]);
  for (const [from, to] of [[0, 5000], [1000, 3000], [4321, 4999]] as const) {
    const { lines } = columns.view(["value", "lower", "upper"], from * INTERVAL, to * INTERVAL, 60);
    const drawn = lines[0]!.filter((one) => one !== null);
    const real = values.slice(from, to).filter((one) => one !== null);
    expect(Math.max(...drawn)).toBeGreaterThanOrEqual(Math.max(...real));
    expect(Math.min(...drawn)).toBeLessThanOrEqual(Math.min(...real));
    lines[0]!.forEach((value, index) => {
      if (value === null) return;
      expect(lines[1]![index]).toBeLessThanOrEqual(value - 1);
      expect(lines[2]![index]).toBeGreaterThanOrEqual(value + 1);
    });
  }
});

test("panning does not move the buckets", () => {
  const columns = Columns.of([points(noisy(20_000))]);
  const one = columns.view(["value"], 0, 10_000 * INTERVAL, 100);
  const other = columns.view(["value"], 3 * INTERVAL, 10_003 * INTERVAL, 100);
  const at = new Map(one.x.map((x, index) => [x, one.lines[0]![index]]));
  const both = other.x.filter((x) => at.has(x));
  expect(both.length).toBeGreaterThan(0.9 * one.x.length);
  for (const x of both) expect(other.lines[0]![other.x.indexOf(x)]).toBe(at.get(x));
});

test("anomalies of a range are found, however many are outside of it", () => {
  const values = Array.from({ length: 1000 }, (_, index) => (index % 10 === 0 ? 99 : 1));
  const columns = Columns.of([points(values)]);
  expect([...columns.anomaliesIn(95 * INTERVAL, 121 * INTERVAL)]).toEqual([100, 110, 120]);
});

test("the interval that is pointed at is the closest one", () => {
  const columns = Columns.of([points([1, 2, 3])]);
  expect([-999, 140, 160, 450, 451, 9999].map((at) => columns.nearest(at))).toEqual([0, 0, 1, 1, 2, 2]);
  expect(Columns.of([]).nearest(5)).toBe(-1);
});

test("a frame of a hundred thousand intervals takes in what a thousand pixels show, without the rest", () => {
  const columns = Columns.of([points(noisy(131_072))]);
  const names = ["upper", "lower", "expected", "value"] as const;
  const { x, lines } = columns.view(names, 0, 131_072 * INTERVAL, 1000);
  expect(x.length * lines.length).toBeLessThan(4 * 2100);
});
