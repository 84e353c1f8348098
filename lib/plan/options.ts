/** What a plan can be asked for. */
import type { EngineChoice } from "../engine/engine.ts";
import type { OptionNames } from "../option_names.ts";
import type { Plane, Task } from "../terms.ts";
import { RUN_OPTION_NAMES } from "../train/option_names.ts";
import type { TrainPlanKind } from "./plan.ts";
import type { PlainRunOptions } from "./train_unit.ts";

/** The share of training exams that chooses epochs where nothing else is said. */
export const TUNE_FRACTION = 0.1;

/** How many exams a chunk has where nothing else is said. */
export const CHUNK = 500;

/** Which trainings to plan, and how to train; see `train` for the options that all trainings share. */
export interface TrainPlanOptions extends
  Omit<
    PlainRunOptions,
    "task" | "plane" | "logs" | "saveModel" | "flushHistory" | "resume" | "folds" | "fold"
  > {
  /**
   * `all` is a training of each task and plane; `folds` one for each fold, `seeds` for each seed, `sweep`
   * for each setting. Folds and seeds can be had with each.
   */
  kind: TrainPlanKind;
  /** The folder of the plan. */
  out: string;
  /**
   * The findings.
   * @default all three
   */
  tasks?: readonly Task[];
  /**
   * The planes.
   * @default all three
   */
  planes?: readonly Plane[];
  /**
   * How many folds the training exams are dealt out to, at least 2. Each is kept out of as many trainings,
   * and evaluates their models.
   * @default none
   */
  folds?: number;
  /**
   * The seed of the order in which exams are dealt out.
   * @default 0
   */
  foldSeed?: number;
  /**
   * Deal each combination of labels out evenly.
   * @default false
   */
  stratify?: boolean;
  /**
   * A table of lines `id,patient`: the exams of a patient go to the same fold.
   * @default `patients.csv` in the folder of the dataset, if it is there
   */
  patients?: string;
  /**
   * How many seeds each training is done with, from `seed` on.
   * @default 1
   */
  seeds?: number;
  /** The file of the settings of a sweep: JSON or CSV. */
  sweep?: string;
  /** Ends the fetching of the starting weights. */
  signal?: AbortSignal;
  /** Called while the ImageNet weights are fetched, with the bytes so far and in all. */
  onDownload?: (received: number, total: number | undefined) => void;
}

/** Which archive to score, and how. */
export interface ScorePlanOptions {
  /** `score`. */
  kind: "score";
  /** The folder of the plan. */
  out: string;
  /** The table of exams; see `readManifest`. */
  manifest: string;
  /** The file of a model or a combination. */
  model: string;
  /**
   * How many exams a unit has, 1 to 100,000.
   * @default 500
   */
  chunk?: number;
  /**
   * The engine to compute on.
   * @default "auto"
   */
  engine?: EngineChoice;
  /**
   * The threads of the processor that compute a unit.
   * @default the processor's cores, at most 16
   */
  threads?: number;
}

/** What to plan. */
export type PlanOptions = TrainPlanOptions | ScorePlanOptions;

// What one run alone can be given, what units have of their own, and what plain values are not.
const { task: _0, plane: _1, logs: _2, saveModel: _3, flushHistory: _4, resume: _5, ...RUN } =
  RUN_OPTION_NAMES;
const { fold: _6, onStart: _7, onExam: _8, onEpoch: _9, ...SHARED } = RUN;

/** The names of the options of a plan of trainings. */
export const TRAIN_PLAN_OPTION_NAMES: OptionNames<TrainPlanOptions> = {
  ...SHARED,
  kind: true,
  out: true,
  tasks: true,
  planes: true,
  foldSeed: true,
  stratify: true,
  patients: true,
  seeds: true,
  sweep: true,
};

/** The names of the options of a plan that scores an archive. */
export const SCORE_PLAN_OPTION_NAMES: OptionNames<ScorePlanOptions> = {
  kind: true,
  out: true,
  manifest: true,
  model: true,
  chunk: true,
  engine: true,
  threads: true,
};
