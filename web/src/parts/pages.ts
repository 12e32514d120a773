/** A list that is asked for page by page; who has asked for more keeps it when the list is loaded again. */

import type { ReactiveControllerHost } from "lit";

import type { Listing } from "../api/shapes";
import { Loading } from "./loading";
import { more } from "./table";

export interface PagesOptions<T> {
  /** So many come from the cursor on; without one, the first. */
  ask: (limit: number, cursor: string | null, signal?: AbortSignal) => Promise<Listing<T>>;
  /** What tells one of the list from another. */
  key: (one: T) => string;
  /** How many a page has. */
  page: number;
  /** How many are loaded again at most. */
  most: number;
}

export class Pages<T> extends Loading<Listing<T>> {
  #isMore = false;

  constructor(
    host: ReactiveControllerHost,
    private readonly options: PagesOptions<T>,
  ) {
    super(host);
  }

  /** Load the first page. */
  first({ fresh = false } = {}): void {
    void this.load((signal) => this.options.ask(this.options.page, null, signal), { fresh });
  }

  /** Load again as much as is shown; nothing before the first page was asked for. */
  override again(): void {
    if (!this.value && !this.error) return;
    const { ask, page, most } = this.options;
    const shown = Math.min(most, Math.max(page, this.value?.items.length ?? 0));
    void this.load((signal) => ask(shown, null, signal));
  }

  /** The button for the next page, where there is one. */
  button(): unknown {
    return more(this.value?.next, this.#isMore, () => void this.#next());
  }

  async #next(): Promise<void> {
    const list = this.value;
    if (!list?.next || this.#isMore) return;
    const { ask, key, page } = this.options;
    this.#isMore = true;
    this.host.requestUpdate();
    try {
      const found = await ask(page, list.next);
      const known = new Set(list.items.map(key));
      this.put({ items: [...list.items, ...found.items.filter((one) => !known.has(key(one)))], next: found.next ?? null });
    } catch {
      this.again();
    } finally {
      this.#isMore = false;
      this.host.requestUpdate();
    }
  }
}
