/** The registry of a workload: every version of its model, what it was worth, and whether it may serve. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement } from "lit/decorators.js";

import type { Listing, LiveEvent, Model } from "../api/shapes";
import { linked, modelLink, runsLink, workloadLink } from "../app/links";
import { segments } from "../app/router";
import { api } from "../app/session";
import { empty } from "../parts/loading";
import { approvalBadge, releaseWords } from "../parts/model_words";
import { Pages } from "../parts/pages";
import { figuresInLine } from "../parts/run_words";
import { Screen } from "../parts/screen";
import { table, type Column } from "../parts/table";
import { badge, time } from "../parts/words";

const COLUMNS: readonly Column<Model>[] = [
  { title: "May it serve", kind: "mark", cell: (one) => approvalBadge(one.approval) },
  { title: "Version", kind: "main", cell: (one) => html`<span class="number">${one.version}</span>` },
  { title: "Now", cell: (one) => (one.serves ? badge("judges now", "good") : html`<span class="small">${releaseWords(one)}</span>`) },
  { title: "Registered", cell: (one) => time(one.created_at) },
  { title: "Run", cell: (one) => html`<span class="run-id small">${one.run_id ?? "unknown"}</span>` },
  { title: "Figures", cell: (one) => html`<span class="small">${figuresInLine(one.figures) || "–"}</span>` },
  { title: "Why", wideOnly: true, cell: (one) => (one.said ? html`<span class="small">${one.said}</span>` : nothing) },
];

@customElement("wk-models")
export class ModelsScreen extends Screen {
  #models = new Pages<Model>(this, { ask: (...page) => this.#ask(...page), key: (one) => String(one.version), page: 20, most: 50 });
  #workload = "";

  protected override moved(): void {
    const workload = segments()[1] ?? "";
    if (workload === this.#workload) return;
    this.#workload = workload;
    this.#models.first({ fresh: true });
  }

  #ask(limit: number, cursor: string | null, signal?: AbortSignal): Promise<Listing<Model>> {
    return api().get("/watch/workloads/{workload}/models", { at: { workload: this.#workload }, query: { limit, cursor }, signal });
  }

  protected override happened(event: LiveEvent): void {
    if (event.workload !== this.#workload) return;
    if (event.kind === "model" || event.kind === "release" || (event.kind === "run" && event.detail["status"] === "succeeded")) this.#models.soon();
  }

  protected override render(): TemplateResult {
    const workload = this.#workload;
    return html`<div class="screen">
      <div class="head">
        <div>
          <h1>Models of ${workload}</h1>
          <p class="soft">What trainings of ${linked(workloadLink(workload), "the workload")} have registered. Which one judges, <a href=${runsLink(workload)}>its releases</a> say.</p>
        </div>
      </div>
      <section class="sheet" aria-labelledby="models-title">
        <div class="sheet-head"><h2 id="models-title">Versions</h2></div>
        ${this.#models.render(
          (list) => html`${table({
            caption: "Versions of the model, the newest first",
            columns: COLUMNS,
            rows: list.items,
            key: (one) => String(one.version),
            link: (one) => modelLink(workload, one.version),
          })}
          ${this.#models.button()}`,
          {
            isEmpty: (list) => list.items.length === 0,
            empty: () => empty("No version yet", "A training whose model the gate takes registers one.", "model"),
            rows: 6,
          },
        )}
      </section>
    </div>`;
  }
}
