import { expect, test } from "vitest";

const { button, open, page, text, until } = await import("./console");

const type = (name: string, words: string) => {
  const input = page.shell.querySelector<HTMLInputElement>(`[name=${name}]`)!;
  input.value = words;
  input.dispatchEvent(new Event("input"));
};

test("devices are listed with how they stand, when they were seen and what is unusual", async () => {
  await open("devices");
  const rows = [...page.shell.querySelectorAll("tbody tr")].map((row) => row.textContent!.replaceAll(/\s+/g, " "));
  expect(rows).toHaveLength(5);
  expect(rows[1]).toMatch(/quarantined.*N18.*hall-2.*1 open incident/);
  expect(text()).toContain("What they do is watched by fleet_behaviour.");
  button("Quarantined")!.click();
  await until(() => page.shell.querySelectorAll("tbody tr").length === 1);
});

test("an operator quarantines a device by typing its number, and a viewer cannot", async () => {
  await open("devices/N17");
  button("Quarantine")!.click();
  await until(() => button("Quarantine it") !== undefined);
  expect(button("Quarantine it")!.disabled).toBe(true);
  type("confirm", "N17");
  await until(() => !button("Quarantine it")!.disabled);
  page.shell.querySelector<HTMLFormElement>("form.confirm")!.requestSubmit();
  await until(() => text().includes("it may do nothing until it is restored"));
  expect(page.asked.find((one) => one.method === "POST")!.body).toEqual({ confirm: "N17" });
  expect(text()).toContain("watchkeeper-quarantine");
  expect(button("Restore")).toBeDefined();
  page.shell.remove();
  await open("devices/N17", "viewer");
  expect(button("Quarantine")).toBeUndefined();
});

test("a plan of sites is checked: which are over, and what is wrong in it", async () => {
  await open("sites");
  page.shell.querySelector("form")!.requestSubmit();
  await until(() => text().includes("1 of 2 sites over a limit"));
  for (const words of ["throughput, budget", "34 %", "350,400.00 USD", "AWS Private 5G, withdrawn"]) expect(text(), words).toContain(words);
  type("plan", "site: []");
  page.shell.querySelector("form")!.requestSubmit();
  await until(() => text().includes("must be a mapping with the key sites"));
  expect(text()).not.toContain("over a limit");
});
