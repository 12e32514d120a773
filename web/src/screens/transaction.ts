/** One transaction: whether it is fraud and why, what is around it, and what somebody found out. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement } from "lit/decorators.js";

import type { LiveEvent, Neighbourhood, NeighbourhoodNode, Reason, TransactionDocument } from "../api/shapes";
import { fraudLink, linked, runLink, transactionLink, workloadLink } from "../app/links";
import { percent, value } from "../app/numbers";
import { segments } from "../app/router";
import { api, may, standing } from "../app/session";
import { Acting } from "../parts/acting";
import { bar } from "../parts/bar";
import { amount, flagBadge, labelBadge, probability } from "../parts/fraud_words";
import { icon } from "../parts/icon";
import { empty, Loading } from "../parts/loading";
import { Screen } from "../parts/screen";
import { table, type Column } from "../parts/table";
import { fact, time } from "../parts/words";
import "../parts/neighbourhood";

@customElement("wk-transaction")
export class TransactionScreen extends Screen {
  #transaction = new Loading<TransactionDocument>(this);
  #graph = new Loading<Neighbourhood>(this);
  #labelled = new Acting(this);
  #workload = "";
  #id = "";

  protected override moved(): void {
    const [, workload = "", id = ""] = segments();
    if (workload === this.#workload && id === this.#id) return;
    this.#workload = workload;
    this.#id = id;
    this.#labelled.forget();
    const asked = { at: { id }, query: { workload } };
    void this.#transaction.load((signal) => api().get("/fraud/transactions/{id}", { ...asked, signal }), { fresh: true });
    void this.#graph.load((signal) => api().get("/fraud/transactions/{id}/neighbourhood", { ...asked, signal }), { fresh: true });
  }

  protected override happened(event: LiveEvent): void {
    if (event.kind === "decision" && event.workload === this.#workload && event.detail["id"] === this.#id) this.#transaction.soon();
  }

  #label(fraud: boolean): void {
    const { value: who } = standing;
    const by = who.is === "in" ? who.me.user.slice(0, 64) : "";
    const send = async () => {
      const taken = await api().post("/fraud/transactions/{id}/label", { at: { id: this.#id }, query: { workload: this.#workload }, body: { fraud, by } });
      this.#transaction.again();
      this.#graph.again();
      return taken;
    };
    void this.#labelled.run(send, (taken) => (taken.changed ? `Kept: ${fraud ? "fraud" : "legitimate"}. What shares something with it is judged with that from now on.` : "This was known already."));
  }

  protected override render(): TemplateResult {
    return html`<div class="screen">
      <nav aria-label="Back" class="back"><a href=${fraudLink(this.#workload)}>${icon("previous")} Transactions</a></nav>
      ${this.#transaction.render((one) => this.#whole(one), { rows: 10 })}
    </div>`;
  }

  #whole(one: TransactionDocument): TemplateResult {
    const { answer, label } = one;
    return html`<div class="screen">
      <header class="incident-head">
        <div class="row">${flagBadge(answer?.flag)} ${labelBadge(label ? (label.fraud ? "fraud" : "legitimate") : null)} <span class="soft">in ${linked(workloadLink(this.#workload), this.#workload)}</span></div>
        <h1 class="run-id">Transaction ${one.id}</h1>
        <dl class="facts">
          ${fact("amount", amount(one.amount))} ${fact("time", time(one.time, { seconds: true }))}
          ${answer ? html`${fact("probability of fraud", probability(answer.pred_prob))} ${fact("flagged from", percent(answer.threshold))} ${fact("model of run", linked(runLink(this.#workload, answer.model_version), answer.model_version))}` : nothing}
        </dl>
      </header>
      <div class="transaction-columns">
        <section class="sheet" aria-labelledby="around-title">
          <div class="sheet-head"><h2 id="around-title">What is around it</h2></div>
          ${this.#graph.render((graph) => this.#around(graph), {
            isEmpty: (graph) => graph.nodes.length < 2,
            empty: () => empty("Nothing is around it", "It shares nothing with earlier transactions."),
            rows: 8,
          })}
        </section>
        <div class="screen">
          ${this.#verdict(one)} ${this.#reasons(answer?.reasons ?? [])}
          <section class="sheet" aria-labelledby="entities-title">
            <div class="sheet-head"><h2 id="entities-title">What it has</h2></div>
            <dl class="sheet-body facts">${Object.entries(one.entities).map(([relation, key]) => fact(relation, key))}</dl>
          </section>
        </div>
      </div>
    </div>`;
  }

  #verdict(one: TransactionDocument): TemplateResult {
    const { label } = one;
    const choice = (fraud: boolean, words: string) =>
      html`<button class="button" aria-pressed=${label?.fraud === fraud ? "true" : "false"} ?disabled=${this.#labelled.busy} @click=${() => this.#label(fraud)}>${words}</button>`;
    return html`<section class="sheet" aria-labelledby="label-title">
      <div class="sheet-head"><h2 id="label-title">Was it fraud?</h2></div>
      <div class="sheet-body label-body">
        <p>${label ? html`<b>${label.fraud ? "Fraud" : "Legitimate"}</b>, says ${label.by} <span class="soft">· ${time(label.known_at)}</span>` : html`<span class="soft">Nobody has said yet.</span>`}</p>
        ${may("operator") ? html`<div class="row" role="group" aria-labelledby="label-title">${choice(true, "It was fraud")} ${choice(false, "It was legitimate")}</div>` : nothing}
        ${this.#labelled.outcome()}
      </div>
    </section>`;
  }

  #reasons(reasons: readonly Reason[]): unknown {
    if (!reasons.length) return nothing;
    const most = Math.max(...reasons.map((reason) => Math.abs(reason.contribution)));
    return html`<section class="sheet" aria-labelledby="reasons-title">
      <div class="sheet-head"><h2 id="reasons-title">Why</h2></div>
      <div class="sheet-body">
        <p class="small soft">What the history of each of its parts adds to the log-odds of fraud.</p>
        <ul class="bars">
          ${reasons.map(
            (reason) => html`<li>
              <span class="bars-name"><b>${reason.relation}</b> ${reason.entity}</span>
              <span class="number">${reason.contribution > 0 ? "+" : ""}${value(reason.contribution, 3)}</span>
              ${bar(Math.abs(reason.contribution) / (most || 1), { over: reason.contribution > 0 })}
              <span class="bars-note soft">${reason.contribution > 0 ? "speaks for fraud" : "speaks against it"}${reason.transactions.length
                ? html`: ${reason.transactions.slice(0, 3).map((id, index) => html`${index ? ", " : ""}<a href=${transactionLink(this.#workload, id)}>${id}</a>`)}`
                : nothing}</span>
            </li>`,
          )}
        </ul>
      </div>
    </section>`;
  }

  #around(graph: Neighbourhood): TemplateResult {
    const own = new Set(graph.edges.filter((edge) => edge.transaction === graph.centre).map((edge) => edge.entity));
    const kinds = new Map(graph.nodes.map((node) => [node.id, node.kind]));
    const shares = (id: string) => graph.edges.filter((edge) => edge.transaction === id && own.has(edge.entity)).map((edge) => kinds.get(edge.entity)).join(", ");
    const others = graph.nodes.filter((node) => node.kind === "transaction" && node.id !== graph.centre);
    const columns: readonly Column<NeighbourhoodNode>[] = [
      { title: "Transaction", kind: "main", cell: (node) => node.name },
      { title: "Shares", cell: (node) => shares(node.id) || nothing },
      { title: "Probability", cell: (node) => probability(node.pred_prob) },
      { title: "Amount", kind: "number", cell: (node) => amount(node.amount) },
      { title: "Time", cell: (node) => (node.time ? time(node.time) : nothing) },
      { title: "Label", cell: (node) => labelBadge(node.label) },
    ];
    return html`<div class="sheet-body"><wk-neighbourhood .graph=${graph} .workload=${this.#workload}></wk-neighbourhood></div>
      ${graph.more ? html`<p class="sheet-body small soft">There are earlier transactions that are not drawn.</p>` : nothing}
      <details class="around">
        <summary>The same as a list</summary>
        ${table({ caption: "Transactions around it", columns, rows: others, key: (node) => node.id, link: (node) => transactionLink(this.#workload, node.id) })}
      </details>`;
  }
}
