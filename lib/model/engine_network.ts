/**
 * The contract of an engine's network: it computes exams with a model's parameters, trains these, and
 * gives back what it has learnt. Whoever predicts, evaluates or trains does it through this contract
 * alone.
 */
import type { Augmentation, SourceMatrix } from "../data/augment.ts";
import type { LabelledExam } from "../data/dataset.ts";
import type { Exam } from "../data/exam.ts";
import type { Preparation } from "../data/intensity.ts";
import type { NetworkName } from "../network/networks.ts";
import type * as tf from "../tf.ts";
import type { Features } from "./features.ts";
import type { OutputWeights } from "./loss.ts";
import type { OptimizerState } from "./optimizer_state.ts";
import type { Parameters, Statistics } from "./parameters.ts";
import type { StateDict } from "./weights/tensors.ts";

/** What an engine is given of a model. */
export interface EngineModel extends Preparation {
  readonly network: NetworkName;
  readonly parameters: Parameters;
  readonly statistics: Statistics;
  /** The features of an exam in TensorFlow.js's operations. */
  features(input: tf.Tensor3D): tf.Tensor4D;
  /** Its logits. */
  logits(input: tf.Tensor3D): tf.Tensor2D;
  /** Parameters and statistics in PyTorch's names and layout. */
  stateDict(): Promise<StateDict>;
}

/** How an exam is computed. */
export interface ForwardOptions {
  /**
   * Whether its features are wanted too.
   * @default false
   */
  features?: boolean;
  /**
   * Waited for between two chunks of the exam, if it is computed in chunks; what it throws ends the
   * computation.
   * @default the exam is computed in one go
   */
  between?: () => void | Promise<void>;
}

/** What a model makes of an exam. */
export interface ForwardResult {
  /** The two outputs before the sigmoid. */
  logits: [number, number];
  /** What they were made of, if it was asked for. */
  features?: Features;
}

/** What a step made of its exam before it changed the parameters. */
export interface StepResult {
  /** The weighted cross-entropy. */
  loss: number;
  /** The two outputs before the sigmoid. */
  logits: [number, number];
}

/** What a network has learnt, copied: all in PyTorch's names and layout. */
export interface Snapshot {
  /** Parameters and statistics, as the model's file has them. */
  parameters: StateDict;
  /** Nothing before the first step, or if it is not wanted. */
  optimizer?: OptimizerState;
}

/** A model's network on an engine. */
export interface EngineNetwork {
  /** The learning rate of the next step. */
  learningRate: number;

  /**
   * How many exams may be in flight at once, beside the one that is awaited. If it is 0, each exam is
   * done before the next begins.
   */
  readonly inFlight: number;

  /**
   * Computes an exam as it is in its file, with the parameters as they are now: if the model's were given
   * new values, these are taken first.
   *
   * @throws {EngineError} if the engine fails
   */
  forward(exam: Exam, options?: ForwardOptions): Promise<ForwardResult>;

  /**
   * Trains on one exam: one step of the optimizer. The model's own parameters stay behind until they are
   * given what {@linkcode EngineNetwork.snapshot} has read.
   *
   * @param weights what the two outputs count in this exam's loss
   * @param source how the exam is resampled first; not at all if left out
   * @throws {EngineError} if the engine fails
   */
  step(
    exam: LabelledExam,
    weights: OutputWeights,
    source?: Augmentation | SourceMatrix,
  ): Promise<StepResult>;

  /**
   * Reads what it has learnt. The next step depends on nothing else.
   *
   * @param optimizer whether the optimizer's state is wanted, which takes twice the parameters' memory
   */
  snapshot(optimizer?: boolean): Promise<Snapshot>;

  /**
   * Continues from an optimizer's state; to be called before the first step. On the same engine with as
   * many threads, the next step gives the same bits as if there had been no stop.
   */
  restore(state: OptimizerState): Promise<void>;

  /** Frees all memory except the model's own parameters. */
  dispose(): void;
}
