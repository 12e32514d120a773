/** One workload: how it goes and why, what it watches, and who is told. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";

import type { LiveEvent, Pause, WorkloadDetail } from "../api/shapes";
import { duration } from "../app/clock";
import { backtestsLink, fraudLink, incidentsLink, linked, logLink, modelsLink, runLink, runsLink, seriesLink, workloadsLink } from "../app/links";
import { count, value } from "../app/numbers";
import { segments } from "../app/router";
import { api, may } from "../app/session";
import { bar } from "../parts/bar";
import { icon } from "../parts/icon";
import { Loading } from "../parts/loading";
import "../parts/month_cost";
import "../parts/pauses";
import "../parts/route_test";
import { Screen } from "../parts/screen";
import "../parts/spec_text";
import { table, type Column } from "../parts/table";
import { badge, fact, healthBadge, time } from "../parts/words";
import { allowedWords, directionWords, KINDS, occasionWords } from "../parts/workload_words";

const MEASURES: readonly Column<WorkloadDetail["measures"][number]>[] = [
  { title: "Measure", kind: "main", cell: (one) => one.name },
  { title: "Is", cell: (one) => (one.aggregate ? `${one.aggregate} of ${one.field}` : one.field) },
  { title: "Unusual where", cell: directionWords },
  { title: "Allowed", cell: (one) => allowedWords(one) ?? html`<span class="soft">any value</span>` },
];

const ROUTES: readonly Column<WorkloadDetail["routes"][number]>[] = [
  { title: "Route", kind: "main", cell: (one) => one.name },
  { title: "To", cell: (one) => one.channel },
  { title: "From severity", kind: "number", cell: (one) => value(one.severity_from) },
  { title: "When an incident", cell: occasionWords },
  { title: "Only", cell: (one) => one.only ?? nothing },
];

@customElement("wk-workload")
export class WorkloadScreen extends Screen {
  /** Whether its file is shown. */
  @state() private file = false;
  #workload = new Loading<WorkloadDetail>(this);
  #name = "";

  protected override moved(): void {
    const name = segments()[1] ?? "";
    if (name === this.#name) return;
    this.#name = name;
    this.file = false;
    void this.#workload.load((signal) => api().get("/watch/workloads/{workload}", { at: { workload: name }, signal }), { fresh: true });
  }

  protected override happened(event: LiveEvent): void {
    if (event.workload === this.#name && event.kind !== "decision") this.#workload.soon(2000);
  }

  protected override render(): TemplateResult {
    return html`<div class="screen">
      <nav aria-label="Back" class="back"><a href=${workloadsLink()}>${icon("previous")} Workloads</a></nav>
      ${this.#workload.render((one) => this.#whole(one), { rows: 10 })}
    </div>`;
  }

  #whole(one: WorkloadDetail): TemplateResult {
    return html`<div class="screen">
      <header class="incident-head">
        <div class="row">${healthBadge(one.health)} <span class="soft">finds ${KINDS[one.kind]}</span></div>
        <h1>${one.workload}</h1>
        <p class="soft">${one.description}</p>
        ${one.why.length ? html`<div class="why why-${one.health}"><ul class="plain says">${one.why.map((words) => html`<li>${words}</li>`)}</ul></div>` : nothing}
        <div class="row">
          ${one.kind === "fraud" ? html`<a class="button" href=${fraudLink(one.workload)}>${icon("fraud")} Transactions</a>` : html`<a class="button" href=${seriesLink(one.workload, [])}>${icon("series")} Series</a>`}
          <a class="button" href=${incidentsLink({ workload: one.workload })}>${icon("incident")} Incidents</a>
          <a class="button" href=${runsLink(one.workload)}>${icon("run")} Runs and releases</a>
          <a class="button" href=${modelsLink(one.workload)}>${icon("model")} Models</a>
          ${one.kind === "anomaly"
            ? html`<a class="button" href=${backtestsLink(one.workload)}>${icon("backtest")} Backtests</a>
                <a class="button" href=${logLink(one.workload)}>${icon("clock")} How telemetry came</a>`
            : nothing}
        </div>
      </header>
      <div class="incident-columns">
        <div class="screen">
          ${says(one)}
          ${one.measures.length
            ? html`<section class="sheet" aria-labelledby="measures-title">
                <div class="sheet-head">
                  <h2 id="measures-title">Measures</h2>
                  ${one.dimensions.length ? html`<span class="small soft">of each ${one.dimensions.join(" and ")} its own series</span>` : nothing}
                </div>
                ${table({ caption: "Measures", columns: MEASURES, rows: one.measures, key: (each) => each.name })}
              </section>`
            : nothing}
          <section class="sheet" aria-labelledby="routes-title">
            <div class="sheet-head"><h2 id="routes-title">Who is told</h2></div>
            ${one.routes.length
              ? table({ caption: "Routes of alerts", columns: ROUTES, rows: one.routes, key: (each) => each.name })
              : html`<p class="sheet-body soft">Nobody: it has no route. Its incidents are in the console.</p>`}
            ${one.routes.length && may("operator") ? html`<wk-route-test workload=${one.workload} .channels=${one.routes.map((route) => route.channel)}></wk-route-test>` : nothing}
          </section>
          ${this.#file(one)} ${plan(one)}
        </div>
        <div class="screen">${now(one)} ${one.kind === "anomaly" ? html`<wk-pauses workload=${one.workload} .pauses=${one.pauses} @paused=${(event: CustomEvent<Pause[]>) => this.#workload.put({ ...one, pauses: event.detail })}></wk-pauses>` : nothing} ${judge(one)} ${may("operator") ? html`<wk-month-cost workload=${one.workload}></wk-month-cost>` : nothing}</div>
      </div>
    </div>`;
  }

  /** Its file may name people and receivers: it is for operators. */
  #file(one: WorkloadDetail): unknown {
    if (!may("operator")) return nothing;
    const opened = (event: Event) => {
      this.file = (event.target as HTMLDetailsElement).open;
    };
    return html`<details class="sheet plan" ?open=${this.file} @toggle=${opened}>
      <summary>Its file, as it was deployed</summary>
      ${this.file ? html`<wk-spec-text workload=${one.workload}></wk-spec-text>` : nothing}
    </details>`;
  }
}

function says(one: WorkloadDetail): unknown {
  if (!one.says.length) return nothing;
  return html`<section class="sheet" aria-labelledby="says-title">
    <div class="sheet-head"><h2 id="says-title">What it does</h2></div>
    <div class="sheet-body"><ul class="plain says">${one.says.map((words) => html`<li>${words}</li>`)}</ul></div>
  </section>`;
}

function now(one: WorkloadDetail): TemplateResult {
  const budget = one.alert_budget_7d;
  const isOver = budget !== null && one.alerts_7d > budget;
  return html`<section class="sheet" aria-labelledby="now-title">
    <div class="sheet-head"><h2 id="now-title">Now</h2></div>
    <div class="sheet-body screen">
      <dl class="facts">
        ${fact("open incidents", one.open_incidents ? html`<a href=${incidentsLink({ workload: one.workload, state: "open" })}>${one.open_incidents}</a>` : "none")}
        ${one.series ? fact("series", count(one.series)) : nothing}
        ${fact("last interval ended", one.last_interval_at ? time(one.last_interval_at, { ago: true }) : null)}
        ${fact("lag", one.lag_seconds === null ? null : duration(one.lag_seconds))}
        ${fact("records, 24 h", one.records_24h === null ? null : count(one.records_24h))}
        ${fact("interval", one.interval_seconds === null ? null : duration(one.interval_seconds))}
        ${fact("time zone of the source", one.time_zone)}
      </dl>
      <div class="budget">
        <p><b>${one.alerts_7d}</b> <span class="soft">${budget === null ? "alerts" : `of ${value(budget)} alerts`} in the last 7 days</span> ${isOver ? badge("over budget", "warn") : nothing}</p>
        ${budget === null ? nothing : bar(one.alerts_7d / Math.max(1, budget), { over: isOver })}
      </div>
    </div>
  </section>`;
}

function judge(one: WorkloadDetail): TemplateResult {
  const release = one.live_release;
  return html`<section class="sheet" aria-labelledby="judge-title">
    <div class="sheet-head">
      <h2 id="judge-title">The model that judges</h2>
      <a href=${runsLink(one.workload)}>All releases</a>
    </div>
    <div class="sheet-body">
      ${release
        ? html`<dl class="facts">${fact("detector", release.detector)} ${fact("since", time(release.published_at))} ${fact("run", linked(runLink(one.workload, release.run_id), release.run_id))}</dl>`
        : html`<p class="soft">None yet: nothing is judged until a training's model is released.</p>`}
    </div>
  </section>`;
}

/** All that the running parts know, for who wants to see it as it is. */
function plan(one: WorkloadDetail): unknown {
  if (!Object.keys(one.plan).length) return nothing;
  return html`<details class="sheet plan">
    <summary>The deployed plan, as the running parts read it</summary>
    <pre tabindex="0" aria-label="The plan as JSON">${JSON.stringify(one.plan, null, 2)}</pre>
  </details>`;
}
