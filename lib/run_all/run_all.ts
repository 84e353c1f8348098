/**
 * All nine models of MRNet and the combinations of their planes: what `cli.ts run_all` does, as one
 * function.
 *
 * The tune split is kept out of all nine, chooses their best epochs and operating points, and fits the
 * combinations; the validation set is judged once, at the end of each model's training, and decides
 * nothing.
 *
 * @module
 */
import { type ByPlane, byPlane, type Combination } from "../combine/combination.ts";
import { keepCombination } from "../combine/file.ts";
import { fitCombination } from "../combine/fit.ts";
import { describeMembers } from "../combine/members.ts";
import { patientHashes } from "../combine/patient_hashes.ts";
import { openDataset } from "../data/dataset.ts";
import { type ExamHash, hashExam } from "../data/exam_hash.ts";
import { labelFile } from "../data/labels.ts";
import { checkTuneSplit, TUNE_SEED, type TuneSplit } from "../data/tune.ts";
import type { Engine } from "../engine/engine.ts";
import { DataError, OptionError, TrainingError, WeightsError } from "../errors.ts";
import { isFileName } from "../file_name.ts";
import { baseName, hashFile, join, makeFolder, makeWritableFolder, writeWhole } from "../files.ts";
import { describeHolder, lockRun, type RunLock } from "../logs/run_lock.ts";
import { checkStart, loadMRNet } from "../model/create.ts";
import { hashModelFile, isRemote } from "../model/model_source.ts";
import { drawSeed } from "../random.ts";
import { type Plane, PLANES, SPLITS, type Task, TASKS } from "../terms.ts";
import { checkPrefix } from "../train/checkpoint.ts";
import { evaluate } from "../train/evaluate.ts";
import { resolveTrainOptions } from "../train/options.ts";
import { namedSettings, resumable } from "../train/resume.ts";
import { type RunOptions, type RunStart, trainClassifier } from "../train/run.ts";
import type { EpochReport, ExamReport, SkippedExam } from "../train/reports.ts";
import { resultsPage } from "./page.ts";
import {
  flatResults,
  patientsOf,
  predictionsTable,
  type TaskResult,
  taskResult,
} from "./results.ts";
import {
  differences,
  type DoneModel,
  type LeftOut,
  type LeftOutExam,
  modelKey,
  readState,
  type RunAllState,
  type SavedPrediction,
  writeState,
} from "./state.ts";

/** Which of the nine models something is about. */
export interface ModelOfAll {
  /** The finding. */
  task: Task;
  /** The plane. */
  plane: Plane;
  /** Which of them it is, counted from 1. */
  number: number;
  /** How many there are. */
  total: number;
}

/** How to train all of them; the options of one run, and what concerns them all. */
export interface RunAllOptions extends
  Omit<
    RunOptions,
    | "task"
    | "plane"
    | "tune"
    | "saveModel"
    | "flushHistory"
    | "resume"
    | "onStart"
    | "onExam"
    | "onEpoch"
  > {
  /**
   * The training exams that are kept out to choose and to combine by.
   * @default a tenth, by seed 0
   */
  tune?: TuneSplit;
  /**
   * The folder of the state, the predictions and the report.
   * @default `run_all/{prefix}` in the folder of the logs
   */
  out?: string;
  /** Called once everything is checked, before the first training. */
  onPlan?: (plan: RunAllPlan) => void;
  /** Called when a model's training begins, before its first exam. */
  onStart?: (model: ModelOfAll, start: RunStart) => void;
  /** Called after each exam of a training. */
  onExam?: (model: ModelOfAll, report: ExamReport) => void;
  /** Called after each epoch; `checkpoint` is the file of the best model so far. */
  onEpoch?: (model: ModelOfAll, report: EpochReport, checkpoint: string | undefined) => void;
  /** Called after each exam that a trained model is judged by. */
  onJudged?: (model: ModelOfAll, progress: { done: number; total: number }) => void;
  /** Called when a model is trained and judged. */
  onDone?: (model: ModelOfAll, done: DoneModel) => void;
}

/** What is to be done. */
export interface RunAllPlan {
  /** The models that are done already. */
  done: ModelOfAll[];
  /** The models that are to be trained. */
  open: ModelOfAll[];
  /**
   * The files of models that were done and are trained again, because the file is gone, or is another
   * one now.
   */
  lost: { checkpoint: string; found: "gone" | "changed" }[];
  /** The seed of all nine. */
  seed: number;
  /** The folder of the state, the predictions and the report. */
  out: string;
  /** What keeps other processes out of that folder. */
  lock: "system" | "file";
}

/** What came of it. */
export interface RunAllResult {
  /** Whether everything is done, or the signal ended it; running again goes on from there. */
  stopped: "finished" | "interrupted";
  /** A row for each task; empty where it was interrupted. */
  results: TaskResult[];
  /** The exams that could not be read; none but where `skipBadExams` leaves them out. */
  leftOut: LeftOutExam[];
  /** The folder of the state, the predictions and the report. */
  out: string;
  /** The table as a page, one file that needs no other; none where it was interrupted. */
  report?: string;
}

/** The share of training exams that is kept out where nothing else is said. */
export const TUNE_FRACTION = 0.1;

/**
 * Trains the three planes of the three tasks, combines them, and judges all twelve on the validation
 * set.
 *
 * What is done is kept in the folder `out`: running again with the same options trains only what is
 * missing, and goes on with the model that was interrupted from its last saved state. With other
 * options it refuses and names the differences.
 *
 * With `skipBadExams` it goes on without exams that cannot be read. A patient counts in a combination,
 * and in the table, only where all three exams could be read.
 *
 * @throws {OptionError} where an option is out of its range, or earlier runs there had others
 * @throws {TrainingError} where another process is at work there, a training fails, or no epoch of it was worth keeping
 * @throws {DataError} where exams cannot be used; all are checked before the first training; or where
 * the predictions that the folder has of the three planes are not of the same exams
 * @throws what {@linkcode trainClassifier} throws
 *
 * @example
 * ```ts
 * import { phantom, runAll } from "../../mod.ts";
 * const home = await Deno.makeTempDir();
 * const [data, models, logs] = ["data", "models", "logs"].map((name) => `${home}/${name}`);
 * const half = { abnormal: 0.5, acl: 0.5, meniscus: 0.5 };
 * const prevalence = { train: half, valid: half };
 * const knees = { train: 24, valid: 4, size: 64, slices: [1, 1], seed: 1, prevalence } as const;
 * await phantom.writePhantomDataset({ folder: data, ...knees });
 * const { results } = await runAll({
 *   ...{ data, models, logs, weights: "none", seed: 1, epochs: 1, augment: false },
 *   tune: { fraction: 0.3, seed: 0 },
 * });
 * console.assert(results.length === 3 && results[0].exams === 4);
 * ```
 */
export async function runAll(options: RunAllOptions): Promise<RunAllResult> {
  for (;;) {
    const plan = await _plan(options);
    const { done, open, lost, seed, out, before, state, statePath } = plan;
    const lock = await _lock(out);
    try {
      // Until it gave the lock back another process may have trained some of them.
      if (JSON.stringify(await readState(statePath)) !== JSON.stringify(before)) continue;
      await writeState(statePath, state);
      options.onPlan?.({ done, open, lost, seed, out, lock: lock.kind });
      return await _carryOut(plan, options);
    } finally {
      await lock.release();
    }
  }
}

/** One process at a time trains what a folder keeps the state of. */
async function _lock(out: string): Promise<RunLock> {
  const lock = await lockRun(out);
  if (lock !== undefined) return lock;
  throw new TrainingError(
    `Cannot train the models of '${out}': another process is at work on them${await describeHolder(
      out,
    )}: wait for its end, or give another --out`,
  );
}

/** Trains what is open, and makes combinations, tables and report of all. */
async function _carryOut(plan: Plan, options: RunAllOptions): Promise<RunAllResult> {
  const { out, state, statePath, models } = plan;
  for (const model of plan.open) {
    const done = await _trainAndJudge(plan, options, model);
    if (done === undefined) return { stopped: "interrupted", results: [], leftOut: [], out };
    state.models[modelKey(model.task, model.plane)] = done;
    delete state.running;
    await writeState(statePath, state);
    options.onDone?.(model, done);
  }
  const results: TaskResult[] = [];
  for (const task of TASKS) {
    const members = byPlane((plane) => state.models[modelKey(task, plane)]);
    const patients = (split: "tune" | "valid") => patientsOf(members, split, statePath);
    const files = byPlane((plane) => members[plane].checkpoint);
    const name = join(models, `combined_${plan.prefix}_${task}.json`);
    const described = byPlane((plane) => ({ ...members[plane], path: files[plane] }));
    const combination = {
      ...fitCombination(patients("tune"), "tune"),
      ...await _fitExams(members),
      task,
      tune: plan.tune,
      members: describeMembers(name, described),
    };
    const path = await keepCombination(name, combination);
    for (const split of ["tune", "valid"] as const) {
      const table = predictionsTable(patients(split), combination);
      await writeWhole(join(out, `predictions_${task}_${split}.csv`), table);
    }
    results.push(taskResult(task, patients("valid"), combination, { ...files, combined: path }));
  }
  const rows = JSON.stringify(flatResults(results), null, 2);
  await writeWhole(join(out, "results.json"), rows + "\n");
  const report = join(out, "report.html");
  const leftOut = _leftOut(state);
  await writeWhole(report, resultsPage(results, { ...plan, ...state, leftOut }));
  return { stopped: "finished", results, leftOut, out, report };
}

/** The patients that a combination is fitted on, where the state says which exams these are. */
async function _fitExams(members: ByPlane<DoneModel>): Promise<Pick<Combination, "fitExams">> {
  if (PLANES.some((plane) => members[plane].tuneExams === undefined)) return {};
  const planes = byPlane((plane) => {
    const { tune, tuneExams } = members[plane];
    return new Map(tune.map(([id], at) => [id, tuneExams![at]]));
  });
  return { fitExams: await patientHashes(planes) };
}

/** Every exam that was left out, once, though three tasks may have it. */
function _leftOut({ models }: RunAllState): LeftOutExam[] {
  const all = ALL.flatMap(({ task, plane }) =>
    models[modelKey(task, plane)].leftOut.map((each) => ({ plane, ...each }))
  );
  return [...new Map(all.map((each) => [`${each.plane} ${each.split} ${each.id}`, each])).values()];
}

/** What is to be done, every default filled in. */
interface Plan extends Omit<RunAllPlan, "lock"> {
  prefix: string;
  data: string;
  models: string;
  logs: string;
  tune: TuneSplit;
  /** The state as it was found, where there was one. */
  before?: RunAllState;
  state: RunAllState;
  statePath: string;
}

/** The nine, in the order of the table. */
const ALL: readonly ModelOfAll[] = TASKS.flatMap((task) => PLANES.map((plane) => ({ task, plane })))
  .map((model, index, all) => ({ ...model, number: index + 1, total: all.length }));

/** A prefix as the name of the folder that keeps the state. */
function _folderName(prefix: string): string {
  if (isFileName(prefix)) return prefix;
  throw new OptionError(
    `Cannot keep the state in a folder called '${prefix}', the prefix: not every system has such ` +
      "folders: give another --prefix_name, or the folder with --out",
  );
}

/** Checks everything, finds out what is done already, and makes the folders. */
async function _plan(options: RunAllOptions): Promise<Plan> {
  const { prefix = "mrnet", data = "data", models = "models", logs = "logs" } = options;
  const { tune = { fraction: TUNE_FRACTION, seed: TUNE_SEED }, weights = "imagenet" } = options;
  checkPrefix(prefix);
  checkTuneSplit(tune);
  const out = options.out ?? join(logs, "run_all", _folderName(prefix));
  const statePath = join(out, "run_all.json");
  const before = await readState(statePath);
  const earlierSeed = before?.config.seed;
  const seed = options.seed ?? (typeof earlierSeed === "number" ? earlierSeed : drawSeed());
  const config = _plain({
    ..._settings({ ...options, prefix, data, weights, tune, seed }),
    weights_sha256: await _weightsHash(weights),
    labels: await _labelHashes(data),
  });
  const changed = differences(before?.config ?? config, config);
  if (changed.length > 0) {
    throw new OptionError(
      `Cannot go on with the runs of '${statePath}': this is ${changed.join(", ")}: ` +
        "give the same options and data, or another --prefix_name",
    );
  }
  const state = before ?? { config, models: {} };
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
  // Models that are done no longer need what they started from.
  if (open.length > 0) await checkStart(weights, tune);
  for (const { task, plane } of open) {
    for (const split of ["train", "tune", "valid"] as const) {
      await openDataset({ data, task, plane, split, tune, skipBadExams: options.skipBadExams });
    }
  }
  await makeFolder(models);
  await makeWritableFolder(out);
  return {
    ...{ prefix, data, models, logs, out, tune, seed },
    ...{ before, state, statePath, done, open, lost },
  };
}

/**
 * Every setting that the outcome of a training depends on, under the names of the command line. Where
 * the models are kept is none; neither is which exams may be left out or refused, for those that were left out are listed.
 */
function _settings(options: RunAllOptions): Record<string, unknown> {
  const { onStart: _start, onExam: _exam, onEpoch: _epoch, ...given } = options;
  const named = namedSettings({ ...given, ...resolveTrainOptions(given) });
  const { models: _models, skip_bad_exams: _skip, any_range: _any, ...settings } = named;
  return { ...settings, precision: options.precision ?? "float32" };
}

/** The hash of a file of weights to start from; the name of one that is fetched carries it. */
async function _weightsHash(weights: string): Promise<string | undefined> {
  if (["none", "imagenet"].includes(weights) || isRemote(weights)) return undefined;
  const what = "read the weights";
  return await hashFile({ what, path: weights, access: "read", error: WeightsError });
}

/** The hash of a model; nothing where there is no such file. One that cannot be read is not gone. */
async function _hashIfThere(path: string): Promise<string | undefined> {
  const isGone = await Deno.stat(path).then(
    () => false,
    (error) => error instanceof Deno.errors.NotFound,
  );
  return isGone ? undefined : await hashModelFile(path);
}

/** As it is read back from JSON: without functions, and without what is not defined. */
function _plain(config: Record<string, unknown>): Record<string, unknown> {
  return JSON.parse(JSON.stringify(config));
}

/** The hash of every label file: other labels are another run. */
async function _labelHashes(data: string): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const task of TASKS) {
    for (const split of SPLITS) {
      const path = labelFile(data, split, task);
      const mend = "all three tasks need their labels";
      const what = "read the labels";
      const action = { what, path, access: "read", error: DataError, mend } as const;
      hashes[`${split}-${task}`] = (await hashFile(action)).slice(0, 16);
    }
  }
  return hashes;
}

/** One model from its beginning to its figures; nothing where the signal ended it. */
async function _trainAndJudge(
  { prefix, data, models, logs, tune, seed, state, statePath }: Plan,
  options: RunAllOptions,
  model: ModelOfAll,
): Promise<DoneModel | undefined> {
  const { out: _out, onPlan: _plan, onDone: _done, onJudged: _judged, ...shared } = options;
  const { task, plane } = model;
  const key = modelKey(task, plane);
  const run = { ...shared, ...{ task, plane, prefix, data, models, tune, seed } };
  const begun = { ...run, onStart: undefined, onExam: undefined, onEpoch: undefined };
  // The state says which run it is; where the logs are is said by whoever asks.
  const resume = state.running?.model === key
    ? await resumable(begun, join(logs, task, plane, baseName(state.running.logFolder)))
    : undefined;
  let noted: Promise<void> | undefined;
  let engine: Engine | undefined;
  const { best, checkpoint, epochs, stopped, skipped = [] } = await trainClassifier({
    ...run,
    resume,
    onStart(start) {
      engine = start.engine;
      state.running = { model: key, logFolder: start.logFolder };
      noted = writeState(statePath, state);
      noted.catch(() => {});
      options.onStart?.(model, start);
    },
    onExam: (report) => options.onExam?.(model, report),
    onEpoch: (report, checkpoint) => options.onEpoch?.(model, report, checkpoint),
  });
  await noted;
  if (stopped === "interrupted") return undefined;
  if (checkpoint === undefined || best === undefined) {
    throw new TrainingError(
      `Cannot go on after ${task} ${plane}: no epoch had an AUC above 0 on the tune split: ` +
        "keep more exams out with --tune, or look at the exams",
    );
  }
  const judged = await _judge({ data, tune, checkpoint }, options, model);
  if (judged === undefined) return undefined;
  const sha256 = await hashModelFile(checkpoint);
  const { name, threads, precision } = engine!;
  return {
    ...{ checkpoint, sha256, epoch: best.epoch, epochs: epochs.length },
    computed: { engine: name, threads, precision },
    ...judged,
    // Of the tune split judging has found the same.
    leftOut: [...skipped.filter(_isOfTraining), ...judged.leftOut],
  };
}

function _isOfTraining(exam: SkippedExam): exam is SkippedExam & { split: "train" } {
  return exam.split === "train";
}

/** What the best model says about the tune split and the validation set. */
async function _judge(
  { data, tune, checkpoint }: { data: string; tune: TuneSplit; checkpoint: string },
  { signal, skipBadExams, onJudged }: RunAllOptions,
  model: ModelOfAll,
): Promise<Pick<DoneModel, "tune" | "tuneExams" | "valid" | "leftOut"> | undefined> {
  const { task, plane } = model;
  const loaded = await loadMRNet(checkpoint);
  try {
    const exams = { data, task, plane, tune, skipBadExams };
    const splits = {
      tune: await openDataset({ ...exams, split: "tune" }),
      valid: await openDataset({ ...exams, split: "valid" }),
    };
    const total = splits.tune.labels.length + splits.valid.labels.length;
    const leftOut: LeftOut[] = [];
    const hashes: Promise<ExamHash>[] = [];
    let done = 0;
    const judge = async (split: "tune" | "valid"): Promise<SavedPrediction[]> => {
      const leave = (id: string, reason: string) => {
        done++;
        leftOut.push({ split, id, reason });
      };
      const { predictions } = await evaluate(loaded.model, splits[split], {
        signal,
        onRead: ({ exam }) => split === "tune" && hashes.push(hashExam(exam)),
        onUnreadable: skipBadExams ? leave : undefined,
        onExam() {
          done++;
          onJudged?.(model, { done, total });
        },
      });
      return predictions.map((
        { id, label, probability, logits },
      ) => [id, label, probability, logits[1]]);
    };
    const kept = await judge("tune");
    const tuneExams = await Promise.all(hashes);
    const judged = { tune: kept, tuneExams, valid: await judge("valid"), leftOut };
    return done === total ? judged : undefined;
  } finally {
    loaded.model.dispose();
  }
}
