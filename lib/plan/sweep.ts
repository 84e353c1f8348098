/**
 * A sweep: several settings of a training. It is a JSON list of objects, a JSON object of lists, which
 * is a grid, or a CSV table; its keys or columns are names of options on the command line.
 */
import { DataError, messageOf, OptionError } from "../errors.ts";
import { type FileAction, readBytes } from "../files.ts";
import { eachCsvLine } from "../data/csv.ts";
import { jsonObject, parseJson } from "./done_model.ts";
import { settingValue } from "./setting_values.ts";
import type { PlainRunOptions } from "./train_unit.ts";

/** A setting of a sweep. */
export interface SweepSetting {
  /** Its options in words: `lr 0.0001, augment false`. */
  name: string;
  /** Its options, by their names in a script. */
  options: Partial<PlainRunOptions>;
}

/** The largest file of a sweep, in bytes. */
const MAX_SWEEP_BYTES = 1024 * 1024;
const MAX_BRACKETS = 10_000;

/** The most settings of a sweep. */
export const MAX_SETTINGS = 1000;

const WHAT = "read the sweep";
const HINT = 'give a JSON list of objects such as [{"lr": 1e-5}, {"lr": 1e-4}], ' +
  'a grid such as {"lr": [1e-5, 1e-4]}, or a CSV table of option values';

/**
 * Reads the settings of a sweep.
 *
 * @throws {DataError} if the file is missing or anything else, or has no setting, more than 1000, or one
 * twice
 * @throws {OptionError} if an option does not exist, or has a value out of its range
 */
export async function readSweep(path: string): Promise<SweepSetting[]> {
  const action: FileAction = { what: WHAT, path, access: "read", error: DataError, hint: HINT };
  const bytes = await readBytes(action, { most: MAX_SWEEP_BYTES });
  return parseSweep(new TextDecoder().decode(bytes), path);
}

/**
 * Parses the text of a sweep.
 *
 * @param path the file, for messages
 * @throws as {@linkcode readSweep}
 *
 * @example
 * ```ts
 * import { parseSweep } from "./sweep.ts";
 * const settings = parseSweep('{"lr": [1e-5, 1e-4], "augment": [0, 1]}', "sweep.json");
 * console.assert(settings.length === 4 && settings[3].name === "lr 0.0001, augment true");
 * ```
 */
export function parseSweep(text: string, path: string): SweepSetting[] {
  const refusal = (found: string) => new DataError(`Cannot ${WHAT} '${path}': ${found}: ${HINT}`);
  let rows: Record<string, unknown>[];
  try {
    rows = /^\s*[[{]/.test(text) ? _jsonRows(parseJson(text, MAX_BRACKETS)) : _csvRows(text);
  } catch (error) {
    if (error instanceof RangeError) throw refusal(messageOf(error));
    throw error;
  }
  if (rows.length === 0) throw refusal("it has no setting");
  if (rows.length > MAX_SETTINGS) {
    throw refusal(`it has ${rows.length} settings, allowed are ${MAX_SETTINGS}`);
  }
  const settings = rows.map((row, index) => _setting(row, `setting ${index + 1} of '${path}'`));
  const names = settings.map(({ name }) => name);
  const twice = names.findIndex((name, index) => names.indexOf(name) < index);
  if (twice < 0) return settings;
  throw refusal(`its setting ${twice + 1} is there twice (${names[twice]})`);
}

function _setting(row: Readonly<Record<string, unknown>>, where: string): SweepSetting {
  const entries = Object.entries(row).map(([flag, given]) => {
    try {
      const [name, value] = settingValue(flag, given);
      return { flag, name, value };
    } catch (error) {
      if (error instanceof OptionError) error.message += ` (${where})`;
      throw error;
    }
  });
  return {
    name: entries.map(({ flag, value }) => `${flag} ${value}`).join(", ") || "as given",
    options: Object.fromEntries(entries.map(({ name, value }) => [name, value])),
  };
}

function _jsonRows(value: unknown): Record<string, unknown>[] {
  if (Array.isArray(value)) {
    return value.map((each, index) => jsonObject(each, `setting ${index + 1}`));
  }
  const grid = Object.entries(jsonObject(value, "it"));
  let rows: Record<string, unknown>[] = [{}];
  for (const [flag, values] of grid) {
    if (!Array.isArray(values) || values.length === 0) {
      throw new RangeError(`its '${flag}' is no list of values`);
    }
    if (rows.length * values.length > MAX_SETTINGS) {
      throw new RangeError(`its grid has more than ${MAX_SETTINGS} settings`);
    }
    rows = rows.flatMap((row) => values.map((each) => ({ ...row, [flag]: each })));
  }
  return grid.length === 0 ? [] : rows;
}

function _csvRows(text: string): Record<string, unknown>[] {
  let columns: string[] | undefined;
  const rows: Record<string, unknown>[] = [];
  eachCsvLine(text, ({ values, line }) => {
    if (columns === undefined) columns = values;
    else if (values.length !== columns.length) {
      throw new RangeError(`line ${line}: ${values.length} values instead of ${columns.length}`);
    } else if (rows.length > MAX_SETTINGS) {
      throw new RangeError(`it has more than ${MAX_SETTINGS} settings`);
    } else {
      // An empty value is one that is not given.
      const given = columns.map((flag, at) => [flag, values[at]]).filter(([, each]) => each !== "");
      rows.push(Object.fromEntries(given));
    }
  }, { refuse: (found) => new RangeError(found) });
  return rows;
}
