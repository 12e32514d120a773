/** The API over HTTP: one place that asks, signs, and turns what fails into words. */

import { offline, problemOf, signedOut } from "./problems";
import type { paths } from "./openapi";

type Method = "get" | "post" | "put" | "delete";
type Operation<P extends keyof paths, M extends Method> = paths[P] extends Record<M, infer O> ? O : never;
/** Paths that the API's document has for a method. */
type Having<M extends Method> = { [P in keyof paths]: paths[P] extends Record<M, { responses: unknown }> ? P : never }[keyof paths];

/** What an operation answers where it goes well. */
type Answer<O> = O extends { responses: infer R } ? Content<R[keyof R & (200 | 201 | 202)]> : never;
/** Paths that answer a picture. */
type Pictures = { [P in keyof paths]: paths[P] extends { get: { responses: { 200: { content: { "image/png": unknown } } } } } ? P : never }[keyof paths];
type Content<R> = [R] extends [never] ? undefined : R extends { content: { "application/json": infer T } } ? T : undefined;

/** What is in the braces of the path, what is asked, and what is sent: as the document has it. */
type At<O> = O extends { parameters: { path: infer T } } ? { at: T } : { at?: never };
type Filter<O> = O extends { parameters: { query?: infer Q } } ? { query?: { [K in keyof Q]: Q[K] | null | undefined } } : object;
type Body<O> = O extends { requestBody: { content: { "application/json": infer B } } }
  ? { body: B }
  : O extends { requestBody?: { content: { "application/json": infer B } } }
    ? { body?: B }
    : object;
type Asked<O> = At<O> & Filter<O> & { signal?: AbortSignal | undefined };
/** `ifMatch`: ETag of what was shown; refused with 412 where somebody else changed it since. */
type Sent<O> = Asked<O> & Body<O> & { ifMatch?: string | undefined };
/** The argument may be left out where nothing in it must be given. */
type Argument<A> = object extends A ? [asked?: A] : [asked: A];

interface Anything {
  at?: Record<string, string | number>;
  query?: Record<string, unknown>;
  signal?: AbortSignal | undefined;
  body?: unknown;
  ifMatch?: string | undefined;
}

export interface Signer {
  /** The token that is valid now; null where the page's host signs. Rejects where nobody is signed in. */
  token(): Promise<string | null>;
  /** Called when the API does not take the token. */
  refused(): void;
}

/** The ETag that each answer came with, for `ifMatch`. */
const etags = new WeakMap<object, string>();

export function etagOf(answer: object): string | undefined {
  return etags.get(answer);
}

export class Api {
  constructor(
    private readonly root: string,
    private readonly signer: Signer,
  ) {}

  get<P extends Having<"get">>(path: P, ...[asked]: Argument<Asked<Operation<P, "get">>>): Promise<Answer<Operation<P, "get">>> {
    return this.#exchange("GET", path, asked);
  }

  /** Get a picture's bytes: an `<img>` could not send the token. */
  async picture<P extends Pictures>(path: P, asked: Asked<Operation<P, "get">>): Promise<Blob> {
    return (await this.#send("GET", path, asked, "image/png")).blob();
  }

  post<P extends Having<"post">>(path: P, ...[sent]: Argument<Sent<Operation<P, "post">>>): Promise<Answer<Operation<P, "post">>> {
    return this.#exchange("POST", path, sent);
  }

  put<P extends Having<"put">>(path: P, ...[sent]: Argument<Sent<Operation<P, "put">>>): Promise<Answer<Operation<P, "put">>> {
    return this.#exchange("PUT", path, sent);
  }

  delete<P extends Having<"delete">>(path: P, ...[sent]: Argument<Sent<Operation<P, "delete">>>): Promise<Answer<Operation<P, "delete">>> {
    return this.#exchange("DELETE", path, sent);
  }

  async #exchange<T>(method: string, path: string, asked: unknown): Promise<T> {
    const answer = await this.#send(method, path, asked, "application/json");
    if (answer.status === 204) return undefined as T;
    const found = (await answer.json()) as T;
    const etag = answer.headers.get("etag");
    if (etag && typeof found === "object" && found) etags.set(found, etag);
    return found;
  }

  async #send(method: string, path: string, asked: unknown, accept: string): Promise<Response> {
    const { at, query, signal, body, ifMatch } = (asked ?? {}) as Anything;
    const headers = new Headers({ accept });
    const token = await this.signer.token();
    if (token !== null) headers.set("authorization", `Bearer ${token}`);
    if (body !== undefined) headers.set("content-type", "application/json");
    if (ifMatch) headers.set("if-match", ifMatch);
    let answer: Response;
    try {
      answer = await fetch(this.root + filled(path, at) + search(query), {
        method,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(signal ? { signal } : {}),
        cache: "no-store",
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw offline();
    }
    if (answer.status === 401) {
      this.signer.refused();
      throw signedOut();
    }
    if (!answer.ok) throw await problemOf(answer);
    return answer;
  }
}

/** Put the parts of a path in place of their names: `/watch/incidents/{incident}`. */
export function filled(path: string, at: Readonly<Record<string, string | number>> = {}): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(at[name] ?? ""));
}

function search(query: Readonly<Record<string, unknown>> = {}): string {
  const found = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") found.set(name, String(value));
  }
  return found.size ? `?${found}` : "";
}
