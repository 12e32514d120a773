/** All workloads: how each goes, the most urgent first. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement } from "lit/decorators.js";

import type { Listing, LiveEvent, Workload } from "../api/shapes";
import { incidentsLink, workloadLink } from "../app/links";
import { count, value } from "../app/numbers";
import { api } from "../app/session";
import { empty, Loading } from "../parts/loading";
import { Screen } from "../parts/screen";
import { table, type Column } from "../parts/table";
import { healthBadge, time } from "../parts/words";
import { byUrgency, KINDS, sentences } from "../parts/workload_words";

const COLUMNS: readonly Column<Workload>[] = [
  { title: "Health", kind: "mark", cell: (one) => healthBadge(one.health) },
  {
    title: "Workload",
    kind: "main",
    cell: (one) => html`${one.workload}<span class="under small soft">${one.health === "ok" ? one.description : sentences(one.why)}</span>`,
  },
  { title: "Finds", cell: (one) => KINDS[one.kind] },
  { title: "Open incidents", kind: "number", cell: (one) => (one.open_incidents ? html`<a class="above" href=${incidentsLink({ workload: one.workload, state: "open" })}>${one.open_incidents}</a>` : 0) },
  { title: "Alerts, 7 d", kind: "number", cell: (one) => html`${one.alerts_7d}${one.alert_budget_7d === null ? nothing : html` <span class="soft">of ${value(one.alert_budget_7d)}</span>`}` },
  { title: "Series", kind: "number", cell: (one) => (one.series ? count(one.series) : "–") },
  { title: "Last interval", cell: (one) => (one.last_interval_at ? time(one.last_interval_at, { ago: true }) : html`<span class="soft">–</span>`) },
];

@customElement("wk-workloads")
export class WorkloadsScreen extends Screen {
  #list = new Loading<Listing<Workload>>(this);

  protected override moved(): void {
    void this.#list.load((signal) => api().get("/watch/workloads", { signal }));
  }

  protected override happened(event: LiveEvent): void {
    if (event.kind !== "decision") this.#list.soon(2000);
  }

  protected override render(): TemplateResult {
    return html`<div class="screen">
      <div class="head"><h1>Workloads</h1></div>
      <section class="sheet" aria-label="Workloads">
        ${this.#list.render(
          (list) => table({ caption: "Workloads, the most urgent first", columns: COLUMNS, rows: [...list.items].sort(byUrgency), key: (one) => one.workload, link: (one) => workloadLink(one.workload)! }),
          {
            isEmpty: (list) => list.items.length === 0,
            empty: () => empty("No workload is deployed", "`watchkeeper init` writes the file of one, `watchkeeper deploy` makes it run.", "workload"),
          },
        )}
      </section>
    </div>`;
  }
}
