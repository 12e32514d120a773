import { expect, test, vi } from "vitest";

vi.mock("uplot", () => ({ default: class { static tzDate = (date: Date) => date; root = document.createElement("div"); over = document.createElement("div"); series = [{}]; width = 100; batch(act: () => void) { act(); } setData() {} setScale() {} setSize() {} destroy() {} } }));

const { go, open, page, settled, text } = await import("./console");
const links = () => [...page.shell.querySelectorAll<HTMLAnchorElement>("main a")].map((one) => one.getAttribute("href"));

test("a day names its incidents, and links to the days beside it", async () => {
  await open("digest/2026-11-29");
  expect(page.shell.querySelector("h1")!.textContent).toMatch(/^Sunday,? 29 November 2026$/);
  for (const words of ["Open at its end", "Opened", "Over", "alerts in seven days", "Silent series", "How telemetry came"]) expect(text()).toContain(words);
  expect(links()).toContain(`${import.meta.env.BASE_URL}digest/2026-11-28`);
  expect(links().some((one) => one!.includes("/incidents/"))).toBe(true);
});

test("a day of one workload is an address of its own, and all are a link away", async () => {
  await open("digest/2026-11-29?workload=air_quality");
  const asked = page.asked.filter((one) => one.url.pathname === "/watch/digests/2026-11-29");
  expect(asked.map((one) => one.url.searchParams.get("workload"))).toEqual(["air_quality"]);
  expect(page.shell.querySelectorAll(".digest-columns")).toHaveLength(1);
  go(links().find((one) => one!.endsWith("digest/2026-11-29"))!);
  await settled();
  expect(page.asked.at(-1)!.url.searchParams.get("workload")).toBeNull();
});

test("a day that has not begun says so", async () => {
  await open("digest/2027-01-01");
  expect(page.shell.querySelector(".face-failed")!.textContent).toContain("date 2027-01-01 has not begun");
});
