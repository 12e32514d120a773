/**
 * What came by the minute, of all and of what was flagged: `<wk-minutes .summary .from .to of="count|amount">`.
 *
 * Both have a scale of their own, as few are flagged. Arrows read bar by bar.
 */

import { html, nothing, svg, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";

import type { Summary } from "../api/shapes";
import { span, timeOfDay, zone } from "../app/clock";
import { count, value } from "../app/numbers";
import { Watching } from "../app/signal";
import { Part } from "./screen";

const MOST_BARS = 100;
const STEPS = [1, 2, 5, 10, 15, 30, 60];

export interface Bar {
  /** Seconds since 1970. */
  start: number;
  count: number;
  amount: number;
  flagged: number;
  flagged_amount: number;
}

/** Put minutes together, so that there are not more bars than can be told apart. */
export function barsOf(summary: Summary, from: number, to: number): { bars: Bar[]; minutes: number } {
  const minutes = STEPS.find((step) => (to - from) / 60 / step <= MOST_BARS) ?? 60;
  const size = 60 * minutes;
  const first = Math.floor(from / size) * size;
  const bars = Array.from({ length: Math.floor((to - first) / size) + 1 }, (_, index): Bar => ({ start: first + index * size, count: 0, amount: 0, flagged: 0, flagged_amount: 0 }));
  for (const minute of summary.minutes) {
    const bar = bars[Math.floor((Date.parse(minute.start) / 1000 - first) / size)];
    if (!bar) continue;
    for (const name of ["count", "amount", "flagged", "flagged_amount"] as const) bar[name] += minute[name];
  }
  return { bars, minutes };
}

@customElement("wk-minutes")
export class Minutes extends Part {
  @property({ attribute: false }) summary: Summary | undefined;
  @property({ attribute: false }) from = 0;
  @property({ attribute: false }) to = 0;
  @property() of: "count" | "amount" = "count";
  /** The bar that is read. */
  @state() private read: number | null = null;

  constructor() {
    super();
    new Watching(this, [zone]);
  }

  protected override render(): unknown {
    if (!this.summary) return nothing;
    const { bars, minutes } = barsOf(this.summary, this.from, this.to);
    const isCount = this.of === "count";
    const all = bars.map((bar) => (isCount ? bar.count : bar.amount));
    const flagged = bars.map((bar) => (isCount ? bar.flagged : bar.flagged_amount));
    const what = isCount ? "transactions" : "amount";
    const told = this.read === null ? null : bars[this.read];
    const move = (event: PointerEvent) => {
      const { left, width } = (event.currentTarget as Element).getBoundingClientRect();
      this.read = Math.max(0, Math.min(bars.length - 1, Math.floor(((event.clientX - left) / width) * bars.length)));
    };
    const keys = (event: KeyboardEvent) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      this.read = Math.max(0, Math.min(bars.length - 1, (this.read ?? (step > 0 ? -1 : bars.length)) + step));
    };
    return html`<figure class="minutes">
      <div
        class="minutes-area"
        role="img"
        tabindex="0"
        aria-label="${what} each ${minutes === 1 ? "minute" : `${minutes} minutes`}: at most ${value(Math.max(...all))}, flagged at most ${value(Math.max(...flagged))}; arrows read them"
        @pointermove=${move}
        @pointerleave=${() => (this.read = null)}
        @keydown=${keys}
        @blur=${() => (this.read = null)}
      >
        ${strip(all, "all", this.read)} ${strip(flagged, "flagged", this.read)}
      </div>
      <div class="minutes-ends small soft"><span>${timeOfDay(this.from)}</span><span>${timeOfDay(this.to)}</span></div>
      <figcaption class="minutes-told small" aria-live="polite">
        ${told
          ? html`<b>${span(told.start, told.start + 60 * minutes)}</b>: ${count(told.count)} transactions of ${value(told.amount)} in all, ${count(told.flagged)} flagged of ${value(told.flagged_amount)}`
          : html`<span class="soft">Above all ${what}, below of those that were flagged; each with its own scale, the highest is named.</span>`}
      </figcaption>
    </figure>`;
  }
}

function strip(values: readonly number[], kind: "all" | "flagged", read: number | null): TemplateResult {
  const most = Math.max(...values, 0);
  return html`<div class="strip strip-${kind}">
    <span class="strip-most small">${kind === "all" ? "all" : "flagged"}: up to ${value(most)}</span>
    <svg viewBox="0 0 ${values.length} 100" preserveAspectRatio="none" aria-hidden="true">
      ${read === null ? nothing : svg`<rect class="strip-read" x=${read} width="1" height="100" />`}
      ${values.map((each, index) => (each ? svg`<rect class="strip-bar" x=${index + 0.12} y=${100 - (96 * each) / most} width="0.76" height=${(96 * each) / most} />` : nothing))}
    </svg>
  </div>`;
}
