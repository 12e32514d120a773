/**
 * An API with invented answers, for looking at screens without a cloud: `npm run dev -- --mode fixtures`.
 *
 * FIXTURES_NOW (ISO 8601) stops its clock, FIXTURES_ROLE is who looks. `POST /fixtures/drop` ends all live
 * connections, `POST /fixtures/tick` opens an incident, `POST /fixtures/fail?status=503` answers so to all
 * that follows (0: as usual again).
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Connect, Plugin } from "vite";

import type { Role } from "../src/api/shapes";
import { Answers } from "./answers.ts";
import { EventServer } from "./socket.ts";
import { World } from "./world.ts";

/** As the hosts of the console send it; vite's own development server would not work under it. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; " +
  "manifest-src 'self'; connect-src 'self' ws:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

interface Hosting {
  middlewares: Connect.Server;
  httpServer: unknown;
}

export function fixtures(): Plugin {
  return {
    name: "fixtures",
    configureServer: (server) => serve(server, { isStrict: false }),
    configurePreviewServer: (server) => serve(server, { isStrict: true }),
  };
}

function serve(hosting: Hosting, { isStrict }: { isStrict: boolean }): void {
  const stopped = process.env["FIXTURES_NOW"];
  const answers = new Answers(new World((stopped ? Date.parse(stopped) : Date.now()) / 1000), {
    user: "ann",
    tenant: "plant-north",
    role: (process.env["FIXTURES_ROLE"] ?? "operator") as Role,
    region: "eu-central-1",
    version: "0.9.0",
    live: { http: "localhost", realtime: "", channel: "/watch/all" },
  });
  const events = new EventServer();
  answers.told = (event) => events.publish(event);
  let ticks = 0;
  let failing = 0;
  if (!stopped) setInterval(() => answers.tick(ticks++), 20_000).unref();

  const server = hosting.httpServer as { on(name: "upgrade", told: (request: IncomingMessage, wire: Duplex) => void): void } | null;
  server?.on("upgrade", (request, wire) => {
    if (request.url === "/event/realtime") events.upgrade(request, wire);
  });

  hosting.middlewares.use((request, response, next) => {
    void respond(request, response, next).catch(next);
  });

  async function respond(request: IncomingMessage, response: ServerResponse, next: () => void): Promise<void> {
    const url = new URL(request.url ?? "/", "http://here");
    const segments = url.pathname.split("/").filter(Boolean).map(decodeURIComponent);
    if (url.pathname === "/console/config.json") return json(response, 200, { api: "", auth: "developer" });
    if (segments[0] === "fixtures") {
      if (segments[1] === "drop") events.drop();
      if (segments[1] === "tick") answers.tick(ticks++);
      if (segments[1] === "fail") failing = Number(url.searchParams.get("status"));
      return json(response, 200, {});
    }
    if (segments[0] !== "watch" && segments[0] !== "fraud") {
      if (isStrict) response.setHeader("content-security-policy", POLICY);
      return next();
    }
    if (failing) return json(response, failing, { title: "the table is throttled", detail: "Ask again in a moment." });
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = parts.length ? (JSON.parse(Buffer.concat(parts).toString()) as Record<string, unknown>) : {};
    const me = segments[1] === "me" ? { host: request.headers.host } : null;
    const found = answers.answer({ method: request.method ?? "GET", path: segments, query: url.searchParams, body });
    if (me && found.body) found.body = { ...(found.body as object), live: { http: me.host, realtime: me.host, channel: "/watch/all" } };
    if (found.type) {
      response.setHeader("content-type", found.type);
      return void response.end(found.body);
    }
    return json(response, found.status, found.body);
  }
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.statusCode = status;
  response.setHeader("content-type", status < 400 ? "application/json" : "application/problem+json");
  response.setHeader("cache-control", "no-store");
  response.end(body === undefined ? undefined : JSON.stringify(body));
}
