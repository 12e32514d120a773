/**
 * Any series over any time: band, score, severity and gaps; several below each other.
 *
 * The address has what is loaded (`span` seconds up to `until`, or to now) and what of it is shown (`from`, `to`).
 */

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";

import { readPoints } from "../api/points";
import type { IncidentLine, Label, Listing, LiveEvent, SeriesHealth, SeriesLine, SeriesListing, Workload } from "../api/shapes";
import { dateTime, instant, zoneName } from "../app/clock";
import { incidentLink, incidentsLink } from "../app/links";
import { count, counted, value } from "../app/numbers";
import { place, refine } from "../app/router";
import { api, may } from "../app/session";
import "../parts/chart";
import type { Chart, ChartKind, Range, Window } from "../parts/chart";
import type { Columns } from "../parts/columns";
import { icon } from "../parts/icon";
import "../parts/label_form";
import "../parts/label_list";
import { empty, Loading } from "../parts/loading";
import { Screen } from "../parts/screen";
import { badge, seriesName, severity, time, titleOf, type Tone } from "../parts/words";

const MOST_SERIES = 6;
const LISTED = 100;
const INCIDENTS_SHOWN = 8;
const LABELS_SHOWN = 100;
/** Where the series are listed beside the charts, not above them. */
const WIDE = matchMedia("(min-width: 1001px)");
/** How often the newest intervals are asked for, while the explorer shows what is loaded up to now. */
const FOLLOW_MS = 20_000;
const SPANS: readonly [number, string][] = [
  [6 * 3600, "6 hours"],
  [86_400, "1 day"],
  [7 * 86_400, "1 week"],
  [30 * 86_400, "30 days"],
  [90 * 86_400, "90 days"],
  [365 * 86_400, "1 year"],
];
const USUAL_SPAN = 7 * 86_400;
const HEALTH: Partial<Record<SeriesHealth, Tone>> = { anomalous: "bad", silent: "warn", behind: "warn", waiting: "info", new: "info" };

@customElement("wk-series")
export class SeriesScreen extends Screen {
  @state() private range: Range = [0, 1];
  @state() private isWide = WIDE.matches;
  @state() private below: ChartKind = "severity";
  /** Whether dragging over a chart marks a stretch that is to be labelled. */
  @state() private marking = false;
  @state() private marked: { series: string; range: Range } | null = null;
  #workloads = new Loading<Listing<Workload>>(this);
  #list = new Loading<SeriesListing>(this);
  #incidents = new Loading<Listing<IncidentLine>>(this);
  #labels = new Loading<Label[]>(this);
  #labelled = "";
  #points = new Map<string, Loading<Columns>>();
  #bounds: Range = [0, 1];
  #asked = "";
  #isFollowing = false;
  #following: ReturnType<typeof setInterval> | undefined;
  #listed = "";
  #told: ReturnType<typeof setTimeout> | undefined;
  #search: ReturnType<typeof setTimeout> | undefined;

  get #workload(): string {
    return place.value.query.get("workload") ?? "";
  }

  get #chosen(): string[] {
    return (place.value.query.get("series") ?? "").split(",").filter(Boolean).slice(0, MOST_SERIES);
  }

  get #span(): number {
    return Number(place.value.query.get("span")) || USUAL_SPAN;
  }

  protected override moved(): void {
    const query = place.value.query;
    if (!this.#workloads.value) {
      void this.#workloads.load(async (signal) => {
        const found = await api().get("/watch/workloads", { signal });
        const first = found.items.find((one) => one.kind === "anomaly" && one.series) ?? found.items[0];
        if (!this.#workload && first) refine({ workload: first.workload });
        return found;
      });
    }
    if (!this.#workload) return;
    const listed = `${this.#workload}|${query.get("find") ?? ""}|${query.get("health") ?? ""}`;
    if (listed !== this.#listed) {
      const isOther = !this.#listed.startsWith(`${this.#workload}|`);
      this.#listed = listed;
      void this.#list.load(
        async (signal) => {
          const found = await this.#askList(signal);
          const first = found.items.find((one) => one.health === "anomalous") ?? found.items[0];
          if (!this.#chosen.length && first) refine({ series: first.series });
          return found;
        },
        { fresh: isOther },
      );
    }
    this.#load();
  }

  #askList(signal?: AbortSignal): Promise<SeriesListing> {
    return api().get("/watch/workloads/{workload}/series", {
      at: { workload: this.#workload },
      query: { contains: place.value.query.get("find"), health: place.value.query.get("health") as SeriesHealth | null, limit: LISTED },
      signal,
    });
  }

  /** Load what the address asks for, where that is not there already. */
  #load(): void {
    const query = place.value.query;
    const asked = `${this.#workload}|${this.#span}|${query.get("until") ?? ""}`;
    if (asked !== this.#asked) {
      this.#asked = asked;
      const until = query.get("until") ? instant(query.get("until")!).getTime() / 1000 : Math.ceil(Date.now() / 1000);
      this.#bounds = [until - this.#span, until];
      this.#points.clear();
      const [start, end] = this.#bounds.map((seconds) => iso(seconds));
      void this.#incidents.load((signal) => api().get("/watch/incidents", { query: { workload: this.#workload, state: "any", from: start, to: end, limit: 50 }, signal }), { fresh: true });
    }
    const [least, most] = this.#bounds;
    const at = (name: string, otherwise: number) => {
      const text = query.get(name);
      const seconds = text ? instant(text).getTime() / 1000 : otherwise;
      return Math.max(least, Math.min(most, Number.isFinite(seconds) ? seconds : otherwise));
    };
    clearTimeout(this.#told);
    const [from, to] = [at("from", least), at("to", most)];
    this.range = to > from ? [from, to] : this.#bounds;
    for (const series of [...this.#points.keys()]) if (!this.#chosen.includes(series)) this.#points.delete(series);
    if (this.marked && !this.#chosen.includes(this.marked.series)) this.marked = null;
    this.#loadLabels();
    for (const series of this.#chosen) {
      if (this.#points.has(series)) continue;
      const points = new Loading<Columns>(this);
      this.#points.set(series, points);
      void points.load((signal) =>
        readPoints(this.#workload, series, least, most, signal, {
          progress: (part) => {
            points.value = part;
            this.requestUpdate();
          },
        }),
      );
    }
  }

  /** Labels of the chosen series in what is loaded. */
  #loadLabels(): void {
    const [least, most] = this.#bounds;
    const chosen = this.#chosen;
    const labelled = `${this.#asked}|${chosen.join(",")}`;
    if (labelled === this.#labelled || !chosen.length) return;
    this.#labelled = labelled;
    void this.#labels.load(async (signal) => {
      const at = { workload: this.#workload };
      const lists = await Promise.all(
        chosen.map((series) => api().get("/watch/workloads/{workload}/labels", { at, query: { series, from: iso(least), to: iso(most), limit: LABELS_SHOWN }, signal })),
      );
      return lists.flatMap((list) => list.items).sort((one, other) => (one.start < other.start ? 1 : -1));
    });
  }

  protected override happened(event: LiveEvent): void {
    if (event.workload !== this.#workload) return;
    if (event.kind === "label" || event.kind === "incident") this.#labels.soon();
    if (event.kind !== "incident") return;
    this.#list.soon();
    this.#incidents.soon();
    void this.#follow();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    WIDE.addEventListener("change", this.#widened);
    this.#following = setInterval(() => void this.#follow(), FOLLOW_MS);
  }

  readonly #widened = (): void => {
    this.isWide = WIDE.matches;
  };

  /** Put what is new behind what is loaded; who looks at the end keeps looking at the end. */
  async #follow(): Promise<void> {
    if (place.value.query.get("until") || this.#isFollowing) return;
    const [least, most] = this.#bounds;
    const now = Math.ceil(Date.now() / 1000);
    this.#isFollowing = true;
    try {
      for (const [series, points] of this.#points) {
        const before = points.value;
        if (!before || points.isLoading || points.error || now - most < before.interval / 4) return;
        const from = before.length ? before.start[before.length - 1]! + 1 : least;
        const after = await readPoints(this.#workload, series, from, now, new AbortController().signal, { before });
        if (this.#points.get(series) !== points) return;
        points.put(after);
      }
      const moved = now - most;
      const isAtEnd = this.range[1] >= most - 1;
      this.#bounds = [least + moved, now];
      if (isAtEnd) this.range = [this.range[0] + moved, now];
      this.requestUpdate();
    } catch {
      // no connection: the next round asks again, and the banner says so
    } finally {
      this.#isFollowing = false;
    }
  }

  /** Show another part at once; the address follows when the movement is over. */
  #show(range: Range): void {
    this.range = range;
    clearTimeout(this.#told);
    this.#told = setTimeout(() => {
      const [least, most] = this.#bounds;
      const isWhole = range[0] <= least && range[1] >= most;
      refine({ from: isWhole ? null : iso(range[0]), to: isWhole ? null : iso(range[1]) });
    }, 400);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    WIDE.removeEventListener("change", this.#widened);
    clearInterval(this.#following);
    clearTimeout(this.#told);
    clearTimeout(this.#search);
  }

  get #chart(): Chart | null {
    return this.querySelector<Chart>("wk-chart");
  }

  protected override render(): TemplateResult {
    return html`<div class="screen">
      <div class="head"><h1>Series</h1></div>
      <div class="explorer">
        ${this.#picker()}
        <div class="screen explorer-main">
          <section class="sheet" aria-label="Charts">
            <div class="sheet-head">${this.#tools()}</div>
            <div class="sheet-body screen" @range=${(event: CustomEvent<Range>) => this.#show(event.detail)}>
              ${this.#chosen.length
                ? repeat(
                    this.#chosen,
                    (series) => series,
                    (series) => this.#one(series),
                  )
                : empty("Choose a series", "Those of the workload are listed beside.", "series")}
            </div>
          </section>
          ${this.#labelSheet()} ${this.#incidentSheet()}
        </div>
      </div>
    </div>`;
  }

  #picker(): TemplateResult {
    const query = place.value.query;
    return html`<details class="sheet picker" ?open=${this.isWide || !this.#chosen.length}>
      <summary class="sheet-head">Which series <span class="soft small">${this.#chosen.length} chosen</span></summary>
      <div class="sheet-body picker-fields">
        <label class="field">
          <span>Workload</span>
          <select @change=${(event: Event) => refine({ workload: (event.target as HTMLSelectElement).value, series: null, find: null, health: null, from: null, to: null })}>
            ${(this.#workloads.value?.items ?? []).map((one) => html`<option ?selected=${one.workload === this.#workload}>${one.workload}</option>`)}
          </select>
        </label>
        <label class="field">
          <span>Name has</span>
          <input type="search" placeholder="co, B-101" .value=${query.get("find") ?? ""} @input=${this.#find} />
        </label>
        <label class="field">
          <span>Health</span>
          <select @change=${(event: Event) => refine({ health: (event.target as HTMLSelectElement).value || null })}>
            <option value="">Any</option>
            ${Object.keys(HEALTH).map((name) => html`<option ?selected=${query.get("health") === name}>${name}</option>`)}
          </select>
        </label>
      </div>
      ${this.#list.render(
        (list) => html`<ul class="lines picker-lines" tabindex="0" aria-label="Series">
            ${repeat(
              list.items,
              (one) => one.series,
              (one) => this.#line(one),
            )}
          </ul>
          <p class="small soft picker-count">
            ${list.items.length < list.total ? html`${count(list.items.length)} of ${count(list.total)} are listed: search for others. ` : nothing}${this.#chosen.length} chosen, ${MOST_SERIES} at most.
          </p>
`,
        { isEmpty: (list) => list.items.length === 0, empty: () => empty("No series", query.get("find") || query.get("health") ? "None is like this." : "They come with the first telemetry.", "series"), rows: 5 },
      )}
    </details>`;
  }

  #line(one: SeriesLine): TemplateResult {
    const chosen = this.#chosen;
    const isChosen = chosen.includes(one.series);
    const tone = HEALTH[one.health];
    return html`<li>
      <label class="picker-line">
        <input
          type="checkbox"
          .checked=${isChosen}
          ?disabled=${!isChosen && chosen.length >= MOST_SERIES}
          @change=${() => refine({ series: (isChosen ? chosen.filter((each) => each !== one.series) : [...chosen, one.series]).join(",") || null })}
        />
        <span class="line-main">${seriesName(one.series)}<span class="small soft number">${value(one.last_value)}${one.last_at ? html` · ${time(one.last_at, { ago: true })}` : nothing} ${tone ? badge(one.health, tone) : nothing}</span></span>
      </label>
    </li>`;
  }

  readonly #find = (event: Event): void => {
    const { value } = event.target as HTMLInputElement;
    clearTimeout(this.#search);
    this.#search = setTimeout(() => refine({ find: value.trim() || null }), 300);
  };

  #tools(): TemplateResult {
    const until = place.value.query.get("until");
    const [from, to] = this.range;
    const button = (name: Parameters<typeof icon>[0], label: string, act: () => void) =>
      html`<button class="icon-button" aria-label=${label} title=${label} @click=${act}>${icon(name)}</button>`;
    return html`<div class="row">
        <label class="field field-row">
          <span>Loaded</span>
          <select @change=${(event: Event) => refine({ span: (event.target as HTMLSelectElement).value, from: null, to: null })}>
            ${SPANS.some(([seconds]) => seconds === this.#span) ? nothing : html`<option value=${this.#span} selected>${counted(Math.round(this.#span / 3600), "hour")}</option>`}
            ${SPANS.map(([seconds, words]) => html`<option value=${seconds} ?selected=${seconds === this.#span}>${words}</option>`)}
          </select>
        </label>
        <span class="soft small">${until ? html`to ${time(until)} <button class="link" @click=${() => refine({ until: null, from: null, to: null })}>to now</button>` : "to now"}</span>
      </div>
      <p class="small number explorer-range">${dateTime(from)} to ${dateTime(to)} <span class="soft">${zoneName()}</span></p>
      <div class="row">
        ${button("previous", "Earlier", () => this.#chart?.pan(-0.5))} ${button("next", "Later", () => this.#chart?.pan(0.5))}
        ${button("minus", "Zoom out", () => this.#chart?.zoom(2))} ${button("plus", "Zoom in", () => this.#chart?.zoom(0.5))}
        ${button("whole", "Show all that is loaded", () => this.#show(this.#bounds))}
        <span class="choices" role="group" aria-label="Below the values">
          ${(["severity", "score"] as const).map(
            (kind) => html`<button class="button button-small" aria-pressed=${this.below === kind ? "true" : "false"} @click=${() => (this.below = kind)}>${kind}</button>`,
          )}
        </span>
        ${may("operator")
          ? html`<button class="button button-small" aria-pressed=${this.marking ? "true" : "false"} @click=${() => ((this.marking = !this.marking), (this.marked = null))}>${icon("tag")} Label</button>`
          : nothing}
      </div>`;
  }

  #one(series: string): TemplateResult {
    const points = this.#points.get(series);
    return html`<article class="touched">
      <div class="head">
        <h2>${seriesName(series)}</h2>
        ${this.#chosen.length > 1
          ? html`<button class="icon-button" aria-label="Remove ${series}" title="Remove" @click=${() => refine({ series: this.#chosen.filter((each) => each !== series).join(",") || null })}>${icon("close")}</button>`
          : nothing}
      </div>
      ${points?.render((columns) => this.#charts(series, columns, points.isLoading), {
        isEmpty: (columns) => columns.length === 0,
        empty: () => empty("Nothing was scored in this time", "Load a longer one, or another."),
        rows: 8,
      })}
    </article>`;
  }

  #charts(series: string, columns: Columns, isLoading: boolean): TemplateResult {
    const windows: Window[] = (this.#labels.value ?? [])
      .filter((one) => one.series === series && one.what === "real")
      .map((one) => ({ start: seconds(one.start), end: seconds(one.end), kind: "label" }));
    if (this.marked?.series === series) windows.push({ start: this.marked.range[0], end: this.marked.range[1], kind: "label" });
    const chart = (kind: ChartKind, height: number) => html`<wk-chart
      .columns=${columns}
      .windows=${windows}
      ?marking=${this.marking}
      @mark=${(event: CustomEvent<Range>) => (this.marked = { series, range: event.detail })}
      .range=${this.range}
      .bounds=${this.#bounds}
      .kind=${kind}
      .height=${height}
      .name=${kind === "value" ? series : `${series}, ${kind}`}
      group="explorer"
    ></wk-chart>`;
    return html`${chart("value", this.#chosen.length > 2 ? 180 : 280)} ${chart(this.below, 120)}
      <p class="small soft" role="status">${isLoading ? `Loading: ${count(columns.length)} intervals so far.` : `${counted(columns.length, "interval")} loaded, ${counted(columns.anomalies.length, "anomaly", "anomalies")}. ${this.marking ? "Drag over what was an anomaly." : "Drag to zoom, with Shift to move; double click for all."}`}
        ${this.marking ? html`<button class="link" @click=${() => (this.marked = { series, range: this.range })}>Label all that is shown</button>` : nothing}</p>
      ${this.marked?.series === series ? html`<wk-label-form workload=${this.#workload} series=${series} .range=${this.marked.range} @labelled=${this.#relabel} @left=${() => (this.marked = null)}></wk-label-form>` : nothing}`;
  }

  readonly #relabel = (): void => {
    this.marked = null;
    this.marking = false;
    this.#labels.again();
  };

  /** What people said of the chosen series, in what is shown. */
  #labelSheet(): unknown {
    const [from, to] = this.range.map((seconds) => iso(seconds)) as [string, string];
    const shown = (this.#labels.value ?? []).filter((one) => one.end >= from && one.start <= to && this.#chosen.includes(one.series));
    if (!shown.length) return nothing;
    return html`<section class="sheet" aria-labelledby="labels-title">
      <div class="sheet-head"><h2 id="labels-title">What people said of this time</h2><span class="small soft">what was an anomaly is a label to the next training</span></div>
      <wk-label-list workload=${this.#workload} .items=${shown.slice(0, LABELS_SHOWN)} @labelled=${this.#relabel}></wk-label-list>
    </section>`;
  }

  /** Incidents of the workload in what is shown. */
  #incidentSheet(): unknown {
    const [from, to] = this.range.map((seconds) => iso(seconds)) as [string, string];
    const shown = (this.#incidents.value?.items ?? []).filter((one) => one.last_at >= from && one.opened_at <= to);
    if (!shown.length) return nothing;
    return html`<section class="sheet" aria-labelledby="incidents-title">
      <div class="sheet-head">
        <h2 id="incidents-title">Incidents in this time</h2>
        <a href=${incidentsLink({ workload: this.#workload, from, to })}>All of them</a>
      </div>
      <ul class="lines">
        ${shown.slice(0, INCIDENTS_SHOWN).map(
          (one) => html`<li class="line">
            ${severity(one.severity)}
            <span class="line-main"><a class="row-link" href=${incidentLink(one.incident_id)}>${titleOf(one)}</a><span class="small soft">${time(one.opened_at)}</span></span>
          </li>`,
        )}
      </ul>
    </section>`;
  }
}

function seconds(at: string): number {
  return instant(at).getTime() / 1000;
}

function iso(seconds: number): string {
  return new Date(Math.round(seconds) * 1000).toISOString();
}
