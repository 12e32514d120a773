/** One device: how it stands, what it holds, what it does. An operator quarantines and restores it. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";

import type { DeviceDetail } from "../api/shapes";
import { devicesLink, incidentsLink, seriesLink } from "../app/links";
import { counted, value } from "../app/numbers";
import { segments } from "../app/router";
import { api, may } from "../app/session";
import { Acting } from "../parts/acting";
import { seriesBadge, standingBadge } from "../parts/device_words";
import { icon } from "../parts/icon";
import { Loading } from "../parts/loading";
import { Screen } from "../parts/screen";
import { table, type Column } from "../parts/table";
import { badge, fact, time } from "../parts/words";

const SERIES: readonly Column<DeviceDetail["series"][number]>[] = [
  { title: "Is", kind: "mark", cell: (one) => seriesBadge(one.health) },
  { title: "What", kind: "main", cell: (one) => one.measure },
  { title: "Last interval", kind: "number", cell: (one) => value(one.last_value) },
  { title: "Began", cell: (one) => time(one.last_start) },
  { title: "Workload", cell: (one) => one.workload },
];

@customElement("wk-device")
export class DeviceScreen extends Screen {
  /** Whether it is asked once more. */
  @state() private asks = false;
  @state() private typed = "";
  #device = new Loading<DeviceDetail>(this);
  #acting = new Acting(this);
  #serial = "";

  protected override moved(): void {
    const serial = segments()[1] ?? "";
    if (serial === this.#serial) return;
    this.#serial = serial;
    this.asks = false;
    this.#acting.forget();
    void this.#device.load((signal) => api().get("/watch/devices/{device}", { at: { device: serial }, signal }), { fresh: true });
  }

  protected override render(): TemplateResult {
    return html`<div class="screen">
      <nav aria-label="Back" class="back"><a href=${devicesLink()}>${icon("previous")} Devices</a></nav>
      ${this.#device.render((one) => this.#whole(one), { rows: 10 })}
    </div>`;
  }

  #whole(one: DeviceDetail): TemplateResult {
    return html`<div class="screen">
      <header class="incident-head">
        <div class="row">${standingBadge(one.state)} ${one.open_incidents ? badge(counted(one.open_incidents, "open incident"), "bad") : nothing}</div>
        <h1>${one.serial_number}</h1>
        <div class="row">
          <a class="button" href=${incidentsLink({ where: `device:${one.thing}` })}>${icon("incident")} Incidents of its behaviour</a>
          ${may("operator") && one.groups.length ? this.#button(one) : nothing}
        </div>
        ${this.asks ? this.#confirm(one) : nothing} ${this.#acting.done || this.#acting.refused ? this.#acting.outcome() : nothing}
      </header>
      <div class="incident-columns">
        <div class="screen">
          <section class="sheet" aria-labelledby="does-title">
            <div class="sheet-head"><h2 id="does-title">What it does</h2></div>
            ${one.series.length
              ? table({ caption: "What is watched of it", columns: SERIES, rows: one.series, key: (each) => `${each.workload} ${each.series}`, link: (each) => seriesLink(each.workload, [each.series]) })
              : html`<p class="sheet-body soft">Nothing is watched of it yet.</p>`}
          </section>
        </div>
        <div class="screen">
          <section class="sheet" aria-labelledby="device-title">
            <div class="sheet-head"><h2 id="device-title">The device</h2></div>
            <div class="sheet-body">
              <dl class="facts">
                ${fact("site", one.site)} ${fact("last seen", one.last_seen_at ? time(one.last_seen_at, { ago: true }) : "never")} ${fact("thing, MQTT client id", one.thing)}
                ${fact("groups", one.groups.join(", ") || "none: it has not joined")}
              </dl>
            </div>
          </section>
          <section class="sheet" aria-labelledby="certificates-title">
            <div class="sheet-head"><h2 id="certificates-title">Certificates</h2></div>
            ${one.certificates.length
              ? html`<ul class="lines">${one.certificates.map((each) => html`<li class="line release">${badge(each.status.toLowerCase(), each.status === "ACTIVE" ? "good" : "quiet")}<span class="line-main"><code title=${each.certificate_id}>${each.certificate_id.slice(0, 12)}</code></span></li>`)}</ul>`
              : html`<p class="sheet-body soft">It holds none.</p>`}
          </section>
        </div>
      </div>
    </div>`;
  }

  #button(one: DeviceDetail): TemplateResult {
    const turn = () => {
      this.asks = !this.asks;
      this.typed = "";
      this.#acting.forget();
    };
    const held = one.state === "quarantined";
    return html`<button class="button" aria-expanded=${this.asks ? "true" : "false"} @click=${turn}>${icon(held ? "undo" : "lock")} ${held ? "Restore" : "Quarantine"}</button>`;
  }

  #confirm(one: DeviceDetail): TemplateResult {
    const { serial_number: device } = one;
    const held = one.state === "quarantined";
    const submit = (event: SubmitEvent) => {
      event.preventDefault();
      if (this.typed !== device) return;
      const sent = { at: { device }, body: { confirm: this.typed } };
      const act = async () => {
        this.#device.put(await (held ? api().post("/watch/devices/{device}/restore", sent) : api().post("/watch/devices/{device}/quarantine", sent)));
        this.asks = false;
      };
      void this.#acting.run(act, () => (held ? `${device} may do again what devices may.` : `${device} is quarantined: it may do nothing until it is restored.`));
    };
    return html`<form class="confirm" @submit=${submit}>
      <p class="small">${held ? "It may connect, send and hear again, as every device." : "Its connection ends, and it cannot connect until somebody restores it. AWS may take some minutes until this is known everywhere."}</p>
      <label class="field"><span>To do it, type the serial number: <b>${device}</b></span>
        <input name="confirm" autocomplete="off" spellcheck="false" .value=${this.typed} @input=${(event: Event) => (this.typed = (event.target as HTMLInputElement).value.trim())} />
      </label>
      <div class="row">
        <button class="button ${held ? "button-main" : "button-bad"}" ?disabled=${this.typed !== device || this.#acting.busy}>${held ? "Restore it" : "Quarantine it"}</button>
        <button class="button" type="button" @click=${() => (this.asks = false)}>Leave it</button>
      </div>
    </form>`;
  }
}
