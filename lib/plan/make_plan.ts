/** Making a plan: everything is checked, and the starting weights are fetched, before it is written. */
import type { NetworkName } from "../network/networks.ts";
import { openDataset } from "../data/dataset.ts";
import { foldedExams, type FoldRow, formatFolds } from "../data/folds.ts";
import { labelFile, type LabelledId, readLabels } from "../data/labels.ts";
import {
  checkSplitClasses,
  checkTuneSplit,
  isTuneExam,
  TUNE_SEED,
  type TuneSplit,
} from "../data/tune.ts";
import { DataError, OptionError, TrainingError } from "../errors.ts";
import { isMissing, join, makeWritableFolder, sha256Of, writeWhole } from "../files.ts";
import { lockRun } from "../logs/run_lock.ts";
import { readCardFile } from "../model/card_text.ts";
import { checkStart, checkStartOfFold } from "../model/create.ts";
import { checkOptionNames } from "../option_names.ts";
import { drawSeed } from "../random.ts";
import { PLANES, type Split, type Task, TASKS } from "../terms.ts";
import { checkPrefix } from "../train/checkpoint.ts";
import { DEFAULTS } from "../train/settings.ts";
import { dealFolds, readPatients } from "./folds.ts";
import { hashExamFiles, hashLabelFiles, networkOfWeights, settleWeights } from "./inputs.ts";
import { SCORE_PLAN_OPTION_NAMES, TRAIN_PLAN_OPTION_NAMES, TUNE_FRACTION } from "./options.ts";
import type { PlanOptions, TrainPlanOptions } from "./options.ts";
import type { Plan, PlannedSetting, TrainPlan } from "./plan.ts";
import { differences, findPlan, FOLDS_FILE, UNITS_FOLDER, writePlan } from "./plan_file.ts";
import { scorePlan } from "./score_plan.ts";
import { plannedOptions } from "./setting_values.ts";
import { readSweep } from "./sweep.ts";
import { trainUnits } from "./train_units.ts";

/** A plan that was made, or was there. */
export interface MadePlan {
  /** The plan. */
  plan: Plan;
  /** Whether it was there already. */
  found: boolean;
}

/** A plan with the table of folds that belongs to it. */
interface Planned {
  plan: Plan;
  folds?: string;
}

/** As in `verbs.ts`, where it is described. */
export async function makePlan(options: PlanOptions): Promise<MadePlan> {
  const names = options.kind === "score" ? SCORE_PLAN_OPTION_NAMES : TRAIN_PLAN_OPTION_NAMES;
  checkOptionNames("make a plan", options, names);
  const { out } = options;
  const before = await findPlan(out);
  const { plan, folds } = options.kind === "score"
    ? { plan: await scorePlan(options, before) }
    : await _trainPlan(options, before) as Planned;
  if (before !== undefined) return { plan: _same(out, before, plan), found: true };
  await makeWritableFolder(out);
  const lock = await lockRun(out);
  if (lock === undefined) {
    throw new TrainingError(
      `Cannot write the plan to '${out}': another process is writing one there: wait for its end`,
    );
  }
  try {
    const other = await findPlan(out);
    if (other !== undefined) return { plan: _same(out, other, plan), found: true };
    if (!await isMissing(join(out, UNITS_FOLDER))) {
      throw new OptionError(
        `Cannot write a plan to '${out}': units of another plan are there: give another --out`,
      );
    }
    if (folds !== undefined) await writeWhole(join(out, FOLDS_FILE), folds);
    await writePlan(out, plan);
    return { plan, found: false };
  } finally {
    await lock.release();
  }
}

/** The plan that is there, if it is the one that is asked for. */
function _same(out: string, before: Plan, plan: Plan): Plan {
  const changed = differences(before.asked, JSON.parse(JSON.stringify(plan.asked)));
  if (changed.length === 0) return before;
  throw new OptionError(
    `Cannot plan into '${out}', which has another plan: this is ${changed.join(", ")}: ` +
      "give the same options and data, or another --out",
  );
}

async function _trainPlan(
  options: TrainPlanOptions,
  before: Plan | undefined,
): Promise<{ plan: TrainPlan; folds?: string }> {
  const { kind, data = DEFAULTS.data, prefix = DEFAULTS.prefix, models = DEFAULTS.models } =
    options;
  const { tasks = TASKS, planes = PLANES, seeds = 1, folds: count, sweep } = options;
  const { tune = { fraction: TUNE_FRACTION, seed: TUNE_SEED } } = options;
  _checkOptions(options);
  checkPrefix(prefix);
  checkTuneSplit(tune);
  if (options.card !== undefined) await readCardFile(options.card);
  const settings = await _settings(options, models);
  for (const { weights: { file } } of settings) {
    await checkStart(file, tune);
    if (count !== undefined) await checkStartOfFold(file, 1);
  }
  // A choice among settings must not look at the validation set.
  const splits: readonly Split[] = kind === "sweep" ? ["train"] : ["train", "valid"];
  await _checkExams(options, { data, splits, tasks });
  const labels: Partial<Record<Task, LabelledId[]>> = {};
  for (const task of tasks) labels[task] = await readLabels(labelFile(data, "train", task));
  const folded = count === undefined
    ? undefined
    : await _dealFolds(options, { data, labels, count });
  const path = join(options.out, FOLDS_FILE);
  for (const task of tasks) {
    _checkClasses({ labels: labels[task]!, path: labelFile(data, "train", task), tune }, {
      ...{ table: folded?.rows, folds: path, count: count ?? 0 },
    });
  }
  const earlier = before?.asked ?? {};
  const seed = options.seed ?? (typeof earlier.seed === "number" ? earlier.seed : drawSeed());
  const threads = options.threads ??
    (typeof earlier.threads === "number"
      ? earlier.threads
      : Math.min(navigator.hardwareConcurrency, 16));
  const units = trainUnits({ ...{ tasks, planes, settings, seed, seeds, threads }, folds: count });
  const table = folded && formatFolds(folded.rows);
  const sha256 = table && await sha256Of(new TextEncoder().encode(table));
  const hashes = {
    labels: await hashLabelFiles(data, tasks, splits),
    exams: Object.fromEntries(
      await Promise.all(
        planes.map(async (plane) =>
          [plane, await hashExamFiles({ data, plane, tasks, splits })] as const
        ),
      ),
    ),
  };
  const asked = {
    ...{ kind, task: tasks.join(), plane: planes.join(), data, prefix_name: prefix },
    ...{ tune: tune.fraction, tune_seed: tune.seed, seed, seeds, threads, folds: count },
    ...folded?.asked,
    ...(sweep === undefined ? settings[0].options : { settings: settings.map(_described) }),
    ...(sweep === undefined && { weights_sha256: settings[0].weights.sha256 }),
    ...hashes,
  };
  const plan: TrainPlan = {
    ...{ kind, asked: JSON.parse(JSON.stringify(asked)), data, prefix, tune },
    evaluateOn: [
      "tune" as const,
      ...count === undefined ? [] : ["fold" as const],
      ...splits.includes("valid") ? ["valid" as const] : [],
    ],
    settings,
    ...(sha256 !== undefined && { folds: { count: count!, sha256 } }),
    ...hashes,
    units,
  };
  return { plan, folds: table };
}

/** The numbers and names that no other check looks at. */
function _checkOptions({ kind, folds, seeds = 1, sweep, tasks, planes }: TrainPlanOptions): void {
  const refuse = (found: string, hint: string) => {
    throw new OptionError(`Cannot make a plan: ${found}: ${hint}`);
  };
  if (kind === "folds" && folds === undefined) {
    refuse("nothing says how many folds", "give 'folds'");
  }
  if (!(Number.isSafeInteger(seeds) && seeds >= 1 && seeds <= 1000)) {
    refuse(`it cannot have ${seeds} seeds`, "give a whole number of 1 to 1000");
  }
  if ((kind === "sweep") !== (sweep !== undefined)) {
    refuse(
      sweep === undefined
        ? "nothing says what to vary"
        : `settings belong to a sweep, not to ${kind}`,
      sweep === undefined ? "give the file of the sweep" : "leave 'sweep' out",
    );
  }
  if (tasks?.length === 0 || planes?.length === 0) {
    refuse("there is no task or no plane", "give at least one of each");
  }
}

/** How the units are trained, with their starting weights. */
async function _settings(options: TrainPlanOptions, models: string): Promise<PlannedSetting[]> {
  const { sweep, signal, onDownload } = options;
  const varied = sweep === undefined ? [{ name: "as given", options: {} }] : await readSweep(sweep);
  const fetched = new Map<string, PlannedSetting["weights"]>();
  const settings: PlannedSetting[] = [];
  for (const { name, options: own } of varied) {
    const { folds: _, ...shared } = options;
    const planned = plannedOptions({ ...shared, ...own });
    const given = String(planned.weights);
    const network = (planned.network ?? "alexnet") as NetworkName;
    const key = `${network} ${given}`;
    const weights = fetched.get(key) ??
      await settleWeights(given, models, network, { signal, onDownload });
    fetched.set(key, weights);
    const found = await networkOfWeights(weights);
    if (found !== undefined && planned.network !== undefined && found !== planned.network) {
      throw new OptionError(
        `Cannot train the network '${network}' from '${weights.file}', which holds ${found}: ` +
          "leave the network out, or give weights of it",
      );
    }
    settings.push({ name, options: { ...planned, network: found ?? network }, weights });
  }
  return settings;
}

function _described({ name, options, weights }: PlannedSetting): Record<string, unknown> {
  return { name, ...options, weights_sha256: weights.sha256 };
}

/** Looks at the header of each exam. */
async function _checkExams(
  { planes = PLANES, skipBadExams }: TrainPlanOptions,
  { data, splits, tasks }: { data: string; splits: readonly Split[]; tasks: readonly Task[] },
): Promise<void> {
  for (const plane of planes) {
    for (const task of tasks) {
      for (const split of splits) await openDataset({ data, split, task, plane, skipBadExams });
    }
  }
}

/**
 * The folds of the training exams, by the labels of all tasks that the dataset has: they are the same
 * whatever is planned for.
 */
async function _dealFolds(
  { patients, foldSeed = 0, stratify = false }: TrainPlanOptions,
  { data, labels, count }: {
    data: string;
    labels: Partial<Record<Task, LabelledId[]>>;
    count: number;
  },
): Promise<{ rows: FoldRow[]; asked: Record<string, unknown> }> {
  const all = { ...labels };
  for (const task of TASKS) {
    const path = labelFile(data, "train", task);
    if (!await isMissing(path)) all[task] ??= await readLabels(path);
  }
  const beside = join(data, "patients.csv");
  const path = patients ?? (await isMissing(beside) ? undefined : beside);
  const known = path === undefined ? undefined : await readPatients(path);
  const rows = dealFolds(all, { count, seed: foldSeed, stratify, patients: known });
  return { rows, asked: { fold_seed: foldSeed, stratify, patients: path } };
}

/** Refuses folds and a tune split that leave a side without both classes. */
function _checkClasses(
  { labels, path, tune }: { labels: LabelledId[]; path: string; tune: TuneSplit },
  { table, folds, count }: { table?: FoldRow[]; folds: string; count: number },
): void {
  const sides = (exams: readonly LabelledId[], isTune: (id: string) => boolean) => {
    checkSplitClasses(exams.filter(({ id }) => !isTune(id)), "train", tune, path);
    checkSplitClasses(exams.filter(({ id }) => isTune(id)), "tune", tune, path);
  };
  if (table === undefined) return sides(labels, (id) => isTuneExam(id, tune));
  for (let fold = 1; fold <= count; fold++) {
    const { isHeldOut, isTune, checkClasses } = foldedExams(
      ...[table, { folds, fold, tune }, labels, path] as const,
    );
    checkClasses(labels.filter(({ id }) => isHeldOut(id)));
    try {
      sides(labels.filter(({ id }) => !isHeldOut(id)), isTune);
    } catch (error) {
      if (error instanceof DataError) error.message += ` (without the exams of fold ${fold})`;
      throw error;
    }
  }
}
