/**
 * One training of a plan: it trains a model, or goes on with that, and evaluates its best epoch.
 */
import { openDataset } from "../data/dataset.ts";
import { type ExamHash, hashExam } from "../data/exam_hash.ts";
import type { Engine } from "../engine/engine.ts";
import { TrainingError } from "../errors.ts";
import { loadMRNet } from "../model/create.ts";
import { hashModelFile } from "../model/model_source.ts";
import type { MRNet } from "../model/mrnet.ts";
import { evaluate } from "../train/evaluate.ts";
import type { EpochReport, ExamReport, SkippedExam } from "../train/reports.ts";
import { type RunOptions, type RunStart, trainRun } from "../train/run.ts";
import type { DoneModel, EvaluatedSplit, LeftOut, SavedPrediction } from "./done_model.ts";

/** The options of a run that are plain values. */
export type PlainRunOptions = Omit<
  RunOptions,
  "signal" | "onStart" | "onExam" | "onEpoch" | "onDownload"
>;

/** A training as it is to be done: plain values alone, so that a worker can be given it. */
export interface UnitTraining {
  /** How to train; `resume` names the run that goes on. */
  run: PlainRunOptions;
  /** The splits to evaluate the best epoch on, in this order. */
  evaluateOn: readonly EvaluatedSplit[];
}

/** What a training tells while it runs, and what ends it. */
export interface UnitHooks {
  /** Ends it after the exam at hand; its state is saved. */
  signal?: AbortSignal;
  /** Called while the ImageNet weights are fetched, with the bytes so far and in all. */
  onDownload?: (received: number, total: number | undefined) => void;
  /** Called before the first exam; a failure of the promise ends the training at its end. */
  onStart?: (start: RunStart) => void | Promise<void>;
  /** Called after each exam of the training. */
  onExam?: (report: ExamReport) => void;
  /** Called after each epoch; `checkpoint` is the file of the best model so far. */
  onEpoch?: (report: EpochReport, checkpoint: string | undefined) => void;
  /** Called after each exam that the trained model is evaluated on. */
  onEvaluated?: (progress: { done: number; total: number }) => void;
}

/**
 * Trains one model, then predicts the splits with its best epoch.
 *
 * @returns nothing if the signal ended it
 * @throws {TrainingError} if no epoch was worth keeping
 * @throws what `train` and `evaluate` throw
 */
export async function trainUnit(
  training: UnitTraining,
  hooks: UnitHooks,
): Promise<DoneModel | undefined> {
  const { run, run: { task, plane } } = training;
  const { signal, onDownload, onExam, onEpoch } = hooks;
  let noted: Promise<void> | undefined;
  let engine: Engine | undefined;
  const { best, checkpoint, epochs, stopped, skipped = [] } = await trainRun({
    ...{ ...run, signal, onDownload, onExam, onEpoch },
    onStart(start) {
      engine = start.engine;
      noted = Promise.resolve(hooks.onStart?.(start));
      noted.catch(() => {});
    },
  });
  await noted;
  if (stopped === "interrupted") return undefined;
  if (checkpoint === undefined || best === undefined) {
    throw new TrainingError(
      `Cannot go on after ${task} ${plane}: no epoch had an AUC above 0 on the tune split: ` +
        "keep more exams out with --tune, or look at the exams",
    );
  }
  const evaluated = await _evaluateBest(checkpoint, training, hooks);
  if (evaluated === undefined) return undefined;
  const sha256 = await hashModelFile(checkpoint);
  const { name, threads, precision } = engine!;
  return {
    ...{ checkpoint, sha256, epoch: best.epoch, epochs: epochs.length },
    computed: { engine: name, threads, precision },
    ...evaluated,
    // The evaluation of the tune split has reported the same exams.
    leftOut: [...skipped.filter(_isOfTraining), ...evaluated.leftOut],
  };
}

function _isOfTraining(exam: SkippedExam): exam is SkippedExam & { split: "train" } {
  return exam.split === "train";
}

/** What is known of the splits once the best model has predicted them. */
type Evaluated = Omit<DoneModel, "checkpoint" | "sha256" | "epoch" | "epochs" | "computed">;

/** The predictions of the best model for each split. */
async function _evaluateBest(
  checkpoint: string,
  { run, evaluateOn }: UnitTraining,
  hooks: UnitHooks,
): Promise<Evaluated | undefined> {
  const { data, task, plane, tune, folds, fold, skipBadExams } = run;
  const loaded = await loadMRNet(checkpoint);
  try {
    const exams = { data, task, plane, tune, folds, fold, skipBadExams };
    const opened = new Map<EvaluatedSplit, Awaited<ReturnType<typeof openDataset>>>();
    for (const split of evaluateOn) opened.set(split, await openDataset({ ...exams, split }));
    const total = [...opened.values()].reduce((sum, { labels }) => sum + labels.length, 0);
    const evaluated: Evaluated = { tune: [], valid: [], leftOut: [] };
    let done = 0;
    for (const [split, dataset] of opened) {
      const progress = () => {
        done++;
        hooks.onEvaluated?.({ done, total });
      };
      const leave = (id: string, reason: string) => {
        done++;
        evaluated.leftOut.push({ split, id, reason });
      };
      const { predictions, hashes } = await _evaluateOn(loaded.model, dataset, {
        ...{ signal: hooks.signal, progress, leave: skipBadExams ? leave : undefined },
      });
      evaluated[split] = predictions;
      evaluated[`${split}Exams`] = hashes;
    }
    return done === total ? evaluated : undefined;
  } finally {
    loaded.model.dispose();
  }
}

/** The predictions of a model for one split, and the hashes of its exams in the same order. */
async function _evaluateOn(
  model: MRNet,
  dataset: Awaited<ReturnType<typeof openDataset>>,
  { signal, progress, leave }: {
    signal?: AbortSignal;
    progress: () => void;
    leave?: (id: LeftOut["id"], reason: string) => void;
  },
): Promise<{ predictions: SavedPrediction[]; hashes: ExamHash[] }> {
  const hashes: Promise<ExamHash>[] = [];
  const { predictions } = await evaluate(model, dataset, {
    signal,
    onRead: ({ exam }) => hashes.push(hashExam(exam)),
    onUnreadable: leave,
    onExam: progress,
  });
  return {
    predictions: predictions.map((
      { id, label, probability, logits },
    ) => [id, label, probability, logits[1]]),
    hashes: await Promise.all(hashes),
  };
}
