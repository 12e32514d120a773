/** A value that says when it changes, and what redraws an element then. */

import type { ReactiveController, ReactiveControllerHost } from "lit";

export class Signal<T> {
  #value: T;
  readonly #listeners = new Set<(value: T) => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  set value(value: T) {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const listener of [...this.#listeners]) listener(value);
  }

  /** Call `listener` at each change, until the returned function is called. */
  subscribe(listener: (value: T) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** Redraws its host when one of the signals changes, as long as the host is in the page. */
export class Watching implements ReactiveController {
  #ends: (() => void)[] = [];

  constructor(
    private readonly host: ReactiveControllerHost,
    private readonly signals: readonly Signal<any>[],
  ) {
    host.addController(this);
  }

  hostConnected(): void {
    this.#ends = this.signals.map((signal) => signal.subscribe(() => this.host.requestUpdate()));
  }

  hostDisconnected(): void {
    for (const end of this.#ends) end();
    this.#ends = [];
  }
}
