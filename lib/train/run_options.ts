/** The options of a run, what it reports when it begins, and its result. */
import type { NetworkName } from "../network/networks.ts";
import type { DatasetOptions } from "../data/dataset.ts";
import type { Intensity } from "../data/intensity.ts";
import type { ExamChecks } from "../data/survey.ts";
import type { TuneSplit } from "../data/tune.ts";
import type { ComputeOptions, Engine, EngineOptions } from "../engine/engine.ts";
import type { ChosenOn } from "../model/card.ts";
import type { Plane, Task } from "../terms.ts";
import type { TrainDefaults, TrainOptions } from "./options.ts";
import type { EpochReport, TrainResult } from "./reports.ts";

/** A run: what to train on, what to start from, and where to keep the results. */
export interface RunOptions
  extends
    ComputeOptions,
    Pick<EngineOptions, "precision">,
    Pick<DatasetOptions, "data" | "folds" | "inMemory">,
    Omit<TrainOptions, "onEpoch"> {
  /** The finding to predict. */
  task: Task;
  /** The plane to read. */
  plane: Plane;
  /**
   * The name of the kind of run, in the checkpoint's file name.
   * @default "mrnet"
   */
  prefix?: string;
  /**
   * The folder of the checkpoints, and of the ImageNet weights.
   * @default "models"
   */
  models?: string;
  /**
   * The folder of the logs.
   * @default "logs"
   */
  logs?: string;
  /**
   * What the model starts from: `imagenet`, `none`, or a file; see {@linkcode createMRNet}.
   * @default "imagenet"
   */
  weights?: string;
  /**
   * The network that computes the features of a slice.
   * @default that of the file of weights, `alexnet` if there is none
   */
  network?: NetworkName;
  /**
   * Keep the best model.
   * @default true
   */
  saveModel?: boolean;
  /**
   * Remove the logs of earlier runs of this task and plane first.
   * @default false
   */
  flushHistory?: boolean;
  /**
   * Train on exams of any grey values and any order of axes. Otherwise two kinds of exams are refused:
   * those far from 0–255 if the model takes grey values as they are, and those whose last axis may be
   * the slices; see {@linkcode oddityOf}.
   * @default false
   */
  anyRange?: boolean;
  /**
   * Training exams to keep out of training and to use in place of the validation set. They decide on
   * schedule, best model, operating point and early stop, and all metrics called "valid" are theirs. No
   * file of the validation set is opened. If `weights` names a model, its file must say that it kept
   * the same exams out.
   * @default none: the run trains on all training exams and uses the validation set
   */
  tune?: TuneSplit;
  /**
   * The fold of {@linkcode RunOptions.folds} that is kept out of the whole run, counted from 1. No file of
   * it is opened, so it can evaluate the model.
   * @default none
   */
  fold?: number;
  /**
   * A file of JSON for the model's card: what the model is for, its licence, its authors; see
   * {@linkcode CardText}. A resumed run reads it again.
   * @default none
   */
  card?: string;
  /**
   * Resume a run from its last saved state. `true` is the latest run of this prefix, task and plane; a
   * path is a run's folder in the logs, or the `state.safetensors` in it. Options that are not given
   * are those of the run. Options that would change the run must be those of the run; only `epochs` and
   * `patience` may differ. Give `models` if it is not the default: a state does not choose the folder
   * that is written to.
   * @default a new run
   */
  resume?: true | string;
  /**
   * Minutes between two saves of the state, 0 or more; 0 saves after every exam. The state is also
   * saved at the end of each epoch.
   * @default 10
   */
  saveEvery?: number;
  /** Called once everything is checked and ready, before the first exam. */
  onStart?: (start: RunStart) => void;
  /** Called after each epoch; `checkpoint` is the file of the best model so far. */
  onEpoch?: (report: EpochReport, checkpoint: string | undefined) => void;
  /** Called while the ImageNet weights are fetched, with the bytes so far and in all. */
  onDownload?: (received: number, total: number | undefined) => void;
}

/** All settings of a training, the intensity of the model included. */
export type RunTraining = TrainOptions & TrainDefaults & { intensity: Intensity };

/** The exams that a run chooses its model on: the validation set, or training exams kept out. */
export type Selection = Exclude<ChosenOn, "train">;

/** What is known when a run begins. */
export interface RunStart {
  /** The engine that was started. */
  engine: Engine;
  /** The seed in use, drawn or given. */
  seed: number;
  /** How it trains, recipe and options put together. */
  training: RunTraining;
  /** How many exams there are to train on. */
  trainExams: number;
  /** How many exams the best model is chosen on; see {@linkcode RunStart.chosenOn}. */
  validExams: number;
  /** Which exams these are: the validation set, or training exams that were kept out. */
  chosenOn: Selection;
  /** What the training exams look like; none if the run is resumed, for then they were looked at before. */
  checks?: ExamChecks;
  /** The folder of this run's logs. */
  logFolder: string;
  /** How many earlier runs' logs were removed. */
  flushed: number;
  /** What keeps other processes out of that folder. */
  lock: "system" | "file";
  /** What was done before, if the run is resumed. */
  resumed?: ResumedRun;
}

/** What a resumed run has done before. */
export interface ResumedRun {
  /** The file of its state. */
  state: string;
  /** How many epochs are completed. */
  epochs: number;
  /** How many training exams of the next epoch are done, and how many validation exams. */
  done: { train: number; valid: number };
  /**
   * What computed it so far, if something else computes it now. The run then continues from the same
   * state, but its numbers differ in the last bits from those of a run without a stop.
   */
  elsewhere?: string;
  /** Models of this run that a killed process left and that were removed now. */
  removed?: string[];
  /**
   * The best model so far, if it is kept even when a better one is found. That is so if nothing shows
   * that it is this run's: the run is a copy, or its state is of an earlier version or another user.
   */
  left?: string;
}

/** The result of a run. */
export interface RunResult extends TrainResult {
  /** The exams that decided on schedule, best model and early stop. */
  chosenOn: Selection;
  /** The file of the best model; none if it was not asked for, or if no epoch had an AUC above 0. */
  checkpoint?: string;
  /** The folder of this run's logs. */
  logFolder: string;
  /** The seed in use, drawn or given. */
  seed: number;
}
