/**
 * The contract of an engine's network, which trains or evaluates a model on one exam. It separates the
 * training loop from the way an engine computes a step.
 */
import type { Augmentation, SourceMatrix } from "../data/augment.ts";
import type { LabelledExam } from "../data/dataset.ts";
import type { OptimizerState } from "./optimizer_state.ts";
import type { OutputWeights } from "./loss.ts";

/** The result of one exam. */
export interface ExamResult {
  /** The weighted cross-entropy. */
  loss: number;
  /** The two outputs before the sigmoid. */
  logits: [number, number];
  /** The sigmoid of the second logit, in 0–1. */
  probability: number;
}

/**
 * Runs a model on exams. It may hold the parameters in another form, so the model itself is up to date
 * only after {@linkcode EngineNetwork.sync}.
 */
export interface EngineNetwork {
  /** The learning rate of the next step. */
  learningRate: number;

  /**
   * How many exams may be in flight at once, beside the one that is awaited. If it is 0, each exam is
   * done before the next begins.
   */
  readonly inFlight: number;

  /**
   * Trains the model on one exam: one step of the optimizer.
   *
   * @param weights the weights of the two outputs in this exam's loss
   * @param augmentation how the exam is resampled first; not at all if left out
   * @returns the result before the step
   */
  train(
    exam: LabelledExam,
    weights: OutputWeights,
    augmentation?: Augmentation | SourceMatrix,
  ): Promise<ExamResult>;

  /** Evaluates the model on one exam, as it is. */
  evaluate(exam: LabelledExam, weights: OutputWeights): Promise<ExamResult>;

  /** Brings the model's own parameters up to date. */
  sync(): Promise<void>;

  /**
   * A copy of the optimizer's state; nothing before the first step. The next step depends only on it and
   * on the model's parameters after {@linkcode EngineNetwork.sync}.
   */
  optimizerState(): Promise<OptimizerState | undefined>;

  /**
   * Continues from an optimizer's state; to be called before the first step. On the same engine with as
   * many threads, the next step gives the same bits as if there had been no stop.
   */
  restore(state: OptimizerState): Promise<void>;

  /** Frees all memory except the model's own parameters. */
  dispose(): void;
}
