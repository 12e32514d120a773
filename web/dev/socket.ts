/** As much of AppSync Events as a page needs to be looked at: frames of text over an upgraded connection. */

import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

const MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

export class EventServer {
  readonly #subscribers = new Map<Duplex, string>();

  upgrade(request: IncomingMessage, wire: Duplex): void {
    const accept = createHash("sha1").update(request.headers["sec-websocket-key"] + MAGIC).digest("base64");
    wire.write(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
        `Sec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: aws-appsync-event-ws\r\n\r\n`,
    );
    wire.on("data", (chunk: Buffer) => this.#read(wire, chunk));
    for (const end of ["close", "error", "end"]) wire.on(end, () => this.#subscribers.delete(wire));
  }

  publish(event: unknown): void {
    for (const [wire, id] of this.#subscribers) send(wire, { type: "data", id, event: JSON.stringify(event) });
  }

  /** End all connections, as a failing network would. */
  drop(): void {
    for (const wire of this.#subscribers.keys()) wire.destroy();
    this.#subscribers.clear();
  }

  #read(wire: Duplex, chunk: Buffer): void {
    for (let at = 0; at + 6 <= chunk.length; ) {
      const kind = chunk[at]! & 15;
      let length = chunk[at + 1]! & 127;
      let header = at + 2;
      if (length === 126) {
        length = chunk.readUInt16BE(header);
        header += 2;
      }
      const mask = chunk.subarray(header, header + 4);
      const body = Buffer.from(chunk.subarray(header + 4, header + 4 + length));
      for (let index = 0; index < body.length; index++) body[index]! ^= mask[index % 4]!;
      at = header + 4 + length;
      if (kind === 8) return void wire.end();
      if (kind !== 1) continue;
      const message = JSON.parse(body.toString()) as { type: string; id?: string };
      if (message.type === "connection_init") send(wire, { type: "connection_ack", connectionTimeoutMs: 300_000 });
      if (message.type === "subscribe") {
        this.#subscribers.set(wire, message.id!);
        send(wire, { type: "subscribe_success", id: message.id });
      }
    }
  }
}

function send(wire: Duplex, message: object): void {
  const body = Buffer.from(JSON.stringify(message));
  const head = body.length < 126 ? Buffer.from([0x81, body.length]) : Buffer.from([0x81, 126, body.length >> 8, body.length & 255]);
  wire.write(Buffer.concat([head, body]));
}
