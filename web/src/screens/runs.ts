/** The trainings of a workload, and the releases that came out of them: start one, let an earlier model judge again. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";

import type { Listing, LiveEvent, Release, Run } from "../api/shapes";
import { linked, runLink, workloadLink } from "../app/links";
import { go, segments } from "../app/router";
import { api, may } from "../app/session";
import { Acting } from "../parts/acting";
import { icon } from "../parts/icon";
import { empty, Loading } from "../parts/loading";
import { figuresInLine, runBadge, runLasted } from "../parts/run_words";
import { Screen } from "../parts/screen";
import { Pages } from "../parts/pages";
import { table, type Column } from "../parts/table";
import { badge, time } from "../parts/words";

const RUNS = "/watch/workloads/{workload}/runs";

const COLUMNS: readonly Column<Run>[] = [
  { title: "Status", kind: "mark", cell: (one) => runBadge(one.status) },
  { title: "Run", kind: "main", cell: (one) => html`<span class="run-id">${one.run_id}</span>` },
  { title: "Started", cell: (one) => time(one.started_at) },
  { title: "Took", kind: "number", cell: runLasted },
  { title: "Why", cell: (one) => one.reason ?? nothing },
  { title: "The gate said", cell: (one) => (one.gate ? html`<span class="small">${one.gate.passed ? "good enough" : one.gate.reasons.join(" ")}</span>` : nothing) },
];

@customElement("wk-runs")
export class RunsScreen extends Screen {
  @state() private starts = false;
  /** The release that is about to judge again. */
  @state() private back: string | null = null;
  @state() private typed = "";
  #runs = new Pages<Run>(this, { ask: (...page) => this.#ask(...page), key: (one) => one.run_id, page: 20, most: 100 });
  #releases = new Loading<Listing<Release>>(this);
  #started = new Acting(this);
  #rolled = new Acting(this);
  #workload = "";

  protected override moved(): void {
    const workload = segments()[1] ?? "";
    if (workload === this.#workload) return;
    this.#workload = workload;
    this.starts = false;
    this.back = null;
    this.#started.forget();
    this.#rolled.forget();
    this.#runs.first({ fresh: true });
    void this.#releases.load((signal) => api().get("/watch/workloads/{workload}/releases", { at: { workload }, signal }), { fresh: true });
  }

  #ask(limit: number, cursor: string | null, signal?: AbortSignal): Promise<Listing<Run>> {
    return api().get(RUNS, { at: { workload: this.#workload }, query: { limit, cursor }, signal });
  }

  protected override happened(event: LiveEvent): void {
    if (event.workload !== this.#workload || (event.kind !== "run" && event.kind !== "release")) return;
    this.#runs.soon();
    if (event.kind === "release" || event.detail["status"] === "succeeded") this.#releases.soon();
  }

  protected override render(): TemplateResult {
    const workload = this.#workload;
    return html`<div class="screen">
      <div class="head">
        <div>
          <h1>Runs of ${workload}</h1>
          <p class="soft">${linked(workloadLink(workload), "The workload")} is trained by these; a model that the gate takes is released.</p>
        </div>
        ${may("admin")
          ? html`<button class="button ${this.starts ? "" : "button-main"}" aria-expanded=${this.starts ? "true" : "false"} @click=${() => (this.starts = !this.starts)}>${icon("run")} Start a training</button>`
          : nothing}
      </div>
      ${this.starts && may("admin") ? this.#start() : nothing}
      <section class="sheet" aria-labelledby="runs-title">
        <div class="sheet-head"><h2 id="runs-title">Runs</h2></div>
        ${this.#runs.render(
          (list) => html`${table({
            caption: "Training runs, the newest first",
            columns: COLUMNS,
            rows: list.items,
            key: (one) => one.run_id,
            link: (one) => runLink(workload, one.run_id)!,
          })}
          ${this.#runs.button()}`,
          {
            isEmpty: (list) => list.items.length === 0,
            empty: () => empty("No run yet", may("admin") ? "Start a training: without a model nothing is judged." : "An admin starts a training, or its schedule does.", "run"),
            rows: 6,
          },
        )}
      </section>
      <section class="sheet" aria-labelledby="releases-title">
        <div class="sheet-head"><h2 id="releases-title">Releases</h2></div>
        ${this.#rolled.done || this.#rolled.refused ? html`<div class="sheet-body">${this.#rolled.outcome()}</div>` : nothing}
        ${this.#releases.render((list) => html`<ul class="lines">${repeat(list.items, (one) => one.run_id, (one) => this.#release(one))}</ul>`, {
          isEmpty: (list) => list.items.length === 0,
          empty: () => empty("No release yet", "A run whose model the gate takes makes one.", "release"),
          rows: 3,
        })}
      </section>
    </div>`;
  }

  #start(): TemplateResult {
    const submit = (event: SubmitEvent) => {
      event.preventDefault();
      const form = new FormData(event.target as HTMLFormElement);
      const words = (name: string) => String(form.get(name) ?? "").trim();
      const moment = (name: string) => (words(name) ? { [name]: new Date(words(name)).toISOString() } : {});
      const body = { reason: words("reason"), ...moment("start"), ...moment("end") };
      const workload = this.#workload;
      const begin = async () => {
        const started = await api().post(RUNS, { at: { workload }, body });
        this.starts = false;
        go(runLink(workload, started.run_id)!);
        return started;
      };
      void this.#started.run(begin, () => "");
    };
    return html`<form class="sheet sheet-body starting" @submit=${submit} aria-label="Start a training">
      <label class="field starting-reason"><span>Why, for others</span><input name="reason" required maxlength="256" .value=${"asked for in the console"} /></label>
      <label class="field"><span>With data from (your time; empty: all)</span><input name="start" type="datetime-local" /></label>
      <label class="field"><span>and before (empty: now)</span><input name="end" type="datetime-local" /></label>
      <p class="soft small starting-words">It runs for minutes and costs what its jobs take. Its model judges from then on, if the gate takes it.</p>
      <div class="row">
        <button class="button button-main" ?disabled=${this.#started.busy}>${this.#started.busy ? "Starting" : "Start it"}</button>
        <button class="button" type="button" @click=${() => (this.starts = false)}>Leave it</button>
      </div>
      ${this.#started.refused ? this.#started.outcome() : nothing}
    </form>`;
  }

  #release(one: Release): TemplateResult {
    const asks = this.back === one.run_id;
    const turn = () => {
      this.back = asks ? null : one.run_id;
      this.typed = "";
      this.#rolled.forget();
    };
    return html`<li class="line release">
      <span class="line-main">
        <span class="row">${linked(runLink(this.#workload, one.run_id), one.run_id)} ${one.live ? badge("judges now", "good") : nothing}</span>
        <span class="small soft">${one.detector} · since ${time(one.published_at)}${figuresInLine(one.figures) ? ` · ${figuresInLine(one.figures)}` : ""}</span>
        ${asks ? this.#confirm(one) : nothing}
      </span>
      ${one.can_roll_back && may("admin") ? html`<button class="button button-small" aria-expanded=${asks ? "true" : "false"} @click=${turn}>${icon("undo")} Roll back to it</button>` : nothing}
    </li>`;
  }

  #confirm(one: Release): TemplateResult {
    const workload = this.#workload;
    const submit = (event: SubmitEvent) => {
      event.preventDefault();
      if (this.typed !== workload) return;
      const roll = async () => {
        const after = await api().post("/watch/workloads/{workload}/releases/{run}/roll-back", { at: { workload, run: one.run_id }, body: { confirm: this.typed } });
        this.#releases.put(after);
        this.back = null;
      };
      void this.#rolled.run(roll, () => html`${one.run_id} judges again.`);
    };
    return html`<form class="confirm" @submit=${submit}>
      <p class="small">All that is scored from now on is judged by this earlier model. The one that judges now is kept, and can judge again in the same way.</p>
      <label class="field"><span>To do it, type the workload's name: <b>${workload}</b></span>
        <input name="confirm" autocomplete="off" spellcheck="false" .value=${this.typed} @input=${(event: Event) => (this.typed = (event.target as HTMLInputElement).value.trim())} />
      </label>
      <div class="row">
        <button class="button button-bad" ?disabled=${this.typed !== workload || this.#rolled.busy}>${this.#rolled.busy ? "Rolling back" : "Roll back"}</button>
        <button class="button" type="button" @click=${() => (this.back = null)}>Leave it</button>
      </div>
    </form>`;
  }
}
