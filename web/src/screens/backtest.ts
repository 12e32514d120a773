/** One backtest: how far it is, then what would have been otherwise. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement } from "lit/decorators.js";

import type { BacktestDetail, BacktestResult } from "../api/shapes";
import { backtestsLink, linked, workloadLink } from "../app/links";
import { count, counted, value } from "../app/numbers";
import { segments } from "../app/router";
import { api, may } from "../app/session";
import { Acting } from "../parts/acting";
import { backtestChart } from "../parts/backtest_chart";
import { backtestBadge, figureRows, isUnderWay, steps, type FigureRow } from "../parts/backtest_words";
import { icon } from "../parts/icon";
import { empty, Loading } from "../parts/loading";
import { Screen } from "../parts/screen";
import { table, type Column } from "../parts/table";
import { badge, fact, severity, time, titleOf } from "../parts/words";

const POLL_MS = 1500;

const FIGURES: readonly Column<FigureRow>[] = [
  { title: "Figure", kind: "main", cell: (one) => one.name },
  { title: "As deployed", kind: "number", cell: (one) => one.before },
  { title: "As edited", kind: "number", cell: (one) => one.after },
  { title: "Difference", kind: "number", cell: (one) => one.difference },
];

const CHANGES: readonly Column<BacktestResult["changes"][number]>[] = [
  { title: "Of the plan", kind: "main", cell: (one) => html`<code>${one.key}</code>` },
  { title: "As deployed", cell: (one) => one.before },
  { title: "As edited", cell: (one) => one.after },
];

type Told = BacktestResult["incidents"]["appear"][number];

@customElement("wk-backtest")
export class BacktestScreen extends Screen {
  #backtest = new Loading<BacktestDetail>(this);
  #copied = new Acting(this);
  #workload = "";
  #id = "";

  protected override moved(): void {
    const [, workload = "", , id = ""] = segments();
    if (workload === this.#workload && id === this.#id) return;
    this.#workload = workload;
    this.#id = id;
    this.#copied.forget();
    void this.#backtest.load((signal) => this.#ask(signal), { fresh: true });
  }

  async #ask(signal: AbortSignal): Promise<BacktestDetail> {
    let goesOn = this.#backtest.value ? isUnderWay(this.#backtest.value) : false;
    try {
      const found = await api().get("/watch/workloads/{workload}/backtests/{backtest}", { at: { workload: this.#workload, backtest: this.#id }, signal });
      goesOn = isUnderWay(found);
      return found;
    } finally {
      if (goesOn && !signal.aborted) this.#backtest.soon(POLL_MS);
    }
  }

  protected override render(): TemplateResult {
    return html`<div class="screen">
      <nav aria-label="Back" class="back"><a href=${backtestsLink(this.#workload)}>${icon("previous")} Backtests of ${this.#workload}</a></nav>
      ${this.#backtest.render((one) => this.#whole(one), { rows: 10 })}
    </div>`;
  }

  #whole(one: BacktestDetail): TemplateResult {
    return html`<div class="screen">
      <header class="incident-head">
        <div class="row">${backtestBadge(one.status)} <span class="soft">of ${linked(workloadLink(one.workload), one.workload)}</span></div>
        <h1>${one.changes.length ? html`What if <code class="backtest-key">${one.changes.slice(0, 3).join(", ")}</code>${one.changes.length > 3 ? ` and ${one.changes.length - 3} more` : ""} were otherwise` : "What if nothing were otherwise"}</h1>
        <dl class="facts">
          ${fact("asked for", time(one.asked_at))} ${fact("by", one.who)}
          ${one.result
            ? html`${fact("judged", html`${time(one.result.judged.start)} to ${time(one.result.judged.end)}`)} ${fact("weeks", value(one.result.judged.weeks, 3))} ${fact("series", count(one.result.series))} ${fact("intervals", count(one.result.intervals))}`
            : fact("days", one.days)}
        </dl>
        ${one.status === "failed" ? html`<p class="notice notice-bad" role="alert">${icon("alert")}<span>${one.why}</span></p>` : nothing}
        ${isUnderWay(one) ? html`<div role="status">${steps(one)}</div>` : nothing}
        ${may("operator") ? html`<div class="row"><a class="button" href=${backtestsLink(one.workload, one.backtest_id)}>${icon("backtest")} Change it further</a></div>` : nothing}
      </header>
      ${one.result ? outcome(one.result) : nothing} ${this.#file(one)}
    </div>`;
  }

  #file(one: BacktestDetail): unknown {
    const { text } = one;
    if (text === null) return nothing;
    return html`<section class="sheet plan" aria-labelledby="file-title">
      <div class="sheet-head">
        <h2 id="file-title">The edited file</h2>
        <button class="button button-small" @click=${() => void this.#copied.run(() => navigator.clipboard.writeText(text), () => "It is in the clipboard.")}>${icon("check")} Copy the YAML</button>
      </div>
      ${this.#copied.done || this.#copied.refused ? html`<div class="sheet-body">${this.#copied.outcome()}</div>` : nothing}
      <p class="sheet-body small soft">To have it so, write it to workloads/${one.workload}.yaml and run <code>watchkeeper deploy ${one.workload}</code>.</p>
      <pre tabindex="0" aria-label="The file as YAML">${text}</pre>
    </section>`;
  }
}

function outcome(result: BacktestResult): TemplateResult {
  const { incidents, max_alerts_per_week: most } = result;
  const isOver = result.after.alerts_a_week > most;
  const { changed = 0, appear = 0, go = 0 } = incidents.counts;
  return html`<section class="sheet" aria-labelledby="figures-title">
      <div class="sheet-head"><h2 id="figures-title">Before and after</h2>${isOver ? badge("over the budget", "warn") : nothing}</div>
      ${table({ caption: "Figures of both versions", columns: FIGURES, rows: figureRows(result), key: (one) => one.name })}
      <p class="sheet-body small soft">The gate allows ${value(most)} alerts a week.${result.before.windows === null ? " Nothing in this time is labelled: precision and recall are not known." : ` ${counted(result.before.windows, "labelled window")}: found ${result.before.windows_found} as deployed, ${result.after.windows_found} as edited.`}</p>
      ${result.notes.length ? html`<ul class="sheet-body plain says small">${result.notes.map((words) => html`<li>${words}</li>`)}</ul>` : nothing}
    </section>
    <section class="sheet" aria-labelledby="incidents-title">
      <div class="sheet-head">
        <h2 id="incidents-title">Incidents</h2>
        <span class="small soft">${incidents.same} stay, ${changed} change, ${appear} appear, ${go} go</span>
      </div>
      ${backtestChart(result)}
    </section>
    <div class="backtest-lists">
      ${list("Appear", incidents.appear, appear, "None appears.")} ${list("Go", incidents.go, go, "None goes.")}
      ${changed
        ? html`<section class="sheet" aria-labelledby="list-change">
            <div class="sheet-head"><h2 id="list-change">Change</h2><span class="small soft">${shown(incidents.changed.length, changed)}</span></div>
            <ul class="lines">${incidents.changed.map(({ before, after }) => line((after[0] ?? before[0])!, `severity ${worst(before)} → ${worst(after)}${before.length === after.length ? "" : `, ${counted(before.length, "incident")} → ${after.length}`}`))}</ul>
          </section>`
        : nothing}
    </div>
    ${result.changes.length
      ? html`<section class="sheet" aria-labelledby="changes-title">
          <div class="sheet-head"><h2 id="changes-title">What differs</h2></div>
          ${table({ caption: "Keys of the plan that differ", columns: CHANGES, rows: result.changes, key: (one) => one.key })}
        </section>`
      : nothing}`;
}

function list(title: string, told: readonly Told[], many: number, none: string): TemplateResult {
  return html`<section class="sheet" aria-labelledby="list-${title}">
    <div class="sheet-head"><h2 id="list-${title}">${title}</h2><span class="small soft">${shown(told.length, many)}</span></div>
    ${told.length ? html`<ul class="lines">${told.map((one) => line(one))}</ul>` : empty(none)}
  </section>`;
}

const shown = (listed: number, many: number) => (listed < many ? `the first ${listed} of ${many}` : many ? String(many) : "");
const worst = (told: readonly Told[]) => Math.round(Math.max(...told.map((one) => one.severity)));

function line(one: Told, words: unknown = nothing): TemplateResult {
  return html`<li class="line">${severity(one.severity)}
    <span class="line-main"><span>${titleOf(one)}</span><span class="small soft">${time(one.opened_at)}${one.series > 1 ? ` · ${one.series} series` : ""}${words === nothing ? nothing : html` · ${words}`}</span></span></li>`;
}
