/** Where things are shown. Null where this console has no screen for one: it is then named without a link. */

import { html, type TemplateResult } from "lit";

import type { Instant } from "./clock";
import { instant } from "./clock";
import { href, type Query } from "./router";
import { screenAt } from "./screens";

function linkTo(segments: string[]): string | null {
  return screenAt(segments) ? href(segments) : null;
}

export const workloadsLink = () => href(["workloads"]);
export const workloadLink = (workload: string) => linkTo(["workloads", workload]);
export const runLink = (workload: string, runId: string) => linkTo(["workloads", workload, "runs", runId]);
export const runsLink = (workload: string) => href(["workloads", workload, "runs"]);
export const logLink = (workload: string) => href(["workloads", workload, "log"]);
export const modelsLink = (workload: string) => href(["workloads", workload, "models"]);
export const modelLink = (workload: string, version: number) => href(["workloads", workload, "models", String(version)]);
export const backtestsLink = (workload: string, from?: string) => href(["workloads", workload, "backtests"], { from });
export const backtestLink = (workload: string, id: string) => href(["workloads", workload, "backtests", id]);
export const digestLink = (date: string, workload?: string | null) => href(["digest", date], { workload });
export const fraudLink = (workload: string) => href(["fraud"], { workload });
export const transactionLink = (workload: string, id: string) => href(["fraud", workload, id]);
export const devicesLink = () => href(["devices"]);
export const deviceLink = (serial: string) => href(["devices", serial]);
export const incidentLink = (id: string) => href(["incidents", id]);
export const incidentsLink = (query: Query) => href(["incidents"], query);

/** A part of series in the explorer, with as much again before and after it loaded. */
export function seriesLink(workload: string, series: readonly string[], from?: Instant, to?: Instant): string {
  if (from === undefined || to === undefined) return href(["series"], { workload, series: series.join(",") });
  const [start, end] = [instant(from).getTime() / 1000, instant(to).getTime() / 1000];
  const span = Math.max(86_400, 3 * (end - start));
  const until = new Date(1000 * Math.ceil((start + end) / 2 + span / 2)).toISOString();
  return href(["series"], {
    workload,
    series: series.join(","),
    until,
    span,
    from: instant(from).toISOString(),
    to: instant(to).toISOString(),
  });
}

/** Words with a link where there is one. */
export function linked(address: string | null, words: unknown): TemplateResult {
  return address === null ? html`${words}` : html`<a href=${address}>${words}</a>`;
}
