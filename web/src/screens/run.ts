/** One training: how far it is, what its model is worth beside the one in service, and what the gate says to it. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement } from "lit/decorators.js";

import type { LiveEvent, RunDetail } from "../api/shapes";
import { linked, runsLink, workloadLink } from "../app/links";
import { segments } from "../app/router";
import { api } from "../app/session";
import { charts, figures } from "../parts/evaluation";
import { icon } from "../parts/icon";
import { empty, Loading } from "../parts/loading";
import { runBadge, runLasted } from "../parts/run_words";
import { Screen } from "../parts/screen";
import { badge, fact, time } from "../parts/words";
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
        <div class="screen">${gate(run)} ${figures(run)} ${charts(this.#workload, run.run_id, run)} ${unjudged(run)}</div>
      </div>
    </div>`;
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
