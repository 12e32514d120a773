/** One incident: what it is, where, since when, why; and what people say and do about it. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";

import { etagOf } from "../api/client";
import type { Feedback, Incident, LiveEvent, Share, TimelineEntry } from "../api/shapes";
import { duration, instant, span, zoneName } from "../app/clock";
import { incidentsLink, linked, runLink, seriesLink, workloadLink } from "../app/links";
import { count, counted, percent, value } from "../app/numbers";
import { go, href, segments } from "../app/router";
import { api, may } from "../app/session";
import { Acting } from "../parts/acting";
import { bars } from "../parts/bar";
import { icon, type IconName } from "../parts/icon";
import { Loading } from "../parts/loading";
import { featureWords, relationWords } from "../parts/reasons";
import { Screen } from "../parts/screen";
import { badge, fact, seriesName, severity, stateBadge, time, titleOf, verdictBadge } from "../parts/words";
import "../parts/touched_series";

const INCIDENT = "/watch/incidents/{incident}";
const SERIES_SHOWN = 3;
const VERDICTS: readonly [Feedback, string, string][] = [
  ["real", "Real", "Somebody should know of such."],
  ["expected", "Expected", "It did happen, and was known or is usual."],
  ["noise", "Noise", "Nothing happened."],
];
const SNOOZES: readonly [number, string][] = [
  [3600, "1 hour"],
  [8 * 3600, "8 hours"],
  [86_400, "1 day"],
  [7 * 86_400, "1 week"],
];

/** The incident that an action is about, as it was shown. */
interface Which {
  at: { incident: string };
  ifMatch: string | undefined;
}

@customElement("wk-incident")
export class IncidentScreen extends Screen {
  @state() private doing: "assign" | "snooze" | null = null;
  @state() private allSeries = false;
  #incident = new Loading<Incident>(this);
  #acting = new Acting(this);
  #id = "";

  protected override moved(): void {
    const id = segments()[1] ?? "";
    if (id === this.#id) return;
    this.#id = id;
    this.doing = null;
    this.allSeries = false;
    this.#acting.forget();
    void this.#incident.load((signal) => this.#ask(signal), { fresh: true });
  }

  async #ask(signal: AbortSignal): Promise<Incident> {
    const found = await api().get(INCIDENT, { at: { incident: this.#id }, signal });
    this.#surviving(found);
    return found;
  }

  /** An incident that joined another has that one's page. */
  #surviving(found: Incident): void {
    if (found.incident_id === this.#id) return;
    this.#id = found.incident_id;
    go(href(["incidents", found.incident_id]), { replace: true });
  }

  protected override happened(event: LiveEvent): void {
    if (event.kind === "incident" && event.detail["incident_id"] === this.#id) this.#incident.soon();
  }

  async #act(words: string, send: (one: Which) => Promise<Incident>): Promise<void> {
    const before = this.#incident.value;
    if (!before) return;
    const which = { at: { incident: before.incident_id }, ifMatch: etagOf(before) };
    const isDone = await this.#acting.run(async () => {
      const after = await send(which);
      this.#incident.put(after);
      this.#surviving(after);
      this.doing = null;
    }, () => words);
    if (!isDone && this.#acting.refused?.failure === "stale") this.#incident.again();
  }

  protected override render(): TemplateResult {
    return html`<div class="screen incident">
      <nav aria-label="Back" class="back"><a href=${incidentsLink({})}>${icon("previous")} Incidents</a></nav>
      ${this.#incident.render((one) => this.#whole(one), { rows: 10 })}
    </div>`;
  }

  #whole(one: Incident): TemplateResult {
    const seconds = (instant(one.last_at).getTime() - instant(one.opened_at).getTime()) / 1000;
    const shown = this.allSeries ? one.touched : one.touched.slice(0, SERIES_SHOWN);
    return html`<div class="screen">
      <header class="incident-head">
        <div class="row">
          ${severity(one.severity)} ${stateBadge(one.state)} ${one.feedback ? verdictBadge(one.feedback) : nothing}
          <span class="soft">in ${linked(workloadLink(one.workload), one.workload)}</span>
        </div>
        <h1>${titleOf(one)}</h1>
        <dl class="facts">
          ${fact("began", time(one.opened_at))} ${fact(one.state === "closed" ? "ended" : "last anomaly ended", time(one.last_at))}
          ${fact(one.state === "closed" ? "lasted" : "lasts", duration(seconds))}
          ${fact("series", count(one.touched.length + (one.left_out["touched"] ?? 0)))} ${fact("looked after by", one.assigned_to)}
          ${one.snoozed_until && instant(one.snoozed_until) > new Date() ? fact("snoozed until", time(one.snoozed_until)) : nothing}
        </dl>
        ${this.#actions(one)}
      </header>
      <div class="incident-columns">
        <div class="screen">
          <section class="sheet" aria-labelledby="series-title">
            <div class="sheet-head">
              <h2 id="series-title">Series it touches</h2>
              <a
                href=${seriesLink(
                  one.workload,
                  one.touched.slice(0, 4).map((part) => part.series),
                  ...around(one),
                )}
                >Open in the explorer</a
              >
            </div>
            <div class="sheet-body screen">
              ${repeat(
                shown,
                (part) => part.series,
                (part) => html`<wk-touched-series .incident=${one} .touched=${part}></wk-touched-series>`,
              )}
              ${one.touched.length > shown.length
                ? html`<button class="button" @click=${() => (this.allSeries = true)}>Show ${counted(one.touched.length - shown.length, "more series", "more series")}</button>`
                : nothing}
              ${one.left_out["touched"] ? html`<p class="soft small">${count(one.left_out["touched"])} more series are not listed here.</p>` : nothing}
            </div>
          </section>
        </div>
        <div class="screen">
          ${this.#feedback(one)} ${causes(one)}
          <section class="sheet" aria-labelledby="timeline-title">
            <div class="sheet-head"><h2 id="timeline-title">Timeline</h2></div>
            ${timeline(one)}
          </section>
          ${judgedBy(one)}
        </div>
      </div>
    </div>`;
  }

  #actions(one: Incident): unknown {
    if (!may("operator")) return nothing;
    const turn = (what: "assign" | "snooze") => () => (this.doing = this.doing === what ? null : what);
    return html`<div class="row">
        ${one.state === "open"
          ? html`<button class="button button-main" ?disabled=${this.#acting.busy} @click=${() => void this.#act("Acknowledged.", (one) => api().post(`${INCIDENT}/acknowledge`, { ...one, body: {} }))}>
              ${icon("check")} Acknowledge
            </button>`
          : nothing}
        <button class="button" aria-expanded=${this.doing === "assign" ? "true" : "false"} @click=${turn("assign")}>${icon("user")} Assign</button>
        ${one.state === "closed" ? nothing : html`<button class="button" aria-expanded=${this.doing === "snooze" ? "true" : "false"} @click=${turn("snooze")}>${icon("snooze")} Snooze</button>`}
      </div>
      ${this.doing === "assign" ? this.#assign(one) : this.doing === "snooze" ? this.#snooze() : nothing} ${this.#acting.outcome()}`;
  }

  #assign(one: Incident): TemplateResult {
    const submit = (event: SubmitEvent) => {
      event.preventDefault();
      const to = String(new FormData(event.target as HTMLFormElement).get("to") ?? "").trim();
      if (to) void this.#act(`${to} looks after it.`, (one) => api().post(`${INCIDENT}/assign`, { ...one, body: { to } }));
    };
    return html`<form class="row doing" @submit=${submit}>
      <label class="field"><span>Who looks after it</span><input name="to" required maxlength="128" autocomplete="off" .value=${one.assigned_to ?? ""} /></label>
      <button class="button button-main" ?disabled=${this.#acting.busy}>Assign</button>
    </form>`;
  }

  #snooze(): TemplateResult {
    return html`<fieldset class="field doing">
      <legend>Say nothing of it for</legend>
      <span class="choices">
        ${SNOOZES.map(
          ([seconds, words]) => html`<button class="button" ?disabled=${this.#acting.busy} @click=${() => void this.#act(`Nothing is said of it for ${words}.`, (one) => api().post(`${INCIDENT}/snooze`, { ...one, body: { for_seconds: seconds } }))}>${words}</button>`,
        )}
      </span>
    </fieldset>`;
  }

  #feedback(one: Incident): TemplateResult {
    const given = VERDICTS.find(([name]) => name === one.feedback);
    const moved = Object.entries(one.thresholds).flatMap(([series, { above, below }]) => [
      ...(above !== 70 ? [{ series, words: `${value(above)} where it is high` }] : []),
      ...(below !== 70 ? [{ series, words: `${value(below)} where it is low` }] : []),
    ]);
    const say = (verdict: Feedback, words: string) => () => {
      const field = this.querySelector<HTMLTextAreaElement>("#feedback-note");
      const note = field?.value.trim() || undefined;
      void this.#act(`Kept: ${words.toLowerCase()}.`, (one) => api().post(`${INCIDENT}/feedback`, { ...one, body: { verdict, ...(note ? { note } : {}) } }));
      if (field) field.value = "";
    };
    return html`<section class="sheet" aria-labelledby="feedback-title">
      <div class="sheet-head"><h2 id="feedback-title">What was it?</h2></div>
      <div class="sheet-body feedback">
        ${may("operator")
          ? html`<div class="verdicts" role="group" aria-labelledby="feedback-title">
                ${VERDICTS.map(
                  ([name, words, meaning]) => html`<button class="button verdict" aria-pressed=${one.feedback === name ? "true" : "false"} ?disabled=${this.#acting.busy} @click=${say(name, words)}>
                    <b>${words}</b><span class="small">${meaning}</span>
                  </button>`,
                )}
              </div>
              <label class="field"><span>Note, for others (optional; write it first)</span><textarea id="feedback-note" rows="2" maxlength="1000"></textarea></label>
              ${given ? html`<p><button class="button button-small" ?disabled=${this.#acting.busy} @click=${() => void this.#act("Taken back.", (one) => api().delete(`${INCIDENT}/feedback`, one))}>${icon("undo")} Take back “${given[1].toLowerCase()}”</button></p>` : nothing}`
          : html`<p>${given ? html`<b>${given[1]}.</b> ${given[2]}` : html`<span class="soft">Nobody has said yet.</span>`}</p>`}
        ${moved.length
          ? html`<div><p class="small soft">Moved by feedback: from which severity these count as anomalies (70 without)</p>
              <ul class="plain small">${moved.map((one) => html`<li>${seriesName(one.series)}: ${one.words}</li>`)}</ul></div>`
          : html`<p class="small soft">What is said moves the severity from which these series count as anomalies: it is 70 for each of them now.</p>`}
      </div>
    </section>`;
  }
}

/** The incident with as much again before and after it. */
function around(one: Incident): [Date, Date] {
  const [from, to] = [instant(one.opened_at).getTime(), instant(one.last_at).getTime()];
  const margin = Math.max(to - from, 24_000 * one.interval_seconds);
  return [new Date(from - margin), new Date(to + margin)];
}

function causes(one: Incident): unknown {
  const found = one.causes;
  if (!found) return nothing;
  const [first, ...others] = found.places;
  const part = (share: Share) => ({
    name: share.name || `${counted(share.values, "other")}`,
    share: share.share,
    note: share.touched ? `${share.touched}${share.series === null ? "" : ` of ${share.series}`} series` : nothing,
  });
  return html`<section class="sheet" aria-labelledby="causes-title">
    <div class="sheet-head"><h2 id="causes-title">Where, and of what</h2></div>
    <div class="sheet-body screen">
      ${first
        ? html`<div>
            <p><b>${placeWords(first)}</b></p>
            <p class="small soft">It has ${percent(first.share)} of the deviation; ${first.touched}${first.series === null ? "" : ` of ${first.series}`} series there are in it.</p>
            ${others.length
              ? html`<p class="small soft">Less likely: ${others.map((each, index) => html`${index ? "; " : ""}${placeWords(each)} (${percent(each.share)})`)}.</p>`
              : nothing}
          </div>`
        : nothing}
      ${Object.entries(found.dimensions).map(([name, shares]) => html`<div><h3>By ${name}</h3>${bars(shares.map(part))}</div>`)}
      <div><h3>By measure</h3>${bars(found.measures.map(part))}</div>
      <div>
        <h3>By what is unusual</h3>
        ${bars(found.features.slice(0, 6).map((share) => ({ name: share.name ? featureWords(share.name, one.interval_seconds) : "all others", share: share.share })))}
      </div>
      ${found.relations.length
        ? html`<div>
            <h3>What moved before</h3>
            <ul class="plain small">${found.relations.map((relation) => html`<li>${relationWords(relation)}</li>`)}</ul>
            <p class="small soft">As it was in the history. It does not say that one causes the other.</p>
          </div>`
        : nothing}
      ${found.untouched.length
        ? html`<div>
            <h3>As usual meanwhile</h3>
            <ul class="plain small">${found.untouched.slice(0, 6).map((series) => html`<li>${seriesName(series)}</li>`)}</ul>
            ${(found.n_untouched ?? found.untouched.length) > 6 ? html`<p class="small soft">and ${count((found.n_untouched ?? found.untouched.length) - 6)} more</p>` : nothing}
          </div>`
        : nothing}
    </div>
  </section>`;
}

function placeWords(place: { dimensions: Record<string, string[]>; measures: string[] }): string {
  const where = Object.entries(place.dimensions).map(([name, values]) => `${name} ${values.join(", ")}`);
  return `${place.measures.join(", ")} ${where.length ? `at ${where.join(" and ")}` : "everywhere"}`;
}

const ENTRIES: Record<TimelineEntry["what"], [IconName, string]> = {
  opened: ["incident", "Opened"],
  escalated: ["up", "More severe"],
  joined: ["plus", "Another incident joined"],
  closed: ["check", "Over"],
  reopened: ["incident", "Opened again"],
  acknowledged: ["check", "Acknowledged"],
  assigned: ["user", "Assigned"],
  snoozed: ["snooze", "Snoozed"],
  feedback: ["tag", "Feedback"],
  note: ["tag", "Note"],
};

/** Entries whose severity says something new. */
const SEVERE = new Set<TimelineEntry["what"]>(["opened", "escalated", "joined", "reopened"]);

function timeline(one: Incident): TemplateResult {
  return html`<ol class="timeline">
    ${[...one.timeline].reverse().map((entry) => {
      const [sign, words] = ENTRIES[entry.what] ?? ["calm", entry.what];
      return html`<li>
        ${icon(sign)}
        <div>
          <p><b>${words}</b>${entry.severity === null || !SEVERE.has(entry.what) ? nothing : html` at ${severity(entry.severity)}`}${entry.who ? html` <span class="soft">by ${entry.who}</span>` : nothing}</p>
          ${entry.note ? html`<p class="small">${entry.note}</p>` : nothing}
          <p class="small soft">${time(entry.at)}</p>
        </div>
      </li>`;
    })}
  </ol>`;
}

function judgedBy(one: Incident): unknown {
  const { release } = one;
  return html`<section class="sheet" aria-labelledby="release-title">
    <div class="sheet-head"><h2 id="release-title">Who judged</h2>${release?.live ? badge("live", "good") : nothing}</div>
    <div class="sheet-body">
      ${release
        ? html`<p>The model of run ${linked(runLink(one.workload, release.run_id), release.run_id)}${release.published_at ? html`, released ${time(release.published_at)}` : nothing}.</p>`
        : html`<p class="soft">No model is known of it.</p>`}
      <p class="small soft">${span(one.opened_at, one.last_at)}, ${zoneName()}. Incident <code>${one.incident_id}</code>${one.former_ids.length ? `; earlier ids ${one.former_ids.join(", ")}` : ""}.</p>
    </div>
  </section>`;
}
