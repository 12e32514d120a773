/**
 * One connection of AppSync Events, over a plain WebSocket: open, subscribe, hand on what comes, tell when it
 * is over. Who comes back after it is `live.ts`.
 */

import type { LiveAddress } from "../api/shapes";
import { base64url } from "../app/sign_in";

export interface Told {
  /** The subscription stands: from here on events come. */
  subscribed(): void;
  /** The JSON of one event. */
  event(event: unknown): void;
  /** It is over, whoever ended it; told once. */
  ended(why: string): void;
}

/** What is told about the connection before the service has said how long it may be silent. */
const SILENCE_MS = 300_000;
/** No answer to the opening for this long, and it is tried again. */
const OPENING_MS = 15_000;

/** The part of the protocol's messages that is read here. */
interface Message {
  type: string;
  id?: string;
  connectionTimeoutMs?: number;
  event?: string | string[];
  errors?: { errorType?: string; message?: string }[];
}

export class Connection {
  readonly #socket: WebSocket;
  #silence = SILENCE_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #over = false;

  constructor(
    private readonly address: LiveAddress,
    private readonly token: string | null,
    private readonly told: Told,
    open: (url: string, protocols: string[]) => WebSocket = (url, protocols) => new WebSocket(url, protocols),
  ) {
    const header = base64url(new TextEncoder().encode(JSON.stringify(this.#authorization())));
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.#socket = open(`${scheme}://${address.realtime}/event/realtime`, ["aws-appsync-event-ws", `header-${header}`]);
    this.#socket.onopen = () => this.#send({ type: "connection_init" });
    this.#socket.onmessage = (message: MessageEvent<string>) => this.#read(message.data);
    this.#socket.onclose = (event) => this.#end(event.reason || "closed");
    this.#socket.onerror = () => this.#end("no connection");
    this.#expect(OPENING_MS);
  }

  close(why = "closed here"): void {
    this.#end(why);
  }

  #authorization(): Record<string, string> {
    const host = this.address.http;
    return this.token === null ? { host } : { host, Authorization: this.token };
  }

  #send(message: object): void {
    this.#socket.send(JSON.stringify(message));
  }

  /** Whatever comes shows that the other side lives; the next must come within the time it names. */
  #expect(within: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#end("silent for too long"), within);
  }

  #read(text: string): void {
    if (this.#over) return;
    const message = JSON.parse(text) as Message;
    this.#expect(this.#silence);
    switch (message.type) {
      case "connection_ack":
        this.#silence = message.connectionTimeoutMs ?? SILENCE_MS;
        this.#expect(this.#silence);
        this.#send({
          type: "subscribe",
          id: crypto.randomUUID(),
          channel: this.address.channel,
          authorization: this.#authorization(),
        });
        break;
      case "subscribe_success":
        this.told.subscribed();
        break;
      case "data":
        for (const event of [message.event ?? []].flat()) {
          this.told.event(typeof event === "string" ? JSON.parse(event) : event);
        }
        break;
      case "connection_error":
      case "subscribe_error":
      case "broadcast_error":
      case "error":
        this.#end(message.errors?.map((error) => error.message ?? error.errorType).join("; ") || message.type);
        break;
    }
  }

  #end(why: string): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = this.#socket.onerror = null;
    this.#socket.close();
    this.told.ended(why);
  }
}
