/** A workload's file as it was deployed: loaded when somebody opens it. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";

import type { SpecText } from "../api/shapes";
import { api } from "../app/session";
import { Acting } from "./acting";
import { icon } from "./icon";
import { Loading } from "./loading";
import { Part } from "./screen";

@customElement("wk-spec-text")
export class SpecTextPart extends Part {
  @property() workload = "";
  #spec = new Loading<SpecText>(this);
  #copied = new Acting(this);

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (!changed.has("workload")) return;
    const { workload } = this;
    this.#copied.forget();
    void this.#spec.load((signal) => api().get("/watch/workloads/{workload}/spec", { at: { workload }, signal }), { fresh: true });
  }

  protected override render(): TemplateResult {
    return html`${this.#spec.render(
      (spec) =>
        spec.text === null
          ? html`<p class="sheet-body soft">${spec.why}</p>`
          : html`<div class="sheet-body row">
                <button class="button button-small" @click=${() => void this.#copied.run(() => navigator.clipboard.writeText(spec.text!), () => "It is in the clipboard.")}>${icon("check")} Copy</button>
                <span class="small soft">To change it, edit workloads/${spec.workload}.yaml; <code>watchkeeper diff ${spec.workload}</code> says what that does, <code>watchkeeper deploy</code> does it.</span>
                ${this.#copied.done || this.#copied.refused ? this.#copied.outcome() : nothing}
              </div>
              <pre tabindex="0" aria-label="The file as YAML">${spec.text}</pre>`,
      { rows: 6 },
    )}`;
  }
}
