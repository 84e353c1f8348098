/** The names of what training can be given, for whoever gives another. */
import type { OptionNames } from "../option_names.ts";
import type { TrainOptions } from "./options.ts";
import type { RunOptions } from "./run_options.ts";

/** The options of a training on datasets. */
export const TRAIN_OPTION_NAMES: OptionNames<TrainOptions> = {
  recipe: true,
  intensity: true,
  lossWeights: true,
  epochs: true,
  learningRate: true,
  schedule: true,
  gamma: true,
  patience: true,
  weightDecay: true,
  plateauPatience: true,
  plateauFactor: true,
  rotation: true,
  shift: true,
  flip: true,
  augment: true,
  shuffle: true,
  skipBadExams: true,
  seed: true,
  signal: true,
  onExam: true,
  onEpoch: true,
};

/** The options of a run. */
export const RUN_OPTION_NAMES: OptionNames<RunOptions> = {
  ...TRAIN_OPTION_NAMES,
  task: true,
  plane: true,
  prefix: true,
  data: true,
  models: true,
  logs: true,
  weights: true,
  engine: true,
  threads: true,
  precision: true,
  saveModel: true,
  flushHistory: true,
  anyRange: true,
  inMemory: true,
  tune: true,
  folds: true,
  fold: true,
  resume: true,
  saveEvery: true,
  onStart: true,
  onDownload: true,
};
