/**
 * Walks through a deployed console in Chromium as another program says: `node dev/walk.mjs ROOT`.
 *
 * A line of JSON on the input is a step, `{"step", "who", …}`; a line on the output is its answer, or `{"error"}`.
 * Who looks has a tab of its own, with own cookies. The first line says the browser's version, or what is missing.
 * `tests/local/browser.py` is the other program.
 */

import { join } from "node:path";
import { createInterface } from "node:readline";

import { chromiumPath, launched, MISSING } from "./chromium.mjs";

const [root, pictures] = process.argv.slice(2);
/** For a machine that does other things meanwhile. */
const PATIENCE_MS = 120_000;

if (!chromiumPath()) {
  say({ missing: MISSING });
  process.exit();
}
const browser = await launched();
const tabs = new Map();

/** What `text` is in, the first of it; `gone`: until there is none. Its time is in seconds since 1970. */
async function shown({ page }, { selector, text, gone = false }) {
  const found = page.locator(selector, text === undefined ? {} : { hasText: text }).first();
  await found.waitFor({ state: gone ? "detached" : "visible" });
  const at = Date.now() / 1000;
  return gone ? { at } : { at, ...(await found.evaluateAll(read))[0] };
}

/** In the page: what somebody reads there. */
const read = (nodes) => nodes.map((node) => ({ text: (node.innerText ?? node.textContent).replaceAll(/\s+/g, " ").trim(), href: node.getAttribute("href") }));

const STEPS = {
  open: async ({ page }, { path }) => void (await page.goto(root + path)),
  shown,
  all: ({ page }, { selector }) => page.locator(selector).evaluateAll(read),
  click: async ({ page }, { role, name }) => void (await page.getByRole(role, { name }).first().click()),
  follow: async ({ page }, { selector, text }) => void (await page.locator(selector, { hasText: text }).first().click()),
  fill: async ({ page }, { label, value }) => void (await page.getByLabel(label).fill(value)),
  offline: async ({ page }, { is }) => void (await page.context().setOffline(is)),
  /** Ask the API as the page does: with its token, if it has one. */
  ask: async ({ page, token }, { method, path, body }) =>
    page.evaluate(
      async ([method, path, body, token]) => {
        const headers = { ...(token ? { authorization: token } : {}), ...(body ? { "content-type": "application/json" } : {}) };
        const answer = await fetch(path, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
        return { status: answer.status, body: await answer.json() };
      },
      [method, path, body, token],
    ),
  /** How often the page was loaded, what its console said was wrong, and where it is. */
  told: async ({ page, loads, faults }) => ({ loads, faults, url: page.url() }),
};

async function tabOf(who) {
  if (!tabs.has(who)) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "en-GB", timezoneId: "Europe/Berlin" });
    context.setDefaultTimeout(PATIENCE_MS);
    const tab = { page: await context.newPage(), loads: 0, faults: [], token: null };
    tab.page.on("load", () => tab.loads++);
    tab.page.on("console", (message) => message.type() === "error" && tab.faults.push(message.text()));
    tab.page.on("pageerror", (error) => tab.faults.push(String(error)));
    tab.page.on("request", (request) => (tab.token = request.headers()["authorization"] ?? tab.token));
    tabs.set(who, tab);
  }
  return tabs.get(who);
}

function say(answer) {
  process.stdout.write(`${JSON.stringify(answer ?? {})}\n`);
}

say({ version: browser.version() });
for await (const line of createInterface({ input: process.stdin })) {
  const { step, who, ...asked } = JSON.parse(line);
  const tab = await tabOf(who);
  try {
    say(await STEPS[step](tab, asked));
  } catch (error) {
    const picture = join(pictures, `${who}.png`);
    await tab.page.screenshot({ path: picture, fullPage: true }).catch(() => undefined);
    say({ error: `${step} ${JSON.stringify(asked)} at ${tab.page.url()}: ${error.message}\n${picture} is how the page was\n${tab.faults.join("\n")}` });
  }
}
await browser.close();
