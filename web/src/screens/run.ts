/** One training: how far it is, what its model is worth beside the one in service, and what the gate says to it. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement } from "lit/decorators.js";

import type { GateRow, LiveEvent, RunDetail } from "../api/shapes";
import { linked, runsLink, workloadLink } from "../app/links";
import { segments } from "../app/router";
import { api } from "../app/session";
import { icon } from "../parts/icon";
import { empty, Loading } from "../parts/loading";
import { figureOf, figureValue, runBadge, runLasted } from "../parts/run_words";
import { Screen } from "../parts/screen";
import { table, type Column } from "../parts/table";
import { badge, fact, time } from "../parts/words";
import "../parts/run_chart";
import "../parts/run_graph";

/** A run says live that it began and ended; which state it is in is asked for. */
const POLL_MS = 5000;

@customElement("wk-run")
export class RunScreen extends Screen {
  #run = new Loading<RunDetail>(this);
  #workload = "";
  #id = "";

  protected override moved(): void {
    const [, workload = "", , id = ""] = segments();
    if (workload === this.#workload && id === this.#id) return;
    this.#workload = workload;
    this.#id = id;
    void this.#run.load((signal) => this.#ask(signal), { fresh: true });
  }

  async #ask(signal: AbortSignal): Promise<RunDetail> {
    let isRunning = this.#run.value?.status === "running";
    try {
      const found = await api().get("/watch/workloads/{workload}/runs/{run}", { at: { workload: this.#workload, run: this.#id }, signal });
      isRunning = found.status === "running";
      return found;
    } finally {
      if (isRunning && !signal.aborted) this.#run.soon(POLL_MS);
    }
  }

  protected override happened(event: LiveEvent): void {
    if ((event.kind === "run" || event.kind === "release") && event.workload === this.#workload && event.detail["run_id"] === this.#id) this.#run.soon();
  }

  protected override render(): TemplateResult {
    return html`<div class="screen">
      <nav aria-label="Back" class="back"><a href=${runsLink(this.#workload)}>${icon("previous")} Runs of ${this.#workload}</a></nav>
      ${this.#run.render((run) => this.#whole(run), { rows: 10 })}
    </div>`;
  }

  #whole(run: RunDetail): TemplateResult {
    return html`<div class="screen">
      <header class="incident-head">
        <div class="row">${runBadge(run.status)} <span class="soft">of ${linked(workloadLink(this.#workload), this.#workload)}</span></div>
        <h1 class="run-id">${run.run_id}</h1>
        <dl class="facts">
          ${fact("started", time(run.started_at))} ${fact("ended", run.ended_at ? time(run.ended_at) : null)}
          ${fact(run.ended_at ? "took" : "runs for", runLasted(run))} ${fact("why", run.reason)} ${fact("model", run.model)}
        </dl>
        ${run.error || run.cause
          ? html`<p class="notice notice-bad" role="status">${icon("alert")}<span>${run.cause ?? run.error}${run.cause && run.error ? html` <span class="soft">(${run.error})</span>` : nothing}</span></p>`
          : nothing}
      </header>
      <div class="run-columns">
        <section class="sheet" aria-labelledby="states-title">
          <div class="sheet-head"><h2 id="states-title">${run.status === "running" ? "Where it is" : "Where it went"}</h2></div>
          <wk-run-graph .states=${run.states} ?isRunning=${run.status === "running"}></wk-run-graph>
        </section>
        <div class="screen">${gate(run)} ${figures(run)} ${this.#charts(run)} ${unjudged(run)}</div>
      </div>
    </div>`;
  }

  #charts(run: RunDetail): unknown {
    if (!run.charts.length && !run.report) return nothing;
    return html`<section class="sheet" aria-labelledby="charts-title">
      <div class="sheet-head">
        <h2 id="charts-title">Evaluation</h2>
        ${run.report ? html`<a href=${run.report} target="_blank" rel="noopener">Report: what moves the scores</a>` : nothing}
      </div>
      ${run.charts.length
        ? html`<div class="sheet-body run-charts">
            ${run.charts.map((chart) => html`<wk-run-chart workload=${this.#workload} run=${run.run_id} chart=${chart.name}></wk-run-chart>`)}
          </div>`
        : nothing}
    </section>`;
  }
}

function unjudged(run: RunDetail): unknown {
  if (run.gate || run.table.length || run.charts.length) return nothing;
  const words =
    run.status === "running"
      ? "What its model is worth is here as soon as it is measured, then what the gate says to it."
      : "It ended before its model was measured.";
  return html`<section class="sheet" aria-label="Evaluation">${empty(run.status === "running" ? "No figures yet" : "No figures", words, "model")}</section>`;
}

function gate(run: RunDetail): unknown {
  if (!run.gate) return nothing;
  const { passed, reasons } = run.gate;
  return html`<section class="sheet" aria-labelledby="gate-title">
    <div class="sheet-head"><h2 id="gate-title">The gate</h2>${passed ? badge("takes the model", "good") : badge("refuses the model", "warn")}</div>
    <ul class="sheet-body gate-reasons">${reasons.map((words) => html`<li>${words}</li>`)}</ul>
  </section>`;
}

const BETTER: Record<string, unknown> = { better: badge("better", "good"), worse: badge("worse", "warn"), same: html`<span class="small soft">the same</span>` };

/** How the challenger is beside the champion. */
function beside(row: GateRow): unknown {
  const { better } = figureOf(row.figure);
  if (!better || row.candidate === null || row.champion === null) return nothing;
  const more = row.candidate - row.champion;
  return BETTER[more === 0 ? "same" : more > 0 === (better === "more") ? "better" : "worse"];
}

const COLUMNS: readonly Column<GateRow>[] = [
  { title: "Figure", kind: "main", cell: (row) => figureOf(row.figure).words },
  { title: "This model", kind: "number", cell: (row) => html`<b>${figureValue(row.figure, row.candidate)}</b>` },
  { title: "In service", kind: "number", cell: (row) => figureValue(row.figure, row.champion) },
  { title: "Trivial", kind: "number", cell: (row) => figureValue(row.figure, row.baseline) },
  { title: "Compared", cell: beside },
];

function figures(run: RunDetail): unknown {
  if (!run.table.length) return nothing;
  const hasChampion = run.table.some((row) => row.champion !== null);
  const columns = hasChampion ? COLUMNS : COLUMNS.filter(({ title }) => title !== "In service" && title !== "Compared");
  return html`<section class="sheet" aria-labelledby="figures-title">
    <div class="sheet-head"><h2 id="figures-title">Champion and challenger</h2></div>
    ${table({ caption: "Figures of this model, of the one in service, and of a trivial one", columns, rows: run.table, key: (row) => row.figure })}
    <p class="small soft sheet-body figures-words">
      All on the same rows${run.judged_by ? `, judged by ${run.judged_by}` : ""}. ${run.labelled === false ? "There are no labels: only what needs none was measured. " : ""}${hasChampion ? "" : "No model was in service then. "}The
      trivial one is the simplest detector there is: what is not better than it is worth nothing.
    </p>
  </section>`;
}
