/**
 * What a run is asked for, what it says when it begins, and what it leaves.
 *
 * @module
 */
import type { Intensity } from "../data/intensity.ts";
import type { TuneSplit } from "../data/tune.ts";
import type { Engine, EngineChoice } from "../engine/engine.ts";
import type { Precision } from "../engine/webgpu/precision.ts";
import type { ChosenOn } from "../model/card.ts";
import type { Plane, Task } from "../terms.ts";
import type { TrainDefaults, TrainOptions } from "./options.ts";
import type { EpochReport, TrainResult } from "./reports.ts";

/** A run: what to train on, what to start from, where to keep what comes of it. */
export interface RunOptions extends Omit<TrainOptions, "onEpoch"> {
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
   * The folder of the dataset.
   * @default "data"
   */
  data?: string;
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
   * The engine to compute on.
   * @default "auto"
   */
  engine?: EngineChoice;
  /**
   * How many threads of the processor compute on WebAssembly, 1 to 64.
   * @default the processor's cores, at most 16
   */
  threads?: number;
  /**
   * How activations are stored; `half` (float16) on WebGPU only.
   * @default "float32"
   */
  precision?: Precision;
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
   * Train on exams whatever their grey values and the order of their axes look like. Otherwise exams
   * are refused that are far from 0–255 where the model takes them as they are, or whose slices may be
   * the last axis; see {@linkcode oddityOf}.
   * @default false
   */
  anyRange?: boolean;
  /**
   * Keep the exams in memory once they are read.
   * @default false
   */
  inMemory?: boolean;
  /**
   * Training exams to keep out of training and to use in the place of the validation set: schedule,
   * best model, operating point and early stop go by them, all metrics called "valid" are theirs, and
   * no file of the validation set is opened. Where `weights` are a model's, its file must say that it
   * kept these exams out too.
   * @default none: all training exams are trained on, and the validation set is used
   */
  tune?: TuneSplit;
  /**
   * Go on with a run that was stopped, from its last saved state: `true` is the latest run of this
   * prefix, task and plane; a path is a run's folder in the logs, or the `state.safetensors` in it. What
   * is not given is then as it was; what is given and would change the run must be as it was. `epochs`
   * and `patience` may be others. `models` is given where it is not the default: no state chooses a
   * folder that is written.
   * @default a new run
   */
  resume?: true | string;
  /**
   * Save the state after so many minutes, 0 or more, besides at each epoch's end; at 0 after every exam.
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

/** The exams by which a run chooses: the validation set, or training exams that were kept out. */
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
  /** How many exams there are to choose the best model by; see {@linkcode RunStart.chosenOn}. */
  validExams: number;
  /** Which exams these are: the validation set, or training exams that were kept out. */
  chosenOn: Selection;
  /** The folder of this run's logs. */
  logFolder: string;
  /** How many earlier runs' logs were removed. */
  flushed: number;
  /** What keeps other processes out of that folder. */
  lock: "system" | "file";
  /** Where it goes on, in place of beginning. */
  resumed?: ResumedRun;
}

/** Where a run goes on. */
export interface ResumedRun {
  /** The file it goes on from. */
  state: string;
  /** How many epochs are completed. */
  epochs: number;
  /** How many training exams of the next epoch are done, and how many validation exams. */
  done: { train: number; valid: number };
  /**
   * What computed it so far, where that is not what computes it from now on: the run then goes on from
   * the same state, but not with the same bits as if it had not been stopped.
   */
  elsewhere?: string;
  /** Models of this run that a kill has left and that were removed now, where there were any. */
  removed?: string[];
  /**
   * The best model so far, where it stays when a better one is kept: nothing shows that it is this
   * run's, since the run is a copy, or its state is of an earlier version or from somebody else.
   */
  left?: string;
}

/** What a run leaves. */
export interface RunResult extends TrainResult {
  /** The exams that schedule, best model and early stop went by. */
  chosenOn: Selection;
  /** The file of the best model; none where it was not asked for or no epoch was better than 0. */
  checkpoint?: string;
  /** The folder of this run's logs. */
  logFolder: string;
  /** The seed in use, drawn or given. */
  seed: number;
}
