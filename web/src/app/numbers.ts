/** Numbers as people read them: few digits, thousands apart, a unit beside. */

const exact = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });
const formats = new Map<number, Intl.NumberFormat>();

/** Four significant digits, or all that stand before the point. */
export function value(number: number | null | undefined, digits = 4): string {
  if (number === null || number === undefined || !Number.isFinite(number)) return "–";
  const size = Math.abs(number);
  if (size >= 10 ** digits) return size >= 1e9 ? number.toExponential(3) : exact.format(number);
  if (size > 0 && size < 1e-4) return number.toExponential(digits - 1);
  let found = formats.get(digits);
  if (!found) formats.set(digits, (found = new Intl.NumberFormat("en-GB", { maximumSignificantDigits: digits })));
  return found.format(number);
}

export function withUnit(number: number | null | undefined, unit?: string | null): string {
  const text = value(number);
  return unit && text !== "–" ? `${text} ${unit}` : text;
}

export function count(number: number): string {
  return exact.format(number);
}

/** `1 incident`, `3 incidents`. */
export function counted(number: number, one: string, many = `${one}s`): string {
  return `${exact.format(number)} ${number === 1 ? one : many}`;
}

/** 0.364 → `36 %`; what is more than nothing is never 0 %. */
export function percent(share: number): string {
  const of = 100 * share;
  return of > 0 && of < 1 ? "< 1 %" : `${Math.round(of)} %`;
}

const cents = new Intl.NumberFormat("en-GB", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** 1234.5 → `1,234.50`; what is more than nothing is never 0.00. */
export function usd(amount: number): string {
  return amount > 0 && amount < 0.005 ? "< 0.01" : cents.format(amount);
}
