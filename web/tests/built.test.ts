// @vitest-environment node
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { build } from "vite";

/** Of all scripts and styles together, gzipped: what a first visit to every screen loads. */
const MOST_BYTES = 120_000;

let folder: string;
const files = new Map<string, string>();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "console-"));
  await build({ logLevel: "error", build: { outDir: folder, emptyOutDir: true } });
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (/\.(js|css|html)$/.test(name)) files.set(name, readFileSync(join(folder, name), "utf8"));
  }
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true }));

test("all scripts and styles are below 120 kB, gzipped", () => {
  const sizes = [...files].map(([, text]) => gzipSync(text).length);
  expect(sizes.length).toBeGreaterThan(4);
  expect(sizes.reduce((all, one) => all + one, 0)).toBeLessThan(MOST_BYTES);
});

test("nothing in the page needs an exception of its Content-Security-Policy", () => {
  const page = files.get("index.html")!;
  expect(page).not.toMatch(/<script(?![^>]*\bsrc=)/);
  expect(page).not.toMatch(/<style|\sstyle=|\son\w+=|javascript:/);
  for (const [name, text] of files) {
    if (!name.endsWith(".js")) continue;
    expect(text, name).not.toMatch(/\beval\(|new Function\(/);
    expect(text, `${name} sets a style attribute, which the policy refuses`).not.toMatch(/\sstyle=["$]/);
  }
});

test("everything is served by the page's own host", () => {
  expect(files.get("index.html")).not.toMatch(/(src|href)="(https?:)?\/\//);
});
