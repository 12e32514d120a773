/** Who looks, what they may do, and the API that they look through. */

import { Api, type Signer } from "../api/client";
import { asApiError, type ApiError } from "../api/problems";
import type { Me, Role } from "../api/shapes";
import { Live } from "../live/live";
import { Signal } from "./signal";
import { DEVELOPER, SignIn, type SignInSettings } from "./sign_in";

/** What the page is told by who hosts it, in `config.json` beside it. */
export interface Config {
  /** What stands before `/watch` and `/fraud`; "" is the page's own origin. */
  api: string;
  /** `developer`: nobody signs in here. */
  auth: "developer" | "cognito";
  sign_in?: SignInSettings;
}

export type Standing =
  | { is: "starting" }
  | { is: "signed-out"; why: string }
  | { is: "failed"; error: ApiError }
  | { is: "in"; me: Me };

export const standing = new Signal<Standing>({ is: "starting" });

let reached: Api | null = null;
let signIn: SignIn | null = null;

/** The events as they happen; silent until somebody is signed in. */
export const live = new Live(
  (query) => api().get("/watch/changes", { query }),
  () => signer().token(),
);

export function api(): Api {
  if (!reached) throw new Error("The API is used before the page has started.");
  return reached;
}

export function signer(): Signer {
  return signIn ?? DEVELOPER;
}

/** Whether who looks may do what needs a role. The API decides; this only leaves out what it would refuse. */
export function may(role: Role): boolean {
  const ranks: Role[] = ["viewer", "operator", "admin"];
  const { value } = standing;
  return value.is === "in" && ranks.indexOf(value.me.role) >= ranks.indexOf(role);
}

export function canSignOut(): boolean {
  return signIn !== null;
}

export async function signOut(): Promise<void> {
  live.stop();
  await signIn?.end();
}

export async function beginSignIn(): Promise<void> {
  const query = new URLSearchParams(location.search);
  // a screen's own filters may have the names that a login's answer has
  const own = query.has("code") || query.has("error") ? ["code", "state", "error", "error_description"] : [];
  for (const name of ["sign_in", ...own]) query.delete(name);
  await signIn?.begin(location.pathname + (query.size ? `?${query}` : ""));
}

/**
 * Read the configuration, learn who looks, and sign in where that is asked for.
 *
 * The API is asked without a token first: the laptop's host signs for the developer. `?sign_in` signs in all
 * the same, as somebody else.
 */
export async function start(go: (address: string) => void): Promise<void> {
  standing.value = { is: "starting" };
  try {
    const config = await configuration();
    const me = await whoLooks(config, go);
    if (!me) return;
    standing.value = { is: "in", me };
    live.start(me.live);
  } catch (error) {
    standing.value = { is: "failed", error: asApiError(error) };
  }
}

async function whoLooks(config: Config, go: (address: string) => void): Promise<Me | null> {
  const query = new URLSearchParams(location.search);
  const arrives = query.has("code") || query.has("error");
  if (!signIn && !arrives && !query.has("sign_in")) {
    try {
      reached = new Api(config.api, DEVELOPER);
      return await reached.get("/watch/me");
    } catch (error) {
      if (asApiError(error).failure !== "signed-out" || config.auth !== "cognito") throw error;
    }
  }
  if (!config.sign_in) throw new Error("The API wants a token, and config.json has no sign_in: deploy the console again.");
  const root = location.origin + import.meta.env.BASE_URL;
  signIn ??= new SignIn(config.sign_in, root, () => {
    live.stop();
    standing.value = { is: "signed-out", why: "" };
  });
  reached = new Api(config.api, signIn);
  if (!signIn.isSignedIn) {
    try {
      const back = await signIn.arrive(location);
      if (back === null) {
        await beginSignIn();
        return null;
      }
      go(back);
    } catch (error) {
      standing.value = { is: "signed-out", why: asApiError(error).remedy };
      return null;
    }
  }
  return reached.get("/watch/me");
}

async function configuration(): Promise<Config> {
  const answer = await fetch(`${import.meta.env.BASE_URL}config.json`, { cache: "no-cache" });
  if (!answer.ok || !answer.headers.get("content-type")?.includes("json")) {
    throw new Error(`config.json is not beside this page (${answer.status}): deploy the console again.`);
  }
  return (await answer.json()) as Config;
}
