/** What every screen is: an element without a shadow, which the one stylesheet reaches, that follows the address. */

import { LitElement } from "lit";

import { live } from "../app/session";
import { now, zone } from "../app/clock";
import { place } from "../app/router";
import { Watching } from "../app/signal";
import type { LiveEvent } from "../api/shapes";

/** An element whose content the page's stylesheet styles. */
export class Part extends LitElement {
  protected override createRenderRoot(): HTMLElement {
    return this;
  }
}

export class Screen extends Part {
  #unlisten: (() => void) | undefined;
  #unplace: (() => void) | undefined;

  constructor() {
    super();
    new Watching(this, [place, zone, now]);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#unlisten = live.listen((event) => this.happened(event));
    this.#unplace = place.subscribe(() => this.isConnected && this.moved());
    this.moved();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#unlisten?.();
    this.#unplace?.();
  }

  /** The address is this screen's, now or again: load what it asks for. */
  protected moved(): void {}

  /** Something happened somewhere: load again what it is about. */
  protected happened(_event: LiveEvent): void {}
}
