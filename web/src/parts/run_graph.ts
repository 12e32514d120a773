/** The way of a training through its workflow: `<wk-run-graph .states .isRunning>`. */

import { html, nothing, svg, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";

import type { RunState } from "../api/shapes";
import { duration, instant, now } from "../app/clock";
import { counted } from "../app/numbers";
import { Watching } from "../app/signal";
import { Part } from "./screen";
import { badge, type Tone } from "./words";
import { inOrder, lanesOf, rowsOf, telling, type Row } from "./workflow";

const STATUSES: Record<RunState["status"], [string, Tone]> = {
  waiting: ["not entered", "quiet"],
  running: ["running", "info"],
  succeeded: ["done", "good"],
  failed: ["failed", "bad"],
  caught: ["failed, went on", "warn"],
};

const LANE = 11;
const MARGIN = 9;

@customElement("wk-run-graph")
export class RunGraph extends Part {
  @property({ attribute: false }) states: readonly RunState[] = [];
  @property({ type: Boolean }) isRunning = false;
  @state() private whole = false;

  constructor() {
    super();
    new Watching(this, [now]);
  }

  protected override render(): TemplateResult {
    const shown = this.whole ? inOrder(this.states) : telling(this.states, this.isRunning);
    const rows = rowsOf(shown);
    const width = 2 * MARGIN + LANE * lanesOf(rows);
    return html`<ol class="states">
        ${rows.map((row) => html`<li class="state state-${row.state.status}">${rails(row, width)}${about(row.state)}</li>`)}
      </ol>
      ${shown.length < this.states.length || this.whole
        ? html`<p class="more">
            <button class="button button-small" aria-pressed=${this.whole ? "true" : "false"} @click=${() => (this.whole = !this.whole)}>
              ${this.whole ? "Show only where it went" : `Show all ${counted(this.states.length, "state")}`}
            </button>
          </p>`
        : nothing}`;
  }
}

function about(state: RunState): TemplateResult {
  const { entered_at: entered, exited_at: exited } = state;
  const lasted = entered && (exited || state.status === "running") ? (exited ? instant(exited).getTime() : now.value) - instant(entered).getTime() : null;
  return html`<div class="state-main">
    <span class="state-name">${words(state.name)}</span>
    ${badge(...STATUSES[state.status])}
    ${state.visits > 1 ? html`<span class="small soft">${state.visits} times</span>` : nothing}
    ${lasted === null ? nothing : html`<span class="small soft number state-time">${duration(Math.max(0, lasted / 1000))}</span>`}
    ${state.error || state.cause ? html`<p class="state-cause small">${[state.error, state.cause].filter(Boolean).join(": ")}</p>` : nothing}
  </div>`;
}

/** `TrainPreprocessor` → `Train preprocessor`; a name stays one that can be searched for by its letters. */
function words(name: string): string {
  const apart = name.replaceAll(/([a-z0-9])([A-Z])/g, (_, before: string, after: string) => `${before} ${after.toLowerCase()}`);
  return apart.charAt(0).toUpperCase() + apart.slice(1);
}

/** What is beside one row: as high as the row, so it is drawn in percent of it. */
function rails(row: Row, width: number): TemplateResult {
  const x = (lane: number) => MARGIN + LANE * lane;
  const line = (path: string, isTaken: boolean, isBack = false) =>
    svg`<path class="rail ${isTaken ? "rail-taken" : ""} ${isBack ? "rail-back" : ""}" d=${path} vector-effect="non-scaling-stroke" />`;
  // what was gone lies over what was not
  const sorted = [...row.rails].sort((one, other) => Number(one.isTaken) - Number(other.isTaken));
  const down = (isDown: boolean) => (isDown ? 100 : 0);
  return html`<span class="state-rails" aria-hidden="true">
    <svg class="state-lines" width=${width} height="100%" viewBox="0 0 ${width} 100" preserveAspectRatio="none">
      ${row.up ? line(`M${x(0)} 0V50`, row.up.isTaken) : nothing}
      ${row.down ? line(`M${x(0)} 50V100`, row.down.isTaken) : nothing}
      ${sorted.map(({ lane, part, isBack, isTaken }) => {
        if (part === "past") return line(`M${x(lane)} 0V100`, isTaken, isBack);
        const end = down((part === "out") !== isBack);
        return line(`M${x(0)} 50H${x(lane) - 5}Q${x(lane)} 50 ${x(lane)} ${end ? 70 : 30}V${end}`, isTaken, isBack);
      })}
    </svg>
    <svg width=${width} height="1"></svg>
    <svg class="state-dot" width=${2 * MARGIN} height=${2 * MARGIN} viewBox="-9 -9 18 18"><circle r="5.5" /></svg>
  </span>`;
}
