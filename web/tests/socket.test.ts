import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { Connection, type Told } from "../src/live/socket";

const ADDRESS = { http: "h.example", realtime: "rt.example", channel: "/watch/t" };

class Socket {
  static last: Socket;
  sent: Record<string, unknown>[] = [];
  isClosed = false;
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: string }) => void) | null = null;
  onclose: ((event: { reason: string }) => void) | null = null;
  onerror: (() => void) | null = null;

  constructor(
    readonly url: string,
    readonly protocols: string[],
  ) {
    Socket.last = this;
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text) as Record<string, unknown>);
  }

  close(): void {
    this.isClosed = true;
  }

  says(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
}

let told: { [name in keyof Told]: ReturnType<typeof vi.fn> };

function connect(token: string | null = "a.b.c"): Socket {
  told = { subscribed: vi.fn(), event: vi.fn(), ended: vi.fn() };
  new Connection(ADDRESS, token, told as unknown as Told, (url, protocols) => new Socket(url, protocols) as unknown as WebSocket);
  Socket.last.onopen?.();
  return Socket.last;
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("it opens with the protocol's name and the authorization, and subscribes once it is acknowledged", () => {
  const socket = connect();
  expect(socket.url).toBe("ws://rt.example/event/realtime");
  const [name, header] = socket.protocols;
  expect(name).toBe("aws-appsync-event-ws");
  const decoded: unknown = JSON.parse(atob(header!.replace("header-", "").replaceAll("-", "+").replaceAll("_", "/")));
  expect(decoded).toEqual({ host: "h.example", Authorization: "a.b.c" });
  expect(socket.sent).toEqual([{ type: "connection_init" }]);
  socket.says({ type: "connection_ack", connectionTimeoutMs: 60_000 });
  expect(socket.sent[1]).toMatchObject({ type: "subscribe", channel: "/watch/t", authorization: decoded });
  socket.says({ type: "subscribe_success", id: socket.sent[1]!["id"] });
  expect(told.subscribed).toHaveBeenCalledOnce();
});

test("the host signs where there is no token", () => {
  const header = connect(null).protocols[1]!.replace("header-", "").replaceAll("-", "+").replaceAll("_", "/");
  expect(JSON.parse(atob(header))).toEqual({ host: "h.example" });
});

test("events come as JSON in a text, one or several", () => {
  const socket = connect();
  socket.says({ type: "connection_ack" });
  socket.says({ type: "data", event: '{"id":"1"}' });
  socket.says({ type: "data", event: ['{"id":"2"}', '{"id":"3"}'] });
  expect(told.event.mock.calls).toEqual([[{ id: "1" }], [{ id: "2" }], [{ id: "3" }]]);
});

test("silence beyond the time that the service names ends it; a keepalive does not", () => {
  const socket = connect();
  socket.says({ type: "connection_ack", connectionTimeoutMs: 60_000 });
  vi.advanceTimersByTime(50_000);
  socket.says({ type: "ka" });
  vi.advanceTimersByTime(50_000);
  expect(told.ended).not.toHaveBeenCalled();
  vi.advanceTimersByTime(11_000);
  expect(told.ended).toHaveBeenCalledExactlyOnceWith("silent for too long");
  expect(socket.isClosed).toBe(true);
});

test("an opening that nobody answers ends after fifteen seconds", () => {
  connect();
  vi.advanceTimersByTime(15_001);
  expect(told.ended).toHaveBeenCalledOnce();
});

test("a refusal is told with its reason, and what comes after the end is not", () => {
  const socket = connect();
  const { onmessage } = socket;
  socket.says({ type: "subscribe_error", errors: [{ errorType: "UnauthorizedException", message: "not yours" }] });
  expect(told.ended).toHaveBeenCalledExactlyOnceWith("not yours");
  onmessage?.({ data: '{"type":"data","event":"{}"}' });
  expect(told.event).not.toHaveBeenCalled();
});
