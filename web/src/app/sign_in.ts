/**
 * Signing in by Cognito's managed login: authorization code with PKCE (RFC 7636). Tokens are in memory only;
 * a reload goes through the login's own session, which asks for nothing while it lasts. What outlives the
 * redirect is the verifier and the address to come back to, in sessionStorage, for as long as the redirect.
 */

import { signedOut, offline } from "../api/problems";
import type { Signer } from "../api/client";

export interface SignInSettings {
  domain: string;
  client_id: string;
  scopes?: string[];
}

interface Tokens {
  id_token: string;
  refresh_token?: string;
  expires_in: number;
}

interface Pending {
  verifier: string;
  state: string;
  back: string;
}

const PENDING = "watchkeeper.sign-in";
/** A token this close to its end is renewed first. */
const EARLY_MS = 60_000;

/** On the laptop: who hosts the page signs for the developer. */
export const DEVELOPER: Signer = {
  token: () => Promise.resolve(null),
  refused: () => undefined,
};

export class SignIn implements Signer {
  #tokens: (Tokens & { until: number }) | null = null;
  #renewing: Promise<void> | null = null;

  constructor(
    private readonly settings: SignInSettings,
    private readonly root: string,
    /** Told when nobody is signed in any more. */
    private readonly ended: () => void,
  ) {}

  /**
   * Take the code that the login sent back, if the page was called with one.
   *
   * Returns the address to go on at, null where there was no code. Throws where the login refused, or
   * answered somebody else's question.
   */
  async arrive(location: { search: string }): Promise<string | null> {
    const query = new URLSearchParams(location.search);
    const code = query.get("code");
    const refusal = query.get("error");
    if (!code && !refusal) return null;
    const pending = JSON.parse(sessionStorage.getItem(PENDING) ?? "null") as Pending | null;
    sessionStorage.removeItem(PENDING);
    if (refusal) throw new Error(`The login refused: ${query.get("error_description") ?? refusal}.`);
    if (!pending || pending.state !== query.get("state")) {
      throw new Error("The login answered a question that this tab did not ask: sign in again.");
    }
    await this.#ask({ grant_type: "authorization_code", code: code ?? "", redirect_uri: this.root, code_verifier: pending.verifier });
    return pending.back;
  }

  get isSignedIn(): boolean {
    return this.#tokens !== null;
  }

  /** Leave for the login; it comes back to `back`. */
  async begin(back: string, go: (address: string) => void = (address) => location.assign(address)): Promise<void> {
    const pending: Pending = { verifier: random(), state: random(), back };
    sessionStorage.setItem(PENDING, JSON.stringify(pending));
    go(
      `${this.settings.domain}/oauth2/authorize?` +
        new URLSearchParams({
          response_type: "code",
          client_id: this.settings.client_id,
          redirect_uri: this.root,
          scope: (this.settings.scopes ?? ["openid"]).join(" "),
          state: pending.state,
          code_challenge_method: "S256",
          code_challenge: await challenge(pending.verifier),
        }),
    );
  }

  /** Forget the tokens, make the refresh token void, and end the login's own session. */
  async end(go: (address: string) => void = (address) => location.assign(address)): Promise<void> {
    const refresh = this.#tokens?.refresh_token;
    this.#tokens = null;
    this.ended();
    if (refresh) {
      try {
        await this.#post("revoke", { token: refresh });
      } catch {
        // the login's session ends by the redirect all the same
      }
    }
    go(
      `${this.settings.domain}/logout?` +
        new URLSearchParams({ client_id: this.settings.client_id, logout_uri: this.root }),
    );
  }

  async token(): Promise<string> {
    if (!this.#tokens) throw signedOut();
    if (this.#tokens.until - EARLY_MS < Date.now()) {
      await (this.#renewing ??= this.#renew().finally(() => (this.#renewing = null)));
    }
    if (!this.#tokens) throw signedOut();
    return this.#tokens.id_token;
  }

  refused(): void {
    this.#tokens = null;
    this.ended();
  }

  async #renew(): Promise<void> {
    const refresh = this.#tokens?.refresh_token;
    if (!refresh) return this.refused();
    await this.#ask({ grant_type: "refresh_token", refresh_token: refresh }, refresh);
  }

  async #ask(form: Record<string, string>, refresh?: string): Promise<void> {
    const answer = await this.#post("token", form);
    if (!answer.ok) {
      this.refused();
      if (refresh) throw signedOut();
      throw new Error(`The login did not take the code (${answer.status}): sign in again.`);
    }
    const tokens = (await answer.json()) as Tokens;
    this.#tokens = {
      ...tokens,
      ...(tokens.refresh_token || !refresh ? {} : { refresh_token: refresh }),
      until: Date.now() + 1000 * tokens.expires_in,
    };
  }

  async #post(to: "token" | "revoke", form: Record<string, string>): Promise<Response> {
    try {
      return await fetch(`${this.settings.domain}/oauth2/${to}`, {
        method: "POST",
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: new URLSearchParams({ client_id: this.settings.client_id, ...form }),
      });
    } catch {
      throw offline();
    }
  }
}

function random(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

async function challenge(verifier: string): Promise<string> {
  return base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier))));
}

/** Base64 for addresses (RFC 4648, section 5), without padding. */
export function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
