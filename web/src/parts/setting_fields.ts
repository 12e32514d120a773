/** A workload's file as fields: what is set, and what somebody would have otherwise. */

import { html, nothing, type TemplateResult } from "lit";

import type { Setting } from "../api/shapes";

export type Values = Readonly<Record<string, Setting["value"]>>;

const ABOUT: Record<string, string> = { threshold: "How unusual is an anomaly", incidents: "Which anomalies are one incident", alerts: "Alerts" };

/** The settings that there are with the rule that is chosen: each rule has parameters of its own. */
export function present(settings: readonly Setting[], values: Values): Setting[] {
  const rule = values["threshold.rule"] ?? settings.find((one) => one.key === "threshold.rule")?.value;
  return settings.filter((one) => one.with_rule === null || one.with_rule === rule);
}

/** What differs from the settings: a value that is put back is no change. */
export function differing(settings: readonly Setting[], values: Values): Values {
  const here = new Map(present(settings, values).map((one) => [one.key, one.value]));
  return Object.fromEntries(Object.entries(values).filter(([key, value]) => here.has(key) && here.get(key) !== value));
}

/** Read what somebody typed; `undefined` where it is none of what the field takes. */
export function read(setting: Setting, typed: string): Setting["value"] | undefined {
  const words = typed.trim();
  if (words === "") return setting.optional ? null : undefined;
  if (setting.kind === "choice" || setting.kind === "duration") return words;
  const number = Number(words);
  return Number.isFinite(number) ? number : undefined;
}

/** All fields, by what they are of. */
export function fields(settings: readonly Setting[], values: Values, change: (key: string, value: Setting["value"]) => void): TemplateResult {
  const groups = grouped(present(settings, values));
  return html`${[...groups].map(
    ([about, of], index) => html`<fieldset class="settings">
      <legend>${ABOUT[about] ?? about}</legend>
      <div class="settings-fields">${of.map((one) => field(one, values, change, `setting-${index}`))}</div>
    </fieldset>`,
  )}`;
}

function grouped(settings: readonly Setting[]): Map<string, Setting[]> {
  const found = new Map<string, Setting[]>();
  for (const one of settings) found.set(one.about, [...(found.get(one.about) ?? []), one]);
  return found;
}

function field(setting: Setting, values: Values, change: (key: string, value: Setting["value"]) => void, group: string): TemplateResult {
  const value = setting.key in values ? values[setting.key] : setting.value;
  const isChanged = setting.key in differing([setting], values);
  const help = `${group}-${setting.key.replaceAll(/[^\w]/g, "-")}`;
  const changed = (event: Event) => {
    const input = event.target as HTMLInputElement;
    const found = read(setting, input.value);
    if (found !== undefined) change(setting.key, found);
  };
  const id = `${help}-field`;
  return html`<div class="field setting ${isChanged ? "setting-changed" : ""}">
    <label for=${id}>${setting.name.replaceAll(".", " ").replaceAll("_", " ")}${isChanged ? html` <b>was ${setting.value ?? "not set"}</b>` : nothing}</label>
    ${setting.kind === "choice"
      ? html`<select id=${id} name=${setting.key} aria-describedby=${help} @change=${changed}>${setting.choices.map((one) => html`<option value=${one} ?selected=${one === value}>${one.replaceAll("_", " ")}</option>`)}</select>`
      : html`<input id=${id} name=${setting.key} aria-describedby=${help} autocomplete="off" spellcheck="false"
          inputmode=${setting.kind === "duration" ? "text" : "decimal"} placeholder=${setting.optional ? "not set" : nothing}
          ?required=${!setting.optional} .value=${value === null || value === undefined ? "" : String(value)} @change=${changed} />`}
    <span class="setting-help" id=${help}>${setting.description} ${limits(setting)}</span>
  </div>`;
}

function limits({ at_least: from, at_most: to }: Setting): string {
  if (from === null && to === null) return "";
  if (to === null) return `From ${from}.`;
  return from === null ? `Up to ${to}.` : `From ${from} to ${to}.`;
}
