/** Why something is anomalous, in the words that the command and the alerts have for it. */

import type { Relation, Touched } from "../api/shapes";
import { duration } from "../app/clock";
import { count, value } from "../app/numbers";

const FEATURES: Record<string, string> = {
  value: "the value itself",
  difference: "the step from the interval before",
  time_of_day: "unusual for this hour",
  day_of_week: "unusual for this day of the week",
  range: "outside of all values before",
  profile: "off its usual hour",
  pattern: "a course unlike any before",
  calm: "moving less than ever",
  level: "the last hours are off their level",
  aftermath: "an earlier break",
  allowed: "outside its allowed range",
  unexplained: "not explained by the model",
};

/** `range|0` → what of the series is unusual, and how long before. */
export function featureWords(name: string, intervalSeconds: number): string {
  const [feature = "", lag = ""] = name.split("|");
  const before = Number(lag) > 0 ? `, ${duration(Number(lag) * intervalSeconds)} earlier` : "";
  return (FEATURES[feature] ?? feature) + before;
}

/** What the worst value was, beside what was usual. */
export function reasonOf(part: Touched, intervalSeconds: number): string {
  if (part.observed === null) return "It has said nothing for too long.";
  const observed = value(part.observed);
  if (part.expected === null || part.lower === null || part.upper === null) return `${observed}; nothing was known before.`;
  const band = `${value(part.lower)} to ${value(part.upper)} is usual, ${value(part.expected)} was expected`;
  if (part.observed > part.upper) return `${observed}, above its usual range: ${band}.`;
  if (part.observed < part.lower) return `${observed}, below its usual range: ${band}.`;
  const [most] = Object.entries(part.contributions).sort(([, one], [, other]) => other - one)[0] ?? ["unexplained|"];
  return `${observed}, inside its usual range (${band}): ${featureWords(most, intervalSeconds)}.`;
}

/** What was seen in the history; it does not say that one causes the other. */
export function relationWords(relation: Relation): string {
  const how = relation.strength < 0 ? "in the opposite direction" : "";
  const when =
    relation.lag_seconds === 0
      ? `moved ${how} at the same time as`
      : `moved ${how} ${duration(relation.lag_seconds)} before`;
  return `${relation.leader} ${when.replace("  ", " ")} ${relation.follower} (correlation ${relation.strength.toFixed(2)} over ${count(relation.evidence)} intervals)`;
}
