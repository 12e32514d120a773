/** The fleet: who may join, who has joined, who is quarantined, when each was seen, and what it does. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement } from "lit/decorators.js";

import type { Device, DeviceList, LiveEvent } from "../api/shapes";
import { deviceLink, linked, workloadLink } from "../app/links";
import { counted } from "../app/numbers";
import { go, place, refine } from "../app/router";
import { api } from "../app/session";
import { standingBadge } from "../parts/device_words";
import { empty } from "../parts/loading";
import { Pages } from "../parts/pages";
import { Screen } from "../parts/screen";
import { table, type Column } from "../parts/table";
import { badge, time } from "../parts/words";

const COLUMNS: readonly Column<Device>[] = [
  { title: "State", kind: "mark", cell: (one) => standingBadge(one.state) },
  { title: "Serial number", kind: "main", cell: (one) => one.serial_number },
  { title: "Site", cell: (one) => one.site },
  { title: "Last seen", cell: (one) => time(one.last_seen_at, { ago: true }) },
  { title: "Behaviour", cell: behaviour },
];

function behaviour(one: Device): TemplateResult {
  if (one.open_incidents) return badge(counted(one.open_incidents, "open incident"), "bad");
  return html`<span class="soft">${one.last_seen_at ? "nothing unusual" : "not seen"}</span>`;
}

const STATES = [
  ["any", "All"],
  ["quarantined", "Quarantined"],
] as const;

@customElement("wk-devices")
export class DevicesScreen extends Screen {
  /** What stands above the list is of its first page. */
  #about: DeviceList | undefined;
  #devices = new Pages<Device>(this, { ask: (...page) => this.#ask(...page), key: (one) => one.serial_number, page: 50, most: 200 });
  #asked: string | undefined;

  protected override moved(): void {
    const asked = this.#state();
    if (asked === this.#asked) return;
    this.#asked = asked;
    this.#devices.first();
  }

  #state(): "any" | "quarantined" {
    return place.value.query.get("state") === "quarantined" ? "quarantined" : "any";
  }

  async #ask(limit: number, cursor: string | null, signal?: AbortSignal): Promise<DeviceList> {
    const found = await api().get("/watch/devices", { query: { state: this.#state(), limit, cursor }, signal });
    if (cursor === null) this.#about = found;
    return found;
  }

  protected override happened(event: LiveEvent): void {
    if (event.kind === "incident" && this.#about?.watched_by.includes(event.workload)) this.#devices.soon(2000);
  }

  readonly #find = (event: SubmitEvent): void => {
    event.preventDefault();
    const serial = String(new FormData(event.target as HTMLFormElement).get("serial") ?? "").trim();
    if (serial) go(deviceLink(serial));
  };

  protected override render(): TemplateResult {
    const state = this.#state();
    return html`<div class="screen">
      <div class="head">
        <div>
          <h1>Devices</h1>
          <p class="soft">${this.#about ? this.#words(this.#about) : "The fleet: who may join, who has joined, and what each does."}</p>
        </div>
      </div>
      <search class="filters">
        <fieldset class="field filters-state">
          <legend>State</legend>
          <span class="choices">
            ${STATES.map(([name, words]) => html`<button class="button" aria-pressed=${state === name ? "true" : "false"} @click=${() => refine({ state: name === "any" ? null : name })}>${words}</button>`)}
          </span>
        </fieldset>
        <form class="row find" @submit=${this.#find}>
          <label class="field"><span>Serial number</span><input name="serial" autocomplete="off" spellcheck="false" maxlength="64" required /></label>
          <button class="button">Show it</button>
        </form>
      </search>
      <section class="sheet" aria-label="Devices">
        ${this.#devices.render(
          (list) => html`${table({ caption: "Devices", columns: COLUMNS, rows: list.items, key: (one) => one.serial_number, link: (one) => deviceLink(one.serial_number) })} ${this.#devices.button()}`,
          {
            isEmpty: (list) => list.items.length === 0,
            empty: () =>
              state === "quarantined"
                ? empty("No device is quarantined", "Whoever joined may do what devices may.")
                : empty("No device may join yet", html`<code>watchkeeper devices allow FILE</code> lists those that may.`, "device"),
            rows: 8,
          },
        )}
      </section>
    </div>`;
  }

  #words(list: DeviceList): TemplateResult {
    const watched = list.watched_by;
    return html`${list.quarantined ? html`${counted(list.quarantined, "device")} quarantined. ` : nothing}${watched.length
      ? html`What they do is watched by ${watched.map((name, at) => html`${at ? ", " : ""}${linked(workloadLink(name), name)}`)}.`
      : html`No workload watches what they do, so nobody knows when they were last seen: <code>kind: device_behaviour</code>.`}`;
  }
}
