/** A stretch of a series that is about to be labelled as an anomaly. */

import { html, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";

import { dateTime } from "../app/clock";
import { api } from "../app/session";
import { Acting } from "./acting";
import type { Range } from "./chart";
import { icon } from "./icon";
import { Part } from "./screen";
import { seriesName } from "./words";

@customElement("wk-label-form")
export class LabelForm extends Part {
  @property() workload = "";
  @property() series = "";
  @property({ attribute: false }) range: Range = [0, 0];
  #label = new Acting(this);

  readonly #submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const note = String(new FormData(event.target as HTMLFormElement).get("note") ?? "").trim();
    const [start, end] = this.range.map((seconds) => new Date(1000 * Math.round(seconds)).toISOString()) as [string, string];
    const { workload, series } = this;
    void this.#label
      .run(() => api().post("/watch/workloads/{workload}/labels", { at: { workload }, body: { series, start, end, note: note || null } }), () => "")
      .then((isDone) => isDone && this.dispatchEvent(new CustomEvent("labelled", { bubbles: true })));
  };

  protected override render(): TemplateResult {
    const [from, to] = this.range;
    return html`<form class="notice label-form" @submit=${this.#submit} aria-label="Label a stretch">
      <p class="small">This was an anomaly of <b>${seriesName(this.series)}</b>: <span class="number">${dateTime(from)} to ${dateTime(to)}</span>, moved outwards to whole intervals. The next training and its evaluation know it; what judges now stays.</p>
      <label class="field"><span>Why, for others</span><input name="note" maxlength="1000" /></label>
      <div class="row">
        <button class="button button-main" ?disabled=${this.#label.busy}>${icon("tag")} ${this.#label.busy ? "Labelling" : "Label it"}</button>
        <button class="button" type="button" @click=${() => this.dispatchEvent(new CustomEvent("left", { bubbles: true }))}>Leave it</button>
      </div>
      ${this.#label.outcome()}
    </form>`;
  }
}
