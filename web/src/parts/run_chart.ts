/** A picture of a run's evaluation, by its bytes: the token goes in a header, which an `<img>` cannot send. */

import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";

import { api } from "../app/session";
import { Loading } from "./loading";
import { Part } from "./screen";

@customElement("wk-run-chart")
export class RunChart extends Part {
  @property() workload = "";
  @property() run = "";
  @property() chart = "";
  @state() private address = "";
  #picture = new Loading<Blob>(this);
  #drawn: Blob | undefined;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#forget();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("workload") || changed.has("run") || changed.has("chart")) {
      const { workload, run, chart } = this;
      void this.#picture.load((signal) => api().picture("/watch/workloads/{workload}/runs/{run}/charts/{chart}", { at: { workload, run, chart }, signal }), { fresh: true });
    }
    if (this.#picture.value === this.#drawn) return;
    this.#forget();
    this.#drawn = this.#picture.value;
    if (this.#drawn) this.address = URL.createObjectURL(this.#drawn);
  }

  #forget(): void {
    if (this.address) URL.revokeObjectURL(this.address);
    this.address = "";
    this.#drawn = undefined;
  }

  protected override render(): TemplateResult {
    const name = chartName(this.chart);
    return html`<figure class="run-chart">
      ${this.#picture.render(() => (this.address ? html`<a href=${this.address} target="_blank" rel="noopener"><img src=${this.address} alt="Chart of the evaluation: ${name}" /></a>` : nothing), { rows: 5 })}
      <figcaption class="small soft">${name}</figcaption>
    </figure>`;
  }
}

function chartName(file: string): string {
  const words = file.replace(/\.\w+$/, "").replaceAll(/[_-]+/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
