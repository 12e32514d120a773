/** What the evaluation of a training left: figures beside those of the model in service, charts, the report. */

import { html, nothing } from "lit";

import type { GateRow, ModelDetail, RunDetail } from "../api/shapes";
import { figureOf, figureValue } from "./run_words";
import "./run_chart";
import { table, type Column } from "./table";
import { badge } from "./words";

type Evaluated = Pick<RunDetail | ModelDetail, "table" | "labelled" | "judged_by" | "charts" | "report">;

const BETTER: Record<string, unknown> = { better: badge("better", "good"), worse: badge("worse", "warn"), same: html`<span class="small soft">the same</span>` };

/** How the challenger is beside the champion. */
function beside(row: GateRow): unknown {
  const { better } = figureOf(row.figure);
  if (!better || row.candidate === null || row.champion === null) return nothing;
  const more = row.candidate - row.champion;
  return BETTER[more === 0 ? "same" : more > 0 === (better === "more") ? "better" : "worse"];
}

const COLUMNS: readonly Column<GateRow>[] = [
  { title: "Figure", kind: "main", cell: (row) => figureOf(row.figure).words },
  { title: "This model", kind: "number", cell: (row) => html`<b>${figureValue(row.figure, row.candidate)}</b>` },
  { title: "In service", kind: "number", cell: (row) => figureValue(row.figure, row.champion) },
  { title: "Trivial", kind: "number", cell: (row) => figureValue(row.figure, row.baseline) },
  { title: "Compared", cell: beside },
];

export function figures(one: Evaluated): unknown {
  if (!one.table.length) return nothing;
  const hasChampion = one.table.some((row) => row.champion !== null);
  const columns = hasChampion ? COLUMNS : COLUMNS.filter(({ title }) => title !== "In service" && title !== "Compared");
  return html`<section class="sheet" aria-labelledby="figures-title">
    <div class="sheet-head"><h2 id="figures-title">Champion and challenger</h2></div>
    ${table({ caption: "Figures of this model, of the one in service then, and of a trivial one", columns, rows: one.table, key: (row) => row.figure })}
    <p class="small soft sheet-body figures-words">
      All on the same rows${one.judged_by ? `, judged by ${one.judged_by}` : ""}. ${one.labelled === false ? "There are no labels: only what needs none was measured. " : ""}${hasChampion ? "" : "No model was in service then. "}The
      trivial one is the simplest detector there is: what is not better than it is worth nothing.
    </p>
  </section>`;
}

export function charts(workload: string, runId: string, one: Evaluated): unknown {
  if (!one.charts.length && !one.report) return nothing;
  return html`<section class="sheet" aria-labelledby="charts-title">
    <div class="sheet-head">
      <h2 id="charts-title">Evaluation</h2>
      ${one.report ? html`<a href=${one.report} target="_blank" rel="noopener">Report: what moves the scores</a>` : nothing}
    </div>
    ${one.charts.length
      ? html`<div class="sheet-body run-charts">${one.charts.map((chart) => html`<wk-run-chart workload=${workload} run=${runId} chart=${chart.name}></wk-run-chart>`)}</div>`
      : nothing}
  </section>`;
}
