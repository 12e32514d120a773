/** What somebody does: one thing at a time, and how it went, in words. */

import { html, nothing, type ReactiveControllerHost, type TemplateResult } from "lit";

import { asApiError, type ApiError } from "../api/problems";
import { icon } from "./icon";

export class Acting {
  busy = false;
  refused: ApiError | null = null;
  done: unknown = "";

  constructor(private readonly host: ReactiveControllerHost) {}

  /** Do it, unless something is being done; `words` of its answer say that it went well. Returns whether it did. */
  async run<T>(act: () => Promise<T>, words: (answer: T) => unknown): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.forget();
    try {
      this.done = words(await act());
      return true;
    } catch (error) {
      this.refused = asApiError(error);
      return false;
    } finally {
      this.busy = false;
      this.host.requestUpdate();
    }
  }

  /** What was said of the last one is no longer of what is shown. */
  forget(): void {
    this.refused = null;
    this.done = "";
    this.host.requestUpdate();
  }

  /** How the last one went. */
  outcome(): TemplateResult {
    return html`<div role="status">
      ${this.refused
        ? html`<p class="notice notice-bad">${icon("alert")}<span>${this.refused.message} ${this.refused.remedy}</span></p>`
        : this.done
          ? html`<p class="notice">${icon("check")}<span>${this.done}</span></p>`
          : nothing}
    </div>`;
  }
}
