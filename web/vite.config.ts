import { defineConfig } from "vitest/config";

import { fixtures } from "./dev/server.ts";

export default defineConfig(({ mode }) => ({
  base: "/console/",
  plugins: mode === "fixtures" ? [fixtures()] : [],
  build: {
    target: ["chrome123", "firefox121", "safari17.5"],
    cssTarget: ["chrome123", "firefox121", "safari17.5"],
    // the page's Content-Security-Policy has no exception: nothing may become a data: URL or inline script
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  server: { host: "127.0.0.1", proxy: mode === "fixtures" ? {} : laptop() },
  test: {
    environment: "happy-dom",
    include: ["tests/**/*.test.ts"],
    // for a machine that does other things meanwhile
    testTimeout: 30_000,
  },
}));

/** What `npm run dev` asks of the laptop's cloud, so that the page and its API have one origin. */
function laptop() {
  const target = process.env["CONSOLE_API"] ?? "http://127.0.0.1:8000";
  return {
    "/watch": { target, ws: true },
    "/fraud": { target },
    "/console/config.json": { target },
  };
}
