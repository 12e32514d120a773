/** Transactions in words. */

import { html, nothing, type TemplateResult } from "lit";

import type { Reason, TransactionLabel } from "../api/shapes";
import { percent } from "../app/numbers";
import { bar } from "./bar";
import { badge } from "./words";

export function labelBadge(label: TransactionLabel | null): unknown {
  if (label === "fraud") return badge("fraud", "bad");
  return label === "legitimate" ? badge("legitimate", "good") : nothing;
}

export function flagBadge(flag: boolean | null | undefined): TemplateResult {
  if (flag === null || flag === undefined) return badge("not judged", "quiet");
  return flag ? badge("flagged", "warn") : badge("passed", "quiet");
}

/** The probability that it is fraud, as a number and as a bar. */
export function probability(of: number | null | undefined): unknown {
  if (of === null || of === undefined) return html`<span class="soft">–</span>`;
  return html`<span class="probability"><span class="number">${percent(of)}</span>${bar(of, { over: true })}</span>`;
}

/** What speaks most for fraud, in a line; what speaks against it is on the transaction's page. */
export function reasonsLine(reasons: readonly Reason[]): string {
  const found = reasons.filter((reason) => reason.contribution > 0).slice(0, 3);
  return found.length ? found.map((reason) => `${reason.relation} ${reason.entity}`).join(", ") : "nothing of its history";
}

const cents = new Intl.NumberFormat("en-GB", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

export function amount(of: number | null | undefined): TemplateResult {
  return html`<span class="number">${of === null || of === undefined ? "–" : cents.format(of)}</span>`;
}
