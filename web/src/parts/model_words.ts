/** Versions of models, in words. */

import type { TemplateResult } from "lit";

import type { Model } from "../api/shapes";
import { badge, type Tone } from "./words";

const APPROVALS: Record<Model["approval"], [string, Tone]> = {
  approved: ["approved", "good"],
  pending: ["pending", "warn"],
  rejected: ["rejected", "bad"],
};

export function approvalBadge(approval: Model["approval"]): TemplateResult {
  return badge(...APPROVALS[approval]);
}

/** What its release does, or may do. */
export function releaseWords(one: Model): string {
  if (one.serves) return "judges now";
  if (!one.kept) return "is not kept";
  return one.approval === "rejected" ? "may not judge" : "may judge again";
}
