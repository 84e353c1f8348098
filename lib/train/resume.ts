/** Resuming a run: finds it, and refuses options, labels or files that do not belong to it. */
import type { Dataset } from "../data/dataset.ts";
import { formatLabels } from "../data/labels.ts";
import type { Engine } from "../engine/engine.ts";
import {
  DataError,
  messageOf,
  MRNetError,
  OptionError,
  PermissionError,
  TrainingError,
  WeightsError,
} from "../errors.ts";
import { baseName, checkPlainFile, fileError, folderOf, join, sha256Of } from "../files.ts";
import { mayRead } from "../whole_file.ts";
import { isRunName, listRuns } from "../logs/run_folder.ts";
import { describeHolder, lockRun, type RunLock } from "../logs/run_lock.ts";
import { isCheckpointName } from "./checkpoint.ts";
import { areOfOneRun, differencesTo, mergedWith } from "./kept_settings.ts";
import { CONFIG_FILE, readRunConfig, type RunConfig } from "./run_config.ts";
import type { RunOptions } from "./run_options.ts";
import { isRunSecret, newRunSecret } from "./run_secret.ts";
import { readRunState, type RunState, STATE_FILE } from "./run_state.ts";
import { DEFAULTS } from "./settings.ts";

/** A run that is resumed. */
export interface Resumption {
  /** The file of its state. */
  path: string;
  /** The folder of its logs; the state lies in it. */
  folder: string;
  state: RunState;
  /** The given options; the run's own settings stand in for those that were not given. */
  options: RunOptions;
  /** What its `config.json` says. */
  config: RunConfig;
}

/**
 * Finds the run, takes its lock, reads its state, and compares the options with it.
 *
 * @returns the run, and its lock, which the caller releases
 * @throws {TrainingError} if there is no such run, if it left no state, or if another process works
 * on it
 * @throws {OptionError} if options would change the run; the message names all of them
 * @throws {WeightsError} if the state cannot be read or lies outside its run's folder, or if the best
 * model is gone
 */
export async function resumption(
  options: RunOptions,
): Promise<{ from: Resumption; lock: RunLock }> {
  const path = await _stateOf(options);
  const folder = folderOf(path);
  // Checked before the lock: not even a lock file is written to a folder that is not a run's.
  await _configBeside(path);
  const lock = await lockRun(folder);
  if (lock === undefined) {
    throw new TrainingError(
      `Cannot go on with the run in '${folder}': another process is at work on it${await describeHolder(
        folder,
      )}: wait for its end, or stop it`,
    );
  }
  try {
    // Read under the lock: before that, another process may still have continued the run.
    return { from: await _examined(path, options), lock };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/**
 * The path of the state of a run that these options began; nothing if the run cannot be resumed. The
 * state must be readable, the options must not change the run, and its best model must exist.
 *
 * @param folder the run's folder in the logs
 */
export async function resumable(options: RunOptions, folder: string): Promise<string | undefined> {
  try {
    const asked = { ...options, resume: folder };
    return (await _examined(await _stateOf(asked), asked)).path;
  } catch (error) {
    if (error instanceof MRNetError) return undefined;
    throw error;
  }
}

/** Reads the state and the configuration, and compares them with the options and the files. */
async function _examined(path: string, options: RunOptions): Promise<Resumption> {
  const folder = folderOf(path);
  const config = await _configBeside(path);
  const state = await readRunState(path);
  if (!areOfOneRun(config.settings, state.config)) {
    throw _unfit(path, `the ${CONFIG_FILE} beside it is of another run`);
  }
  const changed = differencesTo(state.config, options);
  if (changed.length > 0) {
    throw new OptionError(
      `Cannot go on with '${path}': this is ${changed.join(", ")}: ` +
        "leave it out or give what it was, or start anew without --resume",
    );
  }
  const merged = _merged(options, state);
  _checkModels(path, options, merged);
  const { checkpoint } = state;
  if (checkpoint !== undefined) {
    if (!isCheckpointName(checkpoint, { ...merged, prefix: merged.prefix! })) {
      throw _unfit(path, "what it says of the best model is not the name of one");
    }
    await _checkModel(path, join(merged.models!, checkpoint));
  }
  // A copy is a run of its own: it must not replace the models of the original. The same goes for a
  // run of an earlier version, whose number everybody knows who has its model.
  const isOwn = isRunSecret(state.run) && !await _isCopy(folder, state);
  const run = isOwn ? state.run : newRunSecret();
  return { path, folder, state: { ...state, run }, options: merged, config };
}

/** Reads the `config.json` beside a state, which must lie in a run's folder. */
async function _configBeside(path: string): Promise<RunConfig> {
  const folder = folderOf(path);
  if (baseName(path) === STATE_FILE && isRunName(baseName(folder))) {
    return await readRunConfig(folder);
  }
  throw new WeightsError(
    `Cannot go on with '${path}': it is not the ${STATE_FILE} in a run's own folder: ` +
      "give that folder, such as logs/acl/axial/20260102-030405, or start anew without --resume",
  );
}

/** A state does not choose the folder that is written to: the user names the folder of the models. */
function _checkModels(path: string, { models }: RunOptions, merged: RunOptions): void {
  if (merged.saveModel === false || merged.models === (models ?? DEFAULTS.models)) return;
  throw new OptionError(
    `Cannot go on with '${path}': it keeps its models in '${merged.models}', and a state alone ` +
      `chooses no folder that is written: add --models '${merged.models}' if that is yours, or start ` +
      "anew without --resume",
  );
}

async function _checkModel(path: string, model: string): Promise<void> {
  const hint = "give the file back, or start anew without --resume";
  const what = `go on with '${path}' without its best model`;
  await checkPlainFile(model).catch((error) => {
    throw fileError(error, { what, path: model, access: "read", error: WeightsError, hint });
  });
}

/** Whether a run's folder is a copy of the one its state was saved in; a moved folder is no copy. */
async function _isCopy(folder: string, { folder: saved }: RunState): Promise<boolean> {
  if (folder === saved) return false;
  // Looking at a network share would reveal the user to another machine.
  if (baseName(folder) !== baseName(saved) || /^[\\/]{2}/.test(saved)) return true;
  if (!mayRead(saved)) return true;
  try {
    const [here, there] = [await Deno.stat(folder), await Deno.stat(saved)];
    return here.dev !== there.dev || here.ino !== there.ino;
  } catch (error) {
    // Taken for a copy if that is unknown: then no file of the other run is touched.
    return !(error instanceof Deno.errors.NotFound);
  }
}

/** A hash of the labels: exams, classes and their order. */
export async function hashLabels({ labels }: Pick<Dataset, "labels">): Promise<string> {
  return await sha256Of(new TextEncoder().encode(formatLabels(labels)));
}

/** Refuses labels other than those the run began with, and a position outside of them. */
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

/** What computed a run so far; nothing if the same computes it now. */
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
    (precision === "half" ? ", half precision" : "");
}

/** The path of the state that the options name. */
async function _stateOf({ resume, logs = DEFAULTS.logs, task, plane, prefix }: RunOptions) {
  if (typeof resume === "string") {
    const isFolder = await Deno.stat(resume).then(({ isDirectory }) => isDirectory, () => false);
    return isFolder ? join(resume, STATE_FILE) : resume;
  }
  const wanted = prefix ?? DEFAULTS.prefix;
  const wantedRun = `${task}, ${plane}, prefix '${wanted}'`;
  const folder = await _latestRun(await listRuns(logs, task, plane), wanted);
  if (folder !== undefined) {
    const path = join(folder, STATE_FILE);
    if (await Deno.stat(path).then(() => true, () => false)) return path;
    throw new TrainingError(
      `Cannot go on with the latest run of ${wantedRun}: '${folder}' has no ${STATE_FILE}: ` +
        "start anew without --resume, or give the folder of another run",
    );
  }
  throw new TrainingError(
    `Cannot go on with a run of ${wantedRun}: there is none in '${logs}': start one without --resume`,
  );
}

/**
 * The latest run of a prefix, by the time in its `config.json`. Names of folders are in local time,
 * which is ambiguous when clocks are put back, and differs between time zones.
 *
 * @param folders the latest first by name, which decides between runs of the same time
 */
async function _latestRun(folders: readonly string[], prefix: string): Promise<string | undefined> {
  let latest: { folder: string; begun: number } | undefined;
  for (const folder of folders) {
    const config = await _configOf(folder);
    if (config?.settings.prefix_name !== prefix) continue;
    const moment = Date.parse(config.begun.started);
    const begun = Number.isNaN(moment) ? -Infinity : moment;
    if (latest === undefined || begun > latest.begun) latest = { folder, begun };
  }
  return latest?.folder;
}

/** Reads the `config.json` of a run; nothing if it cannot be read. */
async function _configOf(folder: string): Promise<RunConfig | undefined> {
  try {
    return await readRunConfig(folder);
  } catch (error) {
    if (error instanceof PermissionError || !(error instanceof MRNetError)) throw error;
    return undefined;
  }
}

/** The given options, and the run's own settings for the rest. */
function _merged(options: RunOptions, { config, computed }: RunState): RunOptions {
  const merged = mergedWith(config, options);
  merged.engine ??= computed.engine;
  if (merged.engine === computed.engine) {
    if (computed.engine === "wasm") merged.threads ??= computed.threads;
    merged.precision ??= computed.precision;
  }
  return merged;
}

function _unfit(path: string, found: string): WeightsError {
  return new WeightsError(
    `Cannot go on with '${path}': ${messageOf(found)}: start anew without --resume`,
  );
}
