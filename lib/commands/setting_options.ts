/** The settings of a training as options of a command, and what was given of them. */
import { nameOf, optionsOf } from "../train/kept_settings.ts";
import type { RunOptions } from "../train/run_options.ts";
import type { Check } from "../train/setting.ts";
import { SETTING_ROWS, SETTINGS, type SettingValues } from "../train/settings.ts";
import {
  choice,
  numberAbove,
  numberWithin,
  option,
  type Reader,
  text,
  UsageError,
  wholeNumber,
  zeroOrOne,
} from "./arguments.ts";

/** What the command line says, under its own names. */
export type Given = Readonly<Record<string, unknown>>;

/**
 * The options of all settings, in the order of the table.
 *
 * @param single whether those are among them that only one run has
 */
export function settingOptions({ single }: { single: boolean }) {
  return SETTING_ROWS.filter(([, { use }]) => single || !use.single).map(([, row]) => {
    const { flag, help, check, default: value, shown, use } = row;
    const made = option(flag, help, readerOf(check)).makeOptionMandatory(use.required ?? false);
    if (value === undefined) return made;
    return made.default(value, shown ?? (typeof value === "boolean" ? `${+value}` : undefined));
  });
}

/** Reads the argument of a setting. */
export function readerOf(check: Check): Reader<unknown> {
  switch (check.kind) {
    case "choice": {
      const { choices, typed = Object.fromEntries(choices.map((each) => [each, each])) } = check;
      const word = choice(Object.keys(typed));
      return (text) => typed[word(text)];
    }
    case "number": {
      const { whole, least, most, mostTyped = most, above, below } = check;
      if (whole) return wholeNumber(least, mostTyped);
      return above === undefined ? numberWithin(least!, most) : numberAbove(above, below);
    }
    case "flag":
      return zeroOrOne;
    case "text":
      return text;
    case "form":
      return (text) => {
        const value = check.parse(text);
        if (value !== undefined) return value;
        throw new UsageError(`invalid value: '${text}' (${check.verb} ${check.rule})`);
      };
    default:
      return check satisfies never;
  }
}

/** A prefix that can be part of a file's name. */
export const prefixName = readerOf(SETTINGS.prefix.check) as Reader<string>;

/**
 * The settings that were given or have a default.
 *
 * @throws {UsageError} if options do not go together
 */
export function givenSettings(given: Given): Partial<SettingValues> {
  if (given.tune === undefined && given.tune_seed !== undefined) {
    throw new UsageError("argument --tune_seed: only allowed with argument --tune");
  }
  return Object.fromEntries(SETTING_ROWS.map(([name, row]) => [name, given[nameOf(row)]]));
}

/**
 * The run that was asked for.
 *
 * @throws {UsageError} if options do not go together
 */
export function runOptions(given: Given): RunOptions {
  const { logEvery: _, ...settings } = givenSettings(given);
  return optionsOf(settings) as RunOptions;
}
