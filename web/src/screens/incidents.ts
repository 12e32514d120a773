import { html } from "lit";
import { customElement } from "lit/decorators.js";

import { Screen } from "../parts/screen";

@customElement("wk-incidents")
export class IncidentsScreen extends Screen {
  protected override render() {
    return html`<h1>Incidents</h1>`;
  }
}
