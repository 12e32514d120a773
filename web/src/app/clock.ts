/** Times as people read them: in the zone of who looks, or in UTC, whichever they chose. */

import { Signal } from "./signal";

export type Zone = "viewer" | "UTC";

const KEPT = "watchkeeper.zone";

export const zone = new Signal<Zone>(kept() === "UTC" ? "UTC" : "viewer");

/** Now, in ms; moves every ten seconds, so that "2 min ago" stays true. */
export const now = new Signal(Date.now());

zone.subscribe((value) => keep(KEPT, value));

export function startClock(): () => void {
  const timer = setInterval(() => (now.value = Date.now()), 10_000);
  return () => clearInterval(timer);
}

/** Asked once: it takes long, and what asks draws many times a second. */
const OWN_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** The IANA name of the zone that times are shown in. */
export function zoneName(): string {
  return zone.value === "UTC" ? "UTC" : OWN_ZONE;
}

function kept(): string | null {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}

/** Keep a choice for the next visit; without storage it lasts as long as the page. */
export function keep(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(name);
    else localStorage.setItem(name, value);
  } catch {
    // switched off by the viewer: nothing to remember
  }
}

export type Instant = string | number | Date;

/** Take ISO 8601, or seconds since 1970 (as columns of points have them). */
export function instant(value: Instant): Date {
  return value instanceof Date ? value : new Date(typeof value === "number" ? value * 1000 : value);
}

const formats = new Map<string, Intl.DateTimeFormat>();

function format(options: Intl.DateTimeFormatOptions, timeZone: string): Intl.DateTimeFormat {
  const key = timeZone + Object.entries(options).flat().join();
  let found = formats.get(key);
  if (!found) formats.set(key, (found = new Intl.DateTimeFormat("en-GB", { ...options, timeZone })));
  return found;
}

const CLOCK = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;

/** `30 Nov 14:05`, with the year where it is not this one, and seconds where asked. */
export function dateTime(value: Instant, { seconds = false, timeZone = zoneName() } = {}): string {
  const at = instant(value);
  const year = at.getUTCFullYear() === new Date(now.value).getUTCFullYear() ? {} : ({ year: "numeric" } as const);
  const day = format({ day: "numeric", month: "short", ...year }, timeZone).format(at);
  return `${day} ${timeOfDay(at, { seconds, timeZone })}`;
}

export function timeOfDay(value: Instant, { seconds = false, timeZone = zoneName() } = {}): string {
  return format(seconds ? { ...CLOCK, second: "2-digit" } : CLOCK, timeZone).format(instant(value));
}

/** Both ways to say it, for a tooltip: `30 Nov 2026, 14:05:00 (13:05 UTC)`. */
export function bothZones(value: Instant): string {
  const at = instant(value);
  const whole = { day: "numeric", month: "short", year: "numeric", ...CLOCK, second: "2-digit" } as const;
  return `${format(whole, OWN_ZONE).format(at)} ${OWN_ZONE}; ${format(whole, "UTC").format(at)} UTC`;
}

/** A span: `14:05 to 15:10`, with the day where it is not one. */
export function span(from: Instant, to: Instant): string {
  const day = (value: Instant) => dateTime(value).replace(/ \S+$/, "");
  return `${dateTime(from)} to ${day(from) === day(to) ? timeOfDay(to) : dateTime(to)}`;
}

const UNITS = [
  ["d", 86_400],
  ["h", 3_600],
  ["min", 60],
  ["s", 1],
] as const;

/** `1 h 20 min`: the two largest units. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "–";
  let rest = Math.round(Math.abs(seconds));
  if (rest < 60) return Math.abs(seconds) < 10 ? `${Number(Math.abs(seconds).toFixed(1))} s` : `${rest} s`;
  const parts: string[] = [];
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count) parts.push(`${count} ${unit}`);
    if (parts.length && (parts.length === 2 || !count)) break;
  }
  return parts.join(" ");
}

/** `3 min ago`, `in 2 h`: one unit. */
export function relative(value: Instant): string {
  const seconds = (now.value - instant(value).getTime()) / 1000;
  const size = Math.abs(seconds);
  if (size < 10) return "now";
  const [unit, of] = UNITS.find(([, each]) => size >= each) ?? ["s", 1];
  const text = `${Math.floor(size / of)} ${unit}`;
  return seconds > 0 ? `${text} ago` : `in ${text}`;
}
