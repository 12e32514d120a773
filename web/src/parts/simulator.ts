/** A generated world that sends transactions, to see fraud being caught: `<wk-simulator workload>`. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";

import type { Simulator } from "../api/shapes";
import { relative } from "../app/clock";
import { count, percent, value } from "../app/numbers";
import { api, may } from "../app/session";
import { Acting } from "./acting";
import { icon } from "./icon";
import { Loading } from "./loading";
import { Part } from "./screen";
import { badge, time, type Tone } from "./words";

const SIMULATOR = "/fraud/simulator";
const POLL_MS = 3000;
const MOST_RATE = 20;
const MOST_SHARE = 0.2;
const LASTS: readonly [number, string][] = [
  [60, "1 minute"],
  [300, "5 minutes"],
  [600, "10 minutes"],
  [3600, "1 hour"],
  [14_400, "4 hours"],
];
const STATES: Record<Simulator["state"], [string, Tone]> = {
  never: ["never started", "quiet"],
  running: ["running", "info"],
  stopped: ["stopped", "quiet"],
  ended: ["ended", "quiet"],
  failed: ["failed", "bad"],
};

/** Event `sent`: it has sent more. */
@customElement("wk-simulator")
export class SimulatorPanel extends Part {
  @property() workload = "";
  @state() private rate = 5;
  @state() private share = 0.02;
  #simulator = new Loading<Simulator>(this);
  #acting = new Acting(this);

  protected override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has("workload") && this.workload) void this.#simulator.load((signal) => this.#ask(signal), { fresh: true });
  }

  async #ask(signal: AbortSignal): Promise<Simulator> {
    const before = this.#simulator.value;
    let isRunning = before?.state === "running";
    try {
      const found = await api().get(SIMULATOR, { query: { workload: this.workload }, signal });
      isRunning = found.state === "running";
      if (before && found.sent !== before.sent) this.dispatchEvent(new Event("sent"));
      return found;
    } finally {
      if (isRunning && !signal.aborted) this.#simulator.soon(POLL_MS);
    }
  }

  #act(act: () => Promise<Simulator>, words: string): void {
    const run = async () => {
      this.#simulator.put(await act());
      if (this.#simulator.value?.state === "running") this.#simulator.soon(POLL_MS);
    };
    void this.#acting.run(run, () => words).then((isDone) => {
      if (!isDone) this.#simulator.again();
    });
  }

  protected override render(): TemplateResult {
    return html`<section class="sheet" aria-labelledby="simulator-title">
      <div class="sheet-head">
        <h2 id="simulator-title">Simulator</h2>
        ${this.#simulator.value ? badge(...STATES[this.#simulator.value.state]) : nothing}
      </div>
      <div class="sheet-body screen">${this.#simulator.render((one) => this.#whole(one), { rows: 3 })}</div>
    </section>`;
  }

  #whole(one: Simulator): TemplateResult {
    const isRunning = one.state === "running";
    return html`<div class="simulator">
      <p class="small soft">A generated world of people, cards and frauds sends transactions through the API, as shops would. They are judged and kept as all others.</p>
      ${one.state === "never"
        ? nothing
        : html`<p>
            <b class="number">${count(one.sent)}</b> sent, <b class="number">${count(one.flagged)}</b> flagged${one.rate === null ? nothing : html` <span class="soft">· ${value(one.rate)} a second${one.fraud_share === null ? "" : `, about ${percent(one.fraud_share)} fraud`}</span>`}
            ${isRunning && one.until ? html`<span class="soft">· ends ${relative(one.until)}</span>` : one.started_at ? html`<span class="soft">· started ${time(one.started_at)}</span>` : nothing}
          </p>`}
      ${one.error ? html`<p class="notice notice-bad">${icon("alert")}<span>${one.error}</span></p>` : nothing}
      ${may("operator") ? (isRunning ? this.#stop() : this.#start()) : nothing} ${this.#acting.outcome()}
    </div>`;
  }

  #stop(): TemplateResult {
    const stop = () => this.#act(() => api().delete(SIMULATOR, { query: { workload: this.workload } }), "It stops with its next transactions.");
    return html`<div><button class="button" ?disabled=${this.#acting.busy} @click=${stop}>${icon("close")} Stop</button></div>`;
  }

  #start(): TemplateResult {
    const submit = (event: SubmitEvent) => {
      event.preventDefault();
      const seconds = Number(new FormData(event.target as HTMLFormElement).get("seconds"));
      const { workload, rate, share } = this;
      this.#act(() => api().post(SIMULATOR, { query: { workload }, body: { rate, fraud_share: share, seconds } }), "It is started.");
    };
    const number = (event: Event) => Number((event.target as HTMLInputElement).value);
    return html`<form class="simulator-form" @submit=${submit}>
      <label class="field"><span>Rate: <span class="number">${this.rate}</span> a second</span>
        <input type="range" min="1" max=${MOST_RATE} step="1" .value=${String(this.rate)} @input=${(event: Event) => (this.rate = number(event))} />
      </label>
      <label class="field"><span>Fraud: <span class="number">${Math.round(100 * this.share)} %</span></span>
        <input type="range" min="0" max=${100 * MOST_SHARE} step="1" .value=${String(100 * this.share)} @input=${(event: Event) => (this.share = number(event) / 100)} />
      </label>
      <label class="field"><span>For</span>
        <select name="seconds">${LASTS.map(([seconds, words]) => html`<option value=${seconds} ?selected=${seconds === 300}>${words}</option>`)}</select>
      </label>
      <button class="button button-main" ?disabled=${this.#acting.busy}>${this.#acting.busy ? "Starting" : "Start"}</button>
    </form>`;
  }
}
