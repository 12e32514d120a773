/** The small parts: badges, severities, times, numbers, places of a series. Functions, as they hold nothing. */

import { html, nothing, type TemplateResult } from "lit";

import type { Feedback, Health, IncidentState } from "../api/shapes";
import { bothZones, dateTime, instant, relative, type Instant } from "../app/clock";
import { withUnit } from "../app/numbers";

export type Tone = "good" | "warn" | "bad" | "info" | "quiet";

/** A word in a tinted field. The word says it; the colour only repeats it. */
export function badge(words: string, tone: Tone = "quiet"): TemplateResult {
  return html`<span class="badge badge-${tone}">${words}</span>`;
}

const HEALTH: Record<Health, [string, Tone]> = {
  ok: ["ok", "good"],
  attention: ["needs attention", "bad"],
  silent: ["silent", "warn"],
  untrained: ["not trained yet", "info"],
};

export function healthBadge(health: Health): TemplateResult {
  return badge(...(HEALTH[health] ?? [health, "quiet"]));
}

const STATES: Record<IncidentState, [string, Tone]> = {
  open: ["open", "bad"],
  acknowledged: ["acknowledged", "info"],
  closed: ["over", "quiet"],
};

export function stateBadge(state: IncidentState): TemplateResult {
  return badge(...(STATES[state] ?? [state, "quiet"]));
}

const VERDICTS: Record<Feedback, [string, Tone]> = {
  real: ["real", "good"],
  expected: ["expected", "info"],
  noise: ["noise", "quiet"],
};

export function verdictBadge(verdict: Feedback): TemplateResult {
  return badge(...VERDICTS[verdict]);
}

export type Level = "calm" | "high" | "higher" | "highest";

/** The step of a severity on its scale: 70 is the threshold. */
export function levelOf(exact: number): Level {
  const severity = Math.round(exact);
  return severity >= 90 ? "highest" : severity >= 80 ? "higher" : severity >= 70 ? "high" : "calm";
}

/** A severity, 0 to 100: the number, and a bar of that length. */
export function severity(of: number): TemplateResult {
  return html`<span class="severity severity-${levelOf(of)}" title="severity ${Math.round(of)} of 100; 70 is the threshold">
    <svg class="severity-bar" viewBox="0 0 4 20" preserveAspectRatio="none" aria-hidden="true">
      <rect class="severity-whole" width="4" height="20" rx="1" />
      <rect class="severity-part" y=${20 - of / 5} width="4" height=${of / 5} rx="1" />
    </svg>
    <span><span class="hidden-text">severity </span>${Math.round(of)}</span>
  </span>`;
}

/**
 * An incident's title without its time of day: that is of the source's zone, and every screen has the time
 * beside it in the zone of who looks.
 */
export function titleOf(one: { title: string }): string {
  return one.title.replace(/ since \d\d:\d\d(?=,|$)/, "");
}

/** A time in the chosen zone; both zones are in its tooltip. */
export function time(at: Instant | null | undefined, { ago = false, seconds = false } = {}): TemplateResult {
  if (at === null || at === undefined) return html`<span class="faint">–</span>`;
  return html`<time datetime=${instant(at).toISOString()} title=${bothZones(at)}
    >${ago ? relative(at) : dateTime(at, { seconds })}</time
  >`;
}

/** A number in digits of one width, with its unit. */
export function number(of: number | null | undefined, unit?: string | null): TemplateResult {
  return html`<span class="number">${withUnit(of, unit)}</span>`;
}

export interface SeriesParts {
  measure: string;
  dimensions: [string, string][];
}

/** Take a series' key apart: `co|LOCATION_ID=B-101`. What would break a key is percent-encoded in it. */
export function seriesParts(key: string): SeriesParts {
  const [measure = "", ...rest] = key.split("|");
  return {
    measure: decodeURIComponent(measure),
    dimensions: rest.map((part) => {
      const [name = "", value = ""] = part.split("=");
      return [decodeURIComponent(name), decodeURIComponent(value)];
    }),
  };
}

/** A series in words: the measure, then where. */
export function seriesName(key: string): TemplateResult {
  const { measure, dimensions } = seriesParts(key);
  return html`<span class="series-name" title=${key}
    ><strong>${measure}</strong>${dimensions.map(([name, value]) => html` <span class="soft"><span class="hidden-text">${name} </span>${value}</span>`)}</span
  >`;
}

/** A line of a definition list; nothing where there is no value. */
export function fact(name: string, value: unknown): TemplateResult | typeof nothing {
  if (value === null || value === undefined || value === nothing) return nothing;
  return html`<div class="fact"><dt>${name}</dt><dd>${value}</dd></div>`;
}
