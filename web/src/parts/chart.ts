/**
 * One series over time: `<wk-chart .columns .range kind="value">`.
 *
 * It draws what `columns` says of `range`, and asks for another range (event `range`, detail `[from, to]`) where
 * somebody drags a part of it, turns the wheel with Ctrl, pinches, or uses the keys. Who holds the range decides;
 * so several charts move together. `focus` of the reading line is shared by the name of `group`.
 */

import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import uPlot from "uplot";

import { dateTime, timeOfDay, zone, zoneName } from "../app/clock";
import { counted, value as digits } from "../app/numbers";
import { Watching } from "../app/signal";
import { colour, theme } from "../app/theme";
import type { Columns, LineName } from "./columns";
import { Part } from "./screen";

export type Range = readonly [from: number, to: number];
export type ChartKind = "value" | "score" | "severity";

export interface Window {
  start: number;
  end: number;
  kind: "label" | "incident";
}

interface Line {
  name: LineName;
  words: string;
  colour: `--${string}`;
  width: number;
  dash?: number[];
  /** Named below the chart. */
  told?: boolean;
}

const LINES: Record<ChartKind, Line[]> = {
  value: [
    { name: "upper", words: "usual", colour: "--chart-band-edge", width: 0 },
    { name: "lower", words: "", colour: "--chart-band-edge", width: 0 },
    { name: "expected", words: "expected", colour: "--chart-expected", width: 1, dash: [5, 4], told: true },
    { name: "value", words: "value", colour: "--chart-value", width: 1.6, told: true },
  ],
  score: [
    { name: "threshold", words: "threshold", colour: "--chart-threshold", width: 1.4, dash: [6, 4], told: true },
    { name: "score", words: "score", colour: "--chart-score", width: 1.4, told: true },
  ],
  severity: [{ name: "severity", words: "severity", colour: "--chart-score", width: 1.4, told: true }],
};

const THRESHOLD_SEVERITY = 70;
/** A range is never shorter than so many intervals. */
const LEAST_INTERVALS = 4;
/** Intervals a pixel. */
const DENSE = 8;

@customElement("wk-chart")
export class Chart extends Part {
  @property({ attribute: false }) columns: Columns | undefined;
  @property({ attribute: false }) range: Range = [0, 1];
  /** The longest range that it asks for: what there is. */
  @property({ attribute: false }) bounds: Range | undefined;
  @property({ attribute: false }) windows: readonly Window[] = [];
  @property() kind: ChartKind = "value";
  @property() name = "";
  @property() unit = "";
  @property({ type: Number }) height = 220;
  /** Charts of one group show the same instant. */
  @property() group = "";
  /** Dragging marks a window (event `mark`) in place of zooming. */
  @property({ type: Boolean }) marking = false;
  @state() private reading: number | null = null;
  @state() private said = "";

  #plot: uPlot | undefined;
  #size: ResizeObserver | undefined;
  #asked: Range | undefined;
  #frame = 0;
  #touches = new Map<number, number>();

  constructor() {
    super();
    new Watching(this, [zone, theme]);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#size = new ResizeObserver(() => this.#resize());
    this.#size.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#size?.disconnect();
    cancelAnimationFrame(this.#frame);
    this.#plot?.destroy();
    this.#plot = undefined;
  }

  protected override render(): TemplateResult {
    return html`<figure class="chart">
      <figcaption class="chart-legend">${this.#legend()}</figcaption>
      <div
        class="chart-area"
        role="group"
        tabindex="0"
        aria-label=${`Chart of ${this.name || this.kind}. ${this.#summary()}`}
        aria-roledescription="chart"
        @keydown=${this.#key}
      ></div>
      <p class="hidden-text" aria-live="polite">${this.said}</p>
    </figure>`;
  }

  /** What the lines are, and what they are at the instant that is pointed at. */
  #legend(): unknown {
    const { columns, reading } = this;
    const at = reading === null ? -1 : reading;
    const of = (name: LineName) => (columns && at >= 0 ? columns.at(name, at) : null);
    const shown = (words: unknown) => (at >= 0 ? html` <b class="number">${words}</b>` : nothing);
    const isAnomalous = columns && at >= 0 && columns.anomaliesIn(columns.start[at]!, columns.start[at]! + 1).length > 0;
    return html`
      ${LINES[this.kind]
        .filter((line) => line.told)
        .reverse()
        .map((line) => html`<span class="key"><span class="key-line key-${line.name}"></span>${line.words}${shown(this.#withUnit(of(line.name), line.name))}</span>`)}
      ${this.kind === "value"
        ? html`<span class="key"><span class="key-band"></span>usual${shown(html`${digits(of("lower"))} to ${digits(of("upper"))}`)}</span>`
        : nothing}
      ${this.kind === "severity" ? html`<span class="key"><span class="key-line key-threshold"></span>threshold 70</span>` : nothing}
      <span class="key"><span class="key-dot"></span>${isAnomalous ? html`<b>anomaly</b>` : "anomaly"}</span>
      ${this.windows.some((one) => one.kind === "label") ? html`<span class="key"><span class="key-label"></span>labelled</span>` : nothing}
      <span class="key key-time number">${columns && at >= 0 ? dateTime(columns.start[at]!) : nothing}</span>
    `;
  }

  #withUnit(of: number | null, name: LineName): string {
    const text = digits(of);
    return this.unit && text !== "–" && (name === "value" || name === "expected") ? `${text} ${this.unit}` : text;
  }

  #summary(): string {
    const { columns } = this;
    if (!columns?.length) return "Nothing is in this range.";
    const [from, to] = this.range;
    const found = columns.anomaliesIn(from, to).length;
    return `${dateTime(from)} to ${dateTime(to)}; ${counted(found, "anomalous interval")}. Left and right read single intervals, plus and minus zoom, N and P go to the next and the previous anomaly.`;
  }

  protected override updated(changed: PropertyValues<this>): void {
    const look = `${theme.value}|${zone.value}|${this.kind}|${this.height}|${this.unit}|${this.marking}`;
    if (!this.columns) return;
    if (changed.has("columns")) this.reading = null;
    if (!this.#plot || this.#look !== look) this.#build(look);
    else if (changed.has("columns") || changed.has("range") || changed.has("windows")) this.#draw();
  }

  #look = "";
  #isDense = false;
  #scale = 1;
  #inks = { anomaly: "", threshold: "", label: "", incident: "" };

  #build(look: string): void {
    this.#plot?.destroy();
    this.#look = look;
    const area = this.querySelector<HTMLElement>(".chart-area")!;
    const lines = LINES[this.kind];
    this.#inks = {
      anomaly: colour("--chart-anomaly"),
      threshold: colour("--chart-threshold"),
      label: colour("--chart-label"),
      incident: colour("--chart-incident"),
    };
    const text = colour("--chart-text");
    const grid = { stroke: colour("--chart-grid"), width: 1 };
    // as large beside the page's text on a wall as on a desk
    const scale = (parseFloat(getComputedStyle(document.documentElement).fontSize) || 16) / 16;
    this.#scale = scale;
    const font = `${12 * scale}px ${getComputedStyle(this).fontFamily}`;
    this.#plot = new uPlot(
      {
        width: Math.max(50, area.clientWidth),
        height: this.height * scale,
        legend: { show: false },
        padding: [10, this.#halfLabel(font), 0, 0],
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zoneName()),
        cursor: {
          y: false,
          points: { size: 7 },
          drag: { x: true, y: false, setScale: false },
          ...(this.group ? { sync: { key: this.group, setSeries: false } } : {}),
        },
        scales: {
          x: { time: true },
          y: this.kind === "severity" ? { range: [0, 100] } : this.kind === "score" ? { range: (_, __, most) => [0, 1.1 * (most || 1)] } : {},
        },
        axes: [
          { stroke: text, grid, ticks: grid, font, size: 50 * scale, space: 70 * scale, values: (_plot, splits, _axis, _space, step) => ticks(splits, step) },
          { stroke: text, grid, ticks: grid, font, size: 56 * scale, values: (_plot, splits) => splits.map((one) => digits(one)) },
        ],
        series: [
          {},
          ...lines.map((line) => ({
            label: line.words,
            stroke: colour(line.colour),
            width: line.width * scale,
            ...(line.dash ? { dash: line.dash } : {}),
            points: { show: false },
            spanGaps: false,
          })),
        ],
        bands: this.kind === "value" ? [{ series: [1, 2], fill: colour("--chart-band") }] : [],
        hooks: {
          drawClear: [(plot) => this.#drawWindows(plot)],
          draw: [(plot) => this.#drawAnomalies(plot)],
          setCursor: [(plot) => this.#read(plot)],
          setSelect: [(plot) => this.#select(plot)],
        },
      },
      this.#data(area.clientWidth),
      area,
    );
    this.#plot.root.setAttribute("aria-hidden", "true");
    this.#thin(this.#plot);
    this.#plot.setScale("x", { min: this.range[0], max: this.range[1] });
    this.#gestures(this.#plot.over);
  }

  /** What the last label of the time axis has beyond its tick, which may be at the chart's very end. */
  #halfLabel(font: string): number {
    const pen = document.createElement("canvas").getContext("2d");
    if (!pen) return 0;
    pen.font = font;
    return Math.ceil(pen.measureText(dateOf(this.range[1])).width / 2) + 1;
  }

  #data(width: number): uPlot.AlignedData {
    const names = LINES[this.kind].map((line) => line.name);
    const { x, lines } = this.columns!.view(names, this.range[0], this.range[1], Math.max(50, width));
    // so many intervals a pixel that the line is a block: what is under it shines through
    this.#isDense = this.columns!.indexAt(this.range[1]) - this.columns!.indexAt(this.range[0]) > DENSE * width;
    return [x, ...lines] as uPlot.AlignedData;
  }

  #draw(): void {
    const plot = this.#plot;
    if (!plot) return;
    plot.batch(() => {
      plot.setData(this.#data(plot.width), false);
      this.#thin(plot);
      plot.setScale("x", { min: this.range[0], max: this.range[1] });
    });
  }

  #thin(plot: uPlot): void {
    const line = plot.series.at(-1)!;
    line.alpha = this.#isDense ? 0.6 : 1;
    line.width = this.#scale * (this.#isDense ? 1 : LINES[this.kind].at(-1)!.width);
  }

  #resize(): void {
    const area = this.querySelector<HTMLElement>(".chart-area");
    if (!this.#plot || !area || area.clientWidth === this.#plot.width) return;
    this.#plot.setSize({ width: Math.max(50, area.clientWidth), height: this.height * this.#scale });
    this.#draw();
  }

  #drawWindows(plot: uPlot): void {
    const { ctx, bbox } = plot;
    ctx.save();
    for (const { start, end, kind } of this.windows) {
      const left = Math.max(bbox.left, plot.valToPos(start, "x", true));
      const right = Math.min(bbox.left + bbox.width, plot.valToPos(end, "x", true));
      if (right < bbox.left || left > bbox.left + bbox.width) continue;
      ctx.fillStyle = this.#inks[kind];
      ctx.fillRect(left, bbox.top, Math.max(2, right - left), bbox.height);
    }
    ctx.restore();
  }

  #drawAnomalies(plot: uPlot): void {
    const { columns } = this;
    if (!columns) return;
    const { ctx, bbox } = plot;
    const line: LineName = this.kind === "value" ? "value" : this.kind;
    const size = 3.2 * this.#scale * devicePixelRatio;
    ctx.save();
    if (this.kind === "severity") {
      const y = plot.valToPos(THRESHOLD_SEVERITY, "y", true);
      ctx.strokeStyle = this.#inks.threshold;
      ctx.lineWidth = 1.4 * devicePixelRatio;
      ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
      ctx.setLineDash([]);
    }
    ctx.fillStyle = this.#inks.anomaly;
    ctx.beginPath();
    let last = "";
    for (const index of columns.anomaliesIn(...this.range)) {
      const of = columns.at(line, index);
      const x = Math.round(plot.valToPos(columns.start[index]!, "x", true));
      const y = of === null ? bbox.top + bbox.height - size : Math.round(plot.valToPos(of, "y", true));
      const here = `${x}|${y}`;
      if (here === last) continue;
      last = here;
      ctx.moveTo(x + size, y);
      ctx.arc(x, y, size, 0, 2 * Math.PI);
    }
    ctx.fill();
    ctx.restore();
  }

  #read(plot: uPlot): void {
    const { left } = plot.cursor;
    if (!this.columns || left === undefined || left < 0) {
      this.reading = null;
      return;
    }
    const index = this.columns.nearest(plot.posToVal(left, "x"));
    this.reading = index < 0 ? null : index;
  }

  #select(plot: uPlot): void {
    const { left, width } = plot.select;
    if (width < 4) return;
    const range: Range = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
    plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    if (this.marking) this.dispatchEvent(new CustomEvent("mark", { detail: range, bubbles: true }));
    else this.#ask(range);
  }

  /** Ask for a range, within the bounds and not too short; at most once a frame. */
  #ask([from, to]: Range): void {
    const [least, most] = this.bounds ?? [-Infinity, Infinity];
    const width = Math.min(Math.max(to - from, LEAST_INTERVALS * (this.columns?.interval ?? 1)), most - least);
    const middle = (from + to) / 2;
    const start = Math.max(least, Math.min(middle - width / 2, most - width));
    this.#asked = [start, start + width];
    if (this.#frame) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.dispatchEvent(new CustomEvent<Range>("range", { detail: this.#asked!, bubbles: true }));
    });
  }

  /** Zoom by a factor, around an instant. */
  zoom(factor: number, around = (this.range[0] + this.range[1]) / 2): void {
    const [from, to] = this.#asked && this.#frame ? this.#asked : this.range;
    this.#ask([around - (around - from) * factor, around + (to - around) * factor]);
  }

  /** Move by a part of what is shown. */
  pan(part: number): void {
    const [from, to] = this.#asked && this.#frame ? this.#asked : this.range;
    this.#ask([from + part * (to - from), to + part * (to - from)]);
  }

  #gestures(over: HTMLElement): void {
    over.addEventListener(
      "wheel",
      (event) => {
        const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY);
        if (!event.ctrlKey && !event.metaKey && !event.shiftKey && !sideways) return;
        event.preventDefault();
        if (sideways || event.shiftKey) return this.pan((event.deltaX || event.deltaY) / over.clientWidth);
        this.zoom(Math.exp(event.deltaY * 0.0025), this.#plot!.posToVal(event.offsetX, "x"));
      },
      { passive: false },
    );
    over.addEventListener("dblclick", () => this.bounds && this.#ask(this.bounds));
    // before uPlot sees it: with Shift, or by touch, dragging moves
    over.addEventListener(
      "pointerdown",
      (event) => {
        if (event.pointerType !== "touch" && !event.shiftKey) return;
        this.#touches.set(event.pointerId, event.clientX);
        over.setPointerCapture(event.pointerId);
      },
      { capture: true },
    );
    over.addEventListener("mousedown", (event) => event.shiftKey && event.stopImmediatePropagation(), { capture: true });
    over.addEventListener("pointermove", (event) => {
      const before = this.#touches.get(event.pointerId);
      if (before === undefined) return;
      if (this.#touches.size === 2) {
        const [other] = [...this.#touches].filter(([id]) => id !== event.pointerId)[0]!.slice(1) as [number];
        const middle = this.#plot!.posToVal((other + event.clientX) / 2 - over.getBoundingClientRect().left, "x");
        this.zoom(Math.abs(before - other) / Math.max(8, Math.abs(event.clientX - other)), middle);
      } else {
        this.pan((before - event.clientX) / over.clientWidth);
      }
      this.#touches.set(event.pointerId, event.clientX);
    });
    for (const end of ["pointerup", "pointercancel"] as const) {
      over.addEventListener(end, (event) => this.#touches.delete(event.pointerId));
    }
  }

  readonly #key = (event: KeyboardEvent): void => {
    const { columns } = this;
    if (!columns?.length || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = event.shiftKey ? 10 : 1;
    switch (event.key) {
      case "ArrowLeft":
        this.#readAt((this.reading ?? columns.indexAt(this.range[1])) - step);
        break;
      case "ArrowRight":
        this.#readAt((this.reading ?? columns.indexAt(this.range[0]) - 1) + step);
        break;
      case "+":
      case "=":
        this.zoom(0.5, this.#middle());
        break;
      case "-":
        this.zoom(2, this.#middle());
        break;
      case "PageUp":
        this.pan(-0.5);
        break;
      case "PageDown":
        this.pan(0.5);
        break;
      case "0":
        if (this.bounds) this.#ask(this.bounds);
        break;
      case "n":
      case "p":
        this.toAnomaly(event.key === "n" ? 1 : -1);
        break;
      default:
        return;
    }
    event.preventDefault();
  };

  #middle(): number {
    return this.reading === null ? (this.range[0] + this.range[1]) / 2 : this.columns!.start[this.reading]!;
  }

  /** Go to the next anomaly (1) or the one before (-1) of where it reads. */
  toAnomaly(direction: 1 | -1): void {
    const { columns } = this;
    if (!columns) return;
    const here = this.reading ?? columns.indexAt((this.range[0] + this.range[1]) / 2);
    const all = [...columns.anomalies];
    const found = direction > 0 ? all.find((one) => one > here) : all.findLast((one) => one < here);
    if (found === undefined) {
      this.said = direction > 0 ? "There is no later anomaly." : "There is no earlier anomaly.";
      return;
    }
    this.#readAt(found);
  }

  #readAt(index: number): void {
    const columns = this.columns!;
    const at = Math.max(0, Math.min(columns.length - 1, index));
    const seconds = columns.start[at]!;
    const [from, to] = this.range;
    if (seconds < from || seconds > to) this.#ask([seconds - (to - from) / 2, seconds + (to - from) / 2]);
    this.reading = at;
    this.said = this.#inWords(at);
    this.#plot?.setCursor({ left: this.#plot.valToPos(seconds, "x"), top: 0 });
    this.reading = at;
  }

  #inWords(at: number): string {
    const columns = this.columns!;
    const of = (name: LineName) => digits(columns.at(name, at));
    const when = dateTime(columns.start[at]!);
    if (columns.at("value", at) === null) return `${when}: nothing came.`;
    const anomalous = columns.anomaliesIn(columns.start[at]!, columns.start[at]! + 1).length ? ", an anomaly" : "";
    return `${when}: ${of("value")} ${this.unit}${anomalous}; usual ${of("lower")} to ${of("upper")}; severity ${of("severity")}.`;
  }
}

const DAY = 86_400;

/** The day of an instant, as an axis names it. */
function dateOf(at: number): string {
  return dateTime(at).replace(/ \S+$/, "");
}

/** Times on an axis: a day is named where it begins, and at the left end. */
function ticks(splits: number[], step: number): string[] {
  let day = "";
  return splits.map((at) => {
    const date = dateOf(at);
    if (step >= DAY) return date;
    const text = timeOfDay(at, { seconds: step < 60 });
    if (date === day) return text;
    day = date;
    return `${text}\n${date}`;
  });
}
