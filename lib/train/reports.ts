/** What a training tells of itself: after an exam, after an epoch, and at its end. */
import type { OperatingRule } from "../metrics/operating_rule.ts";
import type { ExamResult } from "./exam_result.ts";

/** What is known after an exam. */
export interface ExamReport extends ExamResult {
  /** Whether the model was trained or evaluated on it. */
  phase: "train" | "valid";
  /** The epoch, counted from 1. */
  epoch: number;
  /** How many exams of this phase are done in this epoch, this one and those left out included. */
  done: number;
  /** How many exams this phase has. */
  total: number;
  /** The exam's name. */
  id: string;
  /** The mean of the losses of this phase so far. */
  meanLoss: number;
  /** The AUC of this phase so far; NaN while only one class was seen. */
  auc: number;
  /** The learning rate of this epoch. */
  learningRate: number;
}

/** What is known after an epoch. Losses and AUCs are rounded to four decimals. */
export interface EpochReport {
  /** The epoch, counted from 1. */
  epoch: number;
  /** Mean loss over the training exams. */
  trainLoss: number;
  /** AUC over the training exams, each evaluated before its training step. */
  trainAuc: number;
  /** Mean loss over the validation exams. */
  valLoss: number;
  /** AUC over the validation exams. */
  valAuc: number;
  /**
   * The probability from which on an exam counts as positive, in 0–1, not rounded: chosen by the
   * validation exams, by Youden's index or another rule.
   */
  threshold: number;
  /** The rule that chose the threshold. */
  rule: OperatingRule;
  /**
   * Why the rule that was asked for chose none, so that `youden` did; nothing if it chose the threshold.
   * Of epochs before a run was resumed it is not known.
   */
  unreached?: string;
  /** The learning rate that the epoch was trained with. */
  learningRate: number;
  /** How long training and validation took together, in seconds. */
  seconds: number;
  /** Whether its validation AUC is above that of every epoch before. */
  isBest: boolean;
}

/** An exam that was left out because it could not be read. */
export interface SkippedExam {
  /** What it would have been used for: to train, or to validate. */
  split: "train" | "valid";
  /** The exam's name. */
  id: string;
  /** Why it could not be read. */
  reason: string;
}

/** How training went. */
export interface TrainResult {
  /** The epochs that were completed. */
  epochs: EpochReport[];
  /** The epoch with the highest validation AUC, the first where several are equal. */
  best?: EpochReport;
  /** The exams that were left out because they could not be read, where there are any. */
  skipped?: SkippedExam[];
  /** Why it ended: all epochs done, no more improvement, or the signal. */
  stopped: "finished" | "early" | "interrupted";
}
