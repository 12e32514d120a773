/** One series of an incident: its worst value in words, and the chart around it. */

import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";

import type { Incident, Touched } from "../api/shapes";
import { readPoints } from "../api/points";
import { instant, zone } from "../app/clock";
import { seriesLink } from "../app/links";
import { counted } from "../app/numbers";
import { Watching } from "../app/signal";
import type { Range, Window } from "./chart";
import "./chart";
import type { Columns } from "./columns";
import { empty, Loading } from "./loading";
import { reasonOf } from "./reasons";
import { Part } from "./screen";
import { seriesName, severity, time } from "./words";

@customElement("wk-touched-series")
export class TouchedSeries extends Part {
  @property({ attribute: false }) incident!: Incident;
  @property({ attribute: false }) touched!: Touched;
  @state() private range: Range | null = null;
  #points = new Loading<Columns>(this);
  #bounds: Range = [0, 1];
  #asked = "";

  constructor() {
    super();
    new Watching(this, [zone]);
  }

  protected override willUpdate(_changed: PropertyValues<this>): void {
    const { incident, touched: part } = this;
    const [from, to] = [instant(incident.opened_at).getTime() / 1000, instant(incident.last_at).getTime() / 1000];
    const asked = `${part.series}|${from}|${to}`;
    if (asked === this.#asked) return;
    this.#asked = asked;
    const margin = Math.max(to - from, 36 * incident.interval_seconds);
    const now = Math.ceil(Date.now() / 1000);
    this.#bounds = [from - 2 * margin, Math.max(to, Math.min(now, to + margin))];
    this.range = [from - margin, Math.min(this.#bounds[1], to + margin / 2)];
    void this.#points.load((signal) => readPoints(incident.workload, part.series, ...this.#bounds, signal));
  }

  protected override render(): TemplateResult {
    const { touched: part, incident } = this;
    const [from, to] = this.#bounds;
    return html`<article class="touched">
      <div class="head">
        <h3><a href=${seriesLink(incident.workload, [part.series], new Date(1000 * from), new Date(1000 * to))}>${seriesName(part.series)}</a></h3>
        <span class="row small soft">${counted(part.runs.reduce((sum, [, each]) => sum + each, 0), "anomalous interval")} ${severity(part.peak_severity)}</span>
      </div>
      <p class="small">${reasonOf(part, incident.interval_seconds)} <span class="soft">Worst at ${time(part.at)}.</span></p>
      ${this.#points.render((columns) => this.#charts(columns), {
        isEmpty: (columns) => columns.length === 0,
        empty: () => empty("Its values are not kept any more", "Scores are kept for as long as the stack says."),
        rows: 6,
      })}
    </article>`;
  }

  #charts(columns: Columns): unknown {
    const { touched: part, incident, range } = this;
    if (!range) return nothing;
    const windows: Window[] = part.runs.map(([start, intervals]) => ({ start, end: start + intervals * incident.interval_seconds, kind: "incident" }));
    const chart = (kind: "value" | "score", height: number) => html`<wk-chart
      .columns=${columns}
      .range=${range}
      .bounds=${this.#bounds}
      .windows=${windows}
      .kind=${kind}
      .height=${height}
      .name=${kind === "value" ? part.series : `${part.series}, score`}
      .group=${`incident ${part.series}`}
      @range=${(event: CustomEvent<Range>) => (this.range = event.detail)}
    ></wk-chart>`;
    return html`${chart("value", 200)} ${chart("score", 120)}`;
  }
}
