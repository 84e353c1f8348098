/** The result of one exam, as training and evaluation report it. */
import type { Augmentation, SourceMatrix } from "../data/augment.ts";
import type { LabelledExam } from "../data/dataset.ts";
import type { EngineNetwork, StepResult } from "../model/engine_network.ts";
import { crossEntropyOf, type OutputWeights } from "../model/loss.ts";
import { sigmoid } from "../model/mrnet.ts";

/** The result of one exam. */
export interface ExamResult {
  /** The weighted cross-entropy. */
  loss: number;
  /** The two outputs before the sigmoid. */
  logits: [number, number];
  /** The sigmoid of the second logit, in 0–1. */
  probability: number;
}

/** Evaluates a network on one exam, as it is. */
export async function evaluateExam(
  network: EngineNetwork,
  { exam, label }: LabelledExam,
  weights: OutputWeights,
): Promise<ExamResult> {
  const { logits } = await network.forward(exam);
  return _withProbability({ loss: crossEntropyOf(logits, label, weights), logits });
}

/**
 * Trains a network on one exam: one step of the optimizer.
 *
 * @param source how the exam is resampled first; not at all if left out
 * @returns the result before the step
 */
export async function trainOnExam(
  network: EngineNetwork,
  exam: LabelledExam,
  weights: OutputWeights,
  source?: Augmentation | SourceMatrix,
): Promise<ExamResult> {
  return _withProbability(await network.step(exam, weights, source));
}

function _withProbability({ loss, logits }: StepResult): ExamResult {
  return { loss, logits, probability: sigmoid(logits[1]) };
}
