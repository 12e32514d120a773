/** Invented transactions of cards, devices and addresses: one a few seconds, and a ring that shares a device. */

import type { Neighbourhood, NeighbourhoodNode, Reason, Simulator, Summary, Transaction, TransactionDocument } from "../src/api/shapes";
import { chance, iso, LIVE_RUN } from "./world.ts";

const EACH_SECONDS = 3;
const THRESHOLD = 0.62;
const AROUND = 6;
/** How far back an entity's history is looked for. */
const KEPT = 4000;

interface Made {
  id: string;
  at: number;
  amount: number;
  isRing: boolean;
  entities: Record<string, string>;
  probability: number;
}

export class Transactions {
  readonly #labels = new Map<string, { fraud: boolean; known_at: string; by: string }>();
  readonly #newest: number;
  #simulator: Simulator = { state: "never", rate: null, fraud_share: null, started_at: null, until: null, sent: 0, flagged: 0, error: null };

  constructor(private readonly now: number) {
    this.#newest = Math.floor(now / EACH_SECONDS);
    for (const made of this.#back(0, KEPT)) {
      if (made.isRing && chance("known", made.id) < 0.45) this.#labels.set(made.id, { fraud: true, known_at: iso(made.at + 7200), by: "chargebacks" });
    }
  }

  #made(number: number): Made {
    const draw = (name: string, of: number) => Math.floor(of * chance(name, number));
    const isRing = chance("ring", number) < 0.018;
    const probability = isRing ? 0.45 + 0.54 * chance("p", number) : 0.3 * chance("p", number) ** 3;
    return {
      id: `t-${number}`,
      at: number * EACH_SECONDS,
      amount: Number((isRing ? 180 + 700 * chance("amount", number) : 4 + 160 * chance("amount", number) ** 2).toFixed(2)),
      isRing,
      entities: {
        card: `card-${isRing ? 9000 + draw("card", 14) : draw("card", 900)}`,
        device: `device-${isRing ? 77 + draw("device", 2) : 1000 + draw("device", 700)}`,
        email: isRing ? `drop${draw("email", 5)}@mail.example` : `person${draw("email", 800)}@mail.example`,
        address: `address-${draw("address", 500)}`,
      },
      probability: Number(probability.toFixed(4)),
    };
  }

  *#back(from: number, most: number): Generator<Made> {
    for (let offset = from; offset < from + most; offset++) yield this.#made(this.#newest - offset);
  }

  #label(made: Made): "fraud" | "legitimate" | "unknown" {
    const label = this.#labels.get(made.id);
    return label ? (label.fraud ? "fraud" : "legitimate") : "unknown";
  }

  list(query: URLSearchParams): { transactions: Transaction[]; next_page_token: string | null } {
    const most = Number(query.get("limit") ?? 50);
    let from = Number(query.get("page_token") ?? 0);
    const found: Transaction[] = [];
    while (found.length < most && from < KEPT) {
      const made = this.#made(this.#newest - from++);
      const flag = made.probability >= THRESHOLD;
      if (query.get("flag") && String(flag) !== query.get("flag")) continue;
      if (query.get("label") && this.#label(made) !== query.get("label")) continue;
      found.push({ id: made.id, time: iso(made.at), arrived_at: iso(made.at), amount: made.amount, label: this.#label(made), flag, pred_prob: made.probability, model_version: LIVE_RUN });
    }
    return { transactions: found, next_page_token: from < KEPT ? String(from) : null };
  }

  summary(from: number): Summary {
    const minutes = new Map<number, Summary["minutes"][number]>();
    for (const made of this.#back(0, Math.min(20_000, Math.floor((this.now - from) / EACH_SECONDS)))) {
      const start = Math.floor(made.at / 60) * 60;
      // the nights are quiet
      if (chance("quiet", made.id) > 0.6 + 0.4 * Math.sin((2 * Math.PI * (made.at - 8 * 3600)) / 86_400)) continue;
      const minute = minutes.get(start) ?? { start: iso(start), count: 0, amount: 0, flagged: 0, flagged_amount: 0 };
      const flagged = made.probability >= THRESHOLD;
      minutes.set(start, {
        ...minute,
        count: minute.count + 1,
        amount: minute.amount + made.amount,
        flagged: minute.flagged + Number(flagged),
        flagged_amount: minute.flagged_amount + (flagged ? made.amount : 0),
      });
    }
    return { minutes: [...minutes.values()].reverse(), complete: true, counted_from: iso(from) };
  }

  one(id: string): TransactionDocument | null {
    const number = Number(id.slice(2));
    if (!(number > this.#newest - KEPT && number <= this.#newest)) return null;
    const made = this.#made(number);
    const reasons: Reason[] = Object.entries(made.entities).map(([relation, entity]) => ({
      relation,
      entity,
      contribution: Number(((made.isRing ? (relation === "address" ? -0.3 : 2.4) : -0.8) * (0.3 + chance(relation, id))).toFixed(3)),
      transactions: made.isRing && relation !== "address" ? this.#earlier(number, relation).slice(0, 3).map((one) => one.id) : [],
    }));
    reasons.sort((one, other) => other.contribution - one.contribution);
    return {
      id,
      time: iso(made.at),
      amount: made.amount,
      entities: made.entities,
      answer: { id, flag: made.probability >= THRESHOLD, pred_prob: made.probability, threshold: THRESHOLD, reasons, model_version: LIVE_RUN },
      label: this.#labels.get(id) ?? null,
    };
  }

  #earlier(number: number, relation: string): Made[] {
    const key = this.#made(number).entities[relation];
    const found: Made[] = [];
    for (let before = number - 1; before > number - KEPT && found.length < AROUND; before--) {
      const made = this.#made(before);
      if (made.entities[relation] === key) found.push(made);
    }
    return found;
  }

  neighbourhood(id: string): Neighbourhood {
    const number = Number(id.slice(2));
    const centre = this.#made(number);
    const nodes = new Map<string, NeighbourhoodNode>();
    const edges: Neighbourhood["edges"] = [];
    const plain = { time: null, amount: null, label: null, flag: null, pred_prob: null, transactions: null, frauds: null };
    const node = (made: Made): NeighbourhoodNode => ({ ...plain, id: made.id, kind: "transaction", name: made.id, time: iso(made.at), amount: made.amount, label: this.#label(made), flag: made.probability >= THRESHOLD, pred_prob: made.probability });
    nodes.set(id, node(centre));
    const around = new Map<string, Made>([[id, centre]]);
    for (const [relation, name] of Object.entries(centre.entities)) {
      const earlier = this.#earlier(number, relation);
      nodes.set(`${relation}:${name}`, { ...plain, id: `${relation}:${name}`, kind: relation, name, transactions: earlier.length, frauds: earlier.filter((one) => this.#label(one) === "fraud").length });
      for (const one of earlier) around.set(one.id, one);
    }
    const shared = new Map<string, number>();
    for (const one of around.values()) for (const [relation, name] of Object.entries(one.entities)) shared.set(`${relation}:${name}`, (shared.get(`${relation}:${name}`) ?? 0) + 1);
    for (const one of around.values()) {
      nodes.set(one.id, node(one));
      for (const [relation, name] of Object.entries(one.entities)) {
        const entity = `${relation}:${name}`;
        if (!nodes.has(entity) && shared.get(entity)! > 1) nodes.set(entity, { ...plain, id: entity, kind: relation, name });
        if (nodes.has(entity)) edges.push({ transaction: one.id, entity });
      }
    }
    return { centre: id, nodes: [...nodes.values()], edges, more: false };
  }

  label(id: string, fraud: boolean, by: string): object {
    const changed = this.#labels.get(id)?.fraud !== fraud;
    if (changed) this.#labels.set(id, { fraud, known_at: iso(this.now), by });
    return { id, label: this.#labels.get(id), changed };
  }

  /** The simulator, which has sent more each time that it is asked. */
  simulator(): Simulator {
    if (this.#simulator.state === "running") this.#simulator = { ...this.#simulator, sent: this.#simulator.sent + 15, flagged: this.#simulator.flagged + (this.#simulator.sent % 2) };
    return this.#simulator;
  }

  simulate(rate: number, fraud_share: number, seconds: number): Simulator {
    return (this.#simulator = { state: "running", rate, fraud_share, started_at: iso(this.now), until: iso(this.now + seconds), sent: 0, flagged: 0, error: null });
  }

  endSimulation(): Simulator {
    return (this.#simulator = { ...this.#simulator, state: "stopped" });
  }
}
