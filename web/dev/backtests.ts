/** Invented backtests of a workload: one that is asked for is done after it was looked at a few times. */

import type { Backtest, BacktestDetail, BacktestResult, Setting } from "../src/api/shapes";
import { chance, iso } from "./world.ts";

const DAY = 86_400;
const PLACES = ["no2 of unusual level at B-101", "so2 of unusual level at B-104", "co at LOCATION_ID D-220", "3 measures at B-207"];
const FATES = ["same", "same", "goes", "appears", "changed", "goes", "same", "goes"] as const;

function setting(key: string, about: string, name: string, description: string, more: Partial<Setting> = {}): Setting {
  return { key, about, name, description, kind: "number", value: null, optional: true, choices: [], at_least: null, at_most: null, with_rule: null, ...more };
}

const RULE = { about: "threshold" };
export const SETTINGS: readonly Setting[] = [
  setting("threshold.rule", RULE.about, "rule", "How the threshold is fitted.", { kind: "choice", value: "rarity", optional: false, choices: ["mean_sigma", "rarity", "alert_budget"] }),
  setting("threshold.k", RULE.about, "k", "Standard deviations above the mean.", { value: 3, at_least: 0, at_most: 20, with_rule: "mean_sigma" }),
  setting("threshold.rarity", RULE.about, "rarity", "-log10 of the share of usual intervals that are anomalies: 3.75 is one in 5,600.", { value: 3.75, at_least: 0, at_most: 9.9, with_rule: "rarity" }),
  setting("threshold.per_week", RULE.about, "per_week", "Alerts of a week, of all series together.", { optional: false, at_least: 0, at_most: 10_000, with_rule: "alert_budget" }),
  ...["co", "no2"].flatMap((measure, at) => [
    setting(`measures[${at}].direction`, measure, "direction", "On which side of the expected value an anomaly may be; on the other side there is none.", { kind: "choice", value: "both", choices: ["above", "below", "both"] }),
    setting(`measures[${at}].ignore_below.absolute`, measure, "ignore_below.absolute", "In the measure's unit.", { value: 0, at_least: 0 }),
    setting(`measures[${at}].allowed.upper`, measure, "allowed.upper", "A value above it is an anomaly; without it, none is too high."),
  ]),
  setting("incidents.gap", "incidents", "gap", "How much quiet may lie between two anomalies of one incident; without it, three intervals.", { kind: "duration" }),
  setting("incidents.together_at_least", "incidents", "together_at_least", "So many series that are anomalous within a gap are one incident.", { kind: "whole", value: 3, at_least: 2, at_most: 1000 }),
  setting("alerts.throttle", "alerts", "throttle", "After an alert, how long the same series raises no other one on that route.", { kind: "duration", value: "2h" }),
  setting("alerts.routes[0].severity_at_least", "route operators", "severity_at_least", "From 0 to 100; without it, the threshold's.", { value: 70, at_least: 0, at_most: 100 }),
];

export class Backtests {
  readonly #kept: BacktestDetail[] = [];
  readonly #looked = new Map<string, number>();

  constructor(
    private readonly now: number,
    private readonly workload: string,
    text: string,
  ) {
    this.ask(text, 30, now - 2 * DAY, ["threshold.rarity"]);
    Object.assign(this.#kept[0]!, { status: "failed", why: `the model that judges was trained before the deployed file changed which intervals there are: train ${workload}, and backtest then` });
    this.ask(text.replace("interval", "threshold: {rule: rarity, rarity: 4.5}\ninterval"), 14, now - 3600, ["threshold.rarity", "alerts.throttle"]);
    this.#finish(this.#kept[0]!);
    this.ask(text, 30, now - 20, ["measures[no2]"]);
    this.#looked.set(this.#kept[0]!.backtest_id, -1_000);
    Object.assign(this.#kept[0]!, { status: "running", stage: "judging" });
  }

  list(): { items: Backtest[]; next: null } {
    return { items: this.#kept.map(({ backtest_id, who, asked_at, days, status, stage, since, why, changes }) => ({ backtest_id, who, asked_at, days, status, stage, since, why, changes })), next: null };
  }

  ask(text: string, days: number, at = this.now, changes = ["threshold.rarity"]): BacktestDetail {
    const id = `${iso(at).replaceAll(/\D/g, "").slice(0, 14)}-${(0xabc0 + this.#kept.length).toString(16).padStart(6, "0")}`;
    const one: BacktestDetail = { backtest_id: id, who: "ann", asked_at: iso(at), days, status: "waiting", stage: null, since: iso(at), why: null, changes, workload: this.workload, text, result: null };
    this.#kept.unshift(one);
    return one;
  }

  one(id: string): BacktestDetail | undefined {
    const found = this.#kept.find((each) => each.backtest_id === id);
    if (!found || (found.status !== "waiting" && found.status !== "running")) return found;
    const looked = (this.#looked.get(id) ?? 0) + 1;
    this.#looked.set(id, looked);
    if (looked >= 3) this.#finish(found);
    else if (looked > 0) Object.assign(found, { status: "running", stage: looked === 1 ? "reading" : "judging" });
    return found;
  }

  #finish(one: BacktestDetail): void {
    Object.assign(one, { status: "succeeded", stage: null, result: this.#result(one.days) });
  }

  #result(days: number): BacktestResult {
    const [end, start] = [this.now - 600, this.now - 600 - days * DAY];
    const marks: BacktestResult["marks"] = { before: [], after: [] };
    const told = { changed: [] as BacktestResult["incidents"]["changed"], appear: [] as BacktestResult["incidents"]["appear"], go: [] as BacktestResult["incidents"]["go"] };
    for (let at = 0; at < 24; at++) {
      const fate = FATES[at % FATES.length]!;
      const opened = Math.floor(start + ((at + chance("when", at)) * days * DAY) / 25);
      const severity = 70 + Math.round(28 * chance("how", at));
      const mark = { opened, last: opened + 300 * (1 + (at % 40)), severity, fate };
      const incident = { incident_id: `backtest-${at}`, title: PLACES[at % PLACES.length]!, opened_at: iso(opened), last_at: iso(mark.last), severity, series: 1 + (at % 3) };
      if (fate !== "appears") marks.before.push(mark);
      if (fate !== "goes") marks.after.push({ ...mark, severity: fate === "changed" ? Math.min(100, severity + 6) : severity });
      if (fate === "appears") told.appear.push(incident);
      if (fate === "goes") told.go.push(incident);
      if (fate === "changed") told.changed.push({ before: [incident], after: [{ ...incident, severity: Math.min(100, severity + 6) }] });
    }
    const weeks = days / 7;
    const figures = (side: "before" | "after", precision: number, recall: number) => {
      const [incidents, alerts] = [marks[side].length, Math.round(marks[side].length * 0.8)];
      return { anomalies: incidents * 3, incidents, alerts, anomalies_a_week: (incidents * 3) / weeks, incidents_a_week: incidents / weeks, alerts_a_week: alerts / weeks, precision, recall, windows: 5, windows_found: Math.round(recall * 5) };
    };
    return {
      judged: { start: iso(start), end: iso(end), weeks },
      series: 18,
      intervals: 18 * 288 * days,
      changes: [
        { key: "threshold.rarity", before: "3.75", after: "4.5" },
        { key: "alerts.throttle_seconds", before: "7200", after: "3600" },
      ],
      before: figures("before", 0.42, 1),
      after: figures("after", 0.71, 0.8),
      incidents: { same: marks.before.filter((one) => one.fate === "same").length, counts: { changed: told.changed.length, appear: told.appear.length, go: told.go.length }, ...told },
      marks,
      windows: marks.before.filter((one, at) => one.fate === "same" && at % 2 === 0).map((one) => [one.opened - 1800, one.last + 1800]),
      max_alerts_per_week: 7,
      notes: [],
    };
  }
}
