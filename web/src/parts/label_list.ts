/** What people say of stretches of series: labels, which are taken back here, and verdicts on incidents. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";

import type { Feedback, Label } from "../api/shapes";
import { incidentLink } from "../app/links";
import { api, may } from "../app/session";
import { Acting } from "./acting";
import { icon } from "./icon";
import { Part } from "./screen";
import { badge, seriesName, time, type Tone } from "./words";

const WHAT: Record<Feedback, [string, Tone]> = { real: ["anomaly", "bad"], expected: ["expected", "info"], noise: ["noise", "quiet"] };

@customElement("wk-label-list")
export class LabelList extends Part {
  @property() workload = "";
  @property({ attribute: false }) items: readonly Label[] = [];
  #back = new Acting(this);

  #undo(one: Label): void {
    const { workload } = this;
    void this.#back
      .run(() => api().delete("/watch/workloads/{workload}/labels/{label}", { at: { workload, label: one.label } }), () => "The label is taken back.")
      .then((isDone) => isDone && this.dispatchEvent(new CustomEvent("labelled", { bubbles: true })));
  }

  protected override render(): TemplateResult {
    return html`${this.#back.done || this.#back.refused ? html`<div class="sheet-body">${this.#back.outcome()}</div>` : nothing}
      <ul class="lines">
        ${repeat(
          this.items,
          (one) => `${one.label}|${one.series}|${one.start}`,
          (one) => html`<li class="line release">
            ${badge(...WHAT[one.what])}
            <span class="line-main">
              <span>${time(one.start)} to ${time(one.end)} · ${seriesName(one.series)}</span>
              <span class="small soft">${one.who}, ${time(one.at, { ago: true })}${one.note ? `: ${one.note}` : ""}${one.source === "verdict" ? html` · said of <a class="above" href=${incidentLink(one.label)}>an incident</a>` : nothing}</span>
            </span>
            ${one.source === "label" && may("operator") ? html`<button class="button button-small" ?disabled=${this.#back.busy} @click=${() => this.#undo(one)}>${icon("undo")} Take it back</button>` : nothing}
          </li>`,
        )}
      </ul>`;
  }
}
