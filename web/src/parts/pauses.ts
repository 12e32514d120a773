/** Pauses of a workload and its series: nothing is told while one holds. Begin one, end one. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";

import type { Pause } from "../api/shapes";
import { api, may } from "../app/session";
import { Acting } from "./acting";
import { icon } from "./icon";
import { Part } from "./screen";
import { badge, seriesName, time } from "./words";

const FOR: readonly [number, string][] = [
  [3600, "1 hour"],
  [8 * 3600, "8 hours"],
  [86_400, "1 day"],
  [7 * 86_400, "1 week"],
  [0, "until somebody resumes it"],
];

/** Tells of what holds then: event `paused`, detail the pauses. */
@customElement("wk-pauses")
export class Pauses extends Part {
  @property() workload = "";
  @property({ attribute: false }) pauses: readonly Pause[] = [];
  @state() private begins = false;
  #pause = new Acting(this);

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (!changed.has("workload")) return;
    this.begins = false;
    this.#pause.forget();
  }

  #do(act: () => Promise<{ items: Pause[] }>, words: string): void {
    void this.#pause.run(
      async () => {
        const { items } = await act();
        this.begins = false;
        this.dispatchEvent(new CustomEvent("paused", { detail: items, bubbles: true }));
      },
      () => words,
    );
  }

  readonly #begin = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const words = (name: string) => String(form.get(name) ?? "").trim() || null;
    const seconds = Number(words("for"));
    const body = { series: words("series"), note: words("note"), until: seconds ? new Date(Date.now() + 1000 * seconds).toISOString() : null };
    const at = { workload: this.workload };
    this.#do(() => api().post("/watch/workloads/{workload}/pause", { at, body }), "Nothing is told from now on. It is scored as before.");
  };

  #resume(one: Pause): void {
    const at = { workload: this.workload };
    this.#do(() => api().post("/watch/workloads/{workload}/resume", { at, body: { series: one.series } }), "What happens is told again.");
  }

  protected override render(): TemplateResult {
    return html`<section class="sheet" aria-labelledby="pauses-title">
      <div class="sheet-head">
        <h2 id="pauses-title">Paused</h2>
        ${may("operator") ? html`<button class="button button-small" aria-expanded=${this.begins ? "true" : "false"} @click=${() => (this.begins = !this.begins)}>${icon("snooze")} Pause</button>` : nothing}
      </div>
      ${this.pauses.length
        ? html`<ul class="lines">${repeat(
            this.pauses,
            (one) => `${one.series}|${one.since}`,
            (one) => html`<li class="line release">
              ${badge("paused", "warn")}
              <span class="line-main">
                <span>${one.series === null ? "the whole workload" : seriesName(one.series)}</span>
                <span class="small soft">${one.until ? html`until ${time(one.until)}` : "until somebody resumes it"} · ${one.who}, ${time(one.since, { ago: true })}${one.note ? `: ${one.note}` : ""}</span>
              </span>
              ${may("operator") ? html`<button class="button button-small" ?disabled=${this.#pause.busy} @click=${() => this.#resume(one)}>${icon("undo")} Resume</button>` : nothing}
            </li>`,
          )}</ul>`
        : html`<p class="sheet-body small soft">Nothing is: who has a route is told.</p>`}
      ${this.begins && may("operator")
        ? html`<form class="sheet-body screen" @submit=${this.#begin} aria-label="Pause">
            <label class="field"><span>For</span><select name="for">${FOR.map(([seconds, words]) => html`<option value=${seconds}>${words}</option>`)}</select></label>
            <label class="field"><span>Series, by its key (empty: the whole workload)</span><input name="series" autocomplete="off" spellcheck="false" /></label>
            <label class="field"><span>Why, for others</span><input name="note" maxlength="1000" /></label>
            <p class="small soft">It is scored and has incidents as before; nobody is told, then or later.</p>
            <div class="row">
              <button class="button button-main" ?disabled=${this.#pause.busy}>${this.#pause.busy ? "Pausing" : "Pause it"}</button>
              <button class="button" type="button" @click=${() => (this.begins = false)}>Leave it</button>
            </div>
          </form>`
        : nothing}
      ${this.#pause.done || this.#pause.refused ? html`<div class="sheet-body">${this.#pause.outcome()}</div>` : nothing}
    </section>`;
  }
}
