/** How it goes: what is open, each workload's health, and what happens while somebody looks. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";

import type { IncidentLine, Listing, LiveEvent, Workload } from "../api/shapes";
import { incidentLink, incidentsLink, linked, logLink, modelLink, runLink, seriesLink, transactionLink, workloadLink } from "../app/links";
import { count, counted, value } from "../app/numbers";
import { api, live } from "../app/session";
import { Watching } from "../app/signal";
import { bar } from "../parts/bar";
import { empty, Loading } from "../parts/loading";
import { Screen } from "../parts/screen";
import { badge, fact, healthBadge, seriesName, severity, stateBadge, time, titleOf } from "../parts/words";
import { byUrgency, sentences } from "../parts/workload_words";

const OPEN_SHOWN = 6;
const FEED_SHOWN = 40;

@customElement("wk-overview")
export class OverviewScreen extends Screen {
  #workloads = new Loading<Listing<Workload>>(this);
  #open = new Loading<IncidentLine[]>(this);
  /** What the feed begins with: the page hears only what happens from now on. */
  #before = new Loading<LiveEvent[]>(this);

  constructor() {
    super();
    new Watching(this, [live.recent]);
  }

  protected override moved(): void {
    void this.#workloads.load((signal) => api().get("/watch/workloads", { signal }));
    void this.#open.load(async (signal) => {
      const states = ["open", "acknowledged"] as const;
      const found = await Promise.all(
        states.map((state) => api().get("/watch/incidents", { query: { state, limit: 50 }, signal })),
      );
      return found.flatMap((list) => list.items).sort((one, other) => other.severity - one.severity);
    });
    if (!this.#before.value) void this.#before.load((signal) => this.#askBefore(signal));
  }

  async #askBefore(signal: AbortSignal): Promise<LiveEvent[]> {
    const found = await api().get("/watch/incidents", { query: { state: "any", limit: FEED_SHOWN }, signal });
    return found.items.map((one) => ({ id: `${one.incident_id}:0`, at: one.last_at, kind: "incident", workload: one.workload, detail: { ...one } }));
  }

  protected override happened(event: LiveEvent): void {
    if (event.kind === "incident") this.#open.soon();
    if (event.kind !== "decision") this.#workloads.soon(2000);
  }

  protected override render(): TemplateResult {
    return html`<div class="screen overview">
      <div class="head">
        <div>
          <h1>Overview</h1>
          <p class="soft">${this.#summary()}</p>
        </div>
      </div>
      <div class="overview-columns">
        <div class="screen">
          <section class="sheet" aria-labelledby="open-title">
            <div class="sheet-head">
              <h2 id="open-title">Open incidents</h2>
              <a href=${incidentsLink({ state: "open" })}>All incidents</a>
            </div>
            ${this.#open.render((found) => openList(found), {
              isEmpty: (found) => found.length === 0,
              empty: () => empty("All is calm", "No incident is open."),
              rows: 3,
            })}
          </section>
          <section aria-labelledby="workloads-title">
            <h2 id="workloads-title" class="section-title">Workloads</h2>
            ${this.#workloads.render((found) => workloadCards(found.items), {
              isEmpty: (found) => found.items.length === 0,
              empty: () => empty("No workload is deployed", "`watchkeeper init` writes the file of one, `watchkeeper deploy` makes it run.", "workload"),
            })}
          </section>
        </div>
        <section class="sheet feed" aria-labelledby="feed-title">
          <div class="sheet-head"><h2 id="feed-title">As it happens</h2></div>
          ${this.#before.render((before) => feed([...live.recent.value, ...before]), { rows: 8 })}
        </section>
      </div>
    </div>`;
  }

  #summary(): unknown {
    const workloads = this.#workloads.value?.items;
    const open = this.#open.value;
    if (!workloads || !open) return html`&nbsp;`;
    const silent = workloads.filter((one) => one.health === "silent").length;
    const words = [open.length ? `${counted(open.length, "incident is", "incidents are")} open` : "no incident is open"];
    if (silent) words.push(`${counted(silent, "workload says", "workloads say")} nothing`);
    return `Of ${counted(workloads.length, "workload")}, ${words.join(" and ")}.`;
  }
}

function openList(found: readonly IncidentLine[]): TemplateResult {
  return html`<ul class="lines">
      ${repeat(
        found.slice(0, OPEN_SHOWN),
        (one) => one.incident_id,
        (one) => html`<li class="line">
          ${severity(one.severity)}
          <span class="line-main">
            <a class="row-link" href=${incidentLink(one.incident_id)}>${titleOf(one)}</a>
            <span class="soft small">${one.workload} · ${counted(one.series_count, "series", "series")} · since ${time(one.opened_at)}${one.assigned_to ? ` · ${one.assigned_to}` : ""}
              ${one.state === "open" ? nothing : stateBadge(one.state)}</span>
          </span>
        </li>`,
      )}
    </ul>
    ${found.length > OPEN_SHOWN ? html`<p class="more"><a href=${incidentsLink({ state: "open" })}>${found.length - OPEN_SHOWN} more</a></p>` : nothing}`;
}

function workloadCards(workloads: readonly Workload[]): TemplateResult {
  const sorted = [...workloads].sort(byUrgency);
  return html`<div class="cards">${repeat(sorted, (one) => one.workload, workloadCard)}</div>`;
}

function workloadCard(one: Workload): TemplateResult {
  return html`<article class="sheet workload-card">
    <div class="head">
      <h3>${linked(workloadLink(one.workload), one.workload)}</h3>
      ${healthBadge(one.health)}
    </div>
    <p class="soft small">${one.description}</p>
    ${one.why.length && one.health !== "ok" ? html`<p class="small why why-${one.health}">${sentences(one.why)}</p>` : nothing}
    <dl class="facts">
      ${fact(
        "open incidents",
        one.open_incidents ? html`<a href=${incidentsLink({ workload: one.workload, state: "open" })}>${one.open_incidents}</a>` : "none",
      )}
      ${one.interval_seconds === null
        ? nothing
        : fact("last interval ended", one.last_interval_at ? time(one.last_interval_at, { ago: true }) : html`<span class="faint">none yet</span>`)}
      ${fact("records, 24 h", one.records_24h === null ? null : count(one.records_24h))}
      ${one.kind === "anomaly" && one.series
        ? fact("series", html`<a href=${seriesLink(one.workload, [])}>${count(one.series)}</a>`)
        : nothing}
      ${fact("model since", one.live_release ? linked(runLink(one.workload, one.live_release.run_id), time(one.live_release.published_at)) : html`<span class="faint">none yet</span>`)}
    </dl>
    ${budget(one)}
  </article>`;
}

/** Alerts of the week, of those that the gate allows. */
function budget(one: Workload): unknown {
  if (!one.live_release) return nothing;
  if (one.alert_budget_7d === null) return html`<p class="small soft">${counted(one.alerts_7d, "alert")} in the last 7 days</p>`;
  const over = one.alerts_7d > one.alert_budget_7d;
  return html`<div class="budget">
    <p class="small">
      <b>${one.alerts_7d}</b> <span class="soft">of ${value(one.alert_budget_7d)} alerts this week</span>
      ${over ? badge("over budget", "warn") : nothing}
    </p>
    ${bar(one.alerts_7d / Math.max(1, one.alert_budget_7d), { over })}
  </div>`;
}

/** An incident is one line, whatever happened to it since. */
function newestOfEach(events: readonly LiveEvent[]): LiveEvent[] {
  const seen = new Set<string>();
  return events.filter((event) => {
    const key = event.kind === "incident" ? String(event.detail["incident_id"]) : event.id;
    return seen.has(key) ? false : seen.add(key);
  });
}

function feed(events: readonly LiveEvent[]): TemplateResult {
  if (!events.length) return empty("Nothing yet", "What happens is told here as it happens.", "bell");
  return html`<ol class="lines feed-lines" tabindex="0" aria-labelledby="feed-title">
    ${repeat(newestOfEach(events).slice(0, FEED_SHOWN), (event) => event.id, feedLine)}
  </ol>`;
}

function feedLine(event: LiveEvent): TemplateResult {
  const { mark, words, note } = feedWords(event);
  return html`<li class="line">
    ${mark}
    <span class="line-main">
      <span class="feed-title">${words}</span>
      <span class="soft small">${[event.workload, note].filter(Boolean).join(" · ")} · ${time(event.at, { ago: true })}</span>
    </span>
  </li>`;
}

const STATE_WORDS: Partial<Record<string, string>> = { closed: "over", acknowledged: "acknowledged" };

/** What an event is in the feed: a sign, what it is about, and how that is now. */
function feedWords({ kind, workload, detail }: LiveEvent): { mark: unknown; words: unknown; note?: string | undefined } {
  switch (kind) {
    case "incident": {
      const one = detail as unknown as IncidentLine;
      const link = html`<a class="row-link" href=${incidentLink(one.incident_id)}>${titleOf(one)}</a>`;
      return { mark: severity(one.severity), words: link, note: one.merged_into ? "in another incident now" : STATE_WORDS[one.state] };
    }
    case "decision":
      return { mark: badge("fraud", "bad"), words: html`<a class="row-link" href=${transactionLink(workload, String(detail["id"]))}>transaction ${String(detail["id"])}</a>, ${value(Number(detail["amount"]))}` };
    case "run":
      return {
        mark: badge("training", "info"),
        words: linked(runLink(workload, String(detail["run_id"])), String(detail["run_id"])),
        note: String(detail["status"]),
      };
    case "release":
      return {
        mark: badge("release", "good"),
        words: linked(runLink(workload, String(detail["run_id"])), String(detail["run_id"])),
        note: detail["what"] === "rolled_back" ? "judges again" : "is live",
      };
    case "model":
      return {
        mark: badge("model", detail["approval"] === "approved" ? "good" : "warn"),
        words: html`<a class="row-link" href=${modelLink(workload, Number(detail["version"]))}>version ${String(detail["version"])}</a>`,
        note: `${String(detail["approval"])} by ${String(detail["who"])}`,
      };
    case "pause": {
      const ended = detail["resumed_by"];
      return {
        mark: badge(ended ? "resumed" : "paused", ended ? "good" : "warn"),
        words: detail["series"] ? seriesName(String(detail["series"])) : linked(workloadLink(workload), "the whole workload"),
        note: `by ${String(ended ?? detail["who"])}`,
      };
    }
    case "telemetry":
      return { mark: badge("telemetry", "warn"), words: html`<a class="row-link" href=${logLink(workload)}>${String(detail["says"] ?? "how it comes has changed")}</a>` };
    case "label":
      return {
        mark: badge("label", "info"),
        words: html`<a class="row-link" href=${seriesLink(workload, [String(detail["series"])], String(detail["start"]), String(detail["end"]))}>${seriesName(String(detail["series"]))}</a>`,
        note: `${String(detail["what"])} by ${String(detail["who"])}`,
      };
    default:
      return { mark: badge(kind), words: workload };
  }
}
