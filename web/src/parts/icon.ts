/** The signs of the page: lines on a grid of 24, drawn in the colour of the text beside them. */

import { html, svg, type TemplateResult } from "lit";

const LINES = {
  overview: svg`<path d="M4 4h7v7H4zM13 4h7v4h-7zM13 11h7v9h-7zM4 14h7v6H4z"/>`,
  incident: svg`<path d="M12 3 2.5 20h19zM12 10v4.5M12 17.2v.3"/>`,
  series: svg`<path d="M3 15c3 0 3-8 6-8s3 10 6 10 3-6 6-6M3 20h18"/>`,
  workload: svg`<path d="M12 3 4 7.5v9L12 21l8-4.5v-9zM4 7.5l8 4.5 8-4.5M12 12v9"/>`,
  run: svg`<circle cx="5" cy="12" r="2.2"/><circle cx="19" cy="6" r="2.2"/><circle cx="19" cy="18" r="2.2"/><path d="M7.2 11.2 16.8 6.8M7.2 12.8l9.6 4.4"/>`,
  model: svg`<path d="M12 3a9 9 0 1 0 9 9M12 7a5 5 0 1 0 5 5M12 11.8 20 4M16.500 4H20v3.500"/>`,
  backtest: svg`<path d="M4 12a8 8 0 1 0 2.500-5.800M4 4v4.500h4.500M12 8v4.500l3 2"/>`,
  digest: svg`<path d="M5 4h14v16H5zM8.500 8.500h7M8.500 12h7M8.500 15.500h4"/>`,
  fraud: svg`<rect x="3" y="6" width="18" height="13" rx="2"/><path d="M3 10.500h18M7 15h4"/>`,
  device: svg`<rect x="7" y="7" width="10" height="10" rx="1.500"/><path d="M10 7V3.500M14 7V3.500M10 20.500V17M14 20.500V17M7 10H3.500M7 14H3.500M20.500 10H17M20.500 14H17"/>`,
  site: svg`<path d="M12 13v8M8.500 21h7M8.500 14.500a5 5 0 1 1 7 0M5.500 17a9 9 0 1 1 13 0M12 10.900v.1"/>`,
  menu: svg`<path d="M4 7h16M4 12h16M4 17h16"/>`,
  close: svg`<path d="m6 6 12 12M18 6 6 18"/>`,
  sun: svg`<circle cx="12" cy="12" r="4"/><path d="M12 3v2M12 19v2M3 12h2M19 12h2M5.600 5.600 7 7M17 17l1.400 1.400M5.600 18.400 7 17M17 7l1.400-1.400"/>`,
  moon: svg`<path d="M20 14.500A8 8 0 0 1 9.500 4 8 8 0 1 0 20 14.500z"/>`,
  clock: svg`<circle cx="12" cy="12" r="8.500"/><path d="M12 7v5.300l3.500 2"/>`,
  user: svg`<circle cx="12" cy="8.500" r="3.700"/><path d="M4.500 20c1-4 4-5.500 7.500-5.500s6.500 1.500 7.500 5.500"/>`,
  out: svg`<path d="M14 4H5v16h9M10 12h11M17.500 8.500 21 12l-3.500 3.500"/>`,
  offline: svg`<path d="M4 9.500a12 12 0 0 1 4-2.400M12.500 6A12 12 0 0 1 20 9.500M7 13a8 8 0 0 1 3-1.800M15.500 12.200 17 13M12 18v.3M4 3l16 18"/>`,
  alert: svg`<circle cx="12" cy="12" r="9"/><path d="M12 7.500v5.500M12 16.200v.3"/>`,
  lock: svg`<rect x="5" y="11" width="14" height="9" rx="2"/><path d="M8 11V8a4 4 0 0 1 8 0v3"/>`,
  calm: svg`<path d="M3 12h5l1.500-3 2.500 6 1.500-3H21"/>`,
  check: svg`<path d="m5 12.500 4.500 4.500L19 7.500"/>`,
  up: svg`<path d="M12 19V5M6.500 10.500 12 5l5.500 5.500"/>`,
  down: svg`<path d="M12 5v14M6.500 13.500 12 19l5.500-5.500"/>`,
  next: svg`<path d="m9 5 7 7-7 7"/>`,
  previous: svg`<path d="m15 5-7 7 7 7"/>`,
  plus: svg`<path d="M12 5v14M5 12h14"/>`,
  minus: svg`<path d="M5 12h14"/>`,
  whole: svg`<path d="M4 5v14M20 5v14M7 12h10M10 9l-3 3 3 3M14 9l3 3-3 3"/>`,
  bell: svg`<path d="M6 16V11a6 6 0 0 1 12 0v5l1.500 2h-15zM10 20.500h4"/>`,
  undo: svg`<path d="M8 5 4 9l4 4M4 9h10a6 6 0 0 1 0 12h-3"/>`,
  snooze: svg`<path d="M6 5h6l-6 7h6M14 11h5l-5 6h5"/>`,
  tag: svg`<path d="M4 4h8l8 8-8 8-8-8zM8.500 8.500v.1"/>`,
  release: svg`<path d="M12 3c4 3 5 7 4 12H8C7 10 8 6 12 3zM8 13l-3 4h3M16 13l3 4h-3M12 18v3M12 9.500v.1"/>`,
} as const;

export type IconName = keyof typeof LINES;

/** A sign; it says nothing to screen readers, as a word is always beside it or in its button's label. */
export function icon(name: IconName): TemplateResult {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">${LINES[name]}</svg>`;
}
