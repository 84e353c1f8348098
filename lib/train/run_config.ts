/**
 * The settings of a run under the names of the command line, as its state and its `config.json` have
 * them. Both are files like others: nothing in them is taken on trust.
 *
 * @module
 */
import { INTENSITIES } from "../data/intensity.ts";
import { WeightsError } from "../errors.ts";
import { join, readBytes } from "../files.ts";
import { LOSS_WEIGHTS, RECIPE_NAMES } from "../model/recipe.ts";
import { PLANES, TASKS } from "../terms.ts";
import { isPrefix } from "./checkpoint.ts";
import { SCHEDULES } from "./schedule.ts";

/** The name of the file in a run's folder. */
export const CONFIG_FILE = "config.json";

/** Room for a thousand exams that were left out, which the file lists with the reasons. */
const MOST_BYTES = 1024 * 1024;

const WHAT = "go on with the run of";
const MEND = "give the folder that a run has left, or start anew without --resume";

/** The settings of a run, by their names on the command line. */
export type RunSettings = Readonly<Record<string, string | number | boolean>>;

/** What `config.json` says of a run. */
export interface RunConfig {
  settings: RunSettings;
  /** What computed it at first, in words, and when that was. */
  begun: RunBeginning;
  /** The same each time that it went on, and in which epoch. */
  resumed: ({ epoch: number } & RunBeginning)[];
}

/** What computed a run from when on. */
export interface RunBeginning {
  engine: string;
  /** A driver's own words, where it is a GPU. */
  adapter?: Record<string, string>;
  started: string;
}

type Check = (value: unknown) => boolean;

const oneOf = (names: readonly string[]): Check => (value) => names.includes(value as string);
const isText: Check = (value) => typeof value === "string" && value.length <= 1000;
const isFlag: Check = (value) => typeof value === "boolean";

/** What each setting is; in which range a number must be is known where it is used. */
const SETTINGS: Readonly<Record<string, Check>> = {
  task: oneOf(TASKS),
  plane: oneOf(PLANES),
  prefix_name: (value) => typeof value === "string" && isPrefix(value),
  recipe: oneOf(RECIPE_NAMES),
  intensity: oneOf(INTENSITIES),
  loss_weights: oneOf(LOSS_WEIGHTS),
  epochs: Number.isFinite,
  lr: Number.isFinite,
  lr_scheduler: oneOf(SCHEDULES),
  gamma: Number.isFinite,
  patience: Number.isFinite,
  plateau_patience: Number.isFinite,
  plateau_factor: Number.isFinite,
  weight_decay: Number.isFinite,
  augment: isFlag,
  rotation: Number.isFinite,
  shift: (value) => Number.isFinite(value) || isText(value),
  flip: Number.isFinite,
  shuffle: isFlag,
  seed: Number.isFinite,
  data: isText,
  models: isText,
  logs: isText,
  weights: isText,
  save_model: isFlag,
  tune: Number.isFinite,
  tune_seed: Number.isFinite,
  skip_bad_exams: isFlag,
  any_range: isFlag,
};

/** What a run may be without; the first two go together. */
const OPTIONAL = ["tune", "tune_seed", "skip_bad_exams", "any_range"];

/**
 * Takes the settings of a run from a JSON object; what else is in it is left there.
 *
 * @throws {RangeError} where one is missing or is no such setting
 */
export function parseSettings(value: Record<string, unknown>): RunSettings {
  const settings: Record<string, string | number | boolean> = {};
  for (const [name, isSound] of Object.entries(SETTINGS)) {
    if (!Object.hasOwn(value, name) && OPTIONAL.includes(name)) continue;
    const given = value[name];
    if (!Object.hasOwn(value, name) || !isSound(given)) {
      throw new RangeError(`what it says of '${name}' is missing or wrong`);
    }
    settings[name] = given as string | number | boolean;
  }
  if (("tune" in settings) === ("tune_seed" in settings)) return settings;
  throw new RangeError("one of 'tune' and 'tune_seed' is missing");
}

/**
 * Reads the `config.json` of a run.
 *
 * @param folder the run's
 * @throws {WeightsError} where there is none, or it is anything else
 * @throws {PermissionError} where Deno may not read it
 */
export async function readRunConfig(folder: string): Promise<RunConfig> {
  const path = join(folder, CONFIG_FILE);
  const action = { what: WHAT, path, access: "read", error: WeightsError, mend: MEND } as const;
  const bytes = await readBytes(action, { most: MOST_BYTES });
  return parseRunConfig(new TextDecoder().decode(bytes), path);
}

/** Decodes the text of a `config.json`; `path` is for messages. */
export function parseRunConfig(text: string, path: string): RunConfig {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw _refusal(path, "it is not JSON");
  }
  try {
    const config = record(value, "what it says");
    const { resumed = [] } = config;
    if (!Array.isArray(resumed)) throw new RangeError("its list of 'resumed' is none");
    return {
      settings: parseSettings(config),
      begun: _start(config),
      resumed: resumed.map((each) => {
        const start = record(each, "when it went on");
        const { epoch } = start;
        if (Number.isSafeInteger(epoch)) return { epoch: epoch as number, ..._start(start) };
        throw new RangeError("the epoch in which it went on is none");
      }),
    };
  } catch (error) {
    if (error instanceof RangeError) throw _refusal(path, error.message);
    throw error;
  }
}

/** A JSON object. */
export function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new RangeError(`${what} is no JSON object`);
}

function _start({ engine, adapter, started }: Record<string, unknown>): RunBeginning {
  const words = adapter === undefined ? {} : record(adapter, "what it says of its adapter");
  if (isText(engine) && isText(started) && Object.values(words).every(isText)) {
    const said = adapter === undefined ? {} : { adapter: words as Record<string, string> };
    return { engine: engine as string, ...said, started: started as string };
  }
  throw new RangeError("what it says of its engine or its beginning is missing or wrong");
}

function _refusal(path: string, found: string): WeightsError {
  return new WeightsError(`Cannot ${WHAT} '${path}': ${found}: ${MEND}`);
}
