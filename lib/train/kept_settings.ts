/**
 * What a run's files keep of its settings, under the names of the command line: what is written, what
 * is taken from a file, and what a run that goes on has of it. Files are not taken on trust.
 */
import { TUNE_SEED } from "../data/tune.ts";
import type { RunOptions } from "./run_options.ts";
import { type AnySetting, isOfKind } from "./setting.ts";
import { DEFAULTS, SETTING_ROWS, type SettingName, type SettingValues } from "./settings.ts";

/** The settings of a run, by their names on the command line. */
export type RunSettings = Readonly<Record<string, string | number | boolean>>;

/** The order of the first version's settings in files; later ones follow. */
const FILE_ORDER: readonly SettingName[] = [
  ...["task", "plane", "prefix", "recipe", "intensity", "lossWeights", "epochs"] as const,
  ...["learningRate", "schedule", "gamma", "patience", "plateauPatience", "plateauFactor"] as const,
  ...["weightDecay", "augment", "rotation", "shift", "flip", "shuffle", "seed"] as const,
  ...["tune", "tuneSeed", "data", "models", "logs", "weights", "saveModel"] as const,
  ...["skipBadExams", "anyRange"] as const,
];

/** A setting as files have it. */
interface Kept {
  /** Its name in a script. */
  name: SettingName;
  /** Its name in a file. */
  key: string;
  row: AnySetting;
}

const ROWS: readonly Kept[] = SETTING_ROWS
  .map(([name, row]) => ({ name, key: nameOf(row), row }))
  .sort((one, other) => _rank(one.name) - _rank(other.name));

const KEPT = ROWS.filter(({ row }) => row.use.kept !== undefined);
const FIXED = KEPT.filter(({ row }) => row.use.kept === "fixed");
/** The settings that an outcome depends on, whether they are kept or not. */
const DECISIVE = [
  ..._tuneLast(KEPT.filter(({ row: { use } }) => use.decides ?? use.kept !== "noted")),
  ...ROWS.filter(({ row: { use } }) => use.kept === undefined && use.decides),
];

/** The name of a setting on the command line and in files, such as `lr_scheduler`. */
export function nameOf({ flag }: Pick<AnySetting, "flag">): string {
  return /--(\w+)/.exec(flag)![1];
}

/** The settings among the options of a run. */
export function settingsOf<T extends Partial<RunOptions>>(
  { tune, ...others }: T,
): Omit<T, "tune"> & Pick<Partial<SettingValues>, "tune" | "tuneSeed"> {
  return { ...others, tune: tune?.fraction, tuneSeed: tune?.seed };
}

/** The options of a run whose settings are apart. */
export function optionsOf<T extends Partial<SettingValues>>(
  { tune, tuneSeed = TUNE_SEED, ...others }: T,
): Omit<T, "tune" | "tuneSeed"> & Pick<RunOptions, "tune"> {
  return { ...others, tune: tune === undefined ? undefined : { fraction: tune, seed: tuneSeed } };
}

/** The options of a run, completed with the defaults that no recipe decides. */
export function withDefaults(options: RunOptions): RunOptions & typeof DEFAULTS {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...DEFAULTS, ...Object.fromEntries(given) } as RunOptions & typeof DEFAULTS;
}

/** The settings that `config.json` and the state keep. */
export function keptSettings(options: RunOptions): RunSettings {
  return _record(KEPT, options) as RunSettings;
}

/** The settings that decide on the outcome, as a file has them. */
export function decisiveSettings(options: Partial<RunOptions>): Record<string, unknown> {
  const { precision = DEFAULTS.precision, ...others } = options;
  return _record(DECISIVE, { ...others, precision });
}

/**
 * Reads the settings of a run from a JSON object, which may have other keys too.
 *
 * @throws {RangeError} if one is missing or is no such setting
 */
export function parseSettings(value: Record<string, unknown>): RunSettings {
  const settings: Record<string, string | number | boolean> = {};
  for (const { key, row: { check, use } } of KEPT) {
    const isThere = Object.hasOwn(value, key);
    if (!isThere && use.optional) continue;
    const given = value[key];
    if (!isThere || !isOfKind(check, given)) {
      throw new RangeError(`what it says of '${key}' is missing or wrong`);
    }
    settings[key] = given as string | number | boolean;
  }
  for (const [one, other] of [["tune", "tune_seed"], ["folds", "fold"]]) {
    if ((one in settings) === (other in settings)) continue;
    throw new RangeError(`one of '${one}' and '${other}' is missing`);
  }
  return settings;
}

/** Whether two files are of the same run: their `fixed` settings are equal. */
export function areOfOneRun(one: RunSettings, other: RunSettings): boolean {
  return FIXED.every(({ key }) => one[key] === other[key]);
}

/**
 * The options that would change a run: `lr 0.001 instead of 0.0001`. Options that are not given change
 * nothing.
 *
 * @param kept the settings in the run's state
 */
export function differencesTo(kept: RunSettings, options: RunOptions): string[] {
  const asked: Readonly<Record<string, unknown>> = settingsOf(options);
  const shown = (value: unknown) =>
    value === undefined ? "none" : typeof value === "string" ? value : JSON.stringify(value);
  return _tuneLast(FIXED).flatMap(({ name, key, row }) => {
    const [now, then] = [asked[name], kept[key] ?? row.default];
    if (now === undefined || now === then) return [];
    return [`${key} ${shown(now)} instead of ${shown(then)}`];
  });
}

/** The options of a resumed run: those given, and the run's own settings for the rest. */
export function mergedWith(kept: RunSettings, options: RunOptions): RunOptions {
  const merged: Record<string, unknown> = settingsOf(options);
  for (const { name, key, row } of KEPT) {
    if (row.use.kept !== "noted") merged[name] ??= kept[key];
  }
  return optionsOf(merged) as unknown as RunOptions;
}

function _record(rows: readonly Kept[], options: Partial<RunOptions>): Record<string, unknown> {
  const values: Readonly<Record<string, unknown>> = settingsOf(options);
  const isSaid = ({ name, row }: Kept) =>
    values[name] !== undefined && !(row.use.optional && values[name] === row.default);
  return Object.fromEntries(rows.filter(isSaid).map(({ name, key }) => [key, values[name]]));
}

function _rank(name: SettingName): number {
  const rank = FILE_ORDER.indexOf(name);
  return rank < 0 ? FILE_ORDER.length : rank;
}

/** Puts the tune split last, where messages have always had it. */
function _tuneLast(rows: readonly Kept[]): Kept[] {
  const isTune = ({ name }: Kept) => name === "tune" || name === "tuneSeed";
  return [...rows.filter((row) => !isTune(row)), ...rows.filter(isTune)];
}
