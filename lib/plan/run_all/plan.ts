/**
 * The plan of a run over all tasks and planes: checks the options, and finds what earlier runs have done.
 */
import { openDataset } from "../../data/dataset.ts";
import { checkTuneSplit, TUNE_SEED } from "../../data/tune.ts";
import { OptionError, WeightsError } from "../../errors.ts";
import { isFileName } from "../../file_name.ts";
import { hashFile, join, makeFolder, makeWritableFolder, sha256Of } from "../../files.ts";
import { readCardFile } from "../../model/card_text.ts";
import { checkStart } from "../../model/create.ts";
import { hashModelFile, isRemote } from "../../model/model_source.ts";
import { drawSeed } from "../../random.ts";
import { PLANES, SPLITS, TASKS } from "../../terms.ts";
import { checkPrefix } from "../../train/checkpoint.ts";
import { decisiveSettings } from "../../train/kept_settings.ts";
import { resolveTrainOptions } from "../../train/resolve.ts";
import { DEFAULTS } from "../../train/settings.ts";
import type { DoneModel } from "../done_model.ts";
import { hashLabelFiles, networkOfWeights } from "../inputs.ts";
import { limitJobs, threadsOfJobs } from "../jobs.ts";
import type { PlannedSetting, TrainPlan } from "../plan.ts";
import { differences, formatPlan, type OpenedPlan, writePlan } from "../plan_file.ts";
import { forgetRun } from "../run_note.ts";
import { plannedOptions } from "../setting_values.ts";
import { trainUnits } from "../train_units.ts";
import { type FreeRunOptions } from "../unit.ts";
import { UNIT_FILE } from "../unit_file.ts";
import { removeUnitFile } from "../unit_note.ts";
import { adoptState, type EarlierRuns, readEarlier } from "./earlier.ts";
import { type ModelOfAll, type RunAllOptions, type RunAllPlan, TUNE_FRACTION } from "./options.ts";
import { modelKey } from "./state.ts";

/** A run over all tasks and planes that was checked. */
export interface CheckedRun extends Omit<RunAllPlan, "lock"> {
  /** What earlier runs left. */
  earlier: EarlierRuns;
  /** The plan that is there, or that is to be written. */
  plan: OpenedPlan;
  /** The folder of the models. */
  models: string;
  /** What may differ from the plan. */
  free: FreeRunOptions;
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
export async function checkRun(options: RunAllOptions): Promise<CheckedRun> {
  const { prefix = DEFAULTS.prefix, data = DEFAULTS.data, models = DEFAULTS.models } = options;
  const { logs = DEFAULTS.logs, weights = DEFAULTS.weights } = options;
  const { tune = { fraction: TUNE_FRACTION, seed: TUNE_SEED } } = options;
  checkPrefix(prefix);
  checkTuneSplit(tune);
  if (options.card !== undefined) await readCardFile(options.card);
  const out = options.out ?? join(logs, "run_all", _folderName(prefix));
  const earlier = await readEarlier(out);
  const earlierSeed = earlier.asked?.seed;
  const seed = options.seed ?? (typeof earlierSeed === "number" ? earlierSeed : drawSeed());
  const given = { ...options, prefix, data, models, logs, weights, tune, seed };
  const sha256 = await _weightsHash(weights);
  const labels = await hashLabelFiles(data, TASKS, SPLITS);
  const asked = _plain({ ..._settings(given), weights_sha256: sha256, labels });
  const changed = differences(earlier.asked ?? asked, asked);
  if (changed.length > 0) {
    throw new OptionError(
      `Cannot go on with the runs of '${earlier.path}': this is ${changed.join(", ")}: ` +
        "give the same options and data, or another --prefix_name",
    );
  }
  const { done, open, lost } = await _sortModels(earlier.models);
  // The initial weights are needed only as long as models are to be trained.
  if (open.length > 0) await checkStart(weights, tune);
  for (const { task, plane } of open) {
    for (const split of ["train", "tune", "valid"] as const) {
      await openDataset({ data, task, plane, split, tune, skipBadExams: options.skipBadExams });
    }
  }
  const { jobs: most = 1, engine, inMemory, saveEvery, skipBadExams, anyRange, card } = options;
  const threads = options.threads ?? (most === 1 ? undefined : threadsOfJobs(most));
  const plan = earlier.opened ?? await _plan(given, { asked, labels, sha256, threads });
  await makeFolder(models);
  await makeWritableFolder(out);
  return {
    ...limitJobs(most, most === 1 ? 1 : threads!),
    ...{ out, seed, models, earlier, plan, done, open, lost },
    free: { engine, threads, inMemory, saveEvery, skipBadExams, anyRange, card, models, logs },
  };
}

/** Writes the plan, and takes back the marks of models whose files are lost. */
export async function settleRun({ out, earlier, plan, lost }: CheckedRun): Promise<void> {
  if (earlier.opened === undefined) await writePlan(out, plan.plan);
  if (earlier.state !== undefined) await adoptState(out, plan, earlier.state);
  const files = new Set(lost.map(({ checkpoint }) => checkpoint));
  for (const unit of (plan.plan as TrainPlan).units) {
    const model = earlier.models[modelKey(unit.task, unit.plane)];
    if (model === undefined || !files.has(model.checkpoint)) continue;
    // The run first: if it were there without the mark, its end would be gone on with.
    await forgetRun(out, unit);
    await removeUnitFile(out, unit, UNIT_FILE);
  }
}

/** The plan of the nine. */
async function _plan(
  options: RunAllOptions & Pick<Required<RunAllOptions>, RunAllValues>,
  { asked, labels, sha256, threads }: {
    asked: TrainPlan["asked"];
    labels: TrainPlan["labels"];
    sha256?: string;
    threads?: number;
  },
): Promise<OpenedPlan> {
  const { prefix, data, models, logs, tune, seed, weights } = options;
  const planned = plannedOptions(options);
  // Weights that are fetched, or drawn, are of the network that is asked for.
  const network = sha256 && await networkOfWeights({ file: weights });
  const setting: PlannedSetting = {
    ...{ name: "as given", options: planned },
    weights: { file: weights, ...(sha256 !== undefined && { sha256 }) },
  };
  const all = { network: "alexnet", ...planned, ...(network !== undefined && { network }) };
  const units = trainUnits({
    ...{ tasks: TASKS, planes: PLANES, settings: [{ ...setting, options: all }], seed, seeds: 1 },
    threads: threads ?? Math.min(navigator.hardwareConcurrency, 16),
  });
  const plan: TrainPlan = {
    ...{ kind: "all", asked, data, prefix, tune, evaluateOn: ["tune", "valid"], labels, units },
    ...{ settings: [setting], shared: { models, logs }, exams: {} },
  };
  return { plan, sha256: await sha256Of(new TextEncoder().encode(formatPlan(plan))) };
}

/** The options that a plan needs a value of. */
type RunAllValues = "prefix" | "data" | "models" | "logs" | "tune" | "seed" | "weights";

/** Divides the models into those done and those to be trained. */
async function _sortModels(
  models: Readonly<Record<string, DoneModel>>,
): Promise<Pick<RunAllPlan, "done" | "open" | "lost">> {
  const done: ModelOfAll[] = [];
  const open: ModelOfAll[] = [];
  const lost: RunAllPlan["lost"] = [];
  for (const model of ALL) {
    const before = models[modelKey(model.task, model.plane)];
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
