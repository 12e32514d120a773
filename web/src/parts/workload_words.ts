/** Workloads in words. */

import type { Workload, WorkloadDetail } from "../api/shapes";
import { value } from "../app/numbers";

/** Health, the most urgent first. */
const URGENCY: readonly Workload["health"][] = ["attention", "silent", "untrained", "ok"];

export function byUrgency(one: Workload, other: Workload): number {
  return URGENCY.indexOf(one.health) - URGENCY.indexOf(other.health) || (one.workload < other.workload ? -1 : 1);
}

/** What a kind of workload finds. */
export const KINDS: Record<Workload["kind"], string> = {
  anomaly: "anomalies of series",
  regression: "what a regression does not expect",
  fraud: "fraud among transactions",
};

export function sentences(words: readonly string[]): string {
  return words.map((each) => each.replace(/\.$/, "")).join("; ");
}

type Measure = WorkloadDetail["measures"][number];

const DIRECTIONS: Record<string, string> = { above: "too high", below: "too low", both: "too high or too low" };

export function directionWords(measure: Measure): string {
  return DIRECTIONS[measure.direction] ?? measure.direction;
}

/** Between which values a measure is allowed to be; null where all are. */
export function allowedWords({ allowed_from: from, allowed_to: to }: Measure): string | null {
  if (from === null && to === null) return null;
  if (from === null) return `up to ${value(to)}`;
  return to === null ? `from ${value(from)}` : `${value(from)} to ${value(to)}`;
}

type Route = WorkloadDetail["routes"][number];

const OCCASIONS: Record<string, string> = { opening: "begins", escalation: "becomes more severe", closing: "is over" };

/** `begins or becomes more severe`. */
export function occasionWords(route: Route): string {
  return route.when.map((each) => OCCASIONS[each] ?? each).join(" or ");
}
