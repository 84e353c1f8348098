/**
 * The plan of a run over all tasks and planes: checks the options, and finds what earlier runs have done.
 */
import { openDataset } from "../../data/dataset.ts";
import { checkTuneSplit, TUNE_SEED, type TuneSplit } from "../../data/tune.ts";
import { OptionError, WeightsError } from "../../errors.ts";
import { isFileName } from "../../file_name.ts";
import { hashFile, join, makeFolder, makeWritableFolder } from "../../files.ts";
import { readCardFile } from "../../model/card_text.ts";
import { checkStart } from "../../model/create.ts";
import { hashModelFile, isRemote } from "../../model/model_source.ts";
import { drawSeed } from "../../random.ts";
import { PLANES, SPLITS, TASKS } from "../../terms.ts";
import { checkPrefix } from "../../train/checkpoint.ts";
import { decisiveSettings } from "../../train/kept_settings.ts";
import { resolveTrainOptions } from "../../train/resolve.ts";
import { DEFAULTS } from "../../train/settings.ts";
import { type ModelOfAll, type RunAllOptions, type RunAllPlan, TUNE_FRACTION } from "./options.ts";
import { hashLabelFiles } from "../inputs.ts";
import { limitJobs, threadsOfJobs } from "../jobs.ts";
import { differences } from "../plan_file.ts";
import { modelKey, readState, type RunAllState } from "./state.ts";

/** The plan, with all defaults filled in. */
export interface Plan extends Omit<RunAllPlan, "lock"> {
  /** The prefix of the models' files. */
  prefix: string;
  /** The folder of the dataset. */
  data: string;
  /** The folder of the models. */
  models: string;
  /** The folder of the logs. */
  logs: string;
  /** The training exams that are kept out. */
  tune: TuneSplit;
  /** The threads of each training; the engine's default if that is undefined. */
  threads?: number;
  /** The state that was found, if there was one. */
  before?: RunAllState;
  /** The state, which grows with every model that is done. */
  state: RunAllState;
  /** The file of the state. */
  statePath: string;
}

/** The nine, in the order of the table. */
export const ALL: readonly ModelOfAll[] = TASKS.flatMap((task) =>
  PLANES.map((plane) => ({ task, plane }))
)
  .map((model, index, all) => ({ ...model, number: index + 1, total: all.length }));

/**
 * Checks everything, finds out what is done already, and makes the folders.
 *
 * @throws as `runAll` does
 */
export async function makePlan(options: RunAllOptions): Promise<Plan> {
  const { prefix = DEFAULTS.prefix, data = DEFAULTS.data, models = DEFAULTS.models } = options;
  const { logs = DEFAULTS.logs, weights = DEFAULTS.weights } = options;
  const { tune = { fraction: TUNE_FRACTION, seed: TUNE_SEED } } = options;
  checkPrefix(prefix);
  checkTuneSplit(tune);
  if (options.card !== undefined) await readCardFile(options.card);
  const out = options.out ?? join(logs, "run_all", _folderName(prefix));
  const statePath = join(out, "run_all.json");
  const before = await readState(statePath);
  const earlierSeed = before?.config.seed;
  const seed = options.seed ?? (typeof earlierSeed === "number" ? earlierSeed : drawSeed());
  const config = _plain({
    ..._settings({ ...options, prefix, data, weights, tune, seed }),
    weights_sha256: await _weightsHash(weights),
    labels: await hashLabelFiles(data, TASKS, SPLITS),
  });
  const changed = differences(before?.config ?? config, config);
  if (changed.length > 0) {
    throw new OptionError(
      `Cannot go on with the runs of '${statePath}': this is ${changed.join(", ")}: ` +
        "give the same options and data, or another --prefix_name",
    );
  }
  const state = before ?? { config, models: {} };
  const { done, open, lost } = await _sortModels(state);
  // The initial weights are needed only as long as models are to be trained.
  if (open.length > 0) await checkStart(weights, tune);
  for (const { task, plane } of open) {
    for (const split of ["train", "tune", "valid"] as const) {
      await openDataset({ data, task, plane, split, tune, skipBadExams: options.skipBadExams });
    }
  }
  await makeFolder(models);
  await makeWritableFolder(out);
  const { jobs: asked = 1 } = options;
  const threads = options.threads ?? (asked === 1 ? undefined : threadsOfJobs(asked));
  return {
    ...limitJobs(asked, asked === 1 ? 1 : threads!),
    ...{ prefix, data, models, logs, out, tune, seed, threads },
    ...{ before, state, statePath, done, open, lost },
  };
}

/** Divides the models into those done and those to be trained. */
async function _sortModels(
  state: RunAllState,
): Promise<Pick<RunAllPlan, "done" | "open" | "lost">> {
  const done: ModelOfAll[] = [];
  const open: ModelOfAll[] = [];
  const lost: RunAllPlan["lost"] = [];
  for (const model of ALL) {
    const before = state.models[modelKey(model.task, model.plane)];
    const sha256 = before && await _hashIfThere(before.checkpoint);
    const isDone = before !== undefined && sha256 === before.sha256;
    (isDone ? done : open).push(model);
    if (before === undefined || isDone) continue;
    lost.push({ checkpoint: before.checkpoint, found: sha256 === undefined ? "gone" : "changed" });
  }
  return { done, open, lost };
}

/** A prefix as the name of the folder that keeps the state. */
function _folderName(prefix: string): string {
  if (isFileName(prefix)) return prefix;
  throw new OptionError(
    `Cannot keep the state in a folder called '${prefix}', the prefix: not every system has such ` +
      "folders: give another --prefix_name, or the folder with --out",
  );
}

/** Every setting that the outcome of a training depends on, under the names of the command line. */
function _settings(options: RunAllOptions): Record<string, unknown> {
  const { onStart: _start, onExam: _exam, onEpoch: _epoch, ...given } = options;
  return decisiveSettings({ ...given, ...resolveTrainOptions(given) });
}

/** The hash of the file of initial weights; for a fetched file, its name contains it. */
async function _weightsHash(weights: string): Promise<string | undefined> {
  if (["none", "imagenet"].includes(weights) || isRemote(weights)) return undefined;
  const what = "read the weights";
  return await hashFile({ what, path: weights, access: "read", error: WeightsError });
}

/** The hash of a model; nothing if there is no such file. A file that cannot be read is an error. */
async function _hashIfThere(path: string): Promise<string | undefined> {
  const isGone = await Deno.stat(path).then(
    () => false,
    (error) => error instanceof Deno.errors.NotFound,
  );
  return isGone ? undefined : await hashModelFile(path);
}

/** A value as JSON reads it back: without functions and undefined values. */
function _plain(config: Record<string, unknown>): Record<string, unknown> {
  return JSON.parse(JSON.stringify(config));
}
