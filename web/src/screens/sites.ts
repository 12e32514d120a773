/** Private wireless sites: paste a plan or choose its file; what each site needs, has and costs, and which are over. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";

import type { CheckedSites, Site } from "../api/shapes";
import { count, counted, usd, value } from "../app/numbers";
import { api } from "../app/session";
import { Acting } from "../parts/acting";
import { bar } from "../parts/bar";
import { Screen } from "../parts/screen";
import { table, type Column } from "../parts/table";
import { badge } from "../parts/words";

const EXAMPLE = `sites:
  - name: press shop
    radio_units: 2
    days: 365
    budget_usd: 200000
    devices:
      - {name: sensor, count: 120, message_bytes: 400, messages_per_minute: 60}
      - {name: camera, count: 12, megabits_per_second: 8}
`;
const OVER: Record<Site["over"][number], string> = { throughput: "throughput", sims: "SIMs", term: "shorter than what is paid for", budget: "budget" };

const COLUMNS: readonly Column<Site>[] = [
  { title: "Verdict", kind: "mark", cell: (one) => (one.over.length ? badge("over", "bad") : badge("fits", "good")) },
  { title: "Site", kind: "main", cell: (one) => one.name },
  { title: "Over", cell: (one) => (one.over.length ? one.over.map((limit) => OVER[limit]).join(", ") : html`<span class="soft">nothing</span>`) },
  { title: "Radio units (needed)", kind: "number", cell: (one) => `${one.radio_units} (${one.needed_units})` },
  { title: "Mbit/s of", kind: "number", cell: (one) => `${value(one.megabits_per_second)} of ${value(one.megabits_capacity)}` },
  { title: "SIMs of", kind: "number", cell: (one) => `${count(one.sims)} of ${count(one.sims_capacity)}` },
  { title: "Headroom", kind: "number", cell: (one) => html`${Math.round(100 * one.headroom)} % ${bar(Math.min(1, 1 - one.headroom), { over: one.headroom < 0 })}` },
  { title: "Days (paid)", kind: "number", cell: (one) => `${one.days} (${one.paid_days})` },
  { title: "USD", kind: "number", cell: (one) => `${usd(one.usd)}${one.budget_usd === null ? "" : ` of ${usd(one.budget_usd)}`}` },
];

@customElement("wk-sites")
export class SitesScreen extends Screen {
  @state() private text = EXAMPLE;
  @state() private checked: CheckedSites | null = null;
  #acting = new Acting(this);

  readonly #check = (event?: Event): void => {
    event?.preventDefault();
    const check = async () => {
      this.checked = null;
      this.checked = await api().post("/watch/sites", { body: { text: this.text } });
    };
    void this.#acting.run(check, () => "");
  };

  readonly #choose = async (event: Event): Promise<void> => {
    const file = (event.target as HTMLInputElement).files?.[0];
    if (!file) return;
    this.text = await file.text();
    this.#check();
  };

  protected override render(): TemplateResult {
    return html`<div class="screen">
      <div class="head">
        <div>
          <h1>Sites</h1>
          <p class="soft">Plans of private wireless networks: what a site's devices send, against what its radio units carry and cost. Nothing is kept.</p>
        </div>
      </div>
      <form class="sheet" @submit=${this.#check}>
        <div class="sheet-body screen">
          <label class="field"><span>The plan, as <code>watchkeeper sites</code> reads it (YAML)</span>
            <textarea name="plan" rows="9" spellcheck="false" maxlength="200000" .value=${this.text} @input=${(event: Event) => (this.text = (event.target as HTMLTextAreaElement).value)}></textarea>
          </label>
          <div class="row">
            <button class="button button-main" ?disabled=${this.#acting.busy || !this.text.trim()}>${this.#acting.busy ? "Checking" : "Check it"}</button>
            <label class="field"><span>or choose its file</span><input type="file" accept=".yaml,.yml,text/yaml" @change=${this.#choose} /></label>
          </div>
          ${this.#acting.refused ? this.#mistakes(this.#acting.refused) : nothing}
        </div>
      </form>
      ${this.checked ? this.#found(this.checked) : nothing}
    </div>`;
  }

  #mistakes(error: { message: string; remedy: string }): TemplateResult {
    return html`<div class="notice notice-bad" role="alert"><span>${error.message}<span class="mistakes">${error.remedy}</span></span></div>`;
  }

  #found(found: CheckedSites): TemplateResult {
    const { limits } = found;
    return html`<section class="sheet" aria-labelledby="sites-title">
        <div class="sheet-head"><h2 id="sites-title">${found.over.length ? `${found.over.length} of ${counted(found.sites.length, "site")} over a limit` : `${counted(found.sites.length, "site")}, none over a limit`}</h2></div>
        ${table({ caption: "Sites against their limits", columns: COLUMNS, rows: found.sites, key: (one) => one.name })}
      </section>
      <p class="small soft" role="status">All sites: ${usd(found.usd)} USD. A radio unit: ${value(limits.megabits_per_second)} Mbit/s, ${counted(limits.sims, "SIM")}, ${value(limits.usd_per_hour)} USD an hour, ${counted(limits.least_days, "day")} at least (${limits.source}).</p>`;
  }
}
