/** Words of backtests. */

import { html, type TemplateResult } from "lit";

import type { Backtest, BacktestDetail, BacktestResult } from "../api/shapes";
import { value } from "../app/numbers";
import { badge, type Tone } from "./words";

const STATUSES: Record<Backtest["status"], [string, Tone]> = {
  waiting: ["waiting", "info"],
  running: ["running", "info"],
  succeeded: ["done", "good"],
  failed: ["failed", "bad"],
};

export function backtestBadge(status: Backtest["status"]): TemplateResult {
  return badge(...STATUSES[status]);
}

export const isUnderWay = (one: Pick<Backtest, "status">) => one.status === "waiting" || one.status === "running";

const STEPS: readonly [string, (one: BacktestDetail) => boolean][] = [
  ["asked for", () => false],
  ["waits for its turn", (one) => one.status === "waiting"],
  ["reads the history", (one) => one.stage === "reading"],
  ["judges it by both versions", (one) => one.stage === "judging"],
];

/** How far one is that is under way. */
export function steps(one: BacktestDetail): TemplateResult {
  const now = Math.max(1, STEPS.findIndex(([, is]) => is(one)));
  return html`<ol class="backtest-steps" aria-label="How far it is">
    ${STEPS.map(([words], at) => html`<li class=${at < now ? "step-done" : at === now ? "step-now" : "step-ahead"} aria-current=${at === now ? "step" : "false"}>${words}</li>`)}
  </ol>`;
}

export interface FigureRow {
  name: string;
  before: string;
  after: string;
  /** What has changed, with its sign; empty where nothing is known. */
  difference: string;
}

const FIGURES: readonly [keyof BacktestResult["before"], string][] = [
  ["alerts_a_week", "alerts a week"],
  ["incidents_a_week", "incidents a week"],
  ["anomalies_a_week", "anomalies a week"],
  ["precision", "precision: incidents in a labelled window"],
  ["recall", "recall: labelled windows found"],
];

/** The figures of both versions; what neither knows is left out. */
export function figureRows({ before, after }: BacktestResult): FigureRow[] {
  return FIGURES.flatMap(([key, name]) => {
    const [old, now] = [before[key], after[key]];
    if (old === null && now === null) return [];
    return [{ name, before: value(old, 3), after: value(now, 3), difference: old === null || now === null ? "" : signed(now - old) }];
  });
}

function signed(by: number): string {
  if (by === 0) return "no difference";
  return `${by > 0 ? "+" : "−"}${value(Math.abs(by), 3)}`;
}
