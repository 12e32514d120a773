/**
 * What a first visit to each main screen costs, with invented answers on this machine: `npm run figures`.
 *
 * Of each: requests, bytes as gzip would send them (all, and without the API's answers), the first contentful
 * paint (median of three visits with an empty cache), what axe-core finds. It ends with a failure where axe finds
 * something, the page breaks its Content-Security-Policy, or the policy has an exception.
 */

import { gzipSync } from "node:zlib";

import { served, settled, violationsOf } from "./site.mjs";

const SCREENS = {
  overview: "",
  incidents: "incidents",
  incident: "incidents/:open",
  series: "series?workload=air_quality&series=no2%7CLOCATION_ID%3DB-101&span=86400",
  workloads: "workloads",
  workload: "workloads/air_quality",
  runs: "workloads/air_quality/runs",
  run: "workloads/air_quality/runs/:succeeded",
  fraud: "fraud",
  transaction: "fraud/card_fraud/:flagged",
};
const VISITS = 3;
/** An exception of a policy: a host that is not the page's own, or code and styles in the page itself. */
const EXCEPTION = /'unsafe-|\*|https?:|script-src [^;]*(data|blob):|style-src [^;]*(data|blob):/;

const { browser, addressOf, close } = await served();
const faults = [];

async function visited(address) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  const parts = [];
  page.on("response", (response) => parts.push(response.body().then((body) => ({ path: new URL(response.url()).pathname, bytes: gzipSync(body).length }), () => null)));
  page.on("console", (message) => message.type() === "error" && faults.push(`${address}: ${message.text()}`));
  page.on("pageerror", (error) => faults.push(`${address}: ${error}`));
  const answer = await page.goto(address);
  await settled(page);
  await page.waitForLoadState("networkidle"); // what is fetched ahead counts, too
  const policy = answer.headers()["content-security-policy"] ?? "";
  if (!policy.includes("default-src 'none'") || EXCEPTION.test(policy)) faults.push(`${address}: its policy has an exception: ${policy}`);
  const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime);
  const found = (await Promise.all(parts)).filter(Boolean);
  const violations = await violationsOf(page);
  await context.close();
  return { paint, found, violations };
}

const kB = (found) => (found.reduce((sum, { bytes }) => sum + bytes, 0) / 1000).toFixed(0);
const rows = {};
for (const [name, where] of Object.entries(SCREENS)) {
  const visits = [];
  for (let number = 0; number < VISITS; number++) visits.push(await visited(addressOf(where)));
  const [{ found, violations }] = visits;
  faults.push(...violations.map((one) => `${name}: ${one}`));
  rows[name] = {
    requests: found.length,
    "kB, gzip": kB(found),
    "kB without answers": kB(found.filter(({ path }) => path.startsWith("/console/"))),
    "first contentful paint, ms": Math.round(visits.map(({ paint }) => paint).sort((one, other) => one - other)[1]),
    "axe violations": violations.length,
  };
}
await close();
console.table(rows);
console.log(faults.length ? faults.join("\n") : "Content-Security-Policy: no exception, and nothing that it refused");
process.exit(faults.length ? 1 : 0);
