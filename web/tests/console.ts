/** The page over the invented API of `dev/`, as tests open and ask it. A test file mocks uPlot by itself. */

import { afterEach, beforeEach, vi } from "vitest";

import { Answers } from "../dev/answers";
import { World } from "../dev/world";
import type { Me, Role } from "../src/api/shapes";

export const NOW = Date.parse("2026-11-30T11:50:00Z") / 1000;

const { Shell } = await import("../src/app/shell");
export const { live } = await import("../src/app/session");
export const { go } = await import("../src/app/router");

interface Page {
  answers: Answers;
  /** What all that follows is answered, but for who looks. */
  failing: { status: number; body: object } | null;
  asked: { method: string; url: URL; headers: Headers; body: Record<string, unknown> }[];
  shell: HTMLElement & { updateComplete: Promise<unknown> };
}

export const page = {} as Page;

export async function open(where: string, role: Role = "operator"): Promise<void> {
  const me: Me = { user: "ann", tenant: "t", role, region: "eu-central-1", version: "1", live: null };
  page.answers = new Answers(new World(NOW), me);
  go(import.meta.env.BASE_URL + where);
  page.shell = new Shell();
  document.body.append(page.shell);
  await settled();
}

/** Wait for what is shown now to have loaded. */
export async function settled(): Promise<void> {
  await until(() => page.shell.querySelector("h1") !== null && page.shell.querySelector(".skeleton") === null);
}

export async function until(holds: () => boolean): Promise<void> {
  await vi.waitUntil(holds, { timeout: 25_000, interval: 5 });
}

export const text = () => page.shell.querySelector("main")!.textContent!.replaceAll(/\s+/g, " ");

export const button = (words: string) => [...page.shell.querySelectorAll<HTMLButtonElement>("button")].find((one) => one.textContent!.includes(words));

beforeEach(() => {
  localStorage.clear();
  page.failing = null;
  page.asked = [];
  vi.stubGlobal("fetch", (address: string, { method = "GET", headers, body }: { method?: string; headers?: Headers; body?: string } = {}) => {
    const url = new URL(address, "http://here");
    if (url.pathname.endsWith("config.json")) return Promise.resolve(Response.json({ api: "", auth: "developer" }));
    const one = { method, url, headers: headers ?? new Headers(), body: body ? (JSON.parse(body) as Record<string, unknown>) : {} };
    page.asked.push(one);
    const { failing } = page;
    if (failing && one.url.pathname !== "/watch/me") return Promise.resolve(new Response(JSON.stringify(failing.body), { status: failing.status, headers: { "content-type": "application/problem+json" } }));
    const found = page.answers.answer({ method, path: url.pathname.split("/").filter(Boolean).map(decodeURIComponent), query: url.searchParams, body: one.body });
    const content = found.type ? String(found.body) : found.body === undefined ? null : JSON.stringify(found.body);
    return Promise.resolve(new Response(content, { status: found.status, headers: { "content-type": found.type ?? "application/json", etag: '"7"' } }));
  });
});

afterEach(() => {
  live.stop();
  (page.shell as HTMLElement | undefined)?.remove();
  vi.unstubAllGlobals();
});
