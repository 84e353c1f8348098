/**
 * The options of a training as a plan has them: plain values under the names of the command line,
 * recipe and defaults filled in.
 */
import { OptionError } from "../errors.ts";
import { nearest } from "../nearest.ts";
import { quoted } from "../quoted.ts";
import { nameOf, optionsOf } from "../train/kept_settings.ts";
import { resolveTrainOptions } from "../train/resolve.ts";
import { type AnySetting, type Check, fits, ruleOf } from "../train/setting.ts";
import { DEFAULTS, SETTING_ROWS, type SettingName } from "../train/settings.ts";
import type { SettingValue } from "./plan.ts";
import type { PlainRunOptions } from "./train_unit.ts";

/** What the plan itself decides for each unit, or for all of them. */
const OF_THE_PLAN: readonly SettingName[] = [
  ...["task", "plane", "prefix", "data", "models", "logs", "seed", "threads"] as const,
  ...["tune", "tuneSeed", "folds", "fold"] as const,
  ...["flushHistory", "saveModel", "resume", "logEvery"] as const,
];

/** The settings that a plan may have several values of, by their names on the command line. */
const ROWS: ReadonlyMap<string, readonly [SettingName, AnySetting]> = new Map(
  SETTING_ROWS.filter(([name]) => !OF_THE_PLAN.includes(name))
    .map(([name, row]) => [nameOf(row), [name, row] as const]),
);

/**
 * All options of a training that a plan keeps.
 *
 * @param options those that are given
 * @throws {OptionError} if a value is out of its range
 */
export function plannedOptions(options: Partial<PlainRunOptions>): Record<string, SettingValue> {
  const values: Record<string, unknown> = {
    ...DEFAULTS,
    ..._given(options),
    ..._given(resolveTrainOptions(_given(options))),
  };
  const planned: Record<string, SettingValue> = {};
  for (const [flag, [name, { check }]] of ROWS) {
    const value = values[name];
    // Plans of earlier versions do not name it.
    if (value === undefined || name === "operatingPoint" && value === DEFAULTS[name]) continue;
    if (!fits(check, value)) throw _outOfRange(flag, value, check);
    planned[flag] = value as SettingValue;
  }
  return planned;
}

/** The options of a run from those that a plan keeps. */
export function runOptionsFrom(planned: Readonly<Record<string, SettingValue>>) {
  const values = Object.entries(planned).flatMap(([flag, value]) => {
    const row = ROWS.get(flag);
    return row !== undefined && fits(row[1].check, value) ? [[row[0], value] as const] : [];
  });
  return optionsOf(Object.fromEntries(values)) as Partial<PlainRunOptions>;
}

/**
 * A value of a setting, as a table or JSON has it.
 *
 * @param flag the name of the setting on the command line, such as `lr`
 * @returns the name of the option in a script, and its value
 * @throws {OptionError} if there is no such setting, or the value is none of it
 */
export function settingValue(flag: string, value: unknown): [SettingName, SettingValue] {
  const row = ROWS.get(flag);
  if (row === undefined) {
    const meant = nearest(flag, [...ROWS.keys()]);
    const hint = meant === undefined
      ? `choose from ${[...ROWS.keys()].join(", ")}`
      : `did you mean '${meant}'?`;
    throw new OptionError(`Cannot vary ${quoted(flag)}: there is no such option: ${hint}`);
  }
  const [name, { check }] = row;
  const read = _read(check, value);
  if (fits(check, read)) return [name, read as SettingValue];
  throw _outOfRange(flag, value, check);
}

/** A value of its own type from text or JSON. */
function _read(check: Check, value: unknown): unknown {
  const text = String(value).trim();
  switch (check.kind) {
    case "number":
      return text === "" ? undefined : Number(text);
    case "flag":
      return { "0": false, "1": true, false: false, true: true }[text];
    case "choice":
      return check.typed?.[text] ?? text;
    case "form":
      return check.fits(value) ? value : check.parse(text);
    case "text":
      return text;
    default:
      return check satisfies never;
  }
}

function _outOfRange(flag: string, value: unknown, check: Check): OptionError {
  const rule = check.kind === "flag" ? "0 or 1" : ruleOf(check);
  return new OptionError(`Cannot train with ${flag} ${quoted(String(value))}: give ${rule}`);
}

function _given<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as Partial<T>;
}
