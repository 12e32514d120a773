/** One version of a workload's model: what it was worth, whether it may serve, and who said so. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";

import type { LiveEvent, ModelDetail } from "../api/shapes";
import { linked, modelsLink, runLink, workloadLink } from "../app/links";
import { segments } from "../app/router";
import { api, may } from "../app/session";
import { Acting } from "../parts/acting";
import { charts, figures } from "../parts/evaluation";
import { icon } from "../parts/icon";
import { empty, Loading } from "../parts/loading";
import { approvalBadge, releaseWords } from "../parts/model_words";
import { Screen } from "../parts/screen";
import { badge, fact, time } from "../parts/words";

const MODEL = "/watch/workloads/{workload}/models/{version}";

@customElement("wk-model")
export class ModelScreen extends Screen {
  @state() private note = "";
  #model = new Loading<ModelDetail>(this);
  #said = new Acting(this);
  #workload = "";
  #version = "";

  protected override moved(): void {
    const [, workload = "", , version = ""] = segments();
    if (workload === this.#workload && version === this.#version) return;
    this.#workload = workload;
    this.#version = version;
    this.note = "";
    this.#said.forget();
    void this.#model.load((signal) => api().get(MODEL, { at: this.#at, signal }), { fresh: true });
  }

  get #at(): { workload: string; version: number } {
    return { workload: this.#workload, version: Number(this.#version) };
  }

  protected override happened(event: LiveEvent): void {
    if (event.workload === this.#workload && (event.kind === "model" || event.kind === "release")) this.#model.soon();
  }

  protected override render(): TemplateResult {
    return html`<div class="screen">
      <nav aria-label="Back" class="back"><a href=${modelsLink(this.#workload)}>${icon("previous")} Models of ${this.#workload}</a></nav>
      ${this.#model.render((one) => this.#whole(one), { rows: 10 })}
    </div>`;
  }

  #whole(one: ModelDetail): TemplateResult {
    return html`<div class="screen">
      <header class="incident-head">
        <div class="row">${approvalBadge(one.approval)} ${one.serves ? badge("judges now", "good") : nothing} <span class="soft">of ${linked(workloadLink(this.#workload), this.#workload)}</span></div>
        <h1>Version ${one.version}</h1>
        <dl class="facts">
          ${fact("registered", time(one.created_at))} ${fact("run", one.run_id === null ? null : linked(runLink(this.#workload, one.run_id), one.run_id))}
          ${fact("its release", releaseWords(one))}
        </dl>
      </header>
      <div class="incident-columns">
        <div class="screen">
          ${figures(one)} ${one.run_id === null ? nothing : charts(this.#workload, one.run_id, one)}
          ${one.table.length || one.charts.length ? nothing : html`<section class="sheet" aria-label="Evaluation">${empty("No figures", "The files of its run are not kept any more.", "model")}</section>`}
        </div>
        <div class="screen">${this.#verdict(one)} ${made(one)}</div>
      </div>
    </div>`;
  }

  #verdict(one: ModelDetail): TemplateResult {
    const say = (what: "approve" | "reject") => () =>
      void this.#said.run(
        async () => {
          const found = await api().post(`${MODEL}/${what}` as const, { at: this.#at, body: { note: this.note.trim() || null } });
          this.#model.put(found);
          this.note = "";
        },
        () => (what === "approve" ? "It may serve." : "It may not serve."),
      );
    return html`<section class="sheet" aria-labelledby="verdict-title">
      <div class="sheet-head"><h2 id="verdict-title">May it serve</h2></div>
      <div class="sheet-body screen">
        ${one.said ? html`<p class="small model-files">${one.said}</p>` : nothing}
        <p class="small soft">An approved version is served where somebody names it: by the anomaly service as registry/${this.#workload}/${one.version}. A rejected one is not, and its release may not judge again. What judges now stays.</p>
        ${may("admin")
          ? html`<label class="field"><span>Why, for others</span><input name="note" maxlength="1000" .value=${this.note} @input=${(event: Event) => (this.note = (event.target as HTMLInputElement).value)} /></label>
              <div class="row">
                ${one.approval === "approved" ? nothing : html`<button class="button button-main" ?disabled=${this.#said.busy} @click=${say("approve")}>${icon("check")} Approve</button>`}
                ${one.approval === "rejected" || one.serves ? nothing : html`<button class="button button-bad" ?disabled=${this.#said.busy} @click=${say("reject")}>${icon("close")} Reject</button>`}
              </div>
              ${one.serves ? html`<p class="small soft">It judges now, so it cannot be rejected: let another release judge first.</p>` : nothing}`
          : html`<p class="small soft">An admin approves and rejects.</p>`}
        ${this.#said.outcome()}
      </div>
    </section>`;
  }
}

function made(one: ModelDetail): TemplateResult {
  return html`<section class="sheet" aria-labelledby="made-title">
    <div class="sheet-head"><h2 id="made-title">What it is</h2></div>
    <div class="sheet-body"><ul class="plain says model-files">
      <li><code>${one.arn}</code></li>
      ${one.artifacts.map((uri) => html`<li><code>${uri}</code></li>`)}
    </ul></div>
  </section>`;
}
