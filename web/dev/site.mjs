/** The built page with invented answers, in Chromium: what `look.mjs` and `figures.mjs` begin with. */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { build, preview } from "vite";

import { launched } from "./chromium.mjs";

/** Where the invented plant's clock stands. */
export const NOW = "2026-11-30T11:50:00Z";
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Build the page and serve it, under its Content-Security-Policy; `close` ends server and browser. */
export async function served() {
  process.env.FIXTURES_NOW = NOW;
  // beside the one that is deployed
  const options = { mode: "fixtures", logLevel: "error", build: { outDir: "../build/console", emptyOutDir: true } };
  await build(options);
  const server = await preview({ ...options, preview: { port: 0, host: "127.0.0.1" } });
  const root = `http://127.0.0.1:${server.httpServer.address().port}/console/`;
  const ids = await idsOf(root);
  const browser = await launched();
  return {
    browser,
    /** Address of a screen: `:open` and the like in it become ids of the invented plant. */
    addressOf: (where) => root + where.replace(/:[a-z]+/, (name) => ids[name] ?? name),
    close: async () => {
      await browser.close();
      await new Promise((done) => server.httpServer.close(done));
    },
  };
}

async function idsOf(root) {
  const ask = async (path) => (await fetch(new URL(path, root))).json();
  const ids = { ":open": (await ask("/watch/incidents?state=open&limit=1")).items[0].incident_id };
  for (const run of (await ask("/watch/workloads/air_quality/runs")).items) ids[`:${run.status}`] ??= run.run_id;
  const named = { succeeded: ":backtest", running: ":judging", failed: ":refused" };
  for (const one of (await ask("/watch/workloads/air_quality/backtests")).items) ids[named[one.status]] ??= one.backtest_id;
  ids[":flagged"] = (await ask("/fraud/transactions?workload=card_fraud&flag=true&limit=1")).transactions[0].id;
  return ids;
}

/** Wait until a page has what it first shows. */
export async function settled(page) {
  const loaded = () => !document.querySelector(".skeleton") && document.querySelector("h1") && !document.body.textContent.includes("Loading:");
  await page.waitForFunction(loaded, null, { timeout: 60_000 });
  await page.waitForTimeout(250);
}

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe-core finds on a page, in words. It comes by the browser's debugger, which the policy does not bind. */
export async function violationsOf(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("Runtime.evaluate", { expression: axe });
  const { violations } = await page.evaluate((runOnly) => window.axe.run(document, { runOnly }), RULES);
  const about = ({ target, failureSummary }) => `${target} ${failureSummary?.split("\n")[1] ?? ""}`;
  return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.slice(0, 3).map(about).join(" | ")}`);
}
