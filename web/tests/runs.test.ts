import { expect, test, vi } from "vitest";

import { Trainings } from "../dev/trainings";
import type { RunState } from "../src/api/shapes";
import { inOrder, lanesOf, rowsOf, telling } from "../src/parts/workflow";

vi.mock("uplot", () => ({ default: class { static tzDate = (date: Date) => date; root = document.createElement("div"); over = document.createElement("div"); series = [{}]; width = 100; batch(act: () => void) { act(); } setData() {} setScale() {} setSize() {} destroy() {} } }));

const { button, go, live, NOW, open, page, settled, text, until } = await import("./console");

const trainings = new Trainings(NOW, "air_quality");
const [running, succeeded, failed] = trainings.list(0, 3).items.map((run) => trainings.one(run.run_id)!);

function state(name: string, next: string[], entered: number | null = null): RunState {
  const at = entered === null ? null : `2026-11-30T00:00:0${entered}Z`;
  return { name, kind: "Task", status: at ? "succeeded" : "waiting", entered_at: at, exited_at: at, visits: at ? 1 : 0, error: null, cause: null, next };
}

test("states stand in the order of their ways, failures last", () => {
  const order = inOrder(succeeded!.states).map((one) => one.name);
  expect(order.slice(0, 4)).toEqual(["OpenRun", "ValidateInput", "SourcesPresent?", "PrepareData"]);
  expect(order.slice(-3)).toEqual(["CleanUp", "NotifyFailed", "Failed"]);
  expect(order).toHaveLength(succeeded!.states.length);
});

test("what tells of a run is where it went, and while it runs where it may go", () => {
  expect(telling(failed!.states, false).map((one) => one.name)).toEqual(["OpenRun", "ValidateInput", "SourcesPresent?", "PrepareHistory", "CleanUp", "NotifyFailed", "Failed"]);
  const ahead = telling(running!.states, true).map((one) => one.name);
  expect(ahead).toContain("Deployed");
  expect(ahead).not.toContain("PrepareData");
});

test("ways to one state share a rail, a way back has its own, and the way gone is marked", () => {
  const rows = rowsOf([state("a", ["b", "end"], 1), state("b", ["c", "end"], 2), state("c", ["d", "a", "end"]), state("d", ["end"]), state("end", [], 3)]);
  expect(lanesOf(rows)).toBe(2);
  const lanes = (part: string, isBack: boolean) => new Set(rows.flatMap((row) => row.rails.filter((rail) => rail.part === part && rail.isBack === isBack).map((rail) => rail.lane)));
  expect(lanes("out", false).size).toBe(1);
  expect(lanes("out", true)).not.toEqual(lanes("out", false));
  expect(rows[0]!.down).toEqual({ isTaken: true });
  expect(rows[1]!.rails.find((rail) => rail.part === "out")!.isTaken).toBe(true);
  expect(rows[0]!.rails.find((rail) => rail.part === "out")!.isTaken).toBe(false);
});

test("a run shows its states, the gate's words, champion beside challenger, and its charts by their bytes", async () => {
  await open(`workloads/air_quality/runs/${succeeded!.run_id}`);
  await until(() => page.shell.querySelectorAll("wk-run-chart img").length === 2);
  expect(page.shell.querySelector<HTMLImageElement>("wk-run-chart img")!.src).toMatch(/^blob:/);
  for (const words of [...succeeded!.gate!.reasons, "Train detector", "6 min 28 s", "takes the model"]) expect(text()).toContain(words);
  const row = [...page.shell.querySelectorAll("tbody tr")].find((one) => one.textContent!.includes("alerts a week"))!;
  expect(row.textContent).toContain("5.25");
  expect(row.textContent).toContain("worse");
});

test("a failed run says why, in the words of the state that failed", async () => {
  await open(`workloads/air_quality/runs/${failed!.run_id}`);
  expect(page.shell.querySelector(".notice-bad")!.textContent).toContain(failed!.cause!);
  expect(text()).toContain("It ended before its model was measured.");
  expect(page.shell.querySelectorAll(".state")).toHaveLength(7);
  button("Show all")!.click();
  await until(() => page.shell.querySelectorAll(".state").length === failed!.states.length);
});

test("a viewer sees runs and releases, and cannot start or roll back", async () => {
  await open("workloads/air_quality/runs");
  expect(page.shell.querySelectorAll("tbody tr")).toHaveLength(8);
  expect(text()).toContain("judges now");
  for (const words of ["Start a training", "Roll back"]) expect(button(words), words).toBeUndefined();
});

test("an admin starts a training and is led to it", async () => {
  await open("workloads/air_quality/runs", "admin");
  button("Start a training")!.click();
  await until(() => button("Start it") !== undefined);
  page.shell.querySelector<HTMLInputElement>("input[name=reason]")!.value = "new sensors";
  page.shell.querySelector("form")!.requestSubmit();
  await until(() => /runs\/\d+-\w+$/.test(location.pathname));
  await settled();
  expect(page.asked.find((one) => one.method === "POST")!.body).toEqual({ reason: "new sensors" });
  expect(text()).toContain("new sensors");
});

test("a roll back asks for the workload's name, and is not done without", async () => {
  await open("workloads/air_quality/runs", "admin");
  button("Roll back to it")!.click();
  await until(() => page.shell.querySelector("input[name=confirm]") !== null);
  const field = page.shell.querySelector<HTMLInputElement>("input[name=confirm]")!;
  const done = () => [...page.shell.querySelectorAll<HTMLButtonElement>(".confirm button")][0]!;
  expect(done().disabled).toBe(true);
  field.value = "air_quality";
  field.dispatchEvent(new Event("input"));
  await until(() => !done().disabled);
  page.shell.querySelector<HTMLFormElement>(".confirm")!.requestSubmit();
  await until(() => text().includes("judges again."));
  const sent = page.asked.find((one) => one.method === "POST")!;
  expect(sent.url.pathname).toMatch(/releases\/[^/]+\/roll-back$/);
  expect(sent.body).toEqual({ confirm: "air_quality" });
});

test("a run that begins or ends is shown without a reload", async () => {
  await open("workloads/air_quality/runs");
  const { run_id, execution } = page.answers.train("air_quality", "schedule");
  await live.catchUp();
  await until(() => text().includes(run_id));
  expect(execution).toContain(run_id);
  go(`${import.meta.env.BASE_URL}workloads/air_quality/runs/${run_id}`);
  await until(() => page.shell.querySelector("h1")?.textContent === run_id);
});
