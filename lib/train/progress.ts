/**
 * How far a training is: all that it has come to, apart from the parameters and the optimizer. With
 * them and the options it is enough to go on as if there had been no break, for orders and
 * augmentations are drawn anew from seed, epoch and exam, and the schedule and the early stop follow
 * from the epochs' reports.
 *
 * @module
 */
import type { OptimizerState } from "../model/optimizer_state.ts";
import type { EpochReport, SkippedExam } from "./reports.ts";

/** What an exam of the epoch at hand came to, nothing for one that was left out. */
export type Passed = readonly [loss: number, absent: number, present: number] | null;

/** A position in a training. */
export interface TrainProgress {
  /** The epochs that are completed. */
  epochs: EpochReport[];
  /** The training exams of the epoch at hand that are done, in its order. */
  train: Passed[];
  /** The same of the validation exams, which come after all training exams. */
  valid: Passed[];
  /** How long the epoch at hand took so far, in seconds. */
  seconds: number;
  /** The exams that are left out because they could not be read. */
  skipped: SkippedExam[];
}

/** A training from its beginning. */
export function noProgress(): TrainProgress {
  return { epochs: [], train: [], valid: [], seconds: 0, skipped: [] };
}

/** An exam on its way through a training. */
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
  /** Which step of training this is, or follows, counted from 1 over all epochs. */
  step: number;
}

/** What a training tells whoever keeps its state, and is told by them. */
export interface TrainHooks {
  /** Where to go on; the model has the parameters already. */
  from?: { progress: TrainProgress; optimizer?: OptimizerState };
  /** Whether it is time to save; asked after each exam. */
  due?(): boolean;
  /** Keeps the state; the model's own parameters are up to date and rest until it returns. */
  save?(progress: TrainProgress, optimizer: OptimizerState | undefined): Promise<void>;
  /**
   * Called after each epoch in place of `onEpoch`; `save` keeps the state of its end, `skipped` are the
   * exams that were left out of it.
   */
  onEpoch?(
    report: EpochReport,
    save: () => Promise<void>,
    skipped: readonly SkippedExam[],
  ): Promise<void>;
  /** Told of each exam before it is waited for. */
  onPosition?(position: Position): void;
}
