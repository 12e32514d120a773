import type { Plugin } from "vite";

/** An API with invented answers, for looking at screens without a cloud. */
export function fixtures(): Plugin {
  return { name: "fixtures" };
}
