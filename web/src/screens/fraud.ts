/** Transactions of a fraud workload as they come: how many and how much, which were flagged and why. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement } from "lit/decorators.js";

import type { Listing, LiveEvent, Reason, Summary, Transaction, Workload } from "../api/shapes";
import { transactionLink } from "../app/links";
import { count, value } from "../app/numbers";
import { place, refine } from "../app/router";
import { api } from "../app/session";
import { amount, flagBadge, labelBadge, probability, reasonsLine } from "../parts/fraud_words";
import { empty, Loading } from "../parts/loading";
import { Screen } from "../parts/screen";
import { Pages } from "../parts/pages";
import { table, type Column } from "../parts/table";
import { time } from "../parts/words";
import "../parts/minutes";
import "../parts/simulator";

const PERIODS = [
  ["3600", "1 hour"],
  ["21600", "6 hours"],
  ["86400", "1 day"],
] as const;
/** What is listed, and how the API is asked for it. */
const SHOWN = {
  flagged: { words: "Flagged", query: { flag: true } },
  fraud: { words: "Known frauds", query: { label: "fraud" } },
  all: { words: "All", query: {} },
} as const;
type Shown = keyof typeof SHOWN;

interface Counted {
  summary: Summary;
  from: number;
  to: number;
}

@customElement("wk-fraud")
export class FraudScreen extends Screen {
  #workloads = new Loading<Workload[]>(this);
  #summary = new Loading<Counted>(this);
  #list = new Pages<Transaction>(this, { ask: (...page) => this.#ask(...page), key: (one) => one.id, page: 20, most: 60 });
  /** Reasons of what is flagged: a list has none, so each is asked for once. */
  #reasons = new Map<string, readonly Reason[]>();
  #asked = { counted: "", listed: "" };

  get #workload(): string {
    return place.value.query.get("workload") ?? this.#workloads.value?.[0]?.workload ?? "";
  }

  get #shown(): Shown {
    const asked = place.value.query.get("show") ?? "";
    return asked in SHOWN ? (asked as Shown) : "flagged";
  }

  get #last(): number {
    return Number(PERIODS.find(([seconds]) => seconds === place.value.query.get("last"))?.[0] ?? PERIODS[0][0]);
  }

  protected override moved(): void {
    if (this.#workloads.value) return this.#load();
    void this.#workloads
      .load(async (signal) => (await api().get("/watch/workloads", { signal })).items.filter((one) => one.kind === "fraud"))
      .then(() => this.isConnected && this.#load());
  }

  #load(): void {
    if (!this.#workload) return;
    const counted = `${this.#workload} ${this.#last}`;
    const listed = `${this.#workload} ${this.#shown}`;
    if (counted !== this.#asked.counted) void this.#summary.load((signal) => this.#count(signal), { fresh: true });
    if (listed !== this.#asked.listed) this.#list.first({ fresh: true });
    this.#asked = { counted, listed };
  }

  async #count(signal: AbortSignal): Promise<Counted> {
    const to = Date.now() / 1000;
    const from = to - this.#last;
    const query = { workload: this.#workload, from: new Date(1000 * from).toISOString() };
    return { summary: await api().get("/fraud/summary", { query, signal }), from, to };
  }

  async #ask(limit: number, token: string | null, signal?: AbortSignal): Promise<Listing<Transaction>> {
    const workload = this.#workload;
    const query = { workload, ...SHOWN[this.#shown].query, limit, page_token: token };
    const found = await api().get("/fraud/transactions", { query, signal });
    void this.#explain(workload, found.transactions);
    return { items: found.transactions, next: found.next_page_token };
  }

  async #explain(workload: string, transactions: readonly Transaction[]): Promise<void> {
    const asked = transactions.filter((one) => one.flag && !this.#reasons.has(one.id));
    for (const one of asked) this.#reasons.set(one.id, []);
    const found = await Promise.allSettled(asked.map((one) => api().get("/fraud/transactions/{id}", { at: { id: one.id }, query: { workload } })));
    found.forEach((each, index) => {
      const { id } = asked[index]!;
      if (each.status === "fulfilled") this.#reasons.set(id, each.value.answer?.reasons ?? []);
      else this.#reasons.delete(id);
    });
    this.requestUpdate();
  }

  protected override happened(event: LiveEvent): void {
    if (event.workload === this.#workload && event.kind === "decision") this.#again();
  }

  #again(): void {
    this.#list.soon();
    this.#summary.soon(1000);
  }

  protected override render(): TemplateResult {
    return html`<div class="screen">
      <div class="head">
        <h1>Fraud</h1>
        ${(this.#workloads.value?.length ?? 0) > 1
          ? html`<label class="field"><span>Workload</span>
              <select @change=${(event: Event) => refine({ workload: (event.target as HTMLSelectElement).value })}>
                ${this.#workloads.value!.map((one) => html`<option ?selected=${one.workload === this.#workload}>${one.workload}</option>`)}
              </select>
            </label>`
          : html`<span class="soft">${this.#workload}</span>`}
      </div>
      ${this.#workloads.render(() => this.#whole(), {
        isEmpty: (found) => found.length === 0,
        empty: () => empty("No workload looks for fraud", "A workload whose file says `kind: fraud` does, as soon as it is deployed.", "fraud"),
        rows: 6,
      })}
    </div>`;
  }

  #whole(): TemplateResult {
    const isAmount = place.value.query.get("of") === "amount";
    return html`<div class="fraud-columns">
      <section class="sheet fraud-counts" aria-labelledby="counts-title">
        <div class="sheet-head">
          <h2 id="counts-title">What came</h2>
          <span class="row">
            <span class="choices" role="group" aria-label="Count or amount">
              <button class="button" aria-pressed=${isAmount ? "false" : "true"} @click=${() => refine({ of: null })}>Count</button>
              <button class="button" aria-pressed=${isAmount ? "true" : "false"} @click=${() => refine({ of: "amount" })}>Amount</button>
            </span>
            <span class="choices" role="group" aria-label="Period">
              ${PERIODS.map(([seconds, words], index) => html`<button class="button" aria-pressed=${Number(seconds) === this.#last ? "true" : "false"} @click=${() => refine({ last: index ? seconds : null })}>${words}</button>`)}
            </span>
          </span>
        </div>
        ${this.#summary.render((found) => counts(found, isAmount ? "amount" : "count"), { rows: 6 })}
      </section>
      <wk-simulator .workload=${this.#workload} @sent=${() => this.#again()}></wk-simulator>
      <section class="sheet fraud-list" aria-labelledby="list-title">
        <div class="sheet-head">
          <h2 id="list-title">Transactions</h2>
          <span class="choices" role="group" aria-label="Which">
            ${(Object.keys(SHOWN) as Shown[]).map((name) => html`<button class="button" aria-pressed=${name === this.#shown ? "true" : "false"} @click=${() => refine({ show: name === "flagged" ? null : name })}>${SHOWN[name].words}</button>`)}
          </span>
        </div>
        ${this.#list.render(
          (list) => html`${table({
            caption: "Transactions, the last to arrive first",
            columns: this.#columns,
            rows: list.items,
            key: (one) => one.id,
            link: (one) => transactionLink(this.#workload, one.id),
          })}
          ${this.#list.button()}`,
          {
            isEmpty: (list) => list.items.length === 0,
            empty: () => (this.#shown === "all" ? empty("No transaction yet", "Send some through the API, or let the simulator do it.", "fraud") : empty("None", "No transaction that is kept is so.")),
            rows: 6,
          },
        )}
      </section>
    </div>`;
  }

  readonly #columns: readonly Column<Transaction>[] = [
    { title: "Judged", kind: "mark", cell: (one) => flagBadge(one.flag) },
    { title: "Transaction", kind: "main", cell: (one) => html`<span class="run-id">${one.id}</span>` },
    { title: "Probability", cell: (one) => probability(one.pred_prob) },
    {
      title: "Because of",
      cell: (one) => {
        const reasons = one.flag ? this.#reasons.get(one.id) : undefined;
        return reasons?.length ? html`<span class="small">${reasonsLine(reasons)}</span>` : nothing;
      },
    },
    { title: "Amount", kind: "number", cell: (one) => amount(one.amount) },
    { title: "Arrived", cell: (one) => time(one.arrived_at, { seconds: true }) },
    { title: "Label", cell: (one) => labelBadge(one.label) },
  ];
}

function counts({ summary, from, to }: Counted, of: "count" | "amount"): TemplateResult {
  const sum = (name: "count" | "amount" | "flagged" | "flagged_amount") => summary.minutes.reduce((whole, minute) => whole + minute[name], 0);
  const figure = (words: string, number: string, tone = "") => html`<div class="fact"><dt>${words}</dt><dd class="figure ${tone}">${number}</dd></div>`;
  return html`<div class="sheet-body screen">
    <dl class="facts fraud-figures">
      ${figure("transactions", count(sum("count")))} ${figure("amount", value(sum("amount")))} ${figure("flagged", count(sum("flagged")), "figure-flagged")}
      ${figure("flagged amount", value(sum("flagged_amount")), "figure-flagged")}
    </dl>
    ${summary.complete ? nothing : html`<p class="notice">Only the last ones are counted: those since ${time(summary.counted_from)}.</p>`}
    <wk-minutes .summary=${summary} .from=${from} .to=${to} of=${of}></wk-minutes>
  </div>`;
}
