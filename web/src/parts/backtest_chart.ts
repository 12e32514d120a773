/** The incidents of two versions over time: each at the height of its severity, from its beginning to its end. */

import { html, svg, type TemplateResult } from "lit";

import type { BacktestResult } from "../api/shapes";
import { dateTime } from "../app/clock";
import { counted } from "../app/numbers";

type Mark = BacktestResult["marks"]["before"][number];

const WIDTH = 1000;
const HEIGHT = 150;
const [LEAST, MOST] = [65, 100];
const FATES: readonly [Mark["fate"], string, string][] = [
  ["same", "stays", "stay"],
  ["changed", "changes", "change"],
  ["appears", "appears", "appear"],
  ["goes", "goes", "go"],
];

export function backtestChart(result: BacktestResult): TemplateResult {
  const [from, to] = [result.judged.start, result.judged.end].map((at) => Date.parse(at) / 1000) as [number, number];
  const x = (second: number) => (WIDTH * (Math.min(Math.max(second, from), to) - from)) / (to - from);
  const panel = (title: string, marks: readonly Mark[]) => {
    const counts = FATES.map(([fate, ...words]) => counted(marks.filter((one) => one.fate === fate).length, ...words)).filter((words) => !words.startsWith("0 "));
    const said = counts.join(", ") || "no incident";
    return html`<figure class="incidents-panel">
      <figcaption><b>${title}</b> <span class="soft small">${said}</span></figcaption>
      <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label=${`${title}: ${said}`}>
        ${result.windows.map(([first, last]) => svg`<rect class="panel-window" x=${x(first!)} width=${Math.max(3, x(last!) - x(first!))} y="0" height=${HEIGHT} />`)}
        ${[70, 80, 90].map((at) => svg`<line class="panel-grid" x1="0" x2=${WIDTH} y1=${y(at)} y2=${y(at)} />`)}
        ${marks.map((one) => svg`<rect class="panel-mark panel-${one.fate}" x=${x(one.opened)} width=${Math.max(4, x(one.last) - x(one.opened))} y=${y(one.severity)} height=${HEIGHT - y(one.severity)} />`)}
      </svg>
    </figure>`;
  };
  return html`<div class="sheet-body screen">
    ${panel("As deployed", result.marks.before)} ${panel("As edited", result.marks.after)}
    <p class="panel-times small soft"><span>${dateTime(result.judged.start)}</span><span>${dateTime(result.judged.end)}</span></p>
    <ul class="panel-legend small">
      ${FATES.map(([fate, words]) => html`<li><span class="panel-sign panel-sign-${fate}"></span> ${words}</li>`)}
      ${result.windows.length ? html`<li><span class="panel-sign panel-sign-window"></span> labelled as an anomaly</li>` : ""}
    </ul>
  </div>`;
}

function y(severity: number): number {
  return (HEIGHT * (MOST - Math.min(Math.max(severity, LEAST), MOST))) / (MOST - LEAST);
}
