/**
 * The screens: what each is called, where it is, and the module that draws it (loaded when it is first shown).
 * A new one is a line here and a module in `screens/`.
 */

import type { IconName } from "../parts/icon";

export interface ScreenEntry {
  /** Name of its element, which its module defines. */
  tag: `wk-${string}`;
  /** Segments of its path; one that begins with a colon stands for any. The longest that fits is shown. */
  path: readonly string[];
  title: string;
  load: () => Promise<unknown>;
  /** How it is in the navigation; without, it is reached from another screen. */
  menu?: IconName;
}

export const SCREENS: readonly ScreenEntry[] = [
  { tag: "wk-overview", path: [], title: "Overview", load: () => import("../screens/overview"), menu: "overview" },
  { tag: "wk-incidents", path: ["incidents"], title: "Incidents", load: () => import("../screens/incidents"), menu: "incident" },
  { tag: "wk-incident", path: ["incidents", ":incident"], title: "Incident", load: () => import("../screens/incident") },
  { tag: "wk-series", path: ["series"], title: "Series", load: () => import("../screens/series"), menu: "series" },
  { tag: "wk-devices", path: ["devices"], title: "Devices", load: () => import("../screens/devices"), menu: "device" },
  { tag: "wk-device", path: ["devices", ":device"], title: "Device", load: () => import("../screens/device") },
  { tag: "wk-sites", path: ["sites"], title: "Sites", load: () => import("../screens/sites"), menu: "site" },
  { tag: "wk-workloads", path: ["workloads"], title: "Workloads", load: () => import("../screens/workloads"), menu: "workload" },
  { tag: "wk-workload", path: ["workloads", ":workload"], title: "Workload", load: () => import("../screens/workload") },
  { tag: "wk-runs", path: ["workloads", ":workload", "runs"], title: "Runs", load: () => import("../screens/runs") },
  { tag: "wk-run", path: ["workloads", ":workload", "runs", ":run"], title: "Run", load: () => import("../screens/run") },
  { tag: "wk-models", path: ["workloads", ":workload", "models"], title: "Models", load: () => import("../screens/models") },
  { tag: "wk-model", path: ["workloads", ":workload", "models", ":version"], title: "Model", load: () => import("../screens/model") },
  { tag: "wk-backtests", path: ["workloads", ":workload", "backtests"], title: "Backtests", load: () => import("../screens/backtests") },
  { tag: "wk-backtest", path: ["workloads", ":workload", "backtests", ":backtest"], title: "Backtest", load: () => import("../screens/backtest") },
  { tag: "wk-log", path: ["workloads", ":workload", "log"], title: "How telemetry came", load: () => import("../screens/log") },
  { tag: "wk-digest", path: ["digest"], title: "Digest", load: () => import("../screens/digest"), menu: "digest" },
  { tag: "wk-digest", path: ["digest", ":date"], title: "Digest", load: () => import("../screens/digest") },
  { tag: "wk-fraud", path: ["fraud"], title: "Fraud", load: () => import("../screens/fraud"), menu: "fraud" },
  { tag: "wk-transaction", path: ["fraud", ":workload", ":transaction"], title: "Transaction", load: () => import("../screens/transaction") },
];

/** Find the screen of a path; null where there is none. */
export function screenAt(segments: readonly string[]): ScreenEntry | null {
  const fits = (entry: ScreenEntry) =>
    entry.path.length === segments.length &&
    entry.path.every((part, index) => part.startsWith(":") || part === segments[index]);
  return SCREENS.find(fits) ?? null;
}

/** The entry of the navigation that a path belongs to. */
export function menuAt(segments: readonly string[]): ScreenEntry | null {
  return SCREENS.find((entry) => entry.menu && entry.path[0] === segments[0]) ?? null;
}
