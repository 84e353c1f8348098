/** Combining three trained models: what `cli.ts combine` does, as one function. */
import { countAmong, type ExamHash } from "../data/exam_hash.ts";
import type { DatasetOptions } from "../data/dataset.ts";
import type { Intensity } from "../data/intensity.ts";
import { ODD_HINT, oddityOf } from "../data/oddity.ts";
import type { TuneSplit } from "../data/tune.ts";
import { type ComputeOptions, type Engine, startEngine } from "../engine/engine.ts";
import { OptionError } from "../errors.ts";
import { folderOf, join, makeWritableFolder } from "../files.ts";
import type { OperatingRule } from "../metrics/operating_rule.ts";
import { CHOSEN_ON, type ChosenOn, everTrainedOn } from "../model/card.ts";
import { readCardFile } from "../model/card_text.ts";
import { madeNow } from "../model/made_by.ts";
import type { PlaneModel } from "../model/plane_model.ts";
import { recalibrationText } from "../model/recalibration.ts";
import { checkOptionNames, type OptionNames } from "../option_names.ts";
import { checkPrefix } from "../train/checkpoint.ts";
import { type Plane, PLANES, type Task } from "../terms.ts";
import { type ByPlane, byPlane, type Combination, commonTune } from "./combination.ts";
import { checkCombinationFile, keepCombination, writeCombination } from "./file.ts";
import { fitCombination } from "./fit.ts";
import { evaluatePlanes, openPlanes } from "./evaluate.ts";
import { commonPrefix, describeMembers, loadCandidates, sharedTune } from "./members.ts";
import { PatientHashes } from "./patient_hashes.ts";
import { readPredictions } from "./predictions.ts";
import { saturationRemarks } from "./saturation.ts";

/** What to combine, on which exams, and where to keep it. */
export interface CombineOptions extends ComputeOptions, Pick<DatasetOptions, "data"> {
  /**
   * Three model files. Their order does not matter if each says which plane it reads; otherwise they
   * are axial, coronal, sagittal.
   */
  models: readonly string[];
  /** The finding, if the files do not say it. */
  task?: Task;
  /**
   * How the models' input is prepared, if their files do not say it; kept in the combination's file.
   * @default "raw"
   */
  intensity?: Intensity;
  /**
   * The exams to fit on. `tune` is the tune split that the models share. `train` is the training set
   * without that split, or all of it if they share none; `valid` is the validation set. Metrics on the
   * exams of the fit are not to be believed.
   * @default "tune"
   */
  fitOn?: ChosenOn;
  /**
   * How the operating point is chosen. A rule other than `youden` needs exams that no model was trained
   * on and that do not evaluate it: the tune split.
   * @default "youden"
   */
  operatingPoint?: OperatingRule;
  /**
   * The name of the kind of run, in the file's name.
   * @default the models' prefix if all three have the same, otherwise "mrnet"
   */
  prefix?: string;
  /**
   * The file to write, whose name ends in `.json`; an existing file is replaced.
   * @default `combined_{prefix}_{task}.json` in the folder of the axial model. If that is a combination
   * of other models it stays, and the new name has a number
   */
  out?: string;
  /**
   * A file of JSON for the combination's card; see {@linkcode CardText}.
   * @default none
   */
  card?: string;
  /** Aborts before anything is written; the function then fails with the signal's reason. */
  signal?: AbortSignal;
  /** Called once everything is checked, before the first exam. */
  onStart?: (start: { engine: Engine; task: Task; patients: number }) => void;
  /** Called after each exam; there are three a patient. */
  onExam?: (progress: { plane: Plane; done: number; total: number }) => void;
  /** Called with what is odd about the predictions, a line each. */
  onRemark?: (remark: string) => void;
}

/** How to combine predictions of a table. */
export type CombineTableOptions = Pick<
  CombineOptions,
  "task" | "operatingPoint" | "out" | "card" | "onRemark"
>;

/** The names of all options. */
const OPTION_NAMES: OptionNames<CombineOptions> = {
  models: true,
  task: true,
  intensity: true,
  data: true,
  fitOn: true,
  operatingPoint: true,
  prefix: true,
  out: true,
  card: true,
  engine: true,
  threads: true,
  signal: true,
  onStart: true,
  onExam: true,
  onRemark: true,
};

/** The result of combining. */
export interface CombineResult {
  /** The weights, and what they were found by. */
  combination: Combination;
  /** The file. */
  path: string;
}

/** As in `verbs.ts`, where it is described. */
export async function combineModels(options: CombineOptions): Promise<CombineResult> {
  checkOptionNames("combine models", options, OPTION_NAMES);
  const { models, data = "data", fitOn = "tune", operatingPoint, prefix, out, signal } = options;
  const about = options.card === undefined ? undefined : await readCardFile(options.card);
  if (prefix !== undefined) checkPrefix(prefix);
  if (out !== undefined) checkCombinationFile(out);
  if (!CHOSEN_ON.includes(fitOn)) {
    throw new OptionError(`Cannot fit on '${fitOn}': choose from ${CHOSEN_ON.join(", ")}`);
  }
  if (fitOn !== "tune" && (operatingPoint ?? "youden") !== "youden") {
    throw new OptionError(
      `Cannot choose the operating point ${operatingPoint} on the ${fitOn} exams: only exams of a tune ` +
        "split, or out-of-fold predictions, may choose it: leave one of the two out",
    );
  }
  const engine = await startEngine(options.engine, { threads: options.threads });
  const { task: told, intensity } = options;
  const members = await loadCandidates(models, { task: told, intensity });
  try {
    const { task } = members.axial.card;
    const tune = _tuneFor(fitOn, members);
    const datasets = await openPlanes({ data, split: fitOn, task, tune });
    const name = `combined_${prefix ?? commonPrefix(members) ?? "mrnet"}_${task}.json`;
    const wanted = out ?? join(folderOf(members.axial.file), name);
    const described = describeMembers(wanted, members);
    await makeWritableFolder(folderOf(wanted));
    options.onStart?.({ engine, task, patients: datasets.axial.labels.length });
    const odds: string[] = [];
    const hashes = new PatientHashes();
    const patients = await evaluatePlanes(byPlane((plane) => members[plane].model), datasets, {
      signal,
      onExam: options.onExam,
      onRead({ exam }, plane) {
        hashes.add(exam, plane);
        const odd = oddityOf(exam, members[plane].card.intensity);
        if (odd !== undefined) odds.push(`'${exam.id}' ${plane}: ${odd}`);
      },
    });
    for (const plane of PLANES) {
      const { file, card: { recalibration } } = members[plane];
      if (recalibration === undefined) continue;
      options.onRemark?.(`The probabilities of '${file}' are ${recalibrationText(recalibration)}`);
    }
    if (odds.length > 0) options.onRemark?.(_oddRemark(odds));
    saturationRemarks(patients).forEach((remark) => options.onRemark?.(remark));
    const fitted = fitCombination(patients, fitOn, operatingPoint);
    for (const plane of PLANES) {
      const { metadata, card } = members[plane];
      // The caller alone knows it, so it is kept.
      if (metadata.intensity === undefined) described[plane].intensity = card.intensity;
    }
    const fitExams = await hashes.patients();
    const made = madeNow(about);
    const combination: Combination = { ...fitted, fitExams, task, members: described, ...made };
    if (fitOn === "train" && _isUnseen(members, await hashes.planes())) combination.unseen = true;
    if (tune !== undefined) combination.tune = tune;
    if (out === undefined) return { combination, path: await keepCombination(wanted, combination) };
    await writeCombination(out, combination);
    return { combination, path: out };
  } finally {
    _dispose(members);
  }
}

/** As in `verbs.ts`, where it is described. */
export async function combineTable(
  table: string,
  { task, operatingPoint, out, card, onRemark }: CombineTableOptions = {},
): Promise<Combination> {
  if (out !== undefined) checkCombinationFile(out);
  const patients = await readPredictions(table);
  saturationRemarks(patients).forEach((remark) => onRemark?.(remark));
  const about = card === undefined ? undefined : await readCardFile(card);
  const combination: Combination = {
    ...fitCombination(patients, "table", operatingPoint),
    ...madeNow(about),
  };
  if (task !== undefined) combination.task = task;
  if (out !== undefined) {
    await makeWritableFolder(folderOf(out));
    await writeCombination(out, combination);
  }
  return combination;
}

/** The tune split that the exams of the fit are, or that is left out of them. */
function _tuneFor(fitOn: ChosenOn, members: ByPlane<PlaneModel>): TuneSplit | undefined {
  switch (fitOn) {
    case "tune":
      return sharedTune(members);
    case "train":
      return commonTune(members);
    case "valid":
      return undefined;
    default:
      return fitOn satisfies never;
  }
}

/** Whether no model was trained on one of the exams, as far as all of them say their own. */
function _isUnseen(members: ByPlane<PlaneModel>, exams: ByPlane<ExamHash[]>): boolean {
  return PLANES.every((plane) => {
    const trained = everTrainedOn(members[plane].card);
    return trained !== undefined && countAmong(exams[plane], trained) === 0;
  });
}

function _oddRemark([first, ...more]: string[]): string {
  const others = more.length === 0 ? "" : `; and ${more.length} more exams`;
  return `Exams are unlike those that the models can read: ${first}${others}: ${ODD_HINT}`;
}

function _dispose(members: ByPlane<PlaneModel>): void {
  for (const plane of PLANES) members[plane].model.dispose();
}
