/** What stands around every screen: name, navigation, how live it is, theme, zone, who looks. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { keyed } from "lit/directives/keyed.js";
import { html as named, unsafeStatic } from "lit/static-html.js";

import { failed, skeleton } from "../parts/loading";
import { icon } from "../parts/icon";
import { Part } from "../parts/screen";
import { ApiError, offline } from "../api/problems";
import { startClock, zone, zoneName } from "./clock";
import { follow, go, href, place, segments } from "./router";
import { menuAt, screenAt, SCREENS, type ScreenEntry } from "./screens";
import { beginSignIn, canSignOut, live, signOut, standing, start } from "./session";
import { Watching } from "./signal";
import { theme, turnTheme } from "./theme";

@customElement("wk-shell")
export class Shell extends Part {
  @state() private menuOpen = false;
  /** Null of an address that has none; undefined while its module is loaded. */
  @state() private shown: ScreenEntry | null | undefined = undefined;
  @state() private broken: ApiError | null = null;
  @state() private isAway = !navigator.onLine;
  #ends: (() => void)[] = [];
  #path: string | null = null;

  constructor() {
    super();
    new Watching(this, [place, standing, live.state, live.gaps, zone, theme]);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    const away = () => {
      this.isAway = !navigator.onLine;
      if (!this.isAway && this.broken) void this.#turn(true);
    };
    addEventListener("online", away);
    addEventListener("offline", away);
    this.#ends = [
      follow(),
      startClock(),
      place.subscribe(() => void this.#turn()),
      () => removeEventListener("online", away),
      () => removeEventListener("offline", away),
    ];
    void start((address) => go(address, { replace: true }));
    void this.#turn();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const end of this.#ends) end();
  }

  /** Show the screen of the address; the focus goes to its title, as a new page's would. */
  async #turn(again = false): Promise<void> {
    const path = place.value.path;
    if (path === this.#path && !again) return;
    const first = this.#path === null;
    this.#path = path;
    this.menuOpen = false;
    const entry = screenAt(segments());
    try {
      await entry?.load();
      this.broken = null;
    } catch (error) {
      this.broken = navigator.onLine ? new ApiError("failed", "This screen could not be loaded.", "Load the page again: there may be a newer version of it.") : offline();
      console.warn(error);
    }
    if (this.#path !== path) return;
    this.shown = entry;
    document.title = entry ? `${entry.title} · Watchkeeper` : "Not here · Watchkeeper";
    await this.updateComplete;
    if (first) return void this.#fetchAhead();
    scrollTo(0, 0);
    this.querySelector<HTMLElement>("main")?.focus({ preventScroll: true });
  }

  /** Fetch the other screens when there is nothing else to do: they are small, and are there without a connection. */
  #fetchAhead(): void {
    const fetchAll = () => SCREENS.forEach((entry) => void entry.load().catch(() => undefined));
    if ("requestIdleCallback" in globalThis) requestIdleCallback(fetchAll, { timeout: 5000 });
    else setTimeout(fetchAll, 2000);
  }

  protected override render(): TemplateResult {
    return html`
      <a class="skip" href="#main">Skip to content</a>
      ${this.#header()} ${this.#banner()}
      <div class="frame" @keydown=${this.#escape}>
        ${this.#navigation()}
        <main id="main" tabindex="-1">${this.#main()}</main>
      </div>
    `;
  }

  #header(): TemplateResult {
    const { value } = standing;
    const me = value.is === "in" ? value.me : null;
    const dark = theme.value === "dark";
    const utc = zone.value === "UTC";
    return html`<header class="top">
      <button
        class="icon-button menu-button"
        aria-label="Menu"
        aria-expanded=${this.menuOpen ? "true" : "false"}
        aria-controls="navigation"
        @click=${() => (this.menuOpen = !this.menuOpen)}
      >
        ${icon(this.menuOpen ? "close" : "menu")}
      </button>
      <a class="name" href=${href([])}><img src="${import.meta.env.BASE_URL}watch.svg" alt="" width="26" height="26" /><span>Watchkeeper</span></a>
      ${me ? this.#liveness() : nothing}
      <span class="spring"></span>
      <button
        class="quiet-button"
        aria-label="${utc ? "UTC" : shortZone()}: times are in ${zoneName()}; show them in ${utc ? "your zone" : "UTC"}"
        title="Times are in ${zoneName()}"
        @click=${() => (zone.value = utc ? "viewer" : "UTC")}
      >
        ${icon("clock")}<span class="wide-text">${utc ? "UTC" : shortZone()}</span>
      </button>
      <button class="icon-button" aria-label=${dark ? "Light theme" : "Dark theme"} title=${dark ? "Light theme" : "Dark theme"} @click=${turnTheme}>
        ${icon(dark ? "sun" : "moon")}
      </button>
      ${me
        ? html`<span class="who" title="${me.user}, ${me.role} of ${me.tenant}">${icon("user")}<span class="who-text"><span>${me.user}</span><span class="soft">${me.role}</span></span></span>`
        : nothing}
      ${canSignOut() && me
        ? html`<button class="icon-button" aria-label="Sign out" title="Sign out" @click=${() => void signOut()}>${icon("out")}</button>`
        : nothing}
    </header>`;
  }

  #liveness(): TemplateResult {
    const words = {
      live: ["live", "Events come as they happen."],
      connecting: ["connecting", "Events are asked for."],
      lost: ["reconnecting", "The connection for events is lost, and tried again. What is missed is fetched."],
      off: ["every 30 s", "No live channel here: changes are fetched every 30 seconds."],
    }[live.state.value] as [string, string];
    return html`<span class="liveness liveness-${live.state.value}" role="status" title=${words[1]}><span class="dot"></span>${words[0]}</span>`;
  }

  #banner(): unknown {
    const { value } = standing;
    if (value.is !== "in" || (!this.isAway && live.state.value !== "lost")) return nothing;
    return html`<p class="banner" role="alert">
      ${icon("offline")}
      <span>${this.isAway ? "You are offline." : "The connection is lost; it is tried again."} What is missed meanwhile is fetched when it is back.</span>
    </p>`;
  }

  readonly #escape = (event: KeyboardEvent): void => {
    if (event.key !== "Escape" || !this.menuOpen) return;
    this.menuOpen = false;
    this.querySelector<HTMLElement>(".menu-button")?.focus();
  };

  #navigation(): TemplateResult {
    const here = menuAt(segments());
    return html`<nav id="navigation" class=${this.menuOpen ? "navigation open" : "navigation"} aria-label="Screens">
      <ul>
        ${SCREENS.filter((entry) => entry.menu).map(
          (entry) => html`<li>
            <a href=${href(entry.path)} aria-current=${entry === here ? "page" : nothing} @click=${() => (this.menuOpen = false)}>
              ${icon(entry.menu!)}<span>${entry.title}</span>
            </a>
          </li>`,
        )}
      </ul>
    </nav>`;
  }

  #main(): unknown {
    const { value } = standing;
    switch (value.is) {
      case "starting":
        return skeleton(6);
      case "signed-out":
        return html`<div class="face">
          ${icon("lock")}
          <h1 class="face-title">You are signed out</h1>
          <p class="soft">${value.why || "Sign in to see your workloads."}</p>
          <button class="button button-main" @click=${() => void beginSignIn()}>Sign in</button>
        </div>`;
      case "failed":
        return failed(value.error, () => void start((address) => go(address, { replace: true })));
      case "in":
        if (this.broken) return failed(this.broken, () => location.reload());
        if (!this.shown) return this.shown === undefined ? skeleton(6) : notHere();
        // after a gap nothing that is shown is sure: the screen begins anew
        return keyed(live.gaps.value, screenElement(this.shown));
    }
  }
}

function notHere(): TemplateResult {
  return html`<div class="face">
    ${icon("alert")}
    <h1 class="face-title">This page is not here</h1>
    <p class="soft">The address has a slip, or what it named is gone.</p>
    <a class="button" href=${href([])}>Go to the overview</a>
  </div>`;
}

/** The tag is a constant of `screens.ts`, never of the address. */
function screenElement(entry: ScreenEntry): unknown {
  const tag = unsafeStatic(entry.tag);
  return named`<${tag}></${tag}>`;
}

function shortZone(): string {
  const part = new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" })
    .formatToParts(new Date())
    .find((each) => each.type === "timeZoneName");
  return part?.value ?? "local";
}
