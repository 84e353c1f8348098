/**
 * What a run over all tasks and planes is asked for, and what it plans.
 */
import type { TuneSplit } from "../../data/tune.ts";
import type { OptionNames } from "../../option_names.ts";
import type { Plane, Task } from "../../terms.ts";
import { RUN_OPTION_NAMES } from "../../train/option_names.ts";
import type { EpochReport, ExamReport } from "../../train/reports.ts";
import type { RunOptions, RunStart } from "../../train/run.ts";
import type { DoneModel } from "../done_model.ts";

/** Which of the nine models something is about. */
export interface ModelOfAll {
  /** The finding. */
  task: Task;
  /** The plane. */
  plane: Plane;
  /** Which of them it is, counted from 1. */
  number: number;
  /** How many there are. */
  total: number;
}

/** How to train all of them; the options of one run, and what concerns them all. */
export interface RunAllOptions extends
  Omit<
    RunOptions,
    | "task"
    | "plane"
    | "tune"
    | "saveModel"
    | "flushHistory"
    | "resume"
    | "onStart"
    | "onExam"
    | "onEpoch"
  > {
  /**
   * The training exams that are kept out to choose and to combine by.
   * @default a tenth, by seed 0
   */
  tune?: TuneSplit;
  /**
   * The folder of the plan, the predictions and the report.
   * @default `run_all/{prefix}` in the folder of the logs
   */
  out?: string;
  /**
   * How many models are trained side by side, each in a worker; fewer if threads or memory do not allow
   * it. They share the processor's cores, unless `threads` says how many each computes on.
   * @default 1
   */
  jobs?: number;
  /** Called once everything is checked, before the first training. */
  onPlan?: (plan: RunAllPlan) => void;
  /** Called when a model's training begins, before its first exam. */
  onStart?: (model: ModelOfAll, start: RunStart) => void;
  /** Called after each exam of a training. */
  onExam?: (model: ModelOfAll, report: ExamReport) => void;
  /** Called after each epoch; `checkpoint` is the file of the best model so far. */
  onEpoch?: (model: ModelOfAll, report: EpochReport, checkpoint: string | undefined) => void;
  /** Called after each exam that a trained model is evaluated on. */
  onEvaluated?: (model: ModelOfAll, progress: { done: number; total: number }) => void;
  /** Called when a model is trained and evaluated. */
  onDone?: (model: ModelOfAll, done: DoneModel) => void;
}

// What one run alone can be given.
const { task: _0, plane: _1, saveModel: _2, flushHistory: _3, resume: _4, ...ONE } =
  RUN_OPTION_NAMES;

/** What a run over all can be given. */
export const RUN_ALL_OPTION_NAMES: OptionNames<RunAllOptions> = {
  ...ONE,
  out: true,
  jobs: true,
  onPlan: true,
  onEvaluated: true,
  onDone: true,
};

/** What is to be done. */
export interface RunAllPlan {
  /** The models that are done already. */
  done: ModelOfAll[];
  /** The models that are to be trained. */
  open: ModelOfAll[];
  /**
   * The files of models that were done and are trained again, because the file is gone, or is another
   * one now.
   */
  lost: { checkpoint: string; found: "gone" | "changed" }[];
  /** How many are trained side by side. */
  jobs: number;
  /** Why these are fewer than were asked for. */
  reason?: string;
  /** The seed of all nine. */
  seed: number;
  /** The folder of the plan, the predictions and the report. */
  out: string;
  /** What keeps other processes out of that folder. */
  lock: "system" | "file";
}

/** The share of training exams that is kept out where nothing else is said. */
export const TUNE_FRACTION = 0.1;
