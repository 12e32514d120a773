/** The API over HTTP: one place that asks, signs, and turns what fails into words. */

import { offline, problemOf, signedOut } from "./problems";
import type { Query } from "../app/router";

export interface Asked {
  query?: Query;
  signal?: AbortSignal;
}

export interface Sent extends Asked {
  body?: unknown;
  /** ETag of what was shown: refused with 412 where somebody else changed it since. */
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

  /** Ask for what is at a path; segments of it are encoded by `path`. */
  get<T>(at: string, asked: Asked = {}): Promise<T> {
    return this.#exchange<T>("GET", at, asked);
  }

  post<T>(at: string, sent: Sent = {}): Promise<T> {
    return this.#exchange<T>("POST", at, sent);
  }

  put<T>(at: string, sent: Sent = {}): Promise<T> {
    return this.#exchange<T>("PUT", at, sent);
  }

  delete<T>(at: string, sent: Sent = {}): Promise<T> {
    return this.#exchange<T>("DELETE", at, sent);
  }

  async #exchange<T>(method: string, at: string, { query, signal, body, ifMatch }: Sent): Promise<T> {
    const headers = new Headers({ accept: "application/json" });
    const token = await this.signer.token();
    if (token !== null) headers.set("authorization", `Bearer ${token}`);
    if (body !== undefined) headers.set("content-type", "application/json");
    if (ifMatch) headers.set("if-match", ifMatch);
    let answer: Response;
    try {
      answer = await fetch(this.root + at + search(query), {
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
    if (answer.status === 204) return undefined as T;
    const found = (await answer.json()) as T;
    const etag = answer.headers.get("etag");
    if (etag && typeof found === "object" && found) etags.set(found, etag);
    return found;
  }
}

/** Write a path with its parts encoded: path`/watch/workloads/${name}/series`. */
export function path(texts: TemplateStringsArray, ...parts: readonly string[]): string {
  return texts.reduce((all, text, index) => all + encodeURIComponent(parts[index - 1] ?? "") + text);
}

function search(query: Query | undefined): string {
  const found = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== null && value !== undefined && value !== "") found.set(name, String(value));
  }
  return found.size ? `?${found}` : "";
}
