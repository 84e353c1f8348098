/** A plan of many trainings, or of scoring an archive: the units that are to be done, one file. */
import type { TuneSplit } from "../data/tune.ts";
import type { EngineChoice } from "../engine/engine.ts";
import type { Plane, Task } from "../terms.ts";
import type { EvaluatedSplit } from "./done_model.ts";

/**
 * What trainings are planned for: one of each task and plane, one for each fold, one for each seed, or
 * one for each setting of a sweep.
 */
export type TrainPlanKind = "all" | "folds" | "seeds" | "sweep";

/** A value of a setting. */
export type SettingValue = string | number | boolean;

/** How units are trained, and what they start from. */
export interface PlannedSetting {
  /** What tells it from the other settings of a sweep: `lr 0.0001, augment false`. */
  name: string;
  /** Every option of the training, by its name on the command line. */
  options: Record<string, SettingValue>;
  /** The starting weights: `none`, or a file and its SHA-256. */
  weights: { file: string; sha256?: string };
}

/** One training. */
export interface TrainUnit {
  /** Its number, counted from 0. */
  index: number;
  /** Its name, and that of its folder: `acl-axial-fold2-seed7`. */
  id: string;
  /** The finding. */
  task: Task;
  /** The plane. */
  plane: Plane;
  /** The network that computes the features. */
  network: string;
  /** Which of the plan's settings it is trained by, counted from 1. */
  setting: number;
  /** The seed of weights, order and augmentation. */
  seed: number;
  /** The fold that is kept out, counted from 1; none if the plan has no folds. */
  fold?: number;
  /** The threads of the processor that compute it; the same number gives the same bits. */
  threads: number;
}

/** A chunk of an archive. */
export interface ScoreUnit {
  /** Its number, counted from 0. */
  index: number;
  /** Its name, and that of its folder: `chunk-0001`. */
  id: string;
  /** The first of its exams, counted from 0 among those of the manifest. */
  first: number;
  /** How many exams it has. */
  count: number;
}

/** A plan of trainings. */
export interface TrainPlan {
  /** What was asked for, by which another plan is told from this one. */
  asked: Record<string, unknown>;
  /** What it is for. */
  kind: TrainPlanKind;
  /** The folder of the dataset. */
  data: string;
  /** The prefix of the models' files. */
  prefix: string;
  /** The training exams that choose epochs and operating points. */
  tune: TuneSplit;
  /** The splits that each trained model is evaluated on. */
  evaluateOn: EvaluatedSplit[];
  /** How units are trained; one, unless it is a sweep. */
  settings: PlannedSetting[];
  /** The folds: how many, and the SHA-256 of `folds.csv` beside the plan. */
  folds?: { count: number; sha256: string };
  /** Hashes of the label files, by split and task: `train-acl`. */
  labels: Record<string, string>;
  /**
   * The folders of models and logs, if all units share them, as those of `runAll` do; otherwise each unit
   * keeps its own beside its file.
   */
  shared?: { models: string; logs: string };
  /** A hash of the names and sizes of the exams' files, by plane; `runAll` fixes none. */
  exams: Partial<Record<Plane, string>>;
  /** The trainings. */
  units: TrainUnit[];
}

/** A plan of scoring an archive. */
export interface ScorePlan {
  /** What was asked for, by which another plan is told from this one. */
  asked: Record<string, unknown>;
  /** What it is for. */
  kind: "score";
  /** The table of exams, its SHA-256, and how many exams it lists. */
  manifest: { file: string; sha256: string; exams: number };
  /** The file of the model or the combination, and its SHA-256. */
  model: { file: string; sha256: string };
  /** The engine to compute on. */
  engine: EngineChoice;
  /** The threads of the processor that compute a unit. */
  threads: number;
  /** The chunks. */
  units: ScoreUnit[];
}

/** A plan. */
export type Plan = TrainPlan | ScorePlan;
