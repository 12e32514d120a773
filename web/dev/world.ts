/** An invented plant: workloads, series as functions of time, and incidents where these are off. */

import type {
  Feedback,
  Incident,
  IncidentLine,
  Points,
  SeriesLine,
  Share,
  Touched,
  Workload,
  WorkloadDetail,
} from "../src/api/shapes";

const DAY = 86_400;
/** The run of the model in service. */
export const LIVE_RUN = "20261128061524-dfd665";

/** A number from 0 to 1 that depends on its arguments only. */
export function chance(...parts: (string | number)[]): number {
  let hash = 2_166_136_261;
  for (const char of parts.join("|")) hash = Math.imul(hash ^ char.charCodeAt(0), 16_777_619);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 2_246_822_507);
  hash ^= hash >>> 13;
  return (hash >>> 0) / 4_294_967_296;
}

interface Fault {
  workload: string;
  series: string[];
  from: number;
  to: number;
  /** How many half widths of the band it is off. */
  off: number;
  kind: "spike" | "drift" | "silence";
}

interface Kind {
  middle: number;
  swing: number;
  band: number;
}

const MEASURES: Record<string, Kind> = {
  co: { middle: 2.1, swing: 0.8, band: 1.1 },
  no2: { middle: 58, swing: 16, band: 13 },
  so2: { middle: 64, swing: 6, band: 14 },
  flow: { middle: 240, swing: 90, band: 45 },
  temperature: { middle: 86, swing: 4, band: 6 },
};
const STATIONS = ["B-101", "B-102", "C-007", "D-220"];

export class World {
  readonly faults: Fault[] = [];
  readonly incidents: Incident[] = [];
  readonly started: number;

  constructor(readonly now: number) {
    const grid = (seconds: number) => Math.floor((now - seconds) / 300) * 300;
    this.started = grid(400 * DAY);
    const air = (measure: string, station: string) => `${measure}|LOCATION_ID=${station}`;
    this.faults.push(
      { workload: "air_quality", series: [air("no2", "B-101"), air("so2", "B-101"), air("co", "B-101")], from: grid(5400), to: grid(600), off: 3.1, kind: "drift" },
      { workload: "water_flow", series: ["flow"], from: grid(4 * 3600), to: grid(3 * 3600), off: -1.6, kind: "spike" },
      { workload: "air_quality", series: STATIONS.map((station) => air("so2", station)), from: grid(1.2 * DAY), to: grid(1.1 * DAY), off: 1.8, kind: "spike" },
      { workload: "machine_temperature", series: ["temperature"], from: grid(2.5 * DAY), to: grid(2.3 * DAY), off: 1.4, kind: "drift" },
    );
    for (let number = 0; number < 44; number++) {
      const from = grid((3 + number * 1.7 + chance("gap", number)) * DAY);
      const workload = ["air_quality", "air_quality", "water_flow", "machine_temperature"][number % 4]!;
      const measure = ["co", "no2", "so2"][number % 3]!;
      const series = workload === "air_quality" ? [air(measure, STATIONS[number % 4]!)] : [workload === "water_flow" ? "flow" : "temperature"];
      this.faults.push({ workload, series, from, to: from + 300 * (1 + Math.floor(20 * chance("long", number))), off: (chance("side", number) < 0.4 ? -1 : 1) * (1.05 + chance("off", number)), kind: number % 11 === 0 ? "silence" : "spike" });
    }
    this.incidents.push(...this.faults.map((fault, index) => this.#incident(fault, index)));
  }

  seriesOf(workload: string): string[] {
    switch (workload) {
      case "air_quality":
        return ["co", "no2", "so2"].flatMap((measure) => STATIONS.map((station) => `${measure}|LOCATION_ID=${station}`));
      case "water_flow":
        return ["flow"];
      case "machine_temperature":
        return ["temperature"];
      default:
        return [];
    }
  }

  value(workload: string, series: string, at: number): { value: number | null; expected: number; half: number; off: number } {
    const kind = MEASURES[series.split("|")[0]!]!;
    const shift = chance(series) * 2;
    const expected = kind.middle + kind.swing * Math.sin((2 * Math.PI * at) / DAY + shift) + 0.3 * kind.swing * Math.sin((2 * Math.PI * at) / (7 * DAY));
    const half = kind.band / 2;
    const noise = chance(series, at, 1) + chance(series, at, 2) + chance(series, at, 3) - 1.5;
    let off = 0;
    for (const fault of this.faults) {
      if (fault.workload !== workload || at < fault.from || at >= fault.to || !fault.series.includes(series)) continue;
      if (fault.kind === "silence") return { value: null, expected, half, off: 2 };
      const along = (at - fault.from) / Math.max(300, fault.to - fault.from);
      const share = fault.series.indexOf(series) === 0 ? 1 : 0.75;
      off = fault.off * share * (fault.kind === "drift" ? 0.6 + 0.4 * along : 1);
    }
    // now and then nothing comes, as of any sensor
    if (chance(series, Math.floor(at / 3600)) < 0.004) return { value: null, expected, half, off: 0 };
    return { value: expected + half * (0.55 * noise + off * 1.3), expected, half, off };
  }

  points(workload: string, series: string, from: number, to: number, most: number): Points {
    const interval = 300;
    const until = Math.min(to, Math.floor(this.now / interval) * interval);
    const start = Math.max(this.started, Math.ceil(from / interval) * interval);
    const found: Points = { series, start: [], value: [], expected: [], lower: [], upper: [], score: [], threshold: [], severity: [], anomalous: [], interval_seconds: interval, complete: true, next: null };
    const round = (number: number) => Number(number.toPrecision(6));
    for (let at = start; at < until; at += interval) {
      if (found.start.length === most) {
        found.complete = false;
        found.next = String(at);
        break;
      }
      const { value, expected, half, off } = this.value(workload, series, at);
      const deviation = value === null ? null : Math.abs(value - expected) / half;
      const score = deviation === null ? null : 0.1 + 0.22 * deviation + 0.05 * chance(series, at, 4);
      found.start.push(at);
      found.value.push(value === null ? null : round(value));
      found.expected.push(round(expected));
      found.lower.push(round(expected - half));
      found.upper.push(round(expected + half));
      found.score.push(score === null ? null : round(score));
      found.threshold.push(0.375);
      found.severity.push(score === null ? null : Math.min(100, Math.round(score <= 0.375 ? (70 * score) / 0.375 : 70 + 30 * (1 - Math.exp(-(score - 0.375) / 0.18)))));
      found.anomalous.push((score ?? 0) > 0.375 && off !== 0);
    }
    return found;
  }

  seriesLines(workload: string): SeriesLine[] {
    const last = Math.floor(this.now / 300) * 300 - 300;
    return this.seriesOf(workload).map((series) => {
      const { value, off } = this.value(workload, series, last);
      const [measure, where] = series.split("|");
      return {
        series,
        measure: measure!,
        dimensions: (where ? { LOCATION_ID: where.split("=")[1]! } : {}) as Record<string, string>,
        last_value: value === null ? null : Number(value.toPrecision(5)),
        last_at: iso(last),
        health: value === null ? "silent" : off ? "anomalous" : "usual",
        muted: false,
      };
    });
  }

  workloads(): Workload[] {
    const open = (name: string) => this.incidents.filter((one) => one.workload === name && one.state !== "closed").length;
    const week = (name: string) => this.incidents.filter((one) => one.workload === name && one.opened_at > iso(this.now - 7 * DAY)).length;
    const of = (workload: string, description: string, rest: Partial<Workload>): Workload => ({
      workload,
      kind: "anomaly",
      description,
      health: open(workload) ? "attention" : "ok",
      why: open(workload) ? [`${open(workload)} incident${open(workload) > 1 ? "s" : ""} open`] : [],
      series: this.seriesOf(workload).length,
      last_interval_at: iso(Math.floor(this.now / 300) * 300),
      lag_seconds: 8.3,
      interval_seconds: 300,
      time_zone: "Europe/Berlin",
      live_release: { run_id: LIVE_RUN, published_at: iso(this.now - 2.2 * DAY), detector: "watchkeeper" },
      open_incidents: open(workload),
      alerts_7d: week(workload),
      alert_budget_7d: 7,
      records_24h: 288 * this.seriesOf(workload).length,
      pauses: [],
      ...rest,
    });
    return [
      of("air_quality", "CO, SO2 and NO2 of measuring stations every 5 minutes.", { alerts_7d: 6 }),
      of("card_fraud", "Card transactions on a graph of cards, devices and addresses.", { kind: "fraud", health: "ok", why: [], series: 0, interval_seconds: null, last_interval_at: null, lag_seconds: null, alerts_7d: 31, alert_budget_7d: null, records_24h: 48_211, open_incidents: 0 }),
      of("machine_temperature", "Temperature of a machine that failed twice.", { health: "silent", why: ["no telemetry for 42 minutes, 15 are allowed"], last_interval_at: iso(this.now - 2520), lag_seconds: 2520 }),
      of("stock_volume", "Volume of a share, every 5 minutes while the exchange is open.", { health: "untrained", why: ["no model is live"], live_release: null, last_interval_at: null, lag_seconds: null, alerts_7d: 0, records_24h: null, series: 0 }),
      of("water_flow", "Flow of a district of a water network.", { alerts_7d: 9 }),
    ];
  }

  workload(name: string): WorkloadDetail | null {
    const found = this.workloads().find((one) => one.workload === name);
    if (!found) return null;
    const measures = [...new Set(this.seriesOf(name).map((series) => series.split("|")[0]!))];
    return {
      ...found,
      says: [
        `${found.description.replace(/\.$/, "")}.`,
        "Scored by watchkeeper, by an endpoint; the threshold's rule is rarity.",
        "Readings may be 10 minutes late.",
        "Anomalies within 15 minutes that hang together are one incident.",
        "A model may raise 7 alerts a week, and a series one in 1 hour.",
      ],
      measures: measures.map((measure) => ({ name: measure, field: measure.toUpperCase(), aggregate: "avg", direction: "both", allowed_from: null, allowed_to: null })),
      dimensions: name === "air_quality" ? ["LOCATION_ID"] : [],
      routes: [
        { name: "operators", channel: "email", severity_from: 70, when: ["opening", "escalation"], only: null },
        { name: "on_call", channel: "sms", severity_from: 90, when: ["opening"], only: null },
      ],
      plan: { workload: name, interval_seconds: found.interval_seconds, lateness_seconds: 600, gate: { max_alerts_per_week: found.alert_budget_7d, beat_champion: true } },
    };
  }

  line(one: Incident): IncidentLine {
    return {
      incident_id: one.incident_id,
      workload: one.workload,
      title: one.title,
      severity: one.severity,
      state: one.state,
      opened_at: one.opened_at,
      last_at: one.last_at,
      series_count: one.touched.length,
      measures: one.causes?.measures.map((share) => share.name) ?? [],
      places: Object.entries(one.causes?.dimensions ?? {}).flatMap(([dimension, shares]) => shares.map((share) => `${dimension}:${share.name}`)),
      feedback: one.feedback,
      assigned_to: one.assigned_to,
      snoozed_until: one.snoozed_until,
      merged_into: one.merged_into,
    };
  }

  /** Open one more, now. */
  add(number: number): Incident {
    const from = Math.floor(this.now / 300) * 300 - 600;
    const station = STATIONS[number % 4]!;
    const fault: Fault = { workload: "air_quality", series: [`co|LOCATION_ID=${station}`], from, to: from + 600, off: 2, kind: "spike" };
    this.faults.push(fault);
    const made = this.#incident(fault, 1000 + number);
    this.incidents.unshift(made);
    return made;
  }

  #incident(fault: Fault, index: number): Incident {
    const touched = fault.series.map((series) => this.#touched(fault, series));
    touched.sort((one, other) => other.deviation - one.deviation);
    const [worst] = touched as [Touched];
    const whole = touched.reduce((sum, one) => sum + one.deviation, 0);
    const severity = Math.min(99, worst.peak_severity + 3.5 * Math.log2(touched.length + 0.2) + 1);
    const shares = (name: (one: Touched) => string, all: (name: string) => number | null): Share[] => {
      const sums = new Map<string, Share>();
      for (const one of touched) {
        const key = name(one);
        const found = sums.get(key) ?? { name: key, deviation: 0, share: 0, touched: 0, series: all(key), values: 1 };
        sums.set(key, { ...found, deviation: found.deviation + one.deviation, share: (found.deviation + one.deviation) / whole, touched: found.touched + 1 });
      }
      return [...sums.values()].sort((one, other) => other.deviation - one.deviation);
    };
    const features = new Map<string, number>();
    for (const one of touched) for (const [name, part] of Object.entries(one.contributions)) features.set(name, (features.get(name) ?? 0) + part);
    const isAir = fault.workload === "air_quality";
    const measures = shares((one) => one.series.split("|")[0]!, () => (isAir ? 4 : 1));
    const places = isAir ? shares((one) => one.series.split("=")[1]!, () => 3) : [];
    const isOpen = index < 2 || index >= 1000;
    const verdict: Feedback | null = isOpen || index % 3 ? null : index % 2 ? "noise" : "real";
    const where = isAir ? (places.length === 1 ? ` at ${places[0]!.name}` : " at all 4 LOCATION_IDs") : "";
    const what = measures.map((share) => share.name).join(", ");
    const side = fault.kind === "silence" ? "silent" : fault.off > 0 ? "high" : "low";
    const zone = (at: number) => iso(at).slice(11, 16);
    return {
      incident_id: Math.floor(chance("id", index, fault.from) * 2 ** 32).toString(16).padStart(8, "0") + Math.floor(chance("id2", index) * 2 ** 32).toString(16).padStart(8, "0"),
      workload: fault.workload,
      interval_seconds: 300,
      opened_at: iso(fault.from),
      last_at: iso(fault.to),
      state: isOpen ? (index === 1 ? "acknowledged" : "open") : "closed",
      severity,
      title: `${what} ${side}${where} since ${zone(fault.from)}${isAir && places.length === 1 ? ", 1 of 4 LOCATION_IDs" : ""}`,
      opened_by: worst.series,
      touched,
      causes: {
        places: places.length
          ? [
              { dimensions: places.length === 1 ? { LOCATION_ID: [places[0]!.name] } : {}, measures: measures.map((share) => share.name), share: 1, touched: touched.length, series: touched.length, fit: 0.98 },
              { dimensions: {}, measures: [measures[0]!.name], share: measures[0]!.share, touched: measures[0]!.touched, series: 4, fit: 0.52 },
            ]
          : [],
        dimensions: isAir ? { LOCATION_ID: places } : {},
        measures,
        features: [...features].map(([name, part]) => ({ name, deviation: part, share: part / whole, touched: 0, series: null, values: 1 })).sort((one, other) => other.share - one.share),
        untouched: isAir && places.length === 1 ? STATIONS.filter((station) => station !== places[0]!.name).map((station) => `${measures[0]!.name}|LOCATION_ID=${station}`) : [],
        n_untouched: isAir && places.length === 1 ? 3 : 0,
        relations: measures.length > 1 ? [{ leader: "no2", follower: "so2", lag_seconds: 600, strength: 0.62, evidence: 2300 }, { leader: "co", follower: "no2", lag_seconds: 0, strength: 0.48, evidence: 2300 }] : [],
      },
      run_ids: [LIVE_RUN],
      former_ids: [],
      merged_into: null,
      timeline: [
        { at: iso(fault.from + 300), what: "opened", who: null, note: null, severity: worst.peak_severity },
        ...(touched.length > 1 ? [{ at: iso(fault.from + 1200), what: "escalated" as const, who: null, note: null, severity }] : []),
        ...(index === 1 ? [{ at: iso(fault.from + 2400), what: "acknowledged" as const, who: "ann", note: "Looking at the valve.", severity: null }] : []),
        ...(isOpen ? [] : [{ at: iso(fault.to + 3600), what: "closed" as const, who: null, note: null, severity: null }]),
        ...(verdict ? [{ at: iso(fault.to + 7200), what: "feedback" as const, who: "ann", note: verdict, severity: null }] : []),
      ],
      feedback: verdict,
      assigned_to: index === 1 ? "ann" : null,
      snoozed_until: null,
      left_out: {},
      version: 1,
      release: { run_id: LIVE_RUN, published_at: iso(this.now - 2.2 * DAY), live: true },
      thresholds: Object.fromEntries(touched.map((one, position) => [one.series, { above: 70 + 10 * (position % 2), below: 70 }])),
    };
  }

  #touched(fault: Fault, series: string): Touched {
    const intervals = Math.max(1, Math.round((fault.to - fault.from) / 300));
    const at = fault.from + 300 * Math.floor(intervals / 2);
    const { value, expected, half } = this.value(fault.workload, series, at);
    const deviation = Math.round(1000 * intervals * Math.max(1, Math.abs(value === null ? 2 : (value - expected) / half)));
    return {
      series,
      runs: [[fault.from, intervals]],
      above: fault.off > 0 ? intervals : 0,
      below: fault.off > 0 ? 0 : intervals,
      deviation,
      contributions: { "range|0": Math.round(0.5 * deviation), "pattern|0": Math.round(0.3 * deviation), "profile|2": deviation - Math.round(0.5 * deviation) - Math.round(0.3 * deviation) },
      peak_severity: Math.min(97, 70 + 27 * (1 - Math.exp(-Math.abs(fault.off) / 1.6))),
      at: iso(at),
      observed: value === null ? null : Number(value.toPrecision(5)),
      expected: Number(expected.toPrecision(5)),
      lower: Number((expected - half).toPrecision(5)),
      upper: Number((expected + half).toPrecision(5)),
      anomaly_id: Math.floor(chance(series, fault.from) * 2 ** 32).toString(16),
    };
  }
}

export function iso(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
}
