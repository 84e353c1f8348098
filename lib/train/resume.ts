/**
 * Which run is gone on with, and whether what is asked for now is that run.
 *
 * @module
 */
import type { Dataset } from "../data/dataset.ts";
import { formatLabels } from "../data/labels.ts";
import type { TuneSplit } from "../data/tune.ts";
import type { Engine } from "../engine/engine.ts";
import {
  DataError,
  messageOf,
  MRNetError,
  OptionError,
  TrainingError,
  WeightsError,
} from "../errors.ts";
import { folderOf, join, sha256Of } from "../files.ts";
import { listRuns } from "../logs/run_folder.ts";
import { isCheckpointName } from "./checkpoint.ts";
import type { RunOptions } from "./run_options.ts";
import { readRunState, type RunState, STATE_FILE } from "./run_state.ts";

/** A run to go on with. */
export interface Resumption {
  /** The file of its state. */
  path: string;
  /** The folder of its logs, which that is in. */
  folder: string;
  state: RunState;
  /** What was asked for, and of the run's own settings what was not. */
  options: RunOptions;
}

/** The settings under the names of the command line, which are those of the state. */
const SETTINGS = {
  task: "task",
  plane: "plane",
  prefix_name: "prefix",
  recipe: "recipe",
  intensity: "intensity",
  loss_weights: "lossWeights",
  epochs: "epochs",
  lr: "learningRate",
  lr_scheduler: "schedule",
  gamma: "gamma",
  patience: "patience",
  plateau_patience: "plateauPatience",
  plateau_factor: "plateauFactor",
  weight_decay: "weightDecay",
  augment: "augment",
  rotation: "rotation",
  shift: "shift",
  flip: "flip",
  shuffle: "shuffle",
  seed: "seed",
  data: "data",
  models: "models",
  weights: "weights",
  save_model: "saveModel",
  skip_bad_exams: "skipBadExams",
} as const satisfies Record<string, keyof RunOptions>;

type Setting = keyof typeof SETTINGS;

/** What may be another than it was: how long it goes on, where the exams are, which are left out. */
const FREE: readonly Setting[] = ["epochs", "patience", "data", "skip_bad_exams"];

/** The settings that are text, for a state is a file like others. */
const TEXTS: readonly Setting[] = ["prefix_name", "data", "models", "weights"];

/**
 * Finds the run, reads its state, and holds what is asked for against it.
 *
 * @throws {TrainingError} where there is no such run, or it left no state
 * @throws {OptionError} where something was asked for that would change the run; all of it is named
 * @throws {WeightsError} where the state cannot be read
 */
export async function resumption(options: RunOptions): Promise<Resumption> {
  const path = await _stateOf(options);
  const state = await readRunState(path);
  const changed = differencesTo(state, options);
  if (changed.length > 0) {
    throw new OptionError(
      `Cannot go on with '${path}': this is ${changed.join(", ")}: ` +
        "leave it out or give what it was, or start anew without --resume",
    );
  }
  const merged = _merged(options, state);
  const { checkpoint } = state;
  const named = { ...options, prefix: merged.prefix! };
  if (checkpoint !== undefined && !isCheckpointName(checkpoint, named)) {
    throw _unfit(path, "what it says of the best model is not the name of one");
  }
  return { path, folder: folderOf(path), state, options: merged };
}

/**
 * The state of a run that was begun with these options, where there is one to go on with: it can be
 * read, nothing that is asked for would change the run, and the best model it has kept is there.
 *
 * @param folder the run's, in the logs
 */
export async function resumable(options: RunOptions, folder: string): Promise<string | undefined> {
  try {
    const { path, state, options: { models = "models" } } = await resumption({
      ...options,
      resume: folder,
    });
    if (state.checkpoint === undefined) return path;
    const best = join(models, state.checkpoint);
    return await Deno.stat(best).then(() => path, () => undefined);
  } catch (error) {
    if (error instanceof MRNetError) return undefined;
    throw error;
  }
}

/**
 * What of the options would change the run: `lr 0.001 instead of 0.0001`. What is left out changes
 * nothing.
 */
export function differencesTo({ config }: Pick<RunState, "config">, options: RunOptions): string[] {
  const asked = Object.entries(namedSettings(options))
    .filter(([name]) => !FREE.includes(name as Setting));
  const shown = (value: unknown) =>
    value === undefined ? "none" : typeof value === "string" ? value : JSON.stringify(value);
  return asked.filter(([name, value]) => value !== undefined && value !== config[name])
    .map(([name, value]) => `${name} ${shown(value)} instead of ${shown(config[name])}`);
}

/** Settings under the names of the command line, as a state has them. */
export function namedSettings(options: Partial<RunOptions>): Record<string, unknown> {
  return {
    ...Object.fromEntries(
      Object.entries(SETTINGS).map(([name, option]) => [name, options[option]]),
    ),
    tune: options.tune?.fraction,
    tune_seed: options.tune?.seed,
  };
}

/** Which labels these are: exams, classes and their order. */
export async function hashLabels({ labels }: Pick<Dataset, "labels">): Promise<string> {
  return await sha256Of(new TextEncoder().encode(formatLabels(labels)));
}

/** Refuses labels that are not those the run began with, and a position that is not in them. */
export function checkLabels(
  { path, state }: Resumption,
  labels: RunState["labels"],
  datasets: { train: Dataset; valid: Dataset },
): void {
  for (const [split, use] of [["train", "train"], ["valid", "validate"]] as const) {
    if (labels[split] === state.labels[split]) continue;
    throw new DataError(
      `Cannot go on with '${path}': the labels to ${use} on are not those that it began with: ` +
        "give them back, or start anew without --resume",
    );
  }
  const { train, valid } = state.progress;
  const [all, others] = [datasets.train.labels.length, datasets.valid.labels.length];
  const sound = train.length <= all && valid.length < others + 1 &&
    (valid.length === 0 || train.length === all);
  if (!sound) throw _unfit(path, "its position is not among the exams");
}

/** What computed a run so far, where that is something else than what computes now. */
export function elsewhere(
  { computed }: Pick<RunState, "computed">,
  { name, threads, precision }: Engine,
): string | undefined {
  const before = computedText(computed);
  return before === computedText({ engine: name, threads, precision }) ? undefined : before;
}

/** What computed a run, such as `wasm, 2 threads`. */
export function computedText({ engine, threads, precision }: RunState["computed"]): string {
  return `${engine}${engine === "wasm" ? `, ${threads} thread${threads === 1 ? "" : "s"}` : ""}` +
    (precision === "half" ? ", halves" : "");
}

/** The file of the state of the run that is meant. */
async function _stateOf({ resume, logs = "logs", task, plane, prefix }: RunOptions) {
  if (typeof resume === "string") {
    const isFolder = await Deno.stat(resume).then(({ isDirectory }) => isDirectory, () => false);
    return isFolder ? join(resume, STATE_FILE) : resume;
  }
  const wanted = prefix ?? "mrnet";
  const place = `${task}, ${plane}, prefix '${wanted}'`;
  for (const folder of await listRuns(logs, task, plane)) {
    if (await _prefixOf(folder) !== wanted) continue;
    const path = join(folder, STATE_FILE);
    if (await Deno.stat(path).then(() => true, () => false)) return path;
    throw new TrainingError(
      `Cannot go on with the latest run of ${place}: '${folder}' has no ${STATE_FILE}: ` +
        "start anew without --resume, or give the folder of another run",
    );
  }
  throw new TrainingError(
    `Cannot go on with a run of ${place}: there is none in '${logs}': start one without --resume`,
  );
}

/** The prefix of a run, by its `config.json`; none where that cannot be read. */
async function _prefixOf(folder: string): Promise<unknown> {
  try {
    return JSON.parse(await Deno.readTextFile(join(folder, "config.json")))?.prefix_name;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return undefined;
  }
}

function _merged(options: RunOptions, { config, computed }: RunState): RunOptions {
  const merged: Record<string, unknown> = { ...options };
  for (const [name, option] of Object.entries(SETTINGS)) {
    const value = config[name];
    if (options[option] !== undefined || value === undefined) continue;
    if (TEXTS.includes(name as Setting) && typeof value !== "string") continue;
    merged[option] = value;
  }
  if (config.tune !== undefined) {
    merged.tune = { fraction: config.tune, seed: config.tune_seed } as TuneSplit;
  }
  merged.engine ??= computed.engine;
  if (merged.engine === computed.engine) {
    if (computed.engine === "wasm") merged.threads ??= computed.threads;
    merged.precision ??= computed.precision;
  }
  return merged as unknown as RunOptions;
}

function _unfit(path: string, found: string): WeightsError {
  return new WeightsError(
    `Cannot go on with '${path}': ${messageOf(found)}: start anew without --resume`,
  );
}
