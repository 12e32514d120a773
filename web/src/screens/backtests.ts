/** Backtests of a workload: another version of its file, by fields or as YAML, and what was tried before. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";

import type { Backtest, Listing, Setting, SpecDraft } from "../api/shapes";
import { backtestLink, linked, workloadLink } from "../app/links";
import { counted } from "../app/numbers";
import { go, place, refine, segments } from "../app/router";
import { api, may } from "../app/session";
import { Acting } from "../parts/acting";
import { backtestBadge, isUnderWay } from "../parts/backtest_words";
import { icon } from "../parts/icon";
import { empty, Loading } from "../parts/loading";
import { Screen } from "../parts/screen";
import { differing, fields, read, type Values } from "../parts/setting_fields";
import { table, type Column } from "../parts/table";
import { time } from "../parts/words";

const BACKTESTS = "/watch/workloads/{workload}/backtests";
const POLL_MS = 3000;

const COLUMNS: readonly Column<Backtest>[] = [
  { title: "Status", kind: "mark", cell: (one) => backtestBadge(one.status) },
  { title: "What was changed", kind: "main", cell: (one) => one.changes.join(", ") || "nothing" },
  { title: "Asked for", cell: (one) => time(one.asked_at) },
  { title: "By", cell: (one) => one.who },
  { title: "Days", kind: "number", cell: (one) => one.days },
];

@customElement("wk-backtests")
export class BacktestsScreen extends Screen {
  /** The YAML as it is in the editor; null while fields are shown. */
  @state() private typed: string | null = null;
  @state() private days = 30;
  #list = new Loading<Listing<Backtest>>(this);
  #draft = new Loading<SpecDraft>(this);
  #running = new Acting(this);
  #workload = "";
  #from: string | null = null;

  protected override moved(): void {
    const workload = segments()[1] ?? "";
    const from = place.value.query.get("from");
    if (workload === this.#workload && from === this.#from) return;
    this.#workload = workload;
    this.#from = from;
    this.typed = null;
    this.#running.forget();
    void this.#list.load((signal) => this.#ask(signal), { fresh: true });
    if (may("operator")) void this.#draft.load((signal) => this.#begin(signal), { fresh: true });
  }

  async #ask(signal: AbortSignal): Promise<Listing<Backtest>> {
    const found = await api().get(BACKTESTS, { at: { workload: this.#workload }, signal });
    if (found.items.some(isUnderWay)) this.#list.soon(POLL_MS);
    return found;
  }

  /** The file as it was deployed, or as an earlier backtest had it. */
  async #begin(signal: AbortSignal): Promise<SpecDraft> {
    const workload = this.#workload;
    if (this.#from === null) return this.#drafted({}, null, signal);
    const found = await api().get(`${BACKTESTS}/{backtest}`, { at: { workload, backtest: this.#from }, signal });
    this.days = found.days;
    return this.#drafted({}, found.text, signal);
  }

  #drafted(settings: Values, text: string | null, signal?: AbortSignal): Promise<SpecDraft> {
    return api().post("/watch/workloads/{workload}/spec/draft", { at: { workload: this.#workload }, body: { text, settings }, signal });
  }

  /** What is set in the fields: it is in the address, so that it can be sent before it has run. */
  get #values(): Values {
    const known = new Map((this.#draft.value?.settings ?? []).map((one) => [one.key, one]));
    const found: Record<string, Setting["value"]> = {};
    for (const [key, typed] of new URLSearchParams(place.value.query.get("set") ?? "")) {
      const setting = known.get(key);
      const value = setting ? read(setting, typed) : undefined;
      if (value !== undefined) found[key] = value;
    }
    return found;
  }

  #set(key: string, value: Setting["value"]): void {
    const wanted = differing(this.#draft.value?.settings ?? [], { ...this.#values, [key]: value });
    const words = new URLSearchParams(Object.entries(wanted).map(([name, one]) => [name, one === null ? "" : String(one)]));
    refine({ set: words.toString() });
    this.requestUpdate();
  }

  protected override render(): TemplateResult {
    const workload = this.#workload;
    return html`<div class="screen">
      <div class="head">
        <div>
          <h1>Backtests of ${workload}</h1>
          <p class="soft">What another version of ${linked(workloadLink(workload), "the workload")}'s file would have said of its history. Nothing is deployed, and nobody is alerted.</p>
        </div>
      </div>
      ${may("operator") ? this.#draft.render((draft) => this.#editor(draft), { rows: 10 }) : nothing}
      <section class="sheet" aria-labelledby="backtests-title">
        <div class="sheet-head"><h2 id="backtests-title">Asked for before</h2></div>
        ${this.#list.render((list) => table({ caption: "Backtests, the newest first", columns: COLUMNS, rows: list.items, key: (one) => one.backtest_id, link: (one) => backtestLink(workload, one.backtest_id) }), {
          isEmpty: (list) => list.items.length === 0,
          empty: () => empty("No backtest yet", may("operator") ? "Change something above, and run it." : "An operator asks for one.", "backtest"),
          rows: 3,
        })}
      </section>
    </div>`;
  }

  #editor(draft: SpecDraft): TemplateResult {
    const values = this.#values;
    const changed = Object.keys(values).length;
    const isText = this.typed !== null;
    return html`<form class="sheet" aria-label="Another version" @submit=${(event: SubmitEvent) => this.#submit(event, draft)}>
      <div class="sheet-head">
        <h2>Another version</h2>
        <span class="choices" role="group" aria-label="How to edit">
          <button class="button" type="button" aria-pressed=${isText ? "false" : "true"} @click=${() => void this.#toFields()}>Fields</button>
          <button class="button" type="button" aria-pressed=${isText ? "true" : "false"} @click=${() => void this.#toText(draft)}>YAML</button>
        </span>
      </div>
      <div class="sheet-body screen">
        ${isText
          ? html`<label class="field"><span>The file; what decides which intervals there are (fields, interval, dimensions) stays as it is deployed</span>
              <textarea class="spec-editor" name="text" rows="24" spellcheck="false" autocapitalize="off" .value=${this.typed ?? ""} @input=${(event: Event) => (this.typed = (event.target as HTMLTextAreaElement).value)}></textarea></label>`
          : fields(draft.settings, values, (key, value) => this.#set(key, value))}
        ${this.#running.refused ? this.#refusal() : nothing}
        <div class="row backtest-run">
          <label class="field field-row"><span>Judge the last days</span><input name="days" type="number" min="1" max="366" required .value=${String(this.days)} @change=${(event: Event) => (this.days = Number((event.target as HTMLInputElement).value))} /></label>
          <button class="button button-main" ?disabled=${this.#running.busy}>${icon("backtest")} ${this.#running.busy ? "Asking" : "Run the backtest"}</button>
          <span class="small soft">${isText ? "As the YAML has it." : changed ? `${counted(changed, "field")} changed.` : "No field is changed yet."}</span>
          ${changed && !isText ? html`<button class="button" type="button" @click=${() => this.#forget()}>${icon("undo")} Put all back</button>` : nothing}
        </div>
      </div>
    </form>`;
  }

  /** What is wrong with the file: a line a mistake, with where it is. */
  #refusal(): TemplateResult {
    const refused = this.#running.refused!;
    return html`<div class="notice notice-bad" role="alert">${icon("alert")}
      <div><p>${refused.message} ${refused.faults.length ? nothing : refused.remedy}</p>
      ${refused.faults.length ? html`<ul class="plain says">${refused.faults.map((words) => html`<li>${words}</li>`)}</ul>` : nothing}</div></div>`;
  }

  #forget(): void {
    refine({ set: null });
    this.#running.forget();
  }

  async #toText(draft: SpecDraft): Promise<void> {
    if (this.typed !== null) return;
    await this.#running.run(async () => (this.typed = (await this.#drafted(this.#values, draft.text)).text), () => "");
  }

  async #toFields(): Promise<void> {
    const { typed } = this;
    if (typed === null) return;
    const taken = async () => {
      this.#draft.put(await this.#drafted({}, typed));
      this.typed = null;
      refine({ set: null });
    };
    await this.#running.run(taken, () => "");
  }

  #submit(event: SubmitEvent, draft: SpecDraft): void {
    event.preventDefault();
    const [workload, days] = [this.#workload, this.days];
    const ask = async () => {
      const text = this.typed ?? (await this.#drafted(this.#values, draft.text)).text;
      const found = await api().post(BACKTESTS, { at: { workload }, body: { text, days } });
      go(backtestLink(workload, found.backtest_id));
    };
    void this.#running.run(ask, () => "");
  }
}
