/** The screens over what the API itself answers: `tests/contract/console/answers`, written by its own code. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { Changes, Incident, Listing, IncidentLine, Points, SeriesListing, Workload, WorkloadDetail } from "../src/api/shapes";

vi.mock("uplot", () => ({ default: class { static tzDate = (date: Date) => date; root = document.createElement("div"); over = document.createElement("div"); series = [{}]; width = 100; batch(act: () => void) { act(); } setData() {} setScale() {} setSize() {} destroy() {} } }));

const { Shell } = await import("../src/app/shell");
const { live } = await import("../src/app/session");
const { go } = await import("../src/app/router");
const { now, zone } = await import("../src/app/clock");

function answer<T>(name: string): T {
  return JSON.parse(readFileSync(join(import.meta.dirname, "../../tests/contract/console/answers", `${name}.json`), "utf8")) as T;
}

const incident = answer<Incident>("incident");
const points = answer<Points>("points");
let shell: InstanceType<typeof Shell>;

beforeEach(() => {
  zone.value = "UTC";
  now.value = Date.parse("2026-11-30T06:01:00Z");
  vi.spyOn(Date, "now").mockReturnValue(now.value);
  const answers: [RegExp, unknown][] = [
    [/config\.json$/, { api: "", auth: "developer" }],
    [/^\/watch\/me$/, { ...answer<object>("me"), live: null }],
    [/^\/watch\/changes$/, answer<Changes>("changes")],
    [/^\/watch\/workloads$/, answer<Listing<Workload>>("workloads")],
    [/^\/watch\/workloads\/[^/]+$/, answer<object>("workload")],
    [/\/devices$/, answer<object>("devices")],
    [/\/devices\/[^/]+$/, answer<object>("device")],
    [/\/sites$/, answer<object>("sites")],
    [/\/cost$/, answer<object>("cost")],
    [/\/runs$/, answer<object>("runs")],
    [/\/releases$/, answer<object>("releases")],
    [/\/models$/, answer<object>("models")],
    [/\/models\/\d+$/, answer<object>("model")],
    [/\/runs\/running$/, answer<object>("run_running")],
    [/\/runs\/failed$/, answer<object>("run_failed")],
    [/\/runs\/[^/]+$/, answer<object>("run")],
    [/\/charts\/[^/]+$/, {}],
    [/^\/watch\/incidents$/, answer<Listing<IncidentLine>>("incidents")],
    [/^\/watch\/incidents\/[^/]+$/, incident],
    [/\/series$/, answer<SeriesListing>("series")],
    [/\/labels$/, answer<object>("labels")],
    [/\/points$/, { ...points, complete: true, next: null }],
  ];
  vi.stubGlobal("fetch", (address: string) => {
    const { pathname } = new URL(address, "http://here");
    const found = answers.find(([path]) => path.test(pathname));
    return Promise.resolve(found ? Response.json(found[1]) : Response.json({ title: `no answer to ${pathname}` }, { status: 404 }));
  });
});

afterEach(() => {
  live.stop();
  shell.remove();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

async function open(where: string): Promise<string> {
  go(import.meta.env.BASE_URL + where);
  shell = new Shell();
  document.body.append(shell);
  await vi.waitUntil(() => shell.querySelector("h1") && !shell.querySelector(".skeleton"), { timeout: 25_000, interval: 5 });
  const main = shell.querySelector("main")!;
  expect(main.querySelector(".face-failed")?.textContent).toBeUndefined();
  const words = main.textContent!.replaceAll(/\s+/g, " ");
  expect(words).not.toMatch(/undefined|NaN|\[object|Invalid Date/);
  return words;
}

test("the overview", async () => {
  const words = await open("");
  for (const { workload } of answer<Listing<Workload>>("workloads").items) expect(words).toContain(workload);
});

test("the list of incidents", async () => {
  await open("incidents");
  expect(shell.querySelectorAll("tbody tr")).toHaveLength(answer<Listing<IncidentLine>>("incidents").items.length);
});

test("one incident", async () => {
  const words = await open(`incidents/${incident.incident_id}`);
  expect(shell.querySelectorAll("wk-touched-series")).toHaveLength(incident.touched.length);
  expect(words).toContain(incident.release!.run_id);
});

test("series", async () => {
  const words = await open(`series?workload=air_quality&series=${encodeURIComponent(points.series)}`);
  expect(words).toContain("intervals loaded");
  expect(words).toContain("valve stuck");
  expect(shell.querySelectorAll("wk-chart")).toHaveLength(2);
});

test("runs and releases", async () => {
  const words = await open("workloads/air_quality/runs");
  expect(shell.querySelectorAll("tbody tr")).toHaveLength(answer<Listing<object>>("runs").items.length);
  expect(words).toContain("judges now");
});

test.each(["first", "running", "failed"])("a run: %s", async (which) => {
  await open(`workloads/air_quality/runs/${which}`);
  expect(shell.querySelectorAll(".state").length).toBeGreaterThan(3);
});

test("models", async () => {
  const words = await open("workloads/air_quality/models");
  expect(shell.querySelectorAll("tbody tr")).toHaveLength(answer<Listing<object>>("models").items.length);
  expect(words).toContain("judges now");
});

test("one version of a model", async () => {
  expect(await open("workloads/air_quality/models/2")).toContain("Champion and challenger");
});

test("workloads", async () => {
  await open("workloads");
  expect(shell.querySelectorAll("tbody tr")).toHaveLength(answer<Listing<Workload>>("workloads").items.length);
});

test("one workload", async () => {
  const one = answer<WorkloadDetail>("workload");
  const words = await open("workloads/air_quality");
  for (const told of [...one.says, ...one.why, ...one.routes.map((route) => route.name)]) expect(words).toContain(told);
});

test("the fleet, and one device of it", async () => {
  const { items } = answer<Listing<{ serial_number: string; site: string }>>("devices");
  expect(await open("devices")).toContain("watched by fleet_behaviour");
  expect(shell.querySelectorAll("tbody tr")).toHaveLength(items.length);
  expect(await open("devices/A17")).toMatch(/active .*A17.*messages/);
});
