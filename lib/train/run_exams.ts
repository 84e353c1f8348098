/**
 * The exams of a run on MRNet's folders: those to train on, and those to choose the best model on.
 */
import { type Dataset, openDataset } from "../data/dataset.ts";
import { examsWithoutLabel } from "../data/exam_folder.ts";
import type { Intensity } from "../data/intensity.ts";
import { type ExamSurvey, surveyExams } from "../data/survey.ts";
import { examFile } from "../data/labels.ts";
import type { withDefaults } from "./kept_settings.ts";
import { refusingOddPair } from "./odd_exams.ts";
import { checkLabels, hashLabels, type Resumption } from "./resume.ts";
import type { Selection } from "./run_options.ts";
import { checkRoom, type RunState } from "./run_state.ts";

/** The settings of a run, defaults included. */
type RunValues = ReturnType<typeof withDefaults>;

/** The exams of a run. */
export interface RunExams {
  /** The exams to train on. */
  train: Dataset;
  /** The exams to validate on. */
  valid: Dataset;
  /** Which exams the second are. */
  chosenOn: Selection;
  /** The hashes of both lists of labels. */
  labels: RunState["labels"];
}

/**
 * Opens the exams of a run.
 *
 * @param epochs the most epochs of the run
 * @param from the run that goes on, whose labels must be the same
 * @throws {DataError} if they cannot be used, are more than a state has room for, or have other labels
 */
export async function openRunExams(
  settings: RunValues,
  epochs: number,
  from: Resumption | undefined,
): Promise<RunExams> {
  const { data, task, plane, tune, folds, fold, inMemory, skipBadExams } = settings;
  const chosenOn: Selection = tune === undefined ? "valid" : "tune";
  const options = { data, task, plane, tune, folds, fold, inMemory, skipBadExams };
  const train = await openDataset({ ...options, split: "train" });
  const valid = await openDataset({ ...options, split: chosenOn });
  checkRoom(train.labels.length + valid.labels.length, epochs);
  const labels = { train: await hashLabels(train), valid: await hashLabels(valid) };
  if (from !== undefined) checkLabels(from, labels, { train, valid });
  return { train, valid, chosenOn, labels };
}

/**
 * Opens the exams of the fold that a run keeps out.
 *
 * @throws {DataError} if they cannot be used
 */
export function openHeldOut(
  { data, task, plane, folds, fold, skipBadExams }: RunValues,
): Promise<Dataset> {
  return openDataset({ data, task, plane, folds, fold, skipBadExams, split: "fold" });
}

/**
 * One look at the exams before the first is trained on; see {@linkcode surveyExams}.
 *
 * @throws {DataError} as that
 */
export async function surveyRunExams(
  { train, valid }: Pick<RunExams, "train" | "valid">,
  { data, plane, task }: Pick<RunValues, "data" | "plane" | "task">,
  intensity: Intensity,
): Promise<ExamSurvey> {
  const unlabelled = await examsWithoutLabel({ data, split: "train", plane, task });
  return await surveyExams(train, { intensity, valid, unlabelled });
}

/**
 * The same exams, of which those are refused that do not look like what the model reads, unless the
 * run takes any range.
 *
 * @throws {DataError} if the first exam of either is odd and may not be left out
 */
export async function refusingOddExams(
  { train, valid }: Pick<RunExams, "train" | "valid">,
  { anyRange, data, plane, tune, skipBadExams }: RunValues,
  intensity: Intensity,
): Promise<{ train: Dataset; valid: Dataset }> {
  if (anyRange) return { train, valid };
  const validFolder = tune === undefined ? "valid" : "train";
  const files = {
    train: (id: string) => examFile(data, "train", plane, id),
    valid: (id: string) => examFile(data, validFolder, plane, id),
  };
  return await refusingOddPair({ train, valid }, files, { intensity, skipBadExams });
}
