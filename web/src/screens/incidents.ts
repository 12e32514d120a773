/** All incidents, by what is asked of them. Every filter is in the address. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";

import type { IncidentLine, Listing, LiveEvent, Workload } from "../api/shapes";
import { dateTime, duration, instant } from "../app/clock";
import { incidentLink } from "../app/links";
import { counted } from "../app/numbers";
import { place, refine } from "../app/router";
import { api } from "../app/session";
import { icon } from "../parts/icon";
import { empty, Loading } from "../parts/loading";
import { Screen } from "../parts/screen";
import { Pages } from "../parts/pages";
import { table, type Column } from "../parts/table";
import { severity, stateBadge, time, titleOf, verdictBadge } from "../parts/words";

const STATES = [
  ["any", "All"],
  ["open", "Open"],
  ["acknowledged", "Acknowledged"],
  ["closed", "Over"],
] as const;
const PERIODS = [
  ["", "Any time"],
  ["86400", "Last 24 hours"],
  ["604800", "Last 7 days"],
  ["2592000", "Last 30 days"],
] as const;

const COLUMNS: readonly Column<IncidentLine>[] = [
  { title: "Severity", kind: "mark", cell: (one) => severity(one.severity) },
  { title: "What", kind: "main", cell: (one) => titleOf(one) },
  { title: "Workload", cell: (one) => one.workload },
  { title: "Began", cell: (one) => time(one.opened_at) },
  { title: "Lasted", kind: "number", cell: (one) => duration((instant(one.last_at).getTime() - instant(one.opened_at).getTime()) / 1000) },
  { title: "Series", kind: "number", cell: (one) => one.series_count },
  {
    title: "State",
    cell: (one) => html`<span class="row">${stateBadge(one.state)}${one.feedback ? verdictBadge(one.feedback) : nothing}
      ${one.assigned_to ? html`<span class="small soft">${one.assigned_to}</span>` : nothing}</span>`,
  },
];

@customElement("wk-incidents")
export class IncidentsScreen extends Screen {
  /** Where the slider is while it moves: the address follows when it rests. */
  @state() private slid: number | null = null;
  #list = new Pages<IncidentLine>(this, { ask: (...page) => this.#ask(...page), key: (one) => one.incident_id, page: 25, most: 100 });
  #workloads = new Loading<Listing<Workload>>(this);
  #asked = "";
  #slider: ReturnType<typeof setTimeout> | undefined;

  protected override moved(): void {
    const asked = place.value.query.toString();
    if (!this.#workloads.value) void this.#workloads.load((signal) => api().get("/watch/workloads", { signal }));
    if (asked === this.#asked && this.#list.value) return;
    this.#asked = asked;
    this.#list.first();
  }

  #ask(limit: number, cursor: string | null, signal?: AbortSignal): Promise<Listing<IncidentLine>> {
    const query = place.value.query;
    const last = Number(query.get("last"));
    return api().get("/watch/incidents", {
      query: {
        workload: query.get("workload"),
        state: STATES.find(([name]) => name === query.get("state"))?.[0] ?? "any",
        severity_from: Number(query.get("severity")) || null,
        measure: query.get("measure"),
        where: query.get("where"),
        from: last ? new Date(Date.now() - 1000 * last).toISOString() : query.get("from"),
        to: query.get("to"),
        limit,
        cursor,
      },
      signal,
    });
  }

  protected override happened(event: LiveEvent): void {
    if (event.kind === "incident" && this.#list.value) this.#list.soon();
  }

  protected override render(): TemplateResult {
    return html`<div class="screen">
      <div class="head">
        <h1>Incidents</h1>
        ${place.value.query.size ? html`<button class="quiet-button" @click=${clear}>${icon("close")} Clear filters</button>` : nothing}
      </div>
      ${this.#filters()}
      <section class="sheet" aria-label="Incidents">
        ${this.#list.render(
          (list) => html`${table({
            caption: "Incidents, the newest first",
            columns: COLUMNS,
            rows: list.items,
            key: (one) => one.incident_id,
            link: (one) => incidentLink(one.incident_id),
          })}
          ${this.#list.button()}`,
          {
            isEmpty: (list) => list.items.length === 0,
            empty: () =>
              place.value.query.size
                ? empty("No incident is like this", html`Widen the filters, or <button class="link" @click=${clear}>show all</button>.`)
                : empty("No incident yet", "When something is unusual, it is here."),
            rows: 8,
          },
        )}
      </section>
      <p class="hidden-text" role="status">${this.#list.value ? `${counted(this.#list.value.items.length, "incident")} shown` : ""}</p>
    </div>`;
  }

  #filters(): TemplateResult {
    const query = place.value.query;
    const of = (name: string) => query.get(name) ?? "";
    const state = of("state") || "any";
    const least = this.slid ?? Number(query.get("severity") ?? 0);
    const seen = this.#list.value?.items ?? [];
    const custom = of("from") || of("to");
    return html`<search class="filters">
      <fieldset class="field filters-state">
        <legend>State</legend>
        <span class="choices">
          ${STATES.map(([name, words]) => html`<button class="button" aria-pressed=${state === name ? "true" : "false"} @click=${() => refine({ state: name === "any" ? null : name })}>${words}</button>`)}
        </span>
      </fieldset>
      <label class="field filters-severity">
        <span>Severity from <span class="number">${least}</span></span>
        <input type="range" min="0" max="100" step="1" .value=${String(least)} @input=${this.#slide} />
      </label>
      <label class="field">
        <span>Workload</span>
        <select @change=${change("workload")}>
          <option value="" ?selected=${!of("workload")}>All</option>
          ${(this.#workloads.value?.items ?? []).map((one) => html`<option ?selected=${of("workload") === one.workload}>${one.workload}</option>`)}
        </select>
      </label>
      <label class="field">
        <span>Measure</span>
        <input type="search" list="measures" placeholder="Any" .value=${of("measure")} @change=${change("measure")} />
      </label>
      <label class="field">
        <span>Dimension</span>
        <input type="search" list="places" placeholder="name:value" .value=${of("where")} @change=${change("where")} />
      </label>
      <label class="field">
        <span>Time</span>
        <select @change=${change("last", { from: null, to: null })}>
          ${PERIODS.map(([value, words]) => html`<option value=${value} ?selected=${!custom && of("last") === value}>${words}</option>`)}
          ${custom ? html`<option value="" selected>${[of("from") && `from ${dateTime(of("from"))}`, of("to") && `to ${dateTime(of("to"))}`].filter(Boolean).join(" ")}</option>` : nothing}
        </select>
      </label>
      <datalist id="measures">${unique(seen.flatMap((one) => one.measures)).map((name) => html`<option value=${name}></option>`)}</datalist>
      <datalist id="places">${unique(seen.flatMap((one) => one.places)).map((name) => html`<option value=${name}></option>`)}</datalist>
    </search>`;
  }

  readonly #slide = (event: Event): void => {
    const { value } = event.target as HTMLInputElement;
    this.slid = Number(value);
    clearTimeout(this.#slider);
    this.#slider = setTimeout(() => {
      this.slid = null;
      refine({ severity: Number(value) || null });
    }, 250);
  };
}

function change(name: string, besides: Record<string, null> = {}): (event: Event) => void {
  return (event) => refine({ ...besides, [name]: (event.target as HTMLInputElement).value.trim() || null });
}

function clear(): void {
  refine(Object.fromEntries([...place.value.query.keys()].map((name) => [name, null])));
}

function unique(words: readonly string[]): string[] {
  return [...new Set(words)].sort();
}
