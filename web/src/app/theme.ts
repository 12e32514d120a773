/** Light or dark: as the system is, until somebody chooses. */

import { keep } from "./clock";
import { Signal } from "./signal";

export type Theme = "light" | "dark";

const KEPT = "watchkeeper.theme";
const system = matchMedia("(prefers-color-scheme: dark)");

export const theme = new Signal<Theme>(current());

function current(): Theme {
  const chosen = document.documentElement.dataset["theme"];
  if (chosen === "light" || chosen === "dark") return chosen;
  return system.matches ? "dark" : "light";
}

system.addEventListener("change", () => (theme.value = current()));

/** Show the other theme, and remember it; what the system says anyway is not remembered. */
export function turnTheme(): void {
  const next: Theme = theme.value === "dark" ? "light" : "dark";
  const asSystem = (next === "dark") === system.matches;
  if (asSystem) delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = next;
  keep(KEPT, asSystem ? null : next);
  theme.value = next;
}

/** The colour that a custom property has now, as canvas takes it. */
export function colour(property: `--${string}`): string {
  const probe = document.createElement("span");
  probe.hidden = true;
  probe.style.color = `var(${property})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}
