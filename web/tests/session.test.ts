import { afterEach, beforeEach, expect, test, vi } from "vitest";

type Session = typeof import("../src/app/session");

const ME = { user: "ann", tenant: "t", role: "operator", region: "eu-central-1", version: "1", live: null };
const SIGN_IN = { domain: "https://login.example", client_id: "c1" };

let asked: { path: string; authorization: string | null }[];
let answers: Record<string, () => Response>;
let left: string[];
let session: Session;

beforeEach(async () => {
  vi.resetModules();
  sessionStorage.clear();
  asked = [];
  left = [];
  answers = {
    "config.json": () => Response.json({ api: "", auth: "cognito", sign_in: SIGN_IN }),
    me: () => Response.json(ME),
    changes: () => Response.json({ items: [], next: "0", more: false, complete: true }),
  };
  vi.stubGlobal("fetch", (url: string, { headers }: { headers?: Headers } = {}) => {
    const name = new URL(url, "http://here").pathname.split("/").at(-1)!;
    asked.push({ path: name, authorization: headers instanceof Headers ? headers.get("authorization") : null });
    const answer = answers[name];
    if (!answer) return Promise.reject(new TypeError("no connection"));
    return Promise.resolve(answer());
  });
  vi.spyOn(location, "assign").mockImplementation((to) => void left.push(String(to)));
  history.replaceState(null, "", "/console/incidents?state=open");
  session = await import("../src/app/session");
});

afterEach(() => {
  session.live.stop();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const start = () => session.start((to) => history.replaceState(null, "", to));

test("where the host signs, nobody is asked to sign in", async () => {
  await start();
  expect(session.standing.value).toMatchObject({ is: "in", me: { user: "ann" } });
  expect(asked.find((one) => one.path === "me")!.authorization).toBeNull();
  expect(left).toEqual([]);
  expect(session.canSignOut()).toBe(false);
});

test("where the API wants a token, the page leaves for the login and comes back to where it was", async () => {
  let isSignedIn = false;
  answers["me"] = () => (isSignedIn ? Response.json(ME) : Response.json({ message: "Unauthorized" }, { status: 401 }));
  await start();
  const login = new URL(left[0]!);
  expect(login.origin).toBe("https://login.example");
  isSignedIn = true;
  answers["token"] = () => Response.json({ id_token: "id-1", expires_in: 3600 });
  history.replaceState(null, "", `/console/?code=abc&state=${login.searchParams.get("state")}`);
  await start();
  expect(location.pathname + location.search).toBe("/console/incidents?state=open");
  expect(session.standing.value.is).toBe("in");
  expect(asked.findLast((one) => one.path === "me")!.authorization).toBe("Bearer id-1");
  expect(session.canSignOut()).toBe(true);
});

test("?sign_in signs in although the host would, and does not come back to ask again", async () => {
  history.replaceState(null, "", "/console/?sign_in&state=open");
  await start();
  expect(left).toHaveLength(1);
  expect(JSON.parse(sessionStorage.getItem("watchkeeper.sign-in")!)).toMatchObject({ back: "/console/?state=open" });
  expect(asked.some((one) => one.path === "me")).toBe(false);
});

test("a token that is refused later ends the session in words", async () => {
  answers["token"] = () => Response.json({ id_token: "id-1", expires_in: 3600 });
  history.replaceState(null, "", "/console/?sign_in");
  await start();
  history.replaceState(null, "", `/console/?code=abc&state=${new URL(left[0]!).searchParams.get("state")}`);
  await start();
  answers["workloads"] = () => Response.json({ message: "Unauthorized" }, { status: 401 });
  await expect(session.api().get("/watch/workloads")).rejects.toMatchObject({ failure: "signed-out" });
  expect(session.standing.value.is).toBe("signed-out");
});

test("an API that does not answer is told as that", async () => {
  delete answers["me"];
  await start();
  expect(session.standing.value).toMatchObject({ is: "failed", error: { failure: "offline" } });
});

test("a page without its configuration says what to do", async () => {
  answers["config.json"] = () => new Response("<html>", { headers: { "content-type": "text/html" } });
  await start();
  expect(session.standing.value).toMatchObject({ is: "failed", error: { remedy: expect.stringContaining("deploy the console again") as string } });
});

test("a role includes those below it", async () => {
  expect(session.may("viewer")).toBe(false);
  await start();
  expect(["viewer", "operator", "admin"].map((role) => session.may(role as "viewer"))).toEqual([true, true, false]);
});
