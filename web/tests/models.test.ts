import { expect, test, vi } from "vitest";

vi.mock("uplot", () => ({ default: class { static tzDate = (date: Date) => date; root = document.createElement("div"); over = document.createElement("div"); series = [{}]; width = 100; batch(act: () => void) { act(); } setData() {} setScale() {} setSize() {} destroy() {} } }));

const { button, open, page, text, until } = await import("./console");

test("the registry lists versions with what each was worth, and which judges", async () => {
  await open("workloads/air_quality/models");
  const rows = [...page.shell.querySelectorAll("tbody tr")].map((row) => row.textContent!.replaceAll(/\s+/g, " "));
  expect(rows).toHaveLength(4);
  expect(rows[0]).toContain("judges now");
  expect(rows.at(-1)).toContain("rejected");
  expect(rows[0]).toContain("PR-AUC");
});

test("a workload that was never trained has no version", async () => {
  await open("workloads/stock_volume/models");
  expect(text()).toContain("No version yet");
});

test("a viewer sees figures, charts and the report, and may not judge", async () => {
  await open("workloads/air_quality/models/2", "operator");
  await until(() => page.shell.querySelectorAll("wk-run-chart img").length === 2);
  expect(text()).toContain("alerts a week");
  expect(page.shell.querySelector<HTMLAnchorElement>('a[href="https://reports.example/explanation.html"]')).not.toBeNull();
  for (const words of ["Approve", "Reject"]) expect(button(words), words).toBeUndefined();
});

test("an admin rejects a version with why, and approves it again", async () => {
  await open("workloads/air_quality/models/2", "admin");
  const note = page.shell.querySelector<HTMLInputElement>("input[name=note]")!;
  note.value = "trained on the wrong month";
  note.dispatchEvent(new Event("input"));
  button("Reject")!.click();
  await until(() => text().includes("It may not serve."));
  const sent = page.asked.find((one) => one.method === "POST")!;
  expect(sent.url.pathname).toBe("/watch/workloads/air_quality/models/2/reject");
  expect(sent.body).toEqual({ note: "trained on the wrong month" });
  expect(text()).toContain("rejected by ann: trained on the wrong month");
  button("Approve")!.click();
  await until(() => text().includes("approved by ann"));
});

test("what judges now is not offered to be rejected", async () => {
  await open("workloads/air_quality/models/4", "admin");
  expect(text()).toContain("It judges now, so it cannot be rejected");
  expect(button("Reject")).toBeUndefined();
});
