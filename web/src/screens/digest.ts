/** A day of all workloads, or of one: what opened, was open and ended, alerts beside the budget, silence, telemetry. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement } from "lit/decorators.js";

import type { DayDigest, DigestIncident, WorkloadDigest } from "../api/shapes";
import { digestLink, incidentLink, linked, logLink, seriesLink, workloadLink } from "../app/links";
import { count, counted, value } from "../app/numbers";
import { go, place, segments } from "../app/router";
import { api } from "../app/session";
import { bar } from "../parts/bar";
import { icon } from "../parts/icon";
import { empty, Loading } from "../parts/loading";
import { Screen } from "../parts/screen";
import { badge, fact, seriesName, severity, time, titleOf } from "../parts/words";

const DAY_MS = 86_400_000;
const KINDS = [
  ["open", "Open at its end"],
  ["opened", "Opened"],
  ["closed", "Over"],
] as const;

@customElement("wk-digest")
export class DigestScreen extends Screen {
  #digest = new Loading<DayDigest>(this);
  #asked = "";

  /** The day of the address; the one before today without. */
  get #date(): string {
    return segments()[1] ?? dateBy(Date.now() - DAY_MS);
  }

  get #workload(): string | null {
    return place.value.query.get("workload");
  }

  protected override moved(): void {
    const [date, workload] = [this.#date, this.#workload];
    const asked = `${date}|${workload}`;
    if (asked === this.#asked) return;
    this.#asked = asked;
    void this.#digest.load((signal) => api().get("/watch/digests/{date}", { at: { date }, query: { workload }, signal }), { fresh: true });
  }

  protected override render(): TemplateResult {
    const [date, workload] = [this.#date, this.#workload];
    const at = Date.parse(`${date}T12:00:00Z`);
    const to = (days: number) => digestLink(dateBy(at + days * DAY_MS), workload);
    const isKnown = Number.isFinite(at);
    return html`<div class="screen">
      <div class="head">
        <div>
          <h1>${isKnown ? inWords(at) : "Digest"}</h1>
          <p class="soft">The day of ${workload ? html`${linked(workloadLink(workload), workload)} · <a href=${digestLink(date)}>all workloads</a>` : "all workloads"}, by the clocks of each one's zone.</p>
        </div>
        ${isKnown
          ? html`<nav class="row" aria-label="Other days">
              <a class="button" href=${to(-1)}>${icon("previous")} Day before</a>
              <label class="field field-row"><span class="hidden-text">Day</span><input type="date" required .value=${date} max=${dateBy(Date.now())} @change=${(event: Event) => (event.target as HTMLInputElement).value && go(digestLink((event.target as HTMLInputElement).value, workload))} /></label>
              ${at + DAY_MS <= Date.now() + DAY_MS / 2 ? html`<a class="button" href=${to(1)}>Day after ${icon("next")}</a>` : nothing}
            </nav>`
          : nothing}
      </div>
      ${this.#digest.render((day) => whole(day), {
        isEmpty: (day) => day.items.length === 0,
        empty: () => empty("No workload", "None that watches telemetry is deployed, or you are none of its readers.", "workload"),
        rows: 8,
      })}
    </div>`;
  }
}

function whole(day: DayDigest): TemplateResult {
  const sum = (of: (one: WorkloadDigest) => number) => day.items.reduce((all, one) => all + of(one), 0);
  const calm = day.items.filter(isCalm);
  return html`<div class="screen">
    <section class="sheet" aria-labelledby="all-title">
      <div class="sheet-head"><h2 id="all-title">In all</h2></div>
      <dl class="sheet-body facts">
        ${fact("opened", count(sum((one) => one.counts["opened"] ?? 0)))} ${fact("open at its end", count(sum((one) => one.counts["open"] ?? 0)))}
        ${fact("over", count(sum((one) => one.counts["closed"] ?? 0)))} ${fact("silent series", count(sum((one) => one.counts["silent"] ?? 0)))}
        ${fact("records", count(sum((one) => one.quality.records)))} ${fact("refused", count(sum((one) => one.quality.refused)))}
      </dl>
    </section>
    ${day.items.filter((one) => !isCalm(one)).map(workload)}
    ${calm.length
      ? html`<section class="sheet" aria-labelledby="calm-title">
          <div class="sheet-head"><h2 id="calm-title">Nothing to tell</h2></div>
          <ul class="lines">${calm.map(
            (one) => html`<li class="line"><span class="line-main"><span>${linked(workloadLink(one.workload), one.workload)}</span>
              <span class="small soft">${one.alerts_7d} of ${value(one.alert_budget_7d)} alerts in seven days · ${counted(one.quality.records, "record")}</span></span></li>`,
          )}</ul>
        </section>`
      : nothing}
  </div>`;
}

function isCalm(one: WorkloadDigest): boolean {
  return Object.values(one.counts).every((many) => many === 0) && one.quality.says.length === 0;
}

function workload(one: WorkloadDigest): TemplateResult {
  const isOver = one.alerts_7d > one.alert_budget_7d;
  const { quality } = one;
  const id = `digest-${one.workload}`;
  return html`<section class="sheet" aria-labelledby=${id}>
    <div class="sheet-head">
      <h2 id=${id}>${linked(workloadLink(one.workload), one.workload)}</h2>
      <span class="small soft">${time(one.since)} to ${time(one.until)} · ${one.time_zone}</span>
    </div>
    <div class="sheet-body digest-columns">
      <div class="screen">
        ${KINDS.filter(([kind]) => one.counts[kind]).map(([kind, title]) => incidents(title, one[kind], one.counts[kind] ?? 0))}
        <p class="small soft">${KINDS.filter(([kind]) => !one.counts[kind]).map(([, title]) => `${title}: none.`).join(" ")}</p>
      </div>
      <div class="screen">
        <div class="budget">
          <p><b>${one.alerts_7d}</b> <span class="soft">of ${value(one.alert_budget_7d)} alerts in seven days</span> ${isOver ? badge("over budget", "warn") : nothing}</p>
          ${bar(one.alerts_7d / Math.max(1, one.alert_budget_7d), { over: isOver })}
        </div>
        <div>
          <h3>Silent series</h3>
          ${one.silent.length
            ? html`<ul class="plain">${one.silent.map((series) => html`<li><a href=${seriesLink(one.workload, [series], one.since, one.until)}>${seriesName(series)}</a></li>`)}</ul>${(one.counts["silent"] ?? 0) > one.silent.length ? html`<p class="small soft">and ${one.counts["silent"]! - one.silent.length} more</p>` : nothing}`
            : html`<p class="soft">none</p>`}
        </div>
        <div>
          <h3>How telemetry came</h3>
          <dl class="facts digest-facts">
            ${fact("records", count(quality.records))} ${fact("late", count(quality.late))} ${fact("twice", count(quality.duplicated))} ${fact("refused", count(quality.refused))} ${fact("off the clock", count(quality.off_clock))}
          </dl>
          ${quality.says.length ? html`<ul class="plain says">${quality.says.map((words) => html`<li>${words}</li>`)}</ul>` : nothing}
          <p class="small"><a href=${logLink(one.workload)}>${quality.complete ? "The whole log" : "Not all of the day is counted here: the whole log"}</a></p>
        </div>
      </div>
    </div>
  </section>`;
}

function incidents(title: string, listed: readonly DigestIncident[], many: number): TemplateResult {
  return html`<div>
    <h3>${title} <span class="small soft">${many ? String(many) : ""}</span></h3>
    <ul class="lines digest-lines">${listed.map(
          (one) => html`<li class="line">${severity(one.severity)}
            <span class="line-main"><a href=${incidentLink(one.incident_id)}>${titleOf(one)}</a>
            <span class="small soft">since ${time(one.opened_at)}${one.assigned_to ? ` · ${one.assigned_to}` : ""}${one.state === "acknowledged" ? " · acknowledged" : ""}</span></span></li>`,
        )}</ul>
    ${many > listed.length ? html`<p class="small soft">and ${many - listed.length} more</p>` : nothing}
  </div>`;
}

/** A day as it is written: of the browser's calendar, whatever zone the screen has. */
function dateBy(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 10);
}

function inWords(at: number): string {
  return new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long", year: "numeric", timeZone: "UTC" }).format(at);
}
