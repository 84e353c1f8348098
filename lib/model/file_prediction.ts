/**
 * What a model says about an exam's file.
 *
 * @module
 */
import type { ExamFile } from "../data/exam_files.ts";
import { DataError, type MRNetError } from "../errors.ts";
import { type Prediction, predictionOf } from "./mrnet.ts";

/** A prediction, or why there is none. */
export type FilePrediction = ExamFile & ({ prediction: Prediction } | { error: MRNetError });

/** What an engine says of a file's exam; where that cannot be computed, it is an error of its exam. */
export async function filePrediction<T extends Pick<Prediction, "logits">>(
  { path, id }: ExamFile,
  compute: () => Promise<T>,
): Promise<{ outcome: FilePrediction; computed?: T }> {
  try {
    const computed = await compute();
    const prediction = predictionOf({ id }, computed.logits);
    return { outcome: { path, id, prediction }, computed };
  } catch (failure) {
    if (!(failure instanceof DataError)) throw failure;
    // The exam's name is not enough where files of several folders are read.
    const error = new DataError(failure.message.replace(`'${id}'`, `'${path}'`));
    return { outcome: { path, id, error } };
  }
}
