/**
 * What trains a model on one exam, and what evaluates it on one: the seam between the training loop and
 * the way an engine computes a step.
 *
 * @module
 */
import type { Augmentation } from "../data/augment.ts";
import type { LabelledExam } from "../data/dataset.ts";
import type { OptimizerState } from "../model/optimizer_state.ts";
import type { OutputWeights } from "./loss.ts";

/** What a model says of one exam, and what it costs. */
export interface ExamResult {
  /** The weighted cross-entropy. */
  loss: number;
  /** The two outputs before the sigmoid. */
  logits: [number, number];
  /** The sigmoid of the second logit, in 0–1. */
  probability: number;
}

/**
 * A model at work. It may hold the parameters in a form of its own: the model itself is up to date
 * only after {@linkcode Runner.sync}.
 */
export interface Runner {
  /** The learning rate of the next step. */
  learningRate: number;

  /**
   * How many exams may be under way at once, beside the one that is waited for. Where it is 0, each
   * is done before the next begins.
   */
  readonly inFlight: number;

  /**
   * Moves the model by one exam.
   *
   * @param weights what the two outputs count in this exam's loss
   * @param augmentation how the exam is resampled first; not at all where it is left out
   * @returns the result before the step
   */
  train(
    exam: LabelledExam,
    weights: OutputWeights,
    augmentation?: Augmentation,
  ): Promise<ExamResult>;

  /** Evaluates the model on one exam, as it is. */
  evaluate(exam: LabelledExam, weights: OutputWeights): Promise<ExamResult>;

  /** Brings the model's own parameters up to date. */
  sync(): Promise<void>;

  /**
   * A copy of what the optimizer carries from step to step; nothing before the first step. With the
   * model's parameters after {@linkcode Runner.sync} it is all that the next step depends on.
   */
  optimizerState(): Promise<OptimizerState | undefined>;

  /**
   * Goes on from an optimizer's state; to be called before the first step. On the same engine, with
   * as many threads, the next step then gives the same bits as if there had been no break.
   */
  restore(state: OptimizerState): Promise<void>;

  /** Frees what is held beside the model's own parameters. */
  dispose(): void;
}
