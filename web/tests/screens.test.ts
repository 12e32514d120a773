import { expect, test, vi } from "vitest";

import { World } from "../dev/world";
import type { Role } from "../src/api/shapes";

vi.mock("uplot", () => ({ default: class { static tzDate = (date: Date) => date; root = document.createElement("div"); over = document.createElement("div"); series = [{}]; width = 100; batch(act: () => void) { act(); } setData() {} setScale() {} setSize() {} destroy() {} } }));

const { button, go, live, NOW, open, page, text, until } = await import("./console");

test("the overview shows each workload with its health, the open incidents and the budget", async () => {
  await open("");
  expect(text()).toContain("2 incidents are open and 1 workload says nothing");
  expect(page.shell.querySelectorAll(".workload-card")).toHaveLength(5);
  expect(text()).toContain("9 of 7 alerts this week");
  expect(text()).toContain("over budget");
});

test("an event that comes changes what is shown, without a reload", async () => {
  await open("");
  const before = page.answers.world.incidents.length;
  page.answers.tick(1);
  await live.catchUp();
  await until(() => text().includes("3 incidents are open"));
  expect(page.answers.world.incidents).toHaveLength(before + 1);
});

test("filters are asked of the API as the address has them, and the address follows them", async () => {
  await open("incidents?state=closed&severity=80&workload=air_quality&where=LOCATION_ID:B-101");
  const { searchParams } = page.asked.find((one) => one.url.pathname === "/watch/incidents")!.url;
  expect(Object.fromEntries(searchParams)).toMatchObject({ state: "closed", severity_from: "80", workload: "air_quality", where: "LOCATION_ID:B-101" });
  button("Open")!.click();
  await until(() => page.asked.at(-1)!.url.searchParams.get("state") === "open");
  expect(location.search).toContain("state=open");
});

test("more of a list is put behind it, once", async () => {
  await open("incidents");
  expect(page.shell.querySelectorAll("tbody tr")).toHaveLength(25);
  const more = button("Show more")!;
  more.click();
  more.click();
  await until(() => page.shell.querySelectorAll("tbody tr").length > 25);
  expect(page.asked.filter((one) => one.url.searchParams.has("cursor"))).toHaveLength(1);
});

test("nothing found is said with a way back", async () => {
  await open("incidents?severity=100");
  expect(text()).toContain("No incident is like this");
  button("show all")!.click();
  await until(() => page.shell.querySelectorAll("tbody tr").length > 0);
});

test("a failure is told in the API's words, and tried again where asked", async () => {
  await open("incidents?state=open");
  page.failing = { status: 503, body: { title: "the table is throttled", detail: "Ask again in a moment." } };
  go(`${import.meta.env.BASE_URL}incidents?state=closed`);
  await until(() => text().includes("What is shown is older"));
  expect(text()).toContain("the table is throttled.");
  page.failing = null;
  button("Try again")!.click();
  await until(() => !text().includes("What is shown is older"));
});

async function openIncident(role: Role = "operator"): Promise<string> {
  const [first] = new World(NOW).incidents;
  await open(`incidents/${first!.incident_id}`, role);
  return first!.incident_id;
}

test("feedback is sent with its note and what was shown, and can be taken back", async () => {
  const id = await openIncident();
  page.shell.querySelector<HTMLTextAreaElement>("#feedback-note")!.value = "sensor was cleaned";
  button("Nothing happened.")!.click();
  await until(() => text().includes("Kept: noise."));
  const sent = page.asked.findLast((one) => one.method === "POST")!;
  expect(sent.url.pathname).toBe(`/watch/incidents/${id}/feedback`);
  expect(sent.body).toEqual({ verdict: "noise", note: "sensor was cleaned" });
  expect(sent.headers.get("if-match")).toBe('"7"');
  button("Take back")!.click();
  await until(() => text().includes("Taken back."));
  expect(page.asked.findLast((one) => one.method === "DELETE")!.url.pathname).toBe(`/watch/incidents/${id}/feedback`);
});

test("a viewer sees what was said, and no button that the API would refuse", async () => {
  await openIncident("viewer");
  expect(text()).toContain("Nobody has said yet.");
  for (const words of ["Acknowledge", "Assign", "Snooze", "Nothing happened."]) expect(button(words), words).toBeUndefined();
});

test("what somebody else changed meanwhile is told, and loaded", async () => {
  await openIncident();
  page.failing = { status: 412, body: { title: "precondition failed" } };
  button("Acknowledge")!.click();
  await until(() => text().includes("Somebody changed this a moment ago."));
  page.failing = null;
  expect(page.asked.filter((one) => one.method === "GET" && /incidents\/[^/]+$/.test(one.url.pathname)).length).toBeGreaterThan(1);
});

test("an incident that joined another shows that one, under its address", async () => {
  const world = new World(NOW);
  const [survivor] = world.incidents;
  await open("incidents");
  const real = page.answers.answer.bind(page.answers);
  page.answers.answer = (one) => real(one.path[2] === "former" ? { ...one, path: ["watch", "incidents", survivor!.incident_id] } : one);
  go(`${import.meta.env.BASE_URL}incidents/former`);
  await until(() => location.pathname.endsWith(survivor!.incident_id));
});

test("the explorer loads all pages of what is chosen, and says what there is", async () => {
  await open("series?workload=air_quality&series=co%7CLOCATION_ID%3DB-101&span=8640000");
  await until(() => text().includes("intervals loaded"));
  const pages = page.asked.filter((one) => one.url.pathname.endsWith("/points"));
  expect(pages.length).toBeGreaterThan(2);
  expect(pages.filter((one) => one.url.searchParams.has("cursor"))).toHaveLength(pages.length - 1);
});

const CO = "series?workload=air_quality&series=co%7CLOCATION_ID%3DB-101&span=8640000";

test("a stretch is marked on the chart, labelled with why, shown, and taken back", async () => {
  await open(CO);
  await until(() => text().includes("intervals loaded"));
  button("Label")!.click();
  await until(() => text().includes("Drag over what was an anomaly."));
  const chart = page.shell.querySelector("wk-chart")!;
  chart.dispatchEvent(new CustomEvent("mark", { detail: [NOW - 90_000, NOW - 89_000], bubbles: true }));
  await until(() => page.shell.querySelector("wk-label-form form") !== null);
  page.shell.querySelector<HTMLInputElement>("wk-label-form input[name=note]")!.value = "valve stuck";
  page.shell.querySelector<HTMLFormElement>("wk-label-form form")!.requestSubmit();
  await until(() => text().includes("valve stuck"));
  const sent = page.asked.find((one) => one.method === "POST")!;
  expect(sent.url.pathname).toBe("/watch/workloads/air_quality/labels");
  expect(sent.body).toEqual({ series: "co|LOCATION_ID=B-101", start: "2026-11-29T10:50:00.000Z", end: "2026-11-29T11:06:40.000Z", note: "valve stuck" });
  expect((chart as unknown as { windows: unknown[] }).windows).toContainEqual({ start: NOW - 90_000, end: NOW - 88_800, kind: "label" });
  button("Take it back")!.click();
  await until(() => !text().includes("valve stuck"));
  expect(page.asked.find((one) => one.method === "DELETE")!.url.pathname).toBe("/watch/workloads/air_quality/labels/label-0");
});

test("a viewer sees labels and cannot mark one", async () => {
  await open(CO, "viewer");
  await until(() => text().includes("intervals loaded"));
  expect(button("Label")).toBeUndefined();
  expect(button("Take it back")).toBeUndefined();
});

test("an address without a screen says so, and leads back", async () => {
  await open("nowhere");
  expect(text()).toContain("This page is not here");
});
