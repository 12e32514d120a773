/**
 * Look at every screen in Chromium, with invented answers: `npm run look [-- FOLDER]`. `npm run pictures` writes
 * those of docs/console.md anew, and judges nothing.
 *
 * Writes a PNG of each screen at 1280 and 360 px in both themes, and lets axe-core judge each. It ends with a
 * failure where axe finds a violation, the page says an error, or something is wider than the page. Before that
 * it says what a first visit costs: requests, bytes as gzip would send them, the first contentful paint.
 * CHROMIUM is the browser (/usr/bin/chromium without it).
 */

import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { chromium } from "playwright-core";
import { build, preview } from "vite";

const NOW = "2026-11-30T11:50:00Z";
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
  fraud: "fraud",
  "fraud-day": "fraud?last=86400&of=amount&show=all",
  transaction: "fraud/card_fraud/:flagged",
  "not-here": "nowhere",
};

/** Of the document: name of the picture, screen, width, height, theme. */
const PICTURES = [
  ["overview", "", 1180, 760, "light"],
  ["incident", "incidents/:open", 1180, 900, "light"],
  ["series", "series?workload=air_quality&series=no2%7CLOCATION_ID%3DB-101&span=86400", 1180, 700, "dark"],
  ["incidents-narrow", "incidents", 360, 640, "dark"],
];

const forDocument = process.argv[2] === "--pictures";
const folder = forDocument ? "../docs/images/console" : (process.argv[2] ?? "../build/look");
const only = process.env.ONLY?.split(",");
process.env.FIXTURES_NOW = NOW;
mkdirSync(folder, { recursive: true });
await build({ mode: "fixtures", logLevel: "error" });
const server = await preview({ mode: "fixtures", logLevel: "error", preview: { port: 0, host: "127.0.0.1" } });
const root = `http://127.0.0.1:${server.httpServer.address().port}/console/`;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
const faults = [];

const answer = await fetch(new URL("/watch/incidents?state=open&limit=1", root));
/** What stands for the ids of invented things, in SCREENS. */
const ids = { ":open": (await answer.json()).items[0].incident_id };
const runs = await fetch(new URL("/watch/workloads/air_quality/runs", root));
for (const run of (await runs.json()).items) ids[`:${run.status}`] ??= run.run_id;
const flagged = await fetch(new URL("/fraud/transactions?workload=card_fraud&flag=true&limit=1", root));
ids[":flagged"] = (await flagged.json()).transactions[0].id;
const addressOf = (where) => root + where.replace(/:[a-z]+/, (name) => ids[name] ?? name);

const loaded = () => !document.querySelector(".skeleton") && document.querySelector("h1") && !document.body.textContent.includes("Loading:");

async function contextOf(width, height, colorScheme) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme, timezoneId: "Europe/Berlin", locale: "en-GB" });
  const page = await context.newPage();
  await page.clock.setFixedTime(new Date(NOW));
  return { context, page };
}

async function settled(page) {
  await page.waitForFunction(loaded, null, { timeout: 60_000 });
  await page.waitForTimeout(250);
}

async function firstVisit() {
  // the page's own clock here: a stopped one measures nothing
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  const parts = [];
  page.on("response", (response) => parts.push(response.body().then((body) => [new URL(response.url()).pathname, gzipSync(body).length], () => null)));
  await page.goto(root);
  await page.waitForSelector(".workload-card");
  const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime);
  const shell = (await Promise.all(parts)).filter((part) => part && !part[0].startsWith("/watch/"));
  const bytes = shell.reduce((sum, [, size]) => sum + size, 0);
  console.log(`first visit: ${parts.length} requests, ${Math.round(bytes / 1000)} kB without the API's answers, first contentful paint ${Math.round(paint)} ms`);
  await context.close();
}

if (!forDocument) await firstVisit();
if (forDocument) {
  for (const [name, where, width, height, colorScheme] of PICTURES) {
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
      // axe comes by the browser's debugger, which the page's policy does not bind
      const session = await context.newCDPSession(page);
      await session.send("Runtime.evaluate", { expression: axe });
      const { violations } = await page.evaluate(() => window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
      for (const one of violations) {
        errors.push(`${one.id}: ${one.help}: ${one.nodes.slice(0, 3).map((node) => `${node.target} ${node.failureSummary?.split("\n")[1] ?? ""}`).join(" | ")}`);
      }
      page.off("console", heard).off("pageerror", broke);
      faults.push(...errors.map((error) => `${about}: ${error}`));
    }
    await context.close();
  }
}
await browser.close();
await new Promise((done) => server.httpServer.close(done));
console.log(faults.length ? faults.join("\n") : "no fault");
process.exit(faults.length ? 1 : 0);
