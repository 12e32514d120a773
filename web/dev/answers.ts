/** What the invented API answers to a request. */

import type { CheckedSites, Device, DeviceDetail, DeviceList, Feedback, Incident, Label, LiveEvent, LoggedInterval, Me, Pause, RunDetail, SeriesHealth, Site, TimelineEntry, WorkloadCost, WorkloadDetail, WorkloadLog } from "../src/api/shapes";
import { Backtests, SETTINGS } from "./backtests.ts";
import { drawing, Trainings } from "./trainings.ts";
import { Transactions } from "./transactions.ts";
import { iso, World } from "./world.ts";

export interface Asked {
  method: string;
  path: string[];
  query: URLSearchParams;
  body: Record<string, unknown>;
}

export interface Answered {
  status: number;
  body?: unknown;
  /** Of what is no JSON: then `body` is its text. */
  type?: string;
}

export class Answers {
  readonly events: LiveEvent[] = [];
  told: (event: LiveEvent) => void = () => undefined;
  #transactions: Transactions | undefined;
  readonly #trainings = new Map<string, Trainings>();

  constructor(
    readonly world: World,
    private readonly me: Me,
  ) {}

  answer(asked: Asked): Answered {
    const [room, what, id, ...rest] = asked.path;
    if (room === "fraud") return this.#fraud(asked);
    if (room !== "watch") return problem(404, "nothing is here");
    if (what === "me") return ok(this.me);
    if (what === "changes") return this.#changes(asked.query.get("since"));
    if (what === "workloads") return this.#workloads(id, rest, asked);
    if (what === "devices") return this.#devices(id, rest[0], asked);
    if (what === "sites") return this.#sites(String(asked.body["text"] ?? ""));
    if (what === "digests") return this.#digest(id!, asked.query.get("workload"));
    if (what === "incidents") return this.#incidents(id, rest[0], asked);
    return problem(404, "nothing is here");
  }

  /** One more incident, told to who listens. */
  tick(number: number): void {
    this.told(this.#happened(this.world.add(number), iso(this.world.now)));
  }

  #happened(one: Incident, at: string): LiveEvent {
    const event: LiveEvent = { id: `${one.incident_id}:${this.events.length}`, at, kind: "incident", workload: one.workload, detail: { ...this.world.line(one) } };
    this.events.push(event);
    return event;
  }

  readonly #fleet = fleet();

  #devices(serial: string | undefined, action: string | undefined, { method, query, body }: Asked): Answered {
    const at = iso(this.world.now);
    const line = ({ groups: _1, certificates: _2, series: _3, ...item }: DeviceDetail): Device => ({ ...item, last_seen_at: item.last_seen_at && at });
    if (!serial) {
      const held = this.#fleet.filter((one) => one.state === "quarantined");
      const items = (query.get("state") === "quarantined" ? held : this.#fleet).map(line);
      return ok({ items, next: null, quarantined: held.length, watched_by: ["fleet_behaviour"] } satisfies DeviceList);
    }
    const found = this.#fleet.find((one) => one.serial_number === serial);
    if (!found) return problem(404, "device not found", `no device '${serial}'`);
    if (method === "POST") {
      if (this.me.role === "viewer") return problem(403, "forbidden", "An operator may do this.");
      if (body["confirm"] !== serial) return problem(422, "invalid request", "send the serial number");
      found.state = action === "quarantine" ? "quarantined" : "joined";
      found.groups = ["watchkeeper-devices", ...(action === "quarantine" ? ["watchkeeper-quarantine"] : [])];
    }
    return ok({ ...found, last_seen_at: found.last_seen_at && at, series: found.series.map((one) => ({ ...one, last_start: at })) });
  }

  #sites(text: string): Answered {
    if (!text.startsWith("sites:")) return problem(422, "bad workload spec", "plan.yaml:1: must be a mapping with the key sites");
    const site = (name: string, load: number, over: Site["over"]): Site => ({ name, radio_units: 2, needed_units: Math.ceil(2 * load), megabits_per_second: 300 * load, megabits_capacity: 300, sims: 132, sims_capacity: 200, days: 365, paid_days: 365, usd: 175_200, budget_usd: over.includes("budget") ? 150_000 : null, over, headroom: 1 - load });
    const sites = [site("press shop", 0.66, []), site("paint line", 1.07, ["throughput", "budget"])];
    return ok({ limits: { megabits_per_second: 150, sims: 100, usd_per_hour: 10, least_days: 60, source: "AWS Private 5G, withdrawn: the term by its API's reference, the rest not confirmed" }, sites, usd: 350_400, over: ["paint line"] } satisfies CheckedSites);
  }

  #changes(since: string | null): Answered {
    const from = since === null ? this.events.length : Number(since);
    const items = this.events.slice(from, from + 100);
    const next = from + items.length;
    return ok({ items, next: String(next), more: next < this.events.length, complete: true });
  }

  #workloads(name: string | undefined, rest: string[], asked: Asked): Answered {
    const { world } = this;
    const { query } = asked;
    if (!name) return ok({ items: world.workloads(), next: null });
    const found = world.workload(name);
    if (!found) return problem(404, "no such workload", `${name} is not deployed, or you are none of its readers.`);
    const [what, series, points] = rest;
    if (!what) return ok({ ...found, pauses: this.#held.get(name) ?? found.pauses });
    if (what === "series" && points === "points") {
      const from = query.get("cursor") ? Number(query.get("cursor")) : seconds(query.get("from"));
      return ok(world.points(name, series!, from, seconds(query.get("to")), Number(query.get("most") ?? 2000)));
    }
    if (what === "series") {
      const all = world.seriesLines(name).filter((one) => one.series.includes(query.get("contains") ?? "") && (!query.get("health") || one.health === query.get("health")));
      return ok({ items: all.slice(0, Number(query.get("limit") ?? 50)), next: null, total: all.length });
    }
    if ((what === "spec" || series === "test") && this.me.role === "viewer") return problem(403, "forbidden", "An operator may do this.");
    if (what === "spec" && series === "draft") return this.#draft(name, found, asked);
    if (what === "backtests") return this.#backtests(name, found, series, asked);
    if (what === "spec") return ok({ workload: name, text: name === "machine_temperature" ? null : specOf(name, found), why: name === "machine_temperature" ? "It was deployed by software that did not keep it." : null, says: found.says });
    if (what === "cost") return this.me.role === "viewer" ? problem(403, "forbidden", "An operator may see this.") : ok(costOf(name, iso(world.now)));
    if (what === "routes" && series === "test") {
      const channels = (asked.body["channels"] as string[] | undefined) ?? [];
      const routes = found.routes.filter((route) => !channels.length || channels.includes(route.channel));
      const said = { email: ["email ops@example.com", "sent", "SNS has sent it; look into the inbox of ops@example.com"], sms: ["sms +49…", "refused", "its subscription is not confirmed"] } as const;
      return ok({ items: routes.map(({ channel }) => ({ channel, receiver: said[channel as keyof typeof said][0], verdict: said[channel as keyof typeof said][1], said: said[channel as keyof typeof said][2] })) });
    }
    if (what === "pause" || what === "resume") return this.#pauses(found, what, asked);
    if (what === "log") return ok(this.#log(found, seconds(query.get("from")), seconds(query.get("to"))));
    if (what === "labels") return this.#labels(name, series, asked);
    if (what === "models") return this.#models(name, rest, asked);
    if (what === "runs" || what === "releases") return this.#runs(name, rest, asked);
    return problem(404, "nothing is here");
  }

  #fraud({ method, path: [, what, id, part], query, body }: Asked): Answered {
    const transactions = (this.#transactions ??= new Transactions(this.world.now));
    if (query.get("workload") !== "card_fraud") return problem(404, "no such workload", `${query.get("workload")} is not deployed, or you are none of its readers.`);
    if (method !== "GET" && this.me.role === "viewer") return problem(403, "forbidden", "A viewer may look; an operator may change this.");
    if (what === "summary") return ok(transactions.summary(seconds(query.get("from"))));
    if (what === "simulator") {
      if (method === "DELETE") return ok(transactions.endSimulation());
      return ok(method === "POST" ? transactions.simulate(Number(body["rate"]), Number(body["fraud_share"]), Number(body["seconds"])) : transactions.simulator());
    }
    if (what !== "transactions") return problem(404, "nothing is here");
    if (!id) return ok(transactions.list(query));
    const found = transactions.one(id);
    if (!found) return problem(404, "no such transaction", `${id} is not among those that are kept.`);
    if (part === "label") return ok(transactions.label(id, body["fraud"] === true, String(body["by"])));
    return ok(part === "neighbourhood" ? transactions.neighbourhood(id) : found);
  }

  #digest(date: string, only: string | null): Answered {
    const since = Date.parse(`${date}T00:00:00Z`) / 1000;
    if (!(since < this.world.now)) return problem(422, "invalid request", `date ${date} has not begun: ask for today or a day before`);
    const until = Math.min(since + 86_400, this.world.now);
    const within = (at: string) => since <= seconds(at) && seconds(at) < until;
    const items = this.world.workloads().filter((one) => one.kind === "anomaly" && (!only || one.workload === only)).map((one) => {
      const own = this.world.incidents.filter((each) => each.workload === one.workload && seconds(each.opened_at) < until);
      const brief = (each: Incident) => ({ incident_id: each.incident_id, title: each.title, severity: each.severity, state: each.state, opened_at: each.opened_at, last_at: each.last_at, assigned_to: each.assigned_to });
      const opened = own.filter((each) => within(each.opened_at)).map(brief);
      const open = own.filter((each) => each.state !== "closed" || seconds(each.last_at) >= until).map(brief);
      const closed = own.filter((each) => each.state === "closed" && within(each.last_at)).map(brief);
      const silent = one.health === "silent" ? ["temperature"] : [];
      const says = open.length > 1 ? ["Since 06:10, 4 % of the lines are refused, of 1,240; usual is 0.1 %."] : [];
      return { workload: one.workload, since: iso(since), until: iso(until), time_zone: one.time_zone, opened, open, closed, counts: { opened: opened.length, open: open.length, closed: closed.length, silent: silent.length }, alerts_7d: one.alerts_7d, alert_budget_7d: one.alert_budget_7d ?? 7, silent, quality: { records: one.records_24h ?? 0, late: 12, duplicated: 3, refused: says.length ? 49 : 0, off_clock: 0, says, complete: true } };
    });
    const score = (one: (typeof items)[number]) => one.counts.open * 100 + one.counts.opened + one.counts.closed;
    return ok({ date, items: items.sort((a, b) => score(b) - score(a)) });
  }

  readonly #tried = new Map<string, Backtests>();

  #backtests(name: string, found: WorkloadDetail, id: string | undefined, { method, body }: Asked): Answered {
    const kept = this.#tried.get(name) ?? new Backtests(this.world.now, name, specOf(name, found));
    this.#tried.set(name, kept);
    if (method === "POST") {
      if (this.me.role === "viewer") return problem(403, "forbidden", "An operator may do this.");
      return misspelt(String(body["text"])) ?? { status: 202, body: kept.ask(String(body["text"]), Number(body["days"])) };
    }
    if (!id) return ok(kept.list());
    const one = kept.one(id);
    return one ? ok({ ...one, text: this.me.role === "viewer" ? null : one.text }) : problem(404, "backtest not found", `workload ${name} has no backtest ${id}; they are kept for a month`);
  }

  #draft(name: string, found: WorkloadDetail, { body }: Asked): Answered {
    const values = body["settings"] as Record<string, string | number | null>;
    const lines = Object.entries(values).map(([key, value]) => `# ${key}: ${value}`);
    const text = [(body["text"] as string | null) ?? specOf(name, found), ...lines].join("\n");
    return misspelt(text) ?? ok({ workload: name, text, settings: SETTINGS.map((one) => ({ ...one, value: values[one.key] ?? one.value })), changes: [] });
  }

  #trainingsOf(workload: string): Trainings {
    const found = this.#trainings.get(workload) ?? new Trainings(this.world.now, workload);
    this.#trainings.set(workload, found);
    return found;
  }

  /** Start a training, and tell who listens. */
  train(workload: string, reason: string): RunDetail {
    const run = this.#trainingsOf(workload).start(workload, reason);
    const event: LiveEvent = { id: `${run.run_id}:running`, at: run.started_at, kind: "run", workload, detail: { execution: run.execution, run_id: run.run_id, status: "running" } };
    this.#tell(event);
    return run;
  }

  #tell(event: LiveEvent): void {
    this.events.push(event);
    this.told(event);
  }

  /** Of the workload of which there is no model there is no run either. */
  #runs(workload: string, [what, id, part, chart]: string[], { method, query, body }: Asked): Answered {
    const trainings = this.#trainingsOf(workload);
    if (this.world.workload(workload)!.health === "untrained" && method === "GET" && !id) return ok({ items: [], next: null });
    if (method === "POST" && this.me.role !== "admin") return problem(403, "forbidden", "An admin may do this.");
    if (what === "releases") {
      if (method === "POST" && body["confirm"] !== workload) return problem(400, "the request is not valid", "confirm: type the workload's name.");
      if (method === "POST" && id) {
        const at = iso(this.world.now);
        this.#tell({ id: `${workload}:${id}:rolled_back:${at}`, at, kind: "release", workload, detail: { run_id: id, what: "rolled_back", previous: trainings.rollBack(id) } });
      }
      return ok(trainings.releases());
    }
    if (method === "POST") {
      const { execution, run_id } = this.train(workload, String(body["reason"]));
      return { status: 202, body: { execution, run_id } };
    }
    if (!id) return ok(trainings.list(Number(query.get("cursor") ?? 0), Number(query.get("limit") ?? 20)));
    const found = trainings.one(id);
    if (!found) return problem(404, "no such run", `${workload} has no run ${id}.`);
    return part === "charts" && chart ? { status: 200, body: drawing(chart), type: "image/svg+xml" } : ok(found);
  }

  readonly #held = new Map<string, Pause[]>();

  #pauses(found: WorkloadDetail, what: "pause" | "resume", { body }: Asked): Answered {
    if (this.me.role === "viewer") return problem(403, "forbidden", "An operator may do this.");
    const series = (body["series"] as string | null | undefined) ?? null;
    const before = this.#held.get(found.workload) ?? [];
    const others = before.filter((one) => (what === "resume" && series === null ? false : one.series !== series));
    const one: Pause = { series, since: iso(this.world.now), until: (body["until"] as string | null | undefined) ?? null, who: this.me.user, note: (body["note"] as string | null | undefined) ?? null, resumed_by: null };
    const items = what === "pause" ? [...others, one] : others;
    this.#held.set(found.workload, items);
    return ok({ items });
  }

  #log(found: WorkloadDetail, from: number, to: number): WorkloadLog {
    const step = found.interval_seconds!;
    const items: LoggedInterval[] = [];
    for (let at = Math.ceil(from / step) * step; at + step <= to; at += step) {
      const isLate = at > to - 12 * step && at <= to - 6 * step;
      items.push({ start: iso(at), objects: 1, rows: 12, accepted: 12, late: isLate ? 5 : 0, duplicated: isLate ? 1 : 0, refused: at % (40 * step) ? {} : { not_json: 2 }, off_clock: isLate ? 4 : 0, devices: 4, series: 12, new_series: 0, completeness: { no2: isLate ? 0.75 : 1 }, scored: 12, unscored: 0, anomalies: 0, lag_seconds: isLate ? 812 : 64, lag_most_seconds: isLate ? 1800 : 90 });
    }
    const says = "5 of 12 records (42 %) came after their interval had closed; usual is 1 %.";
    const events: WorkloadLog["events"] = [{ id: "late-1", signal: "late", measure: null, began: true, at: iso(to - 12 * step), since: iso(to - 12 * step), share: 0.42, of: 12, usual: 0.01, severity: 88, says }];
    return { workload: found.workload, interval_seconds: step, items, events, complete: true, next: null };
  }

  readonly #marked: (Label & { workload: string })[] = [];

  #labels(workload: string, id: string | undefined, { method, query, body }: Asked): Answered {
    if (method !== "GET" && this.me.role === "viewer") return problem(403, "forbidden", "An operator may do this.");
    const told = (one: Label, what: string) => {
      const event: LiveEvent = { id: `${one.label}:${this.events.length}`, at: iso(this.world.now), kind: "label", workload, detail: { label: one.label, what, who: this.me.user, series: one.series, start: one.start, end: one.end } };
      this.events.push(event);
      this.told(event);
      return ok(one);
    };
    if (method === "POST") {
      const step = this.world.workload(workload)!.interval_seconds!;
      const outwards = (at: unknown, round: (value: number) => number) => iso(step * round(seconds(String(at)) / step));
      const one: Label = { label: `label-${this.#marked.length}`, source: "label", what: "real", series: String(body["series"]), start: outwards(body["start"], Math.floor), end: outwards(body["end"], Math.ceil), at: iso(this.world.now), who: this.me.user, note: (body["note"] as string | null | undefined) ?? null };
      this.#marked.push({ ...one, workload });
      return told(one, "marked");
    }
    if (method === "DELETE") {
      const at = this.#marked.findIndex((one) => one.label === id);
      if (at < 0) return problem(404, "label not found", `workload ${workload} has no label ${id}`);
      const { workload: _, ...one } = this.#marked.splice(at, 1)[0]!;
      return told(one, "taken back");
    }
    const ofVerdicts = this.world.incidents
      .filter((one) => one.workload === workload && one.feedback)
      .flatMap((one) => one.touched.flatMap((part) => part.runs.map(([start, intervals]): Label => ({ label: one.incident_id, source: "verdict", what: one.feedback!, series: part.series, start: iso(start), end: iso(start + intervals * one.interval_seconds), at: one.last_at, who: "ann", note: null }))));
    const own = this.#marked.filter((one) => one.workload === workload).map(({ workload: _, ...one }): Label => one);
    const items = [...own, ...ofVerdicts]
      .filter((one) => (!query.get("series") || one.series === query.get("series")) && (!query.get("from") || one.end > query.get("from")!) && (!query.get("to") || one.start < query.get("to")!))
      .sort((one, other) => (one.start < other.start ? 1 : -1))
      .slice(0, Number(query.get("limit") ?? 100));
    return ok({ items, next: null });
  }

  #models(workload: string, [, version, verdict]: string[], { method, query, body }: Asked): Answered {
    const trainings = this.#trainingsOf(workload);
    if (this.world.workload(workload)!.health === "untrained") return version ? problem(404, "no such model") : ok({ items: [], next: null });
    const found = () => trainings.models().find((one) => String(one.version) === version);
    if (version && !found()) return problem(404, "model not found", `workload ${workload} has no version ${version}`);
    if (method === "POST" && this.me.role !== "admin") return problem(403, "forbidden", "An admin may do this.");
    if (method === "POST") {
      const approval = verdict === "approve" ? "approved" : "rejected";
      if (approval === "rejected" && found()!.serves) return problem(409, "conflict", `version ${version} of ${workload} serves now`);
      trainings.judge(Number(version), approval, this.me.user, typeof body["note"] === "string" ? body["note"] : null);
      const event: LiveEvent = { id: `${workload}/${version}:${this.events.length}`, at: iso(this.world.now), kind: "model", workload, detail: { version: Number(version), run_id: found()!.run_id, approval, who: this.me.user, note: body["note"] ?? null } };
      this.events.push(event);
      this.told(event);
    }
    if (version) return ok(found());
    const from = Number(query.get("cursor") ?? 0);
    const most = Number(query.get("limit") ?? 20);
    const all = trainings.models();
    const items = all.slice(from, from + most).map(({ arn: _1, artifacts: _2, table: _3, labelled: _4, judged_by: _5, charts: _6, report: _7, expires_in_seconds: _8, ...item }) => item);
    return ok({ items, next: from + most < all.length ? String(from + most) : null });
  }

  #incidents(id: string | undefined, action: string | undefined, { method, query, body }: Asked): Answered {
    const { world } = this;
    if (!id) {
      const lines = world.incidents
        .map((one) => world.line(one))
        .filter((one) => matches(one, query))
        .sort((one, other) => (one.opened_at < other.opened_at ? 1 : -1));
      const from = Number(query.get("cursor") ?? 0);
      const most = Number(query.get("limit") ?? 25);
      return ok({ items: lines.slice(from, from + most), next: from + most < lines.length ? String(from + most) : null });
    }
    const found = world.incidents.find((one) => one.incident_id === id);
    if (!found) return problem(404, "no such incident", `${id} is not among the incidents that are kept.`);
    if (method === "GET" && !action) return ok(found);
    if (this.me.role === "viewer") return problem(403, "forbidden", "A viewer may look; an operator may change this.");
    const note = typeof body["note"] === "string" ? body["note"] : null;
    const entry = (what: TimelineEntry["what"], told: string | null = note) => found.timeline.push({ at: iso(world.now), what, who: this.me.user, note: told, severity: null });
    switch (action) {
      case "feedback":
        found.feedback = method === "DELETE" ? null : (body["verdict"] as Feedback);
        entry("feedback", method === "DELETE" ? "taken back" : [found.feedback, note].filter(Boolean).join(": "));
        break;
      case "acknowledge":
        found.state = "acknowledged";
        entry("acknowledged");
        break;
      case "assign":
        found.assigned_to = String(body["to"]);
        entry("assigned", found.assigned_to);
        break;
      case "snooze":
        found.snoozed_until = iso(world.now + Number(body["for_seconds"]));
        entry("snoozed", found.snoozed_until);
        break;
      default:
        return problem(404, "nothing is here");
    }
    this.told(this.#happened(found, iso(world.now)));
    return ok(found);
  }
}

function matches(one: ReturnType<World["line"]>, query: URLSearchParams): boolean {
  const state = query.get("state") ?? "any";
  const where = query.getAll("where");
  return (
    (state === "any" || one.state === state) &&
    (!query.get("workload") || one.workload === query.get("workload")) &&
    one.severity >= Number(query.get("severity_from") ?? 0) &&
    (!query.get("measure") || one.measures.includes(query.get("measure")!)) &&
    where.every((each) => one.places.includes(each)) &&
    (!query.get("from") || one.last_at >= query.get("from")!) &&
    (!query.get("to") || one.opened_at < query.get("to")!)
  );
}

function specOf(name: string, found: WorkloadDetail): string {
  return `# What is watched, and who is told.
name: ${name}
kind: ${found.kind}
source:
  timestamp: {field: time, format: iso8601}
interval: 5m
lateness: 10m
measures:
${found.measures.map((one) => `  - {name: ${one.name}, field: ${one.field}, aggregate: ${one.aggregate}}`).join("\n")}
alerts:
  routes:
${found.routes.map((one) => `    - {channel: ${one.channel}, severity: ${one.severity_from}}`).join("\n")}
`;
}

function fleet(): DeviceDetail[] {
  const stands = [["N17", "hall-2", "joined"], ["N18", "hall-2", "quarantined"], ["N19", "hall-3", "joined"], ["N20", "hall-3", "allowed"], ["K4", "yard", "revoked"]] as const;
  return stands.map(([serial_number, site, state]): DeviceDetail => {
    const thing = `watchkeeper-${serial_number}`;
    const joined = state === "joined" || state === "quarantined";
    const series = (measure: string, health: SeriesHealth, last_value: number) => ({ workload: "fleet_behaviour", series: `${measure}|device=${thing}`, measure, health, last_start: "", last_value });
    return {
      ...{ serial_number, thing, site, state, last_seen_at: joined ? "now" : null, open_incidents: state === "quarantined" ? 1 : 0 },
      groups: joined ? ["watchkeeper-devices", ...(state === "quarantined" ? ["watchkeeper-quarantine"] : [])] : [],
      certificates: joined ? [{ certificate_id: "899c309dd345".repeat(5), status: "ACTIVE" }] : [],
      series: joined ? [series("messages_received", state === "quarantined" ? "anomalous" : "usual", state === "quarantined" ? 1840 : 60), series("bytes_received", "usual", 12_040), series("disconnects", "usual", 0)] : [],
    };
  });
}

function costOf(workload: string, at: string): WorkloadCost {
  const services = [["SageMaker", 61.4, 63.5], ["Lambda", 4.12, 4.26], ["IoT Core", 0.86, 0.89], ["CloudWatch", 0.31, 0.32], ["S3", 0.003, 0.0031]] as const;
  const month = (share: number) => ({ used_usd: 66.693 * share, projected_usd: 68.9731 * share, services: services.map(([service, used_usd, projected_usd]) => ({ service, used_usd: used_usd * share, projected_usd: projected_usd * share })) });
  return { workload, at, passed: 0.967, own: month(0.4), deployment: month(1), without_price: [], unread: workload === "machine_temperature" ? ["machine_temperature"] : [], prices_region: "us-east-1", prices_as_of: "2026-11-20" };
}

/** A mistake in a file: what the invented one looks for. */
function misspelt(text: string): Answered | null {
  const line = text.split("\n").findIndex((one) => one.includes("rarety")) + 1;
  if (!line) return null;
  const { status, body } = problem(422, "bad workload spec", "air_quality.yaml is no workload.");
  const errors = [{ pointer: `line ${line}, threshold.rarety`, detail: "unknown key; did you mean rarity? known keys: rarity, rule" }];
  return { status, body: { ...(body as object), errors } };
}

function seconds(at: string | null): number {
  return at === null ? 0 : Date.parse(at) / 1000;
}

function ok(body: unknown): Answered {
  return { status: 200, body };
}

function problem(status: number, title: string, detail = ""): Answered {
  return { status, body: { type: "about:blank", title, status, detail } };
}
