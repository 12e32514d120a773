/** Scored intervals of one series, all pages of them. */

import { Columns } from "../parts/columns";
import { api } from "../app/session";
import { path } from "./client";
import type { Points } from "./shapes";

/** The most intervals that one answer has. */
const PAGE = 10_000;

/**
 * Read a series from one instant to another (seconds since 1970).
 *
 * `progress` is called with what is there after each page but the last.
 */
export async function readPoints(
  workload: string,
  series: string,
  from: number,
  to: number,
  signal: AbortSignal,
  progress?: (columns: Columns) => void,
): Promise<Columns> {
  const pages: Points[] = [];
  let cursor: string | null = null;
  do {
    const page: Points = await api().get<Points>(path`/watch/workloads/${workload}/series/${series}/points`, {
      query: { from: new Date(1000 * from).toISOString(), to: new Date(1000 * to).toISOString(), most: PAGE, cursor },
      signal,
    });
    pages.push(page);
    cursor = page.complete ? null : page.next;
    if (cursor) progress?.(Columns.of(pages));
  } while (cursor);
  return Columns.of(pages);
}
