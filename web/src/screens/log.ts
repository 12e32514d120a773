/** How telemetry of a workload came, an interval a row, and what was unusual in it. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement } from "lit/decorators.js";

import type { LiveEvent, LoggedInterval, WorkloadLog } from "../api/shapes";
import { duration } from "../app/clock";
import { linked, workloadLink } from "../app/links";
import { count, counted, percent } from "../app/numbers";
import { place, refine, segments } from "../app/router";
import { api } from "../app/session";
import { empty, Loading } from "../parts/loading";
import { Screen } from "../parts/screen";
import { table, type Column } from "../parts/table";
import { badge, fact, severity, time } from "../parts/words";

const SPANS: readonly [number, string][] = [
  [6 * 3600, "6 hours"],
  [86_400, "1 day"],
  [7 * 86_400, "1 week"],
];
const USUAL_SPAN = 86_400;
const SHOWN = 60;
/** How often it is asked for anew. */
const FOLLOW_MS = 60_000;

const refusedOf = (one: LoggedInterval) => Object.values(one.refused).reduce((sum, each) => sum + each, 0);
const some = (number: number) => (number ? html`<b>${count(number)}</b>` : html`<span class="faint">0</span>`);

const COLUMNS: readonly Column<LoggedInterval>[] = [
  { title: "Interval", kind: "main", cell: (one) => time(one.start) },
  { title: "Records", kind: "number", cell: (one) => count(one.accepted) },
  { title: "Late", kind: "number", cell: (one) => some(one.late) },
  { title: "Twice", kind: "number", cell: (one) => some(one.duplicated) },
  { title: "Refused", kind: "number", cell: (one) => some(refusedOf(one)) },
  { title: "Off the clock", kind: "number", cell: (one) => some(one.off_clock) },
  { title: "Complete", kind: "number", cell: (one) => (Object.keys(one.completeness).length ? percent(Math.min(...Object.values(one.completeness))) : "–") },
  { title: "Lag", kind: "number", cell: (one) => (one.lag_seconds === null ? "–" : duration(one.lag_seconds)) },
  { title: "Anomalies", kind: "number", cell: (one) => some(one.anomalies) },
];

@customElement("wk-log")
export class LogScreen extends Screen {
  #log = new Loading<WorkloadLog>(this);
  #asked = "";
  #following: ReturnType<typeof setInterval> | undefined;

  get #workload(): string {
    return segments()[1] ?? "";
  }

  get #span(): number {
    return Number(place.value.query.get("span")) || USUAL_SPAN;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#following = setInterval(() => this.#log.again(), FOLLOW_MS);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.#following);
  }

  protected override moved(): void {
    const asked = `${this.#workload}|${this.#span}`;
    if (asked === this.#asked) return;
    this.#asked = asked;
    void this.#log.load((signal) => this.#ask(signal), { fresh: true });
  }

  /** Ask for all parts. */
  async #ask(signal: AbortSignal): Promise<WorkloadLog> {
    const [at, until] = [{ workload: this.#workload }, Date.now()];
    const times = { from: new Date(until - 1000 * this.#span).toISOString(), to: new Date(until).toISOString() };
    let whole: WorkloadLog | null = null;
    let cursor: string | null = null;
    do {
      const part: WorkloadLog = await api().get("/watch/workloads/{workload}/log", { at, query: { ...times, most: 5000, cursor }, signal });
      whole = whole ? { ...part, items: [...whole.items, ...part.items], events: [...whole.events, ...part.events] } : part;
      cursor = part.next;
    } while (cursor);
    return whole;
  }

  protected override happened(event: LiveEvent): void {
    if (event.workload === this.#workload && event.kind === "telemetry") this.#log.soon(2000);
  }

  protected override render(): TemplateResult {
    return html`<div class="screen">
      <div class="head">
        <div>
          <h1>How telemetry of ${this.#workload} came</h1>
          <p class="soft">Of ${linked(workloadLink(this.#workload), "the workload")}, by interval: what came late, twice, refused or off its clock, and what was unusual in that.</p>
        </div>
        <label class="field field-row"><span>The last</span>
          <select @change=${(event: Event) => refine({ span: (event.target as HTMLSelectElement).value })}>
            ${SPANS.map(([seconds, words]) => html`<option value=${seconds} ?selected=${seconds === this.#span}>${words}</option>`)}
          </select>
        </label>
      </div>
      ${this.#log.render((log) => whole(log), {
        isEmpty: (log) => log.items.length === 0 && log.events.length === 0,
        empty: () => empty("Nothing came", "No interval of this time is logged.", "series"),
        rows: 8,
      })}
    </div>`;
  }
}

function whole(log: WorkloadLog): TemplateResult {
  const sum = (of: (one: LoggedInterval) => number) => log.items.reduce((all, one) => all + of(one), 0);
  const shown = log.items.slice(-SHOWN).reverse();
  return html`<div class="screen">
    <section class="sheet" aria-labelledby="sums-title">
      <div class="sheet-head"><h2 id="sums-title">In all</h2></div>
      <dl class="sheet-body facts">
        ${fact("intervals", count(log.items.length))} ${fact("records", count(sum((one) => one.accepted)))} ${fact("late", count(sum((one) => one.late)))}
        ${fact("twice", count(sum((one) => one.duplicated)))} ${fact("refused", count(sum(refusedOf)))} ${fact("off the clock", count(sum((one) => one.off_clock)))}
      </dl>
    </section>
    ${log.events.length
      ? html`<section class="sheet" aria-labelledby="unusual-title">
          <div class="sheet-head"><h2 id="unusual-title">What was unusual</h2></div>
          <ul class="lines">${[...log.events].reverse().map(
            (one) => html`<li class="line">
              ${one.began ? severity(one.severity) : badge("over", "good")}
              <span class="line-main"><span>${one.says}</span><span class="small soft">${time(one.at)}</span></span>
            </li>`,
          )}</ul>
        </section>`
      : nothing}
    <section class="sheet" aria-labelledby="intervals-title">
      <div class="sheet-head">
        <h2 id="intervals-title">Intervals</h2>
        ${shown.length < log.items.length ? html`<span class="small soft">the newest ${shown.length} of ${counted(log.items.length, "interval")}</span>` : nothing}
      </div>
      ${table({ caption: "Intervals, the newest first", columns: COLUMNS, rows: shown, key: (one) => one.start })}
    </section>
  </div>`;
}
