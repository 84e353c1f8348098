/** What a model says about an exam's file. */
import type { Exam } from "../data/exam.ts";
import type { ExamFile } from "../data/exam_files.ts";
import type { Intensity } from "../data/intensity.ts";
import { oddityOf } from "../data/oddity.ts";
import { DataError, type MRNetError } from "../errors.ts";
import { type Prediction, predictionOf } from "./mrnet.ts";
import type { Recalibration } from "./recalibration.ts";

/** A prediction, or why there is none. */
export type FilePrediction =
  & ExamFile
  & ({
    prediction: Prediction;
    /** What makes the exam unlike those that a model was made for, if anything does. */
    odd?: string;
  } | { error: MRNetError });

/** What several models say about an exam's file, or why they say nothing. */
export type FilePredictions =
  & ExamFile
  & ({
    /** What each of them says, in their order. */
    predictions: Prediction[];
    /** What makes the exam unlike those that one of them was made for, if anything does. */
    odd?: string;
  } | { error: MRNetError });

/** What several models say about one file; an error of one is the error of all. */
export function filePredictions(outcomes: readonly FilePrediction[]): FilePredictions {
  const [{ path, id }] = outcomes;
  const predictions: Prediction[] = [];
  let odd: string | undefined;
  for (const outcome of outcomes) {
    if ("error" in outcome) return outcome;
    predictions.push(outcome.prediction);
    odd ??= outcome.odd;
  }
  return odd === undefined ? { path, id, predictions } : { path, id, predictions, odd };
}

/**
 * Predicts a file's exam. If its logits are not finite, the result is an error of that exam.
 *
 * @param model how it prepares its input, and how its probability is made
 */
export async function filePrediction<T extends Pick<Prediction, "logits">>(
  { path, id, exam }: ExamFile & { exam: Exam },
  { intensity, recalibration }: { intensity: Intensity; recalibration?: Recalibration },
  compute: () => Promise<T>,
): Promise<{ outcome: FilePrediction; computed?: T }> {
  try {
    // Before the prediction, while nothing else has the voxels.
    const odd = oddityOf(exam, intensity);
    const computed = await compute();
    const prediction = predictionOf({ id }, computed.logits, recalibration);
    const outcome = { path, id, prediction };
    return { outcome: odd === undefined ? outcome : { ...outcome, odd }, computed };
  } catch (failure) {
    if (!(failure instanceof DataError)) throw failure;
    // The path instead of the exam's name: files of several folders may be read.
    const error = new DataError(failure.message.replace(`'${id}'`, `'${path}'`));
    return { outcome: { path, id, error } };
  }
}
