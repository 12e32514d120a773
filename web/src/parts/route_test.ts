/** A test of a workload's routes: a marked sample the way alerts go, and what became of it. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";

import type { RouteOutcome } from "../api/shapes";
import { api } from "../app/session";
import { Acting } from "./acting";
import { icon } from "./icon";
import { Part } from "./screen";
import { badge, type Tone } from "./words";

const VERDICTS: Record<RouteOutcome["verdict"], [string, Tone]> = {
  delivered: ["delivered", "good"],
  sent: ["sent", "info"],
  refused: ["did not arrive", "bad"],
};

@customElement("wk-route-test")
export class RouteTest extends Part {
  @property() workload = "";
  @property({ attribute: false }) channels: readonly string[] = [];
  @state() private found: readonly RouteOutcome[] = [];
  #test = new Acting(this);

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (!changed.has("workload")) return;
    this.found = [];
    this.#test.forget();
  }

  get #refused(): number {
    return this.found.filter((one) => one.verdict === "refused").length;
  }

  readonly #send = (event: SubmitEvent): void => {
    event.preventDefault();
    const channel = String(new FormData(event.target as HTMLFormElement).get("channel") ?? "");
    const { workload } = this;
    void this.#test.run(
      async () => {
        this.found = [];
        const { items } = await api().post("/watch/workloads/{workload}/routes/test", { at: { workload }, body: { channels: channel ? [channel] : [] } });
        if (workload === this.workload) this.found = items;
        return this.#refused;
      },
      (refused) => (refused ? "" : "Every route took its sample, or SNS did."),
    );
  };

  protected override render(): TemplateResult {
    return html`<form class="sheet-body screen route-test" @submit=${this.#send} aria-label="Test routes">
      <p class="small soft">A test sends a marked sample the way alerts go. It is no incident and counts as no alert.</p>
      <div class="row">
        <label class="field field-row"><span>Channel</span>
          <select name="channel">
            <option value="">All</option>
            ${[...new Set(this.channels)].map((channel) => html`<option value=${channel}>${channel}</option>`)}
          </select>
        </label>
        <button class="button" ?disabled=${this.#test.busy}>${icon("bell")} ${this.#test.busy ? "Waiting, up to 20 s" : "Send a test"}</button>
      </div>
      ${this.#test.outcome()}
      ${this.#refused ? html`<p class="notice notice-bad" role="status">${icon("alert")}<span>${this.#refused} did not arrive.</span></p>` : nothing}
      ${this.found.length
        ? html`<ul class="lines">${this.found.map(
            (one) => html`<li class="line">${badge(...VERDICTS[one.verdict])}<span class="line-main"><span>${one.channel} · ${one.receiver}</span><span class="small soft">${one.said}</span></span></li>`,
          )}</ul>`
        : nothing}
    </form>`;
  }
}
