/** Chromium as this machine has it: CHROMIUM says where, or one of the names under which systems install it. */

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
export const MISSING = "no Chromium is installed: `apt-get install chromium`, or let CHROMIUM be the path of one";

/** Where it is; undefined where there is none. */
export function chromiumPath() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  const folders = (process.env.PATH ?? "").split(delimiter);
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram);
}

/** Start it; the caller closes it. */
export function launched() {
  const executablePath = chromiumPath();
  if (!executablePath) throw new Error(MISSING);
  // tests run as root in containers, where its own sandbox cannot be made
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
