import { html } from "lit";
import { customElement } from "lit/decorators.js";

import { Screen } from "../parts/screen";

@customElement("wk-incident")
export class IncidentScreen extends Screen {
  protected override render() {
    return html`<h1>Incident</h1>`;
  }
}
