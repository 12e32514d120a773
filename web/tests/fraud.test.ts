import { expect, test, vi } from "vitest";

import { Transactions } from "../dev/transactions";
import { barsOf } from "../src/parts/minutes";
import { placed } from "../src/parts/neighbourhood";

vi.mock("uplot", () => ({ default: class { static tzDate = (date: Date) => date; root = document.createElement("div"); over = document.createElement("div"); series = [{}]; width = 100; batch(act: () => void) { act(); } setData() {} setScale() {} setSize() {} destroy() {} } }));

const { button, live, NOW, open, page, settled, text, until } = await import("./console");

const transactions = new Transactions(NOW);
const flagged = transactions.list(new URLSearchParams({ flag: "true", limit: "5" })).transactions[0]!;
const asked = (method: string, path: string) => page.asked.filter((one) => one.method === method && one.url.pathname === path);

test("minutes are put together to as many bars as can be told apart, and none is lost", () => {
  const minute = (start: string, count: number) => ({ start, count, amount: 10 * count, flagged: 1, flagged_amount: 10 });
  const to = Date.parse("2026-11-30T12:00:00Z") / 1000;
  const summary = { minutes: [minute("2026-11-29T12:00:00Z", 3), minute("2026-11-30T11:50:00Z", 2), minute("2026-11-30T11:58:00Z", 5)], complete: true, counted_from: "2026-11-29T12:00:00Z" };
  const { bars, minutes } = barsOf(summary, to - 86_400, to);
  expect(minutes).toBe(15);
  expect(bars.length).toBeLessThanOrEqual(100);
  expect(bars.reduce((sum, bar) => sum + bar.count, 0)).toBe(10);
  expect(bars.find((bar) => bar.count === 7)).toMatchObject({ amount: 70, flagged: 2 });
});

test("a neighbourhood has each node once, inside of what is drawn, and what is shared apart", () => {
  const graph = transactions.neighbourhood(flagged.id);
  const nodes = [...placed(graph, 600, 500).values()];
  expect(nodes).toHaveLength(graph.nodes.length);
  expect(nodes.filter((one) => one.ring === 0).map((one) => one.node.id)).toEqual([flagged.id]);
  for (const { x, y } of nodes) expect(x > 0 && x < 600 && y > 0 && y < 500).toBe(true);
  nodes.forEach((one, index) => {
    for (const other of nodes.slice(index + 1)) expect(Math.hypot(one.x - other.x, one.y - other.y), `${one.node.id} ${other.node.id}`).toBeGreaterThan(8);
  });
});

test("the fraud screen counts, lists what is flagged with reasons, and asks for each reason once", async () => {
  await open("fraud");
  await until(() => text().includes("device device-7"));
  expect(text()).toContain("flagged amount");
  expect(page.shell.querySelectorAll("tbody tr")).toHaveLength(20);
  const one = `/fraud/transactions/${flagged.id}`;
  expect(asked("GET", one)).toHaveLength(1);
  const event = { id: `card_fraud:${flagged.id}`, at: flagged.arrived_at, kind: "decision" as const, workload: "card_fraud", detail: { id: flagged.id } };
  page.answers.events.push(event);
  const before = asked("GET", "/fraud/transactions").length;
  await live.catchUp();
  await until(() => asked("GET", "/fraud/transactions").length > before);
  await settled();
  expect(asked("GET", one)).toHaveLength(1);
});

test("what is listed is in the address, and asked for as it says", async () => {
  await open("fraud?show=fraud&last=21600&of=amount");
  expect(asked("GET", "/fraud/transactions")[0]!.url.searchParams.get("label")).toBe("fraud");
  expect(page.shell.querySelector("wk-minutes [role=img]")!.getAttribute("aria-label")).toContain("amount each 5 minutes");
  button("Flagged")!.click();
  await until(() => asked("GET", "/fraud/transactions").at(-1)!.url.searchParams.get("flag") === "true");
});

test("an operator starts the simulator with rate and share, and stops it", async () => {
  await open("fraud");
  await until(() => page.shell.querySelector(".simulator-form") !== null);
  page.shell.querySelector<HTMLFormElement>(".simulator-form")!.requestSubmit();
  await until(() => text().includes("It is started."));
  expect(asked("POST", "/fraud/simulator")[0]!.body).toEqual({ rate: 5, fraud_share: 0.02, seconds: 300 });
  expect(asked("POST", "/fraud/simulator")[0]!.url.searchParams.get("workload")).toBe("card_fraud");
  button("Stop")!.click();
  await until(() => asked("DELETE", "/fraud/simulator").length === 1);
});

test("a transaction says why, draws what is around it with links, and takes a label", async () => {
  await open(`fraud/card_fraud/${flagged.id}`);
  const graph = page.shell.querySelector("wk-neighbourhood")!;
  await until(() => graph.querySelector("a.node") !== null);
  const others = page.answers.answer({ method: "GET", path: ["fraud", "transactions", flagged.id, "neighbourhood"], query: new URLSearchParams({ workload: "card_fraud" }), body: {} }).body as { nodes: { kind: string }[] };
  expect(graph.querySelectorAll("a.node")).toHaveLength(others.nodes.filter((node) => node.kind === "transaction").length - 1);
  expect(text()).toContain("speaks for fraud");
  button("It was legitimate")!.click();
  await until(() => text().includes("Kept: legitimate."));
  expect(asked("POST", `/fraud/transactions/${flagged.id}/label`)[0]!.body).toEqual({ fraud: false, by: "ann" });
  await until(() => text().includes("Legitimate, says ann"));
});

test("a viewer sees all of it, and no button that the API would refuse", async () => {
  await open(`fraud/card_fraud/${flagged.id}`, "viewer");
  expect(button("It was fraud")).toBeUndefined();
  page.shell.remove();
  await open("fraud", "viewer");
  expect(page.shell.querySelector(".simulator-form")).toBeNull();
});
