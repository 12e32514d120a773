import { expect, test, vi } from "vitest";

import { Backtests, SETTINGS } from "../dev/backtests";
import { figureRows } from "../src/parts/backtest_words";
import { differing, present, read } from "../src/parts/setting_fields";

vi.mock("uplot", () => ({ default: class { static tzDate = (date: Date) => date; root = document.createElement("div"); over = document.createElement("div"); series = [{}]; width = 100; batch(act: () => void) { act(); } setData() {} setScale() {} setSize() {} destroy() {} } }));

const { button, NOW, open, page, text, until } = await import("./console");

const WHERE = "workloads/air_quality/backtests";
const [running, done, failed] = new Backtests(NOW, "air_quality", "name: air_quality").list().items;
const field = (name: string) => page.shell.querySelector<HTMLInputElement>(`[name="${name}"]`)!;
const asked = (method: string, end: string) => page.asked.filter((one) => one.method === method && one.url.pathname.endsWith(end));

function type(name: string, words: string): void {
  const input = field(name);
  input.value = words;
  input.dispatchEvent(new Event("change", { bubbles: true }));
  input.dispatchEvent(new Event("input", { bubbles: true }));
}

test("a rule has its own parameters, and what is put back is no change", () => {
  const keys = (values: Record<string, string>) => present(SETTINGS, values).filter((one) => one.about === "threshold").map((one) => one.key);
  expect(keys({})).toEqual(["threshold.rule", "threshold.rarity"]);
  expect(keys({ "threshold.rule": "alert_budget" })).toEqual(["threshold.rule", "threshold.per_week"]);
  expect(differing(SETTINGS, { "threshold.rarity": 3.75, "threshold.k": 4, "alerts.throttle": "1h" })).toEqual({ "alerts.throttle": "1h" });
});

test("what is typed is a number, words, nothing, or not taken", () => {
  const [of, choice] = ["threshold.rarity", "threshold.rule"].map((key) => SETTINGS.find((one) => one.key === key)!);
  expect([read(of!, " 4.5 "), read(of!, ""), read(of!, "much"), read(choice!, ""), read(choice!, "rarity")]).toEqual([4.5, null, undefined, undefined, "rarity"]);
});

test("fields that are changed are in the address, and what they make of the file is run", async () => {
  await open(WHERE);
  type("threshold.rarity", "5");
  await until(() => text().includes("1 field changed"));
  expect(new URLSearchParams(new URLSearchParams(location.search).get("set")!).get("threshold.rarity")).toBe("5");
  type("threshold.rule", "alert_budget");
  await until(() => field("threshold.per_week") !== null);
  type("threshold.per_week", "3");
  type("days", "14");
  button("Run the backtest")!.click();
  await until(() => location.pathname.includes("/backtests/2026"));
  const [drafted] = asked("POST", "/draft").slice(-1);
  expect(drafted!.body["settings"]).toEqual({ "threshold.rule": "alert_budget", "threshold.per_week": 3 });
  const [started] = asked("POST", "/backtests");
  expect(started!.body["days"]).toBe(14);
  expect(started!.body["text"]).toContain("threshold.per_week: 3");
  await until(() => page.shell.querySelector(".step-now")?.textContent === "reads the history");
});

test("mistakes in the YAML are told line by line, and the text stays", async () => {
  await open(WHERE);
  button("YAML")!.click();
  await until(() => field("text") !== null);
  const editor = field("text");
  editor.value += "\nthreshold: {rarety: 4}";
  editor.dispatchEvent(new Event("input"));
  button("Run the backtest")!.click();
  await until(() => page.shell.querySelector(".notice-bad") !== null);
  expect(page.shell.querySelector(".notice-bad li")!.textContent).toMatch(/^Line \d+, threshold\.rarety: unknown key; did you mean rarity\?/);
  expect(field("text").value).toContain("rarety");
});

test("a result says what is otherwise, draws both versions, and goes on from there", async () => {
  await open(`${WHERE}/${done!.backtest_id}`);
  for (const words of ["What if threshold.rarity, alerts.throttle were otherwise", "alerts a week", "found 5 as deployed, 4 as edited"]) expect(text()).toContain(words);
  expect(page.shell.querySelectorAll(".incidents-panel")).toHaveLength(2);
  expect(page.shell.querySelector(".incidents-panel svg")!.getAttribute("aria-label")).toMatch(/^As deployed: \d+ stay, \d+ changes?, \d+ go$/);
  const further = [...page.shell.querySelectorAll("a")].find((one) => one.textContent!.includes("Change it further"))!;
  expect(further.getAttribute("href")).toContain(`from=${done!.backtest_id}`);
});

test("one that failed says why, and one that runs where it is", async () => {
  await open(`${WHERE}/${failed!.backtest_id}`);
  expect(page.shell.querySelector(".notice-bad")!.textContent).toContain("train air_quality, and backtest then");
  page.shell.remove();
  await open(`${WHERE}/${running!.backtest_id}`);
  expect(page.shell.querySelector(".step-now")!.textContent).toBe("judges it by both versions");
});

test("a viewer sees results without files and cannot ask", async () => {
  await open(WHERE, "viewer");
  expect(page.shell.querySelector("form")).toBeNull();
  expect(asked("POST", "/draft")).toHaveLength(0);
  page.shell.remove();
  await open(`${WHERE}/${done!.backtest_id}`, "viewer");
  expect(text()).not.toContain("The edited file");
  expect(text()).not.toContain("Change it further");
});

test("figures that neither version knows are left out", () => {
  const figures = { anomalies: 1, incidents: 1, alerts: 1, anomalies_a_week: 1, incidents_a_week: 2, alerts_a_week: 3, precision: null, recall: null, windows: null, windows_found: null };
  const rows = figureRows({ before: figures, after: { ...figures, alerts_a_week: 1.5 } } as never);
  expect(rows.map((one) => [one.name, one.difference])).toEqual([["alerts a week", "−1.5"], ["incidents a week", "no difference"], ["anomalies a week", "no difference"]]);
});
