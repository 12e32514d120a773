/** A share as a bar, and lists of them. */

import { html, svg, type TemplateResult } from "lit";

import { percent } from "../app/numbers";

/** A bar of a part of the whole; `over` colours what is beyond it. */
export function bar(share: number, { over = false } = {}): TemplateResult {
  const width = Math.max(0, Math.min(100, 100 * share));
  return html`<svg class="bar ${over ? "bar-over" : ""}" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
    <rect class="bar-whole" width="100" height="6" /> ${svg`<rect class="bar-part" width=${width} height="6" />`}
  </svg>`;
}

export interface BarLine {
  name: unknown;
  share: number;
  note?: unknown;
}

/** What parts something is made of, the largest first. */
export function bars(lines: readonly BarLine[]): TemplateResult {
  return html`<ul class="bars">
    ${lines.map(
      (line) => html`<li>
        <span class="bars-name">${line.name}</span>
        <span class="bars-share number">${percent(line.share)}</span>
        ${bar(line.share)}
        ${line.note ? html`<span class="bars-note soft">${line.note}</span>` : ""}
      </li>`,
    )}
  </ul>`;
}
