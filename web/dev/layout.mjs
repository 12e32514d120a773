/**
 * Compare where the parts of the main screens are with what is kept: `npm run layout`; `npm run layout -- --keep` keeps
 * what is there now, and its difference is part of a review.
 *
 * Boxes, not pixels: a Chromium or a font of another version draws every letter a little differently, and says nothing
 * of the page. A part that is gone, new, elsewhere or of another size says something. Colours are compared, too: a
 * theme is its colours. The screen of fraud is left out: its list grows while one looks.
 */

import { readFileSync, writeFileSync } from "node:fs";

import { NOW, served, settled } from "./site.mjs";

const SCREENS = {
  overview: "",
  incidents: "incidents",
  incident: "incidents/:open",
  series: "series?workload=air_quality&series=no2%7CLOCATION_ID%3DB-101&span=86400",
  workloads: "workloads",
  workload: "workloads/air_quality",
  run: "workloads/air_quality/runs/:succeeded",
  devices: "devices",
  device: "devices/N18",
  sites: "sites",
  backtest: "workloads/air_quality/backtests/:backtest",
  digest: "digest/2026-11-30",
};
const KEPT = new URL("layout.json", import.meta.url);
/** Of a side: so much more or less, in pixels and as a share of it, is another font's. */
const PIXELS = 12;
const SHARE = 0.06;

/** In the page: the parts that people tell apart, by their words, with `[x, y, width, height, colour, background]`. */
function parts() {
  const found = {};
  for (const node of document.querySelectorAll("header.top, nav, h1, h2, .sheet, .filters, main .button, main table, canvas")) {
    const { x, y, width, height } = node.getBoundingClientRect();
    if (!width || !height) continue;
    const { color, backgroundColor } = getComputedStyle(node);
    const words = (node.getAttribute("aria-label") ?? node.querySelector("h2, caption")?.textContent ?? (node.matches("h1, h2, .button") ? node.textContent : "")).replaceAll(/\s+/g, " ").trim();
    const name = `${node.localName} ${words}`.trim();
    let own = name;
    for (let at = 2; own in found; at++) own = `${name} ${at}`;
    found[own] = [...[x + scrollX, y + scrollY, width, height].map(Math.round), color, backgroundColor];
  }
  return found;
}

const isNear = (one, other, side) => (typeof one === "number" ? Math.abs(one - other) <= PIXELS + SHARE * Math.max(side, Math.abs(other)) : one === other);

function differences(about, now, kept) {
  if (!kept) return [`${about}: is new`];
  const names = [...new Set([...Object.keys(kept), ...Object.keys(now)])];
  return names.flatMap((name) => {
    if (!now[name]) return [`${about}: ${name} is gone`];
    if (!kept[name]) return [`${about}: ${name} is new`];
    // what stands above moves what is below
    return now[name].every((value, at) => isNear(value, kept[name][at], at === 1 ? kept[name][1] : 0)) ? [] : [`${about}: ${name} is ${now[name].join(" ")}, was ${kept[name].join(" ")}`];
  });
}

const { browser, addressOf, close } = await served();
const now = {};
for (const colorScheme of ["light", "dark"]) {
  for (const width of [1280, 360]) {
    const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme, timezoneId: "Europe/Berlin", locale: "en-GB" });
    const page = await context.newPage();
    await page.clock.setFixedTime(new Date(NOW));
    for (const [name, where] of Object.entries(SCREENS)) {
      await page.goto(addressOf(where));
      await settled(page);
      now[`${name} ${width} ${colorScheme}`] = await page.evaluate(parts);
    }
    await context.close();
  }
}
await close();
if (process.argv[2] === "--keep") {
  const lines = Object.entries(now).map(([about, found]) => `"${about}": {\n${Object.entries(found).map(([name, box]) => `  ${JSON.stringify(name)}: ${JSON.stringify(box)}`).join(",\n")}\n}`);
  writeFileSync(KEPT, `{\n${lines.join(",\n")}\n}\n`);
  process.exit();
}
const kept = JSON.parse(readFileSync(KEPT, "utf8"));
const found = Object.entries(now).flatMap(([about, boxes]) => differences(about, boxes, kept[about]));
console.log(found.length ? found.join("\n") : `${Object.keys(now).length} pages are as they were`);
process.exit(found.length ? 1 : 0);
