import { html } from "lit";
import { customElement } from "lit/decorators.js";

import { Screen } from "../parts/screen";

@customElement("wk-series")
export class SeriesScreen extends Screen {
  protected override render() {
    return html`<h1>Series</h1>`;
  }
}
