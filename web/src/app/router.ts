/**
 * Where the page is: the address is the state. A screen reads its filters from `place.value.query` and
 * writes them with `refine`, so that whatever is shown can be sent as a link.
 */

import { Signal } from "./signal";

export interface Place {
  /** Below the console's root, without slashes at its ends: `incidents/3f2a`; "" is the overview. */
  readonly path: string;
  readonly query: URLSearchParams;
}

export type Query = Readonly<Record<string, string | number | null | undefined>>;

const ROOT = import.meta.env.BASE_URL;

export const place = new Signal<Place>(read());

function read(): Place {
  const path = decodeURI(location.pathname);
  return {
    path: path.slice(ROOT.length).replace(/^\/+|\/+$/g, ""),
    query: new URLSearchParams(location.search),
  };
}

/** Return the address of a place: segments are encoded, what is null or "" is left out of the query. */
export function href(segments: readonly string[], query: Query = {}): string {
  const found = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") found.set(name, String(value));
  }
  const tail = found.size ? `?${found}` : "";
  return ROOT + segments.map(encodeURIComponent).join("/") + tail;
}

/** Go to an address of the console. */
export function go(address: string, { replace = false } = {}): void {
  history[replace ? "replaceState" : "pushState"](null, "", address);
  place.value = read();
}

/** Change some of the query and stay; `null` takes a name out. The back button leaves the screen, not the filter. */
export function refine(changes: Query, { push = false } = {}): void {
  const query = Object.fromEntries(place.value.query) as Record<string, string | number | null | undefined>;
  for (const [name, value] of Object.entries(changes)) query[name] = value;
  go(href(segments(), query), { replace: !push });
}

/** The parts of the path, decoded. */
export function segments(): string[] {
  return location.pathname
    .slice(ROOT.length)
    .split("/")
    .filter(Boolean)
    .map(decodeURIComponent);
}

/** Follow links inside of the console without loading the page again. Returns what ends that. */
export function follow(): () => void {
  const click = (event: MouseEvent) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element | null)?.closest?.("a[href]") as HTMLAnchorElement | null;
    if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
    if (!link.pathname.startsWith(ROOT)) return;
    if (link.hash && link.pathname === location.pathname && link.search === location.search) return;
    event.preventDefault();
    go(link.href);
  };
  const back = () => {
    place.value = read();
  };
  document.addEventListener("click", click);
  window.addEventListener("popstate", back);
  return () => {
    document.removeEventListener("click", click);
    window.removeEventListener("popstate", back);
  };
}
