import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { SignIn } from "../src/app/sign_in";

const SETTINGS = { domain: "https://login.example", client_id: "c1", scopes: ["openid", "profile"] };
const ROOT = "https://console.example/console/";

let asked: { url: string; form: URLSearchParams }[], answers: (object | number)[], ended: ReturnType<typeof vi.fn>, signIn: SignIn;

beforeEach(() => {
  asked = [];
  answers = [];
  ended = vi.fn();
  sessionStorage.clear();
  signIn = new SignIn(SETTINGS, ROOT, ended as () => void);
  vi.stubGlobal("fetch", (url: string, { body }: { body: URLSearchParams }) => {
    asked.push({ url, form: body });
    const answer = answers.shift() ?? 200;
    if (typeof answer === "number") return Promise.resolve(new Response("", { status: answer }));
    return Promise.resolve(Response.json(answer));
  });
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

async function leave(): Promise<URL> {
  let address = "";
  await signIn.begin("/console/incidents?state=open", (to) => (address = to));
  return new URL(address);
}

async function signedIn(tokens: object = {}): Promise<void> {
  const state = (await leave()).searchParams.get("state");
  answers.push({ id_token: "id-1", refresh_token: "r-1", expires_in: 3600, ...tokens });
  await signIn.arrive({ search: `?code=abc&state=${state}` });
}

test("the login is asked with a challenge whose verifier goes with the code", async () => {
  const address = await leave();
  expect(address.origin + address.pathname).toBe("https://login.example/oauth2/authorize");
  const query = Object.fromEntries(address.searchParams);
  expect(query).toMatchObject({
    response_type: "code",
    client_id: "c1",
    redirect_uri: ROOT,
    scope: "openid profile",
    code_challenge_method: "S256",
  });
  answers.push({ id_token: "id-1", refresh_token: "r-1", expires_in: 3600 });
  const back = await signIn.arrive({ search: `?code=abc&state=${query["state"]}` });
  expect(back).toBe("/console/incidents?state=open");
  const verifier = asked[0]!.form.get("code_verifier")!;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier)));
  const challenge = btoa(String.fromCharCode(...digest)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  expect(query["code_challenge"]).toBe(challenge);
  expect(await signIn.token()).toBe("id-1");
});

test("a code that this tab did not ask for is refused, and not sent", async () => {
  await leave();
  await expect(signIn.arrive({ search: "?code=abc&state=other" })).rejects.toThrow(/did not ask/);
  expect(asked).toEqual([]);
});

test("a code can be used once: its question is forgotten", async () => {
  const state = (await leave()).searchParams.get("state");
  answers.push({ id_token: "id-1", expires_in: 3600 });
  await signIn.arrive({ search: `?code=abc&state=${state}` });
  await expect(signIn.arrive({ search: `?code=abc&state=${state}` })).rejects.toThrow(/did not ask/);
});

test("what the login refuses is told in its words", async () => {
  await leave();
  await expect(signIn.arrive({ search: "?error=access_denied&error_description=user+is+disabled" })).rejects.toThrow(/user is disabled/);
});

test("a token near its end is renewed once for all who ask", async () => {
  vi.useFakeTimers();
  await signedIn();
  vi.advanceTimersByTime(3_560_000);
  answers.push({ id_token: "id-2", expires_in: 3600 });
  expect(await Promise.all([signIn.token(), signIn.token(), signIn.token()])).toEqual(["id-2", "id-2", "id-2"]);
  expect(asked).toHaveLength(2);
  expect(asked[1]!.form.get("refresh_token")).toBe("r-1");
});

test("the refresh token outlives a renewal that sends no new one", async () => {
  vi.useFakeTimers();
  await signedIn();
  for (const next of ["id-2", "id-3"]) {
    vi.advanceTimersByTime(3_560_000);
    answers.push({ id_token: next, expires_in: 3600 });
    expect(await signIn.token()).toBe(next);
  }
});

test("a renewal that is refused ends the session", async () => {
  vi.useFakeTimers();
  await signedIn();
  vi.advanceTimersByTime(3_560_000);
  answers.push(400);
  await expect(signIn.token()).rejects.toMatchObject({ failure: "signed-out" });
  expect(ended).toHaveBeenCalled();
});

test("signing out makes the refresh token void and ends the login's session", async () => {
  await signedIn();
  let address = "";
  await signIn.end((to) => (address = to));
  expect(asked.at(-1)!.url).toBe("https://login.example/oauth2/revoke");
  expect(asked.at(-1)!.form.get("token")).toBe("r-1");
  expect(new URL(address).searchParams.get("logout_uri")).toBe(ROOT);
  await expect(signIn.token()).rejects.toMatchObject({ failure: "signed-out" });
});

test("no token is ever in a storage", async () => {
  await signedIn();
  expect(JSON.stringify({ ...sessionStorage }) + JSON.stringify({ ...localStorage })).not.toMatch(/id-1|r-1/);
});
