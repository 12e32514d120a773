import { expect, test, vi } from "vitest";

vi.mock("uplot", () => ({ default: class { static tzDate = (date: Date) => date; root = document.createElement("div"); over = document.createElement("div"); series = [{}]; width = 100; batch(act: () => void) { act(); } setData() {} setScale() {} setSize() {} destroy() {} } }));

const { button, live, open, page, text, until } = await import("./console");

test("workloads are listed, the most urgent first, each with why", async () => {
  await open("workloads");
  const rows = [...page.shell.querySelectorAll("tbody tr")].map((row) => row.textContent!);
  expect(rows).toHaveLength(5);
  expect(rows[0]).toContain("needs attention");
  expect(rows.at(-1)).toContain("card_fraud");
  expect(text()).toContain("no telemetry for 42 minutes, 15 are allowed");
});

test("one says how it goes, what it watches, who is told and who judges", async () => {
  await open("workloads/air_quality");
  for (const words of ["1 incident open", "Readings may be 10 minutes late.", "no2", "avg of NO2", "too high or too low", "of each LOCATION_ID its own series", "on_call", "begins or becomes more severe", "of 7 alerts in the last 7 days"]) {
    expect(text(), words).toContain(words);
  }
  const links = [...page.shell.querySelectorAll<HTMLAnchorElement>("main a")].map((one) => one.getAttribute("href")!);
  for (const part of ["/workloads/air_quality/runs", "incidents?workload=air_quality", "series?workload=air_quality"]) expect(links.some((one) => one.includes(part)), part).toBe(true);
});

test("one without a model says that nothing is judged", async () => {
  await open("workloads/stock_volume");
  expect(text()).toContain("None yet: nothing is judged until");
});

test("an incident that opens is counted without a reload", async () => {
  await open("workloads/air_quality");
  page.answers.tick(1);
  await live.catchUp();
  await until(() => text().includes("2 incidents open"));
});

test("an operator sees its file when it is opened, and a viewer does not", async () => {
  await open("workloads/air_quality");
  expect(page.asked.some((one) => one.url.pathname.endsWith("/spec"))).toBe(false);
  const file = [...page.shell.querySelectorAll("details")].find((one) => one.textContent!.includes("Its file"))!;
  file.open = true;
  file.dispatchEvent(new Event("toggle"));
  await until(() => text().includes("name: air_quality kind: anomaly"));
  page.shell.remove();
  await open("workloads/air_quality", "viewer");
  expect(text()).not.toContain("Its file");
  expect(button("Send a test")).toBeUndefined();
});

test("an operator sees what the month costs, of the workload and of all, and a viewer does not", async () => {
  await open("workloads/machine_temperature");
  await until(() => text().includes("All that is deployed"));
  for (const words of ["26.68", "68.97", "< 0.01", "97 % of the month has passed", "Not counted: endpoint and messages of machine_temperature"]) expect(text(), words).toContain(words);
  page.shell.remove();
  await open("workloads/air_quality", "viewer");
  expect(text()).not.toContain("What this month costs");
});

test("a test of routes tells what became of each sample", async () => {
  await open("workloads/air_quality");
  page.shell.querySelector<HTMLFormElement>("wk-route-test form")!.requestSubmit();
  await until(() => text().includes("1 did not arrive."));
  for (const words of ["inbox of ops@example.com", "its subscription is not confirmed"]) expect(text()).toContain(words);
  expect(page.asked.find((one) => one.method === "POST")!.body).toEqual({ channels: [] });
});

test("an operator pauses a workload with why, and resumes it", async () => {
  await open("workloads/air_quality");
  button("Pause")!.click();
  await until(() => button("Pause it") !== undefined);
  page.shell.querySelector<HTMLInputElement>("wk-pauses input[name=note]")!.value = "new sensor";
  page.shell.querySelector<HTMLFormElement>("wk-pauses form")!.requestSubmit();
  await until(() => text().includes("new sensor"));
  const sent = page.asked.find((one) => one.method === "POST")!;
  expect(sent.url.pathname).toBe("/watch/workloads/air_quality/pause");
  expect(sent.body).toMatchObject({ series: null, note: "new sensor" });
  expect(Date.parse(String(sent.body["until"]))).toBeGreaterThan(Date.now());
  button("Resume")!.click();
  await until(() => text().includes("What happens is told again."));
  expect(text()).not.toContain("new sensor");
});

test("the log says what came late and what was unusual in it", async () => {
  await open("workloads/air_quality/log?span=21600");
  expect(text()).toContain("came after their interval had closed");
  const rows = [...page.shell.querySelectorAll("tbody tr")];
  expect(rows.length).toBeGreaterThan(50);
  expect(rows.some((row) => row.textContent!.includes("75 %"))).toBe(true);
});
