/** A table that is a list of cards where its place has no room for columns. */

import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";

export interface Column<T> {
  title: string;
  cell: (row: T) => unknown;
  /** `number`: digits under digits. `main`: what the row is called; it has the row's link. `mark`: a sign before it. */
  kind?: "number" | "main" | "mark";
  /** Leave it out of the card on a narrow page. */
  wideOnly?: boolean;
}

export interface TableOptions<T> {
  caption: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  key: (row: T) => string;
  /** Where a click on the row leads. */
  link?: (row: T) => string;
}

export function table<T>({ caption, columns, rows, key, link }: TableOptions<T>): TemplateResult {
  return html`<div class="table-room"><table class="table ${link ? "table-links" : ""}">
    <caption class="hidden-text">${caption}</caption>
    <thead>
      <tr>
        ${columns.map((column) => html`<th scope="col" class=${column.kind ?? ""}>${column.title}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${repeat(rows, key, (row) => html`<tr>${columns.map((column) => cell(column, row, link))}</tr>`)}
    </tbody>
  </table></div>`;
}

function cell<T>(column: Column<T>, row: T, link: ((row: T) => string) | undefined): TemplateResult {
  const classes = `${column.kind ?? ""} ${column.wideOnly ? "wide-only" : ""}`;
  const content = column.cell(row);
  if (column.kind === "main") {
    return html`<th scope="row" class=${classes}>
      ${link ? html`<a class="row-link" href=${link(row)}>${content}</a>` : content}
    </th>`;
  }
  return html`<td class=${classes} data-title=${column.title}>${content}</td>`;
}

/** More of a list, where its cursor says that there is more. */
export function more(next: string | null | undefined, isLoading: boolean, ask: () => void): unknown {
  if (!next) return nothing;
  return html`<p class="more"><button class="button" ?disabled=${isLoading} @click=${ask}>${isLoading ? "Loading" : "Show more"}</button></p>`;
}
