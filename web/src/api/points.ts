/** Scored intervals of one series, all pages of them. */

import { Columns } from "../parts/columns";
import { api } from "../app/session";
import type { Points } from "./shapes";

/** The most intervals that one answer has. */
const PAGE = 10_000;

/**
 * Read a series from one instant to another (seconds since 1970).
 *
 * `progress` is called with what is there after each page but the last. `before`: what was read already; what is
 * new of its last interval on is put behind it.
 */
export async function readPoints(
  workload: string,
  series: string,
  from: number,
  to: number,
  signal: AbortSignal,
  { progress, before }: { progress?: (columns: Columns) => void; before?: Columns | undefined } = {},
): Promise<Columns> {
  const pages: Points[] = before ? [...before.pages] : [];
  let cursor: string | null = null;
  do {
    const page: Points = await api().get("/watch/workloads/{workload}/series/{series}/points", {
      at: { workload, series },
      query: { from: new Date(1000 * from).toISOString(), to: new Date(1000 * to).toISOString(), most: PAGE, cursor },
      signal,
    });
    pages.push(page);
    cursor = page.complete ? null : page.next;
    if (cursor) progress?.(Columns.of(pages));
  } while (cursor);
  return Columns.of(pages);
}
