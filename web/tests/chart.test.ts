import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { Points } from "../src/api/shapes";

/** What the chart tells uPlot, without a canvas. */
const plots: FakePlot[] = [];

class FakePlot {
  static tzDate = (date: Date) => date;
  root = document.createElement("div");
  over = document.createElement("div");
  select = { left: 0, width: 0 };
  cursor = { left: -1 };
  width: number;
  scale: { min: number; max: number } | null = null;
  series: { alpha?: number; width?: number }[];

  constructor(
    readonly options: { width: number; series: object[]; hooks: Record<string, ((plot: FakePlot) => void)[]> },
    public data: (number | null)[][],
    area: HTMLElement,
  ) {
    this.width = options.width;
    this.series = options.series.map((one) => ({ ...one }));
    area.append(this.root);
    plots.push(this);
  }

  batch(act: () => void): void {
    act();
  }

  setData(data: (number | null)[][]): void {
    this.data = data;
  }

  setScale(_name: string, scale: { min: number; max: number }): void {
    this.scale = scale;
  }

  setSelect(select: { left: number; width: number }): void {
    this.select = select;
  }

  setCursor(): void {}
  setSize(): void {}
  destroy(): void {}

  /** A pixel is a thousandth of what is shown. */
  posToVal(left: number): number {
    return this.scale!.min + (left / 1000) * (this.scale!.max - this.scale!.min);
  }

  valToPos(): number {
    return 0;
  }

  fire(hook: string): void {
    for (const told of this.options.hooks[hook]!) told(this);
  }
}

vi.mock("uplot", () => ({ default: FakePlot }));

const { Chart } = await import("../src/parts/chart");
const { Columns } = await import("../src/parts/columns");
const { zone } = await import("../src/app/clock");

const INTERVAL = 300;
const COUNT = 1000;
const END = COUNT * INTERVAL;

function points(): Points {
  const start = Array.from({ length: COUNT }, (_, index) => index * INTERVAL);
  const column = (of: (index: number) => number | null) => start.map((_, index) => of(index));
  return {
    series: "co",
    interval_seconds: INTERVAL,
    start,
    value: column((index) => (index === 7 ? null : index)),
    expected: column((index) => index),
    lower: column((index) => index - 1),
    upper: column((index) => index + 1),
    score: column(() => 0.2),
    threshold: column(() => 0.375),
    severity: column((index) => (index % 100 === 50 ? 90 : 20)),
    anomalous: start.map((_, index) => index % 100 === 50),
    complete: true,
    next: null,
  };
}

let chart: InstanceType<typeof Chart>;
let asked: (readonly [number, number])[];

beforeEach(async () => {
  zone.value = "UTC";
  plots.length = 0;
  asked = [];
  vi.stubGlobal("requestAnimationFrame", (act: () => void) => (act(), 0));
  chart = new Chart();
  chart.columns = Columns.of([points()]);
  chart.bounds = [0, END];
  chart.range = [0, END];
  chart.name = "co";
  chart.addEventListener("range", (event) => {
    const { detail } = event as CustomEvent<readonly [number, number]>;
    asked.push(detail);
    chart.range = detail;
  });
  document.body.append(chart);
  await chart.updateComplete;
});

afterEach(() => {
  chart.remove();
  vi.unstubAllGlobals();
});

function key(name: string, options: KeyboardEventInit = {}): Promise<unknown> {
  chart.querySelector(".chart-area")!.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true, ...options }));
  return chart.updateComplete;
}

const plot = () => plots.at(-1)!;

test("it draws band, expected value and value, in that order, over its range", () => {
  expect(plot().options.series).toHaveLength(5);
  expect(plot().scale).toEqual({ min: 0, max: END });
  expect(plot().data).toHaveLength(5);
});

test("another range draws another part, of the same plot", async () => {
  chart.range = [100 * INTERVAL, 110 * INTERVAL];
  await chart.updateComplete;
  expect(plots).toHaveLength(1);
  expect(plot().scale).toEqual({ min: 100 * INTERVAL, max: 110 * INTERVAL });
  expect(plot().data[4]).toEqual(expect.arrayContaining([100, 110]));
});

test("dragging asks for the part that was dragged over; while marking it is a window", async () => {
  plot().select = { left: 100, width: 200 };
  plot().fire("setSelect");
  expect(asked).toEqual([[0.1 * END, 0.3 * END]]);
  await chart.updateComplete;
  const marks: unknown[] = [];
  chart.marking = true;
  chart.addEventListener("mark", (event) => marks.push((event as CustomEvent).detail));
  await chart.updateComplete;
  plot().select = { left: 0, width: 500 };
  plot().fire("setSelect");
  expect(marks).toHaveLength(1);
  expect(asked).toHaveLength(1);
});

test("no range is asked for that goes beyond what there is, or is too short to see anything", async () => {
  await key("-");
  expect(asked.at(-1)).toEqual([0, END]);
  for (let turn = 0; turn < 30; turn++) await key("+");
  const [from, to] = asked.at(-1)!;
  expect(to - from).toBe(4 * INTERVAL);
  for (let turn = 0; turn < 20; turn++) {
    chart.zoom(2);
    await chart.updateComplete;
  }
  expect(asked.at(-1)).toEqual([0, END]);
  chart.range = [END - 10 * INTERVAL, END];
  await chart.updateComplete;
  await key("PageDown");
  expect(asked.at(-1)).toEqual([END - 10 * INTERVAL, END]);
});

test("arrows read single intervals aloud, a gap too", async () => {
  for (let turn = 0; turn < 8; turn++) await key("ArrowRight");
  expect(chart.querySelector("[aria-live]")!.textContent).toBe("1 Jan 1970 00:35: nothing came.");
  await key("ArrowLeft");
  expect(chart.querySelector("[aria-live]")!.textContent).toContain("usual 5 to 7; severity 20.");
  expect(chart.querySelector(".chart-legend")!.textContent).toContain("value 6");
});

test("n and p go to the next and the previous anomaly, and bring it into view", async () => {
  chart.range = [0, 20 * INTERVAL];
  await chart.updateComplete;
  await key("n");
  expect(chart.querySelector("[aria-live]")!.textContent).toContain("an anomaly");
  const [from, to] = asked.at(-1)!;
  expect(from).toBeLessThan(50 * INTERVAL);
  expect(to).toBeGreaterThan(50 * INTERVAL);
  await key("n");
  expect(chart.querySelector("[aria-live]")!.textContent).toContain("1 Jan 1970 12:30: 150");
  await key("p");
  await key("p");
  expect(chart.querySelector("[aria-live]")!.textContent).toBe("There is no earlier anomaly.");
});

test("keys with Ctrl are the browser's", async () => {
  await key("+", { ctrlKey: true });
  expect(asked).toEqual([]);
});

test("its name says what it shows, for who does not see it", () => {
  expect(chart.querySelector(".chart-area")!.getAttribute("aria-label")).toMatch(/^Chart of co\. 1 Jan 1970 00:00 to .* 10 anomalous intervals\./);
});

test("another zone draws the axis anew", async () => {
  zone.value = "viewer";
  await chart.updateComplete;
  expect(plots).toHaveLength(2);
});
