/**
 * The progress of a training, apart from the parameters and the optimizer's state. The three together
 * and the options are enough to continue as if there had been no stop: orders and augmentations depend
 * on seed, epoch and exam only, and the schedule and the early stop follow from the epochs' reports.
 */
import type { Snapshot } from "../model/engine_network.ts";
import type { OptimizerState } from "../model/optimizer_state.ts";
import type { TrainChanges } from "./model_options.ts";
import type { EpochReport, SkippedExam } from "./reports.ts";

/** The result of an exam of the current epoch; null if the exam was left out. */
export type Passed = readonly [loss: number, absent: number, present: number] | null;

/** The progress of a training. */
export interface TrainProgress {
  /** The epochs that are completed. */
  epochs: EpochReport[];
  /** The results of the training exams of the current epoch, in the order of the epoch. */
  train: Passed[];
  /** The results of the validation exams, which follow all training exams. */
  valid: Passed[];
  /** How long the current epoch took so far, in seconds. */
  seconds: number;
  /** The exams that are left out because they could not be read. */
  skipped: SkippedExam[];
}

/** A training from its beginning. */
export function noProgress(): TrainProgress {
  return { epochs: [], train: [], valid: [], seconds: 0, skipped: [] };
}

/** The position of an exam in a training. */
export interface Position {
  phase: "train" | "valid";
  /** The epoch, counted from 1. */
  epoch: number;
  /** Which exam of this phase of the epoch it is, counted from 1. */
  number: number;
  /** How many exams this phase has. */
  total: number;
  /** The exam's name. */
  id: string;
  /** The step of a training exam, counted from 1 over all epochs; of others, the last step. */
  step: number;
}

/** What there is at the end of an epoch, beside its report. */
export interface EpochEnd {
  /** What the network has learnt. */
  snapshot: Snapshot;
  /** Saves the state with it. */
  save(): Promise<void>;
  /** The exams that were left out. */
  skipped: readonly SkippedExam[];
}

/** The connection between the training loop and what keeps its state. */
export interface TrainHooks {
  /** The progress to continue from; the model has its parameters already. */
  from?: { progress: TrainProgress; optimizer?: OptimizerState };
  /** Whether it is time to save; asked after each exam. */
  due?(): boolean;
  /** Whether the training can go on from what is saved: with the optimizer's state, from the first exam on. */
  resumable: boolean;
  /** Saves the state. */
  save(progress: TrainProgress, snapshot: Snapshot): Promise<void>;
  /** Called after each epoch, in place of the option `onEpoch`. */
  onEpoch(report: EpochReport, end: EpochEnd): Promise<void>;
  /** What is done otherwise than by the settings. */
  changes?: TrainChanges;
  /** Called with each exam before its result is awaited. */
  onPosition?(position: Position): void;
}
