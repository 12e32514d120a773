/** How a device stands, in words. */

import type { TemplateResult } from "lit";

import type { Device, SeriesHealth } from "../api/shapes";
import { badge, type Tone } from "./words";

const STANDINGS: Record<Device["state"], [string, Tone]> = {
  joined: ["active", "good"],
  allowed: ["may join", "info"],
  quarantined: ["quarantined", "bad"],
  revoked: ["revoked", "quiet"],
  "not listed": ["not listed", "warn"],
};

export function standingBadge(state: Device["state"]): TemplateResult {
  return badge(...STANDINGS[state]);
}

const HEALTHS: Record<SeriesHealth, [string, Tone]> = {
  silent: ["silent", "warn"],
  behind: ["behind", "warn"],
  anomalous: ["anomalous", "bad"],
  waiting: ["waiting", "quiet"],
  new: ["new", "info"],
  usual: ["usual", "good"],
};

export function seriesBadge(health: SeriesHealth): TemplateResult {
  return badge(...HEALTHS[health]);
}
