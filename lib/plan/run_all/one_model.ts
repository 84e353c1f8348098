/**
 * One of the nine models of a run over all tasks and planes: its training and its evaluation.
 */
import { openDataset } from "../../data/dataset.ts";
import { type ExamHash, hashExam } from "../../data/exam_hash.ts";
import type { TuneSplit } from "../../data/tune.ts";
import type { Engine } from "../../engine/engine.ts";
import { TrainingError } from "../../errors.ts";
import { baseName, join } from "../../files.ts";
import { loadMRNet } from "../../model/create.ts";
import { hashModelFile } from "../../model/model_source.ts";
import { evaluate } from "../../train/evaluate.ts";
import type { SkippedExam } from "../../train/reports.ts";
import { resumable } from "../../train/resume.ts";
import { trainRun } from "../../train/run.ts";
import type { ModelOfAll, RunAllOptions } from "./options.ts";
import type { Plan } from "./plan.ts";
import {
  type DoneModel,
  type LeftOut,
  modelKey,
  type SavedPrediction,
  writeState,
} from "./state.ts";

/**
 * Trains one model, then predicts the tune split and the validation set with its best epoch.
 *
 * @returns nothing if the signal ended it
 * @throws {TrainingError} if no epoch was worth keeping
 */
export async function trainAndEvaluate(
  { prefix, data, models, logs, tune, seed, state, statePath }: Plan,
  options: RunAllOptions,
  model: ModelOfAll,
): Promise<DoneModel | undefined> {
  const { out: _out, onPlan: _plan, onDone: _done, onEvaluated: _evaluated, ...shared } = options;
  const { task, plane } = model;
  const key = modelKey(task, plane);
  const run = { ...shared, ...{ task, plane, prefix, data, models, tune, seed } };
  const begun = { ...run, onStart: undefined, onExam: undefined, onEpoch: undefined };
  // The state names the run's folder; the caller gives the folder of the logs.
  const resume = state.running?.model === key
    ? await resumable(begun, join(logs, task, plane, baseName(state.running.logFolder)))
    : undefined;
  let noted: Promise<void> | undefined;
  let engine: Engine | undefined;
  const { best, checkpoint, epochs, stopped, skipped = [] } = await trainRun({
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
  const evaluated = await _evaluateBest({ data, tune, checkpoint }, options, model);
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

/** The predictions of the best model for the tune split and the validation set. */
async function _evaluateBest(
  { data, tune, checkpoint }: { data: string; tune: TuneSplit; checkpoint: string },
  { signal, skipBadExams, onEvaluated }: RunAllOptions,
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
    const evaluateOn = async (split: "tune" | "valid"): Promise<SavedPrediction[]> => {
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
          onEvaluated?.(model, { done, total });
        },
      });
      return predictions.map((
        { id, label, probability, logits },
      ) => [id, label, probability, logits[1]]);
    };
    const kept = await evaluateOn("tune");
    const tuneExams = await Promise.all(hashes);
    const evaluated = { tune: kept, tuneExams, valid: await evaluateOn("valid"), leftOut };
    return done === total ? evaluated : undefined;
  } finally {
    loaded.model.dispose();
  }
}
