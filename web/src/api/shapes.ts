/** What the API answers, by the names that the page has for it. The rest of the page imports from here only. */

export type Role = "viewer" | "operator" | "admin";
export type Health = "ok" | "attention" | "silent" | "untrained" | "paused";
export type IncidentState = "open" | "acknowledged" | "closed";
export type Feedback = "real" | "expected" | "noise";

export interface Listing<T> {
  items: T[];
  next?: string | null;
}

/** Hosts of AppSync Events, without scheme, and what of it is the caller's. */
export interface LiveAddress {
  http: string;
  realtime: string;
  channel: string;
}

export interface Me {
  user: string;
  tenant: string;
  role: Role;
  region: string;
  version: string;
  live: LiveAddress | null;
}

export interface LiveRelease {
  run_id: string;
  published_at: string;
  detector: string;
}

export interface Workload {
  workload: string;
  kind: "anomaly" | "regression" | "fraud";
  description: string;
  health: Health;
  why: string[];
  series: number;
  last_interval_at: string | null;
  lag_seconds: number | null;
  /** Null of a kind without intervals. */
  interval_seconds: number | null;
  time_zone: string;
  live_release: LiveRelease | null;
  open_incidents: number;
  alerts_7d: number;
  alert_budget_7d: number | null;
  records_24h: number | null;
}

export interface Measure {
  name: string;
  field: string;
  aggregate: string;
  direction: "above" | "below" | "both";
  allowed_from: number | null;
  allowed_to: number | null;
}

export interface Route {
  name: string;
  channel: string;
  severity_from: number;
  when: ("opening" | "escalation" | "end")[];
  only: string | null;
}

export interface WorkloadDetail extends Workload {
  /** The plan in words, a sentence each. */
  says: string[];
  measures: Measure[];
  dimensions: string[];
  routes: Route[];
  plan: Record<string, unknown>;
}

export interface IncidentLine {
  incident_id: string;
  workload: string;
  title: string;
  severity: number;
  state: IncidentState;
  opened_at: string;
  last_at: string;
  series_count: number;
  measures: string[];
  places: string[];
  feedback: Feedback | null;
  assigned_to: string | null;
  snoozed_until: string | null;
  /** In an event: it is in that incident now. */
  merged_into: string | null;
}

export interface Touched {
  series: string;
  /** Intervals without one between them: start of the first in seconds since 1970, and how many. */
  runs: [number, number][];
  above: number;
  below: number;
  deviation: number;
  contributions: Record<string, number>;
  peak_severity: number;
  at: string;
  observed: number | null;
  expected: number | null;
  lower: number | null;
  upper: number | null;
  anomaly_id: string;
}

export interface Share {
  name: string;
  deviation: number;
  share: number;
  touched: number;
  series: number | null;
  values: number;
}

export interface CausePlace {
  dimensions: Record<string, string[]>;
  measures: string[];
  share: number;
  touched: number;
  series: number | null;
  fit: number;
}

export interface Relation {
  leader: string;
  follower: string;
  lag_seconds: number;
  strength: number;
  evidence: number;
}

export interface Causes {
  places: CausePlace[];
  dimensions: Record<string, Share[]>;
  measures: Share[];
  features: Share[];
  untouched: string[];
  n_untouched: number | null;
  relations: Relation[];
}

export interface TimelineEntry {
  at: string;
  what:
    | "opened"
    | "escalated"
    | "joined"
    | "closed"
    | "reopened"
    | "acknowledged"
    | "assigned"
    | "snoozed"
    | "feedback"
    | "note";
  who: string | null;
  note: string | null;
  severity: number | null;
}

/** Severities above which a series is anomalous, as feedback has moved them. */
export interface Thresholds {
  above: number;
  below: number;
}

/** The release whose model found the anomalies, the newest of several. */
export interface JudgedBy {
  run_id: string;
  published_at: string | null;
  live: boolean;
}

export interface Incident {
  incident_id: string;
  workload: string;
  interval_seconds: number;
  opened_at: string;
  last_at: string;
  state: IncidentState;
  severity: number;
  title: string;
  opened_by: string;
  touched: Touched[];
  causes: Causes | null;
  run_ids: string[];
  former_ids: string[];
  merged_into: string | null;
  timeline: TimelineEntry[];
  feedback: Feedback | null;
  assigned_to: string | null;
  snoozed_until: string | null;
  left_out: Record<string, number>;
  release: JudgedBy | null;
  thresholds: Record<string, Thresholds>;
}

export interface SeriesListing extends Listing<SeriesLine> {
  /** How many there are of what was asked for. */
  total: number;
}

export interface SeriesLine {
  series: string;
  measure: string;
  dimensions: Record<string, string>;
  last_value: number | null;
  last_at: string | null;
  health: SeriesHealth;
  muted: boolean;
}

export type SeriesHealth = "silent" | "behind" | "anomalous" | "waiting" | "new" | "usual";

type Column = (number | null)[];

/** Columns of a series' intervals, ascending by start; null is a gap. */
export interface Points {
  series: string;
  start: number[];
  value: Column;
  expected: Column;
  lower: Column;
  upper: Column;
  score: Column;
  threshold: Column;
  severity: Column;
  anomalous: boolean[];
  interval_seconds: number;
  complete: boolean;
  next: string | null;
}

export interface Label {
  label_id?: string;
  series: string;
  start: string;
  end: string;
  note: string | null;
  who: string | null;
}

export type LiveKind = "incident" | "decision" | "run" | "telemetry" | "release";

export interface LiveEvent {
  /** The same when it is delivered again. */
  id: string;
  at: string;
  kind: LiveKind;
  workload: string;
  detail: Record<string, unknown>;
}

export interface Changes {
  items: LiveEvent[];
  next: string;
  /** Whether there are more behind `next` now. */
  more: boolean;
  /** False: what happened since the cursor is not kept any more. */
  complete: boolean;
}
