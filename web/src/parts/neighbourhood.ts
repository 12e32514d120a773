/**
 * A transaction with what is around it, drawn: `<wk-neighbourhood .graph .workload>`.
 *
 * It is in the middle, what it shares with others around it, and those outside. Each can be reached by Tab.
 */

import { html, nothing, svg, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";

import type { Neighbourhood, NeighbourhoodNode } from "../api/shapes";
import { dateTime } from "../app/clock";
import { transactionLink } from "../app/links";
import { counted, percent, value } from "../app/numbers";
import { go } from "../app/router";
import { Part } from "./screen";

export interface Placed {
  node: NeighbourhoodNode;
  x: number;
  y: number;
  /** 0 the centre, 1 what it has, 2 other transactions, 3 what these share. */
  ring: number;
}

/** A page is never so narrow that labels of all entities fit. */
const NARROW = 560;
const MARGIN = 26;
/** Radians between what the others share, so that none covers another. */
const APART = 0.32;

/** Put nodes on rings: each entity of the centre has a sector, as wide as there are transactions in it. */
export function placed(graph: Neighbourhood, width: number, height: number): Map<string, Placed> {
  const found = new Map<string, Placed>();
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  const of = (id: string) => graph.edges.filter((edge) => edge.transaction === id).map((edge) => edge.entity);
  const put = (id: string, ring: number, angle: number, share: number) => {
    const node = nodes.get(id);
    if (!node || found.has(id)) return;
    const x = width / 2 + share * (width / 2 - MARGIN) * Math.cos(angle);
    const y = height / 2 + share * (height / 2 - MARGIN) * Math.sin(angle);
    found.set(id, { node, x, y, ring });
  };
  put(graph.centre, 0, 0, 0);
  const own = of(graph.centre);
  const members = new Map<string, string[]>(own.map((entity) => [entity, []]));
  for (const node of graph.nodes) {
    if (node.kind !== "transaction" || node.id === graph.centre) continue;
    members.get(of(node.id).find((entity) => members.has(entity)) ?? own[0] ?? "")?.push(node.id);
  }
  const angles = new Map<string, number>();
  const weights = own.map((entity) => Math.max(2, members.get(entity)!.length));
  const whole = weights.reduce((sum, weight) => sum + weight, 0);
  let angle = -Math.PI / 2;
  own.forEach((entity, index) => {
    const sector = (2 * Math.PI * weights[index]!) / whole;
    put(entity, 1, angle + sector / 2, 0.42);
    const ids = members.get(entity)!;
    ids.forEach((id, position) => {
      const at = angle + (sector * (position + 0.5)) / ids.length;
      angles.set(id, at);
      // a full sector takes two rings, so that all can be pointed at
      put(id, 2, at, ids.length > 5 && position % 2 ? 0.78 : 0.95);
    });
    angle += sector;
  });
  const rest = graph.nodes
    .filter((node) => !found.has(node.id))
    .map((node) => {
      const around = graph.edges.filter((edge) => edge.entity === node.id).map((edge) => angles.get(edge.transaction) ?? 0);
      const sum = (of: (at: number) => number) => around.reduce((whole, at) => whole + of(at), 0);
      return { id: node.id, at: Math.atan2(sum(Math.sin), sum(Math.cos)) };
    })
    .sort((one, other) => one.at - other.at);
  const apart = Math.min(APART, (2 * Math.PI) / rest.length);
  let last = -Infinity;
  for (const { id, at } of rest) {
    last = Math.max(at, last + apart);
    put(id, 3, last, 0.66);
  }
  return found;
}

@customElement("wk-neighbourhood")
export class NeighbourhoodGraph extends Part {
  @property({ attribute: false }) graph: Neighbourhood | undefined;
  @property() workload = "";
  @state() private width = 720;
  @state() private told: NeighbourhoodNode | null = null;
  #watch: ResizeObserver | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.#watch = new ResizeObserver(([entry]) => {
      const width = Math.round(entry?.contentRect.width ?? 0);
      if (width) this.width = width;
    });
    this.#watch.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#watch?.disconnect();
  }

  protected override render(): unknown {
    const { graph, width } = this;
    if (!graph) return nothing;
    const height = width < NARROW ? 440 : 520;
    const nodes = placed(graph, width, height);
    const near = (id: string) => this.told !== null && (id === this.told.id || graph.edges.some(({ transaction, entity }) => (transaction === id && entity === this.told!.id) || (entity === id && transaction === this.told!.id)));
    return html`<figure class="neighbourhood">
      <svg width=${width} height=${height} viewBox="0 0 ${width} ${height}" role="group" aria-label="Transactions that share something with this one">
        ${graph.edges.map(({ transaction, entity }) => {
          const [from, to] = [nodes.get(transaction), nodes.get(entity)];
          if (!from || !to) return nothing;
          const isNear = this.told !== null && (this.told.id === transaction || this.told.id === entity);
          return svg`<line class="edge ${isNear ? "edge-near" : ""} ${from.ring === 0 ? "edge-own" : ""}" x1=${from.x} y1=${from.y} x2=${to.x} y2=${to.y} />`;
        })}
        ${[...nodes.values()].sort((one, other) => one.ring - other.ring).map((one) => this.#node(one, near(one.node.id)))}
      </svg>
      <figcaption class="small">
        <span class="neighbourhood-told" aria-live="polite">${this.told ? nodeWords(this.told) : html`<span class="soft">Point at something, or go to it by Tab, and it is told here.</span>`}</span>
        <span class="keys soft">
          <span class="key">${mark("node-fraud", "!")} fraud</span>
          <span class="key">${mark("node-flagged", "?")} flagged</span>
          <span class="key">${mark("node-legitimate", "")} legitimate</span>
          <span class="key">${mark("node-unknown", "")} not labelled</span>
          <span class="key"><svg width="14" height="14" aria-hidden="true"><rect class="node-entity" x="1" y="1" width="12" height="12" rx="3" /></svg> shared</span>
        </span>
      </figcaption>
    </figure>`;
  }

  #node({ node, x, y, ring }: Placed, isNear: boolean): unknown {
    const words = nodeWords(node);
    const tell = () => (this.told = node);
    const leave = () => (this.told = null);
    if (node.kind !== "transaction") {
      const isNarrow = this.width < NARROW;
      const label = isNarrow ? node.kind : `${node.kind} ${short(node.name)}`;
      const half = ring === 3 ? 5.5 : 8;
      return svg`<g class="node ${isNear ? "node-near" : ""}" transform="translate(${x} ${y})" tabindex="0" role="img" aria-label=${words}
        @pointerenter=${tell} @pointerleave=${leave} @focus=${tell} @blur=${leave}>
        <circle class="node-reach" r="13" />
        <rect class="node-entity" x=${-half} y=${-half} width=${2 * half} height=${2 * half} rx=${half / 2} />
        ${ring === 3 ? nothing : svg`<text class="node-label" y="24" text-anchor="middle">${label}</text>`}
      </g>`;
    }
    const kind = nodeKind(node);
    const sign = kind === "node-fraud" ? "!" : kind === "node-flagged" ? "?" : "";
    const drawn = svg`<circle class="node-reach" r="13" /><circle class=${kind} r=${ring === 0 ? 15 : 8} />
      <text class="node-sign" y="4" text-anchor="middle">${sign}</text>`;
    if (ring === 0) {
      return svg`<g class="node node-centre" transform="translate(${x} ${y})" tabindex="0" role="img" aria-label="This one: ${words}"
        @pointerenter=${tell} @pointerleave=${leave} @focus=${tell} @blur=${leave}>${drawn}</g>`;
    }
    const address = transactionLink(this.workload, node.id);
    const follow = (event: MouseEvent) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.button !== 0) return;
      event.preventDefault();
      go(address);
    };
    return svg`<a class="node ${isNear ? "node-near" : ""}" href=${address} transform="translate(${x} ${y})" aria-label=${words}
      @click=${follow} @pointerenter=${tell} @pointerleave=${leave} @focus=${tell} @blur=${leave}>${drawn}</a>`;
  }
}

function mark(kind: string, sign: string): TemplateResult {
  return html`<svg width="16" height="16" viewBox="-8 -8 16 16" aria-hidden="true"><circle class=${kind} r="7" /><text class="node-sign" y="4" text-anchor="middle">${sign}</text></svg>`;
}

function nodeKind(node: NeighbourhoodNode): string {
  if (node.label === "fraud" || node.label === "legitimate") return `node-${node.label}`;
  return node.flag ? "node-flagged" : "node-unknown";
}

function short(name: string): string {
  return name.length > 14 ? `${name.slice(0, 13)}…` : name;
}

function nodeWords(node: NeighbourhoodNode): string {
  if (node.kind !== "transaction") {
    const earlier = node.transactions === null ? "" : `, ${counted(node.transactions, "earlier transaction")}${node.frauds ? `, ${node.frauds} of them fraud` : ""}`;
    return `${node.kind} ${node.name}${earlier}`;
  }
  const parts = [`transaction ${node.name}`, node.time ? dateTime(node.time) : "", node.amount === null ? "" : `amount ${value(node.amount)}`];
  if (node.pred_prob !== null) parts.push(`${node.flag ? "flagged, " : ""}probability ${percent(node.pred_prob)}`);
  if (node.label && node.label !== "unknown") parts.push(`labelled ${node.label}`);
  return parts.filter(Boolean).join(", ");
}
