/**
 * What a model says about an exam's file.
 *
 * @module
 */
import type { ExamFile } from "../data/exam_files.ts";
import { DataError, type MRNetError } from "../errors.ts";
import type { Prediction } from "./mrnet.ts";

/** A prediction, or why there is none. */
export type FilePrediction = ExamFile & ({ prediction: Prediction } | { error: MRNetError });

/** The prediction as it is reported: one that is not finite is an error of its exam. */
export function filePrediction(
  { path, id }: ExamFile,
  { logits, probability }: Prediction,
): FilePrediction {
  if (logits.every(Number.isFinite)) return { path, id, prediction: { logits, probability } };
  const error = new DataError(
    `Cannot predict '${path}': the logits are ${logits.join(" and ")}: ` +
      "the exam's values are far from 0–255, or the model has diverged",
  );
  return { path, id, error };
}
