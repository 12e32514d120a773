/**
 * What is loaded from the API, and its four other faces: loading, empty, failed, offline. What was shown stays
 * while it is loaded again, and while the connection is away; when that is back, it is loaded again.
 */

import { html, nothing, type ReactiveController, type ReactiveControllerHost, type TemplateResult } from "lit";

import { asApiError, type ApiError } from "../api/problems";
import { beginSignIn, live } from "../app/session";
import { icon, type IconName } from "./icon";

export class Loading<T> implements ReactiveController {
  value: T | undefined;
  error: ApiError | undefined;
  isLoading = false;
  #stop: AbortController | undefined;
  #last: ((signal: AbortSignal) => Promise<T>) | undefined;
  #again: ReturnType<typeof setTimeout> | undefined;
  #unlisten: (() => void) | undefined;

  constructor(protected readonly host: ReactiveControllerHost) {
    host.addController(this);
  }

  hostConnected(): void {
    addEventListener("online", this.#online);
    this.#unlisten = live.returns.subscribe(() => this.again());
  }

  hostDisconnected(): void {
    removeEventListener("online", this.#online);
    this.#unlisten?.();
    clearTimeout(this.#again);
    this.#stop?.abort();
  }

  /**
   * Load by `ask`; an earlier loading that still runs is given up.
   *
   * `fresh`: what is shown is of something else, and goes at once.
   */
  async load(ask: (signal: AbortSignal) => Promise<T>, { fresh = false } = {}): Promise<void> {
    this.#stop?.abort();
    clearTimeout(this.#again);
    const stop = (this.#stop = new AbortController());
    this.#last = ask;
    this.isLoading = true;
    if (fresh) this.value = this.error = undefined;
    this.host.requestUpdate();
    try {
      const found = await ask(stop.signal);
      if (stop.signal.aborted) return;
      this.value = found;
      this.error = undefined;
    } catch (error) {
      if (stop.signal.aborted) return;
      this.error = asApiError(error);
    }
    this.isLoading = false;
    this.host.requestUpdate();
  }

  /** Load the same again. */
  again(): void {
    if (this.#last) void this.load(this.#last);
  }

  /** The same, once, in a moment: a burst of events asks once. */
  soon(milliseconds = 400): void {
    clearTimeout(this.#again);
    this.#again = setTimeout(() => this.again(), milliseconds);
  }

  /** Put in what an action answered. */
  put(value: T): void {
    this.#stop?.abort();
    this.isLoading = false;
    this.value = value;
    this.error = undefined;
    this.host.requestUpdate();
  }

  readonly #online = (): void => {
    if (this.error?.failure === "offline") this.again();
  };

  /** Draw it: `shown` of what is there, or the face that fits. `rows` is how many lines the loading face has. */
  render(shown: (value: T) => unknown, { isEmpty, empty, rows = 4 }: Faces<T> = {}): unknown {
    const { value, error } = this;
    if (value === undefined) return error ? failed(error, () => this.again()) : skeleton(rows);
    const body = isEmpty?.(value) && empty ? empty(value) : shown(value);
    return html`${error ? stale(error, () => this.again()) : nothing}
      <div class="loaded" aria-busy=${this.isLoading ? "true" : "false"}>${body}</div>`;
  }
}

export interface Faces<T> {
  isEmpty?: (value: T) => boolean;
  empty?: (value: T) => unknown;
  rows?: number;
}

/** Nothing is here, and why that may be. */
export function empty(title: string, words: unknown = nothing, name: IconName = "calm"): TemplateResult {
  return html`<div class="face">
    ${icon(name)}
    <p class="face-title">${title}</p>
    <p class="soft">${words}</p>
  </div>`;
}

export function skeleton(rows = 4): TemplateResult {
  return html`<div class="skeleton" role="status">
    <span class="hidden-text">Loading</span>
    ${Array.from({ length: rows }, () => html`<span class="bone"></span>`)}
  </div>`;
}

export function failed(error: ApiError, again?: () => void): TemplateResult {
  const name: IconName = error.failure === "offline" ? "offline" : error.failure === "forbidden" ? "lock" : "alert";
  return html`<div class="face face-failed" role="alert">
    ${icon(name)}
    <p class="face-title">${error.message}</p>
    <p class="soft">${error.remedy}</p>
    ${error.failure === "signed-out"
      ? html`<button class="button" @click=${() => void beginSignIn()}>Sign in</button>`
      : again && error.failure !== "forbidden"
        ? html`<button class="button" @click=${again}>Try again</button>`
        : nothing}
  </div>`;
}

function stale(error: ApiError, again: () => void): TemplateResult {
  return html`<p class="notice notice-warn" role="status">
    ${icon(error.failure === "offline" ? "offline" : "alert")}
    <span>What is shown is older: ${error.message.charAt(0).toLowerCase() + error.message.slice(1)}</span>
    <button class="link" @click=${again}>Try again</button>
  </p>`;
}
