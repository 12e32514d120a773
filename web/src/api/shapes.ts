/**
 * What the API answers, by the names that the page has for it; the shapes are those of the API's OpenAPI
 * document, `web/openapi.json`. The rest of the page imports from here only.
 */

import type { components } from "./openapi";

type Schemas = components["schemas"];

export type Me = Schemas["Me"];
export type Role = Me["role"];
/** Hosts of AppSync Events, without scheme, and the channel that is the caller's. */
export type LiveAddress = Schemas["Live"];

export type Workload = Schemas["WorkloadItem"];
export type WorkloadDetail = Schemas["WorkloadDetail"];
export type Pause = Schemas["PauseItem"];
export type WorkloadLog = Schemas["WorkloadLog"];
export type LoggedInterval = Schemas["LoggedInterval"];
export type SpecText = Schemas["SpecText"];
export type RouteOutcome = Schemas["RouteOutcomeItem"];
export type WorkloadCost = Schemas["WorkloadCost"];
export type Health = Workload["health"];

export type IncidentLine = Schemas["IncidentItem"];
export type Incident = Schemas["IncidentAnswer"];
export type IncidentState = Incident["state"];
export type Feedback = NonNullable<Incident["feedback"]>;
export type Touched = Schemas["Touched"];
export type Share = Schemas["Share"];
export type Relation = Schemas["Relation"];
export type TimelineEntry = Schemas["Entry"];

export type SeriesLine = Schemas["SeriesItem"];
export type SeriesHealth = SeriesLine["health"];
/** Columns of a series' intervals, ascending by start; null is a gap. */
export type Points = Schemas["Points"];

export type Label = Schemas["LabelItem"];

export type Run = Schemas["RunItem"];
export type RunStatus = Run["status"];
export type RunDetail = Schemas["RunDetail"];
export type RunState = Schemas["RunState"];
export type GateRow = Schemas["GateRow"];
export type Release = Schemas["ReleaseItem"];
export type Setting = Schemas["SettingItem"];
export type SpecDraft = Schemas["SpecDraft"];
export type Backtest = Schemas["BacktestItem"];
export type BacktestDetail = Schemas["BacktestDetail"];
export type BacktestResult = Schemas["BacktestResult"];
export type DayDigest = Schemas["DayDigest"];
export type WorkloadDigest = Schemas["WorkloadDigest"];
export type DigestIncident = Schemas["DigestIncident"];
export type Model = Schemas["ModelItem"];
export type ModelDetail = Schemas["ModelDetail"];

export type Transaction = Schemas["ListedTransaction"];
export type TransactionDocument = Schemas["TransactionDocument"];
export type TransactionLabel = Transaction["label"];
export type Reason = Schemas["Reason"];
export type Summary = Schemas["Summary"];
export type Neighbourhood = Schemas["Graph"];
export type NeighbourhoodNode = Schemas["Node"];
export type Simulator = Schemas["Simulator"];

export type Device = Schemas["DeviceItem"];
export type DeviceList = Schemas["DeviceList"];
export type DeviceDetail = Schemas["DeviceDetail"];
export type CheckedSites = Schemas["CheckedSites"];
export type Site = Schemas["SiteItem"];

export type LiveEvent = Schemas["LiveEventItem"];
export type Changes = Schemas["Changes"];

export interface Listing<T> {
  items: T[];
  next: string | null;
}

export interface SeriesListing extends Listing<SeriesLine> {
  /** How many there are of what was asked for. */
  total: number;
}
