import { render } from "lit";
import { beforeEach, expect, test } from "vitest";

import { problemOf } from "../src/api/problems";
import { filled } from "../src/api/client";
import { dateTime, duration, now, relative, span, zone } from "../src/app/clock";
import { percent, value, withUnit } from "../src/app/numbers";
import { href } from "../src/app/router";
import { screenAt } from "../src/app/screens";
import { featureWords, reasonOf, relationWords } from "../src/parts/reasons";
import { seriesParts, severity, time, titleOf } from "../src/parts/words";
import type { Touched } from "../src/api/shapes";

beforeEach(() => {
  zone.value = "UTC";
  now.value = Date.parse("2026-11-30T12:00:00Z");
});

function text(template: unknown): HTMLElement {
  const box = document.createElement("div");
  render(template as Parameters<typeof render>[0], box);
  return box;
}

test("durations have their two largest units", () => {
  expect([0.42, 8.34, 59.4, 60, 3600, 4800, 90_000, 86_400 * 3 + 60].map(duration)).toEqual(["0.4 s", "8.3 s", "59 s", "1 min", "1 h", "1 h 20 min", "1 d 1 h", "3 d"]);
});

test("times name their year where it is another one, and both zones in the tooltip", () => {
  expect(dateTime("2026-11-30T10:05:00Z")).toBe("30 Nov 10:05");
  expect(dateTime("2022-03-24T23:50:00Z")).toBe("24 Mar 2022 23:50");
  expect(dateTime("2026-11-30T10:05:00Z", { timeZone: "Europe/Berlin" })).toBe("30 Nov 11:05");
  const shown = text(time(1_795_000_000)).querySelector("time")!;
  expect(shown.getAttribute("datetime")).toBe("2026-11-18T11:06:40.000Z");
  expect(shown.title).toMatch(/UTC$/);
});

test("a span says its day once", () => {
  expect(span("2026-11-30T10:05:00Z", "2026-11-30T11:00:00Z")).toBe("30 Nov 10:05 to 11:00");
  expect(span("2026-11-30T22:00:00Z", "2026-12-01T01:00:00Z")).toBe("30 Nov 22:00 to 1 Dec 01:00");
});

test("what was is some time ago", () => {
  expect(["2026-11-30T11:59:55Z", "2026-11-30T11:57:00Z", "2026-11-28T11:00:00Z", "2026-11-30T14:00:00Z"].map(relative)).toEqual(["now", "3 min ago", "2 d ago", "in 2 h"]);
});

test("numbers have four digits and no more, and say when there is none", () => {
  expect([5.12741, 1234567, 0, -0.00001234, 2.5e12, null, NaN].map((one) => value(one))).toEqual(["5.127", "1,234,567", "0", "-1.234e-5", "2.500e+12", "–", "–"]);
  expect(withUnit(5, "mg/m³")).toBe("5 mg/m³");
  expect(withUnit(null, "mg/m³")).toBe("–");
  expect([0, 0.004, 0.364, 1].map(percent)).toEqual(["0 %", "< 1 %", "36 %", "100 %"]);
});

test("a series' key is taken apart as the product puts it together", () => {
  expect(seriesParts("co|location=hall 1%7Ca|line=x%3Dy")).toEqual({
    measure: "co",
    dimensions: [
      ["location", "hall 1|a"],
      ["line", "x=y"],
    ],
  });
});

test("a title leaves the time of the source's zone to the column beside it", () => {
  expect(titleOf({ title: "NO2 and SO2 high at B-101 since 14:05, 1 of 12 stations" })).toBe("NO2 and SO2 high at B-101, 1 of 12 stations");
  expect(titleOf({ title: "anomalies since 14:05" })).toBe("anomalies");
});

test("the colour of a severity is that of the number that is shown", () => {
  expect(text(severity(89.7)).querySelector(".severity-highest")?.textContent).toContain("90");
  expect(text(severity(69.4)).querySelector(".severity-calm")?.textContent).toContain("69");
});

const PART: Touched = {
  series: "co",
  runs: [[0, 1]],
  above: 1,
  below: 0,
  deviation: 10,
  contributions: { "pattern|1": 4, "range|0": 6 },
  peak_severity: 80,
  at: "2026-11-30T12:00:00Z",
  observed: 5,
  expected: 2.364,
  lower: 0.7535,
  upper: 3.975,
  anomaly_id: "a",
};

test("a value inside its range is never called anomalous without the reason", () => {
  expect(reasonOf(PART, 300)).toBe("5, above its usual range: 0.7535 to 3.975 is usual, 2.364 was expected.");
  expect(reasonOf({ ...PART, observed: 3 }, 300)).toContain("inside its usual range (0.7535 to 3.975 is usual, 2.364 was expected): outside of all values before");
  expect(reasonOf({ ...PART, observed: null }, 300)).toBe("It has said nothing for too long.");
  expect(featureWords("pattern|2", 300)).toBe("a course unlike any before, 10 min earlier");
  expect(relationWords({ leader: "no2", follower: "so2", lag_seconds: 600, strength: -0.62, evidence: 2300 })).toBe("no2 moved in the opposite direction 10 min before so2 (correlation -0.62 over 2,300 intervals)");
});

test("addresses encode what is in them and leave out what is not", () => {
  expect(href(["workloads", "a/b"], { state: "open", severity: null, measure: "" })).toBe(`${import.meta.env.BASE_URL}workloads/a%2Fb?state=open`);
  expect(filled("/watch/workloads/{workload}/series/{series}/points", { workload: "w", series: "co|x=a/b" })).toBe("/watch/workloads/w/series/co%7Cx%3Da%2Fb/points");
  expect(screenAt(["incidents", "abc"])?.tag).toBe("wk-incident");
  expect(screenAt(["nowhere"])).toBeNull();
});

test("a problem is told in the API's words, and what to do in the page's where it has none", async () => {
  const problem = (status: number, body: unknown) => problemOf(new Response(JSON.stringify(body), { status, headers: { "content-type": "application/problem+json" } }));
  expect(await problem(404, { title: "no such incident", detail: "abc is not kept." })).toMatchObject({ failure: "not-found", message: "No such incident.", remedy: "abc is not kept." });
  expect(await problem(403, { title: "forbidden" })).toMatchObject({ failure: "forbidden", message: "Your role does not allow this." });
  expect(await problem(422, { title: "invalid", errors: [{ field: "to", detail: "is empty" }] })).toMatchObject({ failure: "invalid", remedy: "To: is empty." });
  expect(await problemOf(new Response("<html>", { status: 502 }))).toMatchObject({ failure: "failed", message: "The API failed." });
});
