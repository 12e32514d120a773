import { html } from "lit";
import { customElement } from "lit/decorators.js";

import { Screen } from "../parts/screen";

@customElement("wk-overview")
export class OverviewScreen extends Screen {
  protected override render() {
    return html`<h1>Overview</h1>`;
  }
}
