/** What the month costs: of a workload alone, and of everything that is deployed. Most of it is shared. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";

import type { WorkloadCost } from "../api/shapes";
import { percent, usd } from "../app/numbers";
import { api } from "../app/session";
import { Loading } from "./loading";
import { Part } from "./screen";
import { table, type Column } from "./table";
import { time } from "./words";

interface Row {
  name: string;
  used_usd: number;
  projected_usd: number;
}

const COLUMNS: readonly Column<Row>[] = [
  { title: "Of", kind: "main", cell: (one) => one.name },
  { title: "So far", kind: "number", cell: (one) => `${usd(one.used_usd)} USD` },
  { title: "The month", kind: "number", cell: (one) => `${usd(one.projected_usd)} USD` },
];

@customElement("wk-month-cost")
export class MonthCostPart extends Part {
  @property() workload = "";
  #cost = new Loading<WorkloadCost>(this);

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (!changed.has("workload")) return;
    const { workload } = this;
    void this.#cost.load((signal) => api().get("/watch/workloads/{workload}/cost", { at: { workload }, signal }), { fresh: true });
  }

  protected override render(): TemplateResult {
    return html`<section class="sheet" aria-labelledby="cost-title">
      <div class="sheet-head"><h2 id="cost-title">What this month costs</h2></div>
      ${this.#cost.render((cost) => this.#whole(cost), { rows: 4 })}
    </section>`;
  }

  #whole(cost: WorkloadCost): TemplateResult {
    const rows: Row[] = [
      { name: "Only this workload", ...cost.own },
      { name: "All that is deployed", ...cost.deployment },
    ];
    const left = [...cost.without_price.map((one) => `${one} (no price in the list)`), ...cost.unread.map((one) => `endpoint and messages of ${one} (its file is not kept, or is of another version)`)];
    return html`${table({ caption: "What this month costs", columns: COLUMNS, rows, key: (one) => one.name })}
      <details class="plan">
        <summary>By service</summary>
        ${table({ caption: "All that is deployed, by service", columns: COLUMNS, rows: cost.deployment.services.map((one) => ({ name: one.service, ...one })), key: (one) => one.name })}
      </details>
      <div class="sheet-body">
        <p class="small soft">${percent(cost.passed)} of the month has passed; "The month" is what it comes to if it goes on so. Workloads share most of what is deployed. List prices of ${cost.prices_region}, the oldest of ${cost.prices_as_of}, without free tiers and taxes; asked ${time(cost.at, { ago: true })}.</p>
        ${left.length ? html`<p class="small soft">Not counted: ${left.join(", ")}.</p>` : nothing}
        <p class="small soft">What it should cost by its file: <code>watchkeeper cost ${cost.workload}</code></p>
      </div>`;
  }
}
