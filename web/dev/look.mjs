/**
 * Look at every screen in Chromium, with invented answers: `npm run look [-- FOLDER]`. `npm run pictures` writes
 * those of docs/console.md anew, and judges nothing.
 *
 * Writes a PNG of each screen at 1280 and 360 px in both themes, and lets axe-core judge each. It ends with a
 * failure where axe finds a violation, the page says an error, or something is wider than the page.
 */

import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { NOW, served, settled, violationsOf } from "./site.mjs";

const SCREENS = {
  overview: "",
  incidents: "incidents",
  "incidents-filtered": "incidents?state=closed&severity=80&workload=air_quality",
  "incidents-none": "incidents?severity=100",
  incident: "incidents/:open",
  series: "series?workload=air_quality&series=no2%7CLOCATION_ID%3DB-101&span=86400",
  "series-year": "series?workload=air_quality&series=no2%7CLOCATION_ID%3DB-101,so2%7CLOCATION_ID%3DB-101&span=31536000",
  workloads: "workloads",
  workload: "workloads/air_quality",
  "workload-silent": "workloads/machine_temperature",
  runs: "workloads/air_quality/runs",
  "runs-none": "workloads/stock_volume/runs",
  run: "workloads/air_quality/runs/:succeeded",
  "run-running": "workloads/air_quality/runs/:running",
  "run-failed": "workloads/air_quality/runs/:failed",
  log: "workloads/air_quality/log",
  backtests: "workloads/air_quality/backtests",
  "backtests-changed": "workloads/air_quality/backtests?set=threshold.rule%3Dalert_budget%26threshold.per_week%3D5",
  backtest: "workloads/air_quality/backtests/:backtest",
  "backtest-running": "workloads/air_quality/backtests/:judging",
  "backtest-failed": "workloads/air_quality/backtests/:refused",
  models: "workloads/air_quality/models",
  model: "workloads/air_quality/models/2",
  "model-rejected": "workloads/air_quality/models/1",
  digest: "digest/2026-11-30",
  "digest-one": "digest/2026-11-29?workload=air_quality",
  fraud: "fraud",
  "fraud-day": "fraud?last=86400&of=amount&show=all",
  transaction: "fraud/card_fraud/:flagged",
  devices: "devices",
  "devices-quarantined": "devices?state=quarantined",
  device: "devices/N18",
  sites: "sites",
  "not-here": "nowhere",
};

/** Of the document: name of the picture, screen, width, height, theme. */
const PICTURES = [
  ["overview", "", 1180, 760, "light"],
  ["incident", "incidents/:open", 1180, 900, "light"],
  ["series", "series?workload=air_quality&series=no2%7CLOCATION_ID%3DB-101&span=86400", 1180, 700, "dark"],
  ["backtest", "workloads/air_quality/backtests/:backtest", 1180, 960, "light"],
  ["incidents-narrow", "incidents", 360, 640, "dark"],
];

const forDocument = process.argv[2] === "--pictures";
const folder = forDocument ? "../docs/images/console" : (process.argv[2] ?? "../build/look");
const only = process.env.ONLY?.split(",");
mkdirSync(folder, { recursive: true });
const { browser, addressOf, close } = await served();
const faults = [];

async function contextOf(width, height, colorScheme) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme, timezoneId: "Europe/Berlin", locale: "en-GB" });
  const page = await context.newPage();
  await page.clock.setFixedTime(new Date(NOW));
  return { context, page };
}

if (forDocument) {
  for (const [name, where, width, height, colorScheme] of PICTURES) {
    if (only && !only.includes(name)) continue;
    const { context, page } = await contextOf(width, height, colorScheme);
    await page.goto(addressOf(where));
    await settled(page);
    await page.screenshot({ path: join(folder, `${name}.png`) });
    await context.close();
  }
}
for (const colorScheme of forDocument ? [] : ["light", "dark"]) {
  for (const width of [1280, 360]) {
    const { context, page } = await contextOf(width, width === 360 ? 740 : 900, colorScheme);
    for (const [name, where] of Object.entries(SCREENS)) {
      if (only && !only.includes(name)) continue;
      const about = `${name} ${width} ${colorScheme}`;
      const errors = [];
      const heard = (message) => message.type() === "error" && errors.push(message.text());
      const broke = (error) => errors.push(String(error));
      page.on("console", heard).on("pageerror", broke);
      await page.goto(addressOf(where));
      await settled(page);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (wide > 0) errors.push(`${wide} px wider than the page`);
      await page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`), fullPage: true });
      errors.push(...(await violationsOf(page)));
      page.off("console", heard).off("pageerror", broke);
      faults.push(...errors.map((error) => `${about}: ${error}`));
    }
    await context.close();
  }
}
await close();
console.log(faults.length ? faults.join("\n") : "no fault");
process.exit(faults.length ? 1 : 0);
