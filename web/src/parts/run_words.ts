/** Runs and the figures of their evaluation, in words. */

import type { TemplateResult } from "lit";

import type { Release, Run, RunStatus } from "../api/shapes";
import { duration, instant, now } from "../app/clock";
import { count, percent, value } from "../app/numbers";
import { badge, type Tone } from "./words";

const STATUSES: Record<RunStatus, [string, Tone]> = {
  running: ["running", "info"],
  succeeded: ["succeeded", "good"],
  rejected: ["refused by the gate", "warn"],
  failed: ["failed", "bad"],
  stopped: ["stopped", "quiet"],
};

export function runBadge(status: RunStatus): TemplateResult {
  return badge(...(STATUSES[status] ?? [status, "quiet"]));
}

/** How long a run took, or has taken so far. */
export function runLasted(run: Run): string {
  const end = run.ended_at ? instant(run.ended_at).getTime() : now.value;
  return duration(Math.max(0, end - instant(run.started_at).getTime()) / 1000);
}

interface Figure {
  words: string;
  /** Which is better; none where neither is. */
  better?: "more" | "less";
  is?: "share" | "count";
}

/** What a figure is called; one that is not here keeps its name. */
const FIGURES: Record<string, Figure> = {
  n: { words: "rows", is: "count" },
  anomalies: { words: "labelled anomalies", is: "count" },
  alerts_per_week: { words: "alerts a week", better: "less" },
  distinct_scores: { words: "different scores", is: "count" },
  precision: { words: "precision: flagged that are anomalies", better: "more", is: "share" },
  recall: { words: "recall: anomalies that are flagged", better: "more", is: "share" },
  f1: { words: "F1", better: "more" },
  pr_auc: { words: "PR-AUC: area under precision and recall", better: "more" },
  roc_auc: { words: "ROC-AUC", better: "more" },
};

export function figureOf(name: string): Figure {
  return FIGURES[name] ?? { words: name.replaceAll("_", " ") };
}

export function figureValue(name: string, number: number | null | undefined): string {
  if (number === null || number === undefined) return "–";
  const { is } = figureOf(name);
  if (is === "share" && number >= 0 && number <= 1) return percent(number);
  return is === "count" ? count(number) : value(number);
}

/** The figures that are there, in a line. */
export function figuresInLine(figures: Release["figures"]): string {
  return Object.entries(figures)
    .filter(([, number]) => number !== null)
    .slice(0, 4)
    .map(([name, number]) => `${figureOf(name).words.replace(/:.*/, "")} ${figureValue(name, number)}`)
    .join(", ");
}
