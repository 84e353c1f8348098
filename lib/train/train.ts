/** Training, by what is given: a model and datasets of one's own, or a run on MRNet's folders. */
import type { Dataset } from "../data/dataset.ts";
import { OptionError } from "../errors.ts";
import type { MRNet } from "../model/mrnet.ts";
import { checkOptionNames } from "../option_names.ts";
import type { TrainModelOptions } from "./model_options.ts";
import type { TrainResult } from "./reports.ts";
import type { RunOptions, RunResult } from "./run.ts";

/** The exams of a training. */
export interface TrainDatasets {
  /** The exams to train on. */
  train: Dataset;
  /** The exams that steer schedule, best model and early stop. */
  valid: Dataset;
}

/**
 * Trains a model in place, on datasets of one's own.
 *
 * After it the parameters are those of the last step, or with `keepBest` those of the best epoch.
 *
 * @param model what is trained
 * @param datasets the exams to train on, and the exams that steer schedule, best model and stop
 * @param options how to train; {@linkcode TRAIN_DEFAULTS} where nothing is said
 * @throws {OptionError} if an option does not exist or is out of its range, or the recipe means
 * another intensity than the model's
 * @throws {TrainingError} if a loss is not finite; the message names the exam
 * @throws {DataError} if an exam can no longer be read
 * @throws {EngineError} if the engine's device failed
 *
 * @example
 * ```ts
 * import { createMRNet, openDataset, phantom, train } from "../../mod.ts";
 * const data = await Deno.makeTempDir();
 * const knees = { train: 4, valid: 2, size: 64, slices: [2, 2], seed: 1 } as const;
 * await phantom.writePhantomDataset({ folder: data, ...knees });
 * const exams = { data, task: "acl", plane: "sagittal" } as const;
 * using model = await createMRNet({ weights: "none", seed: 1 });
 * const result = await train(model, {
 *   train: await openDataset({ ...exams, split: "train" }),
 *   valid: await openDataset({ ...exams, split: "valid" }),
 * }, { epochs: 1 });
 * console.assert(result.epochs.length === 1 && result.stopped === "finished");
 * ```
 */
export function train(
  model: MRNet,
  datasets: TrainDatasets,
  options?: TrainModelOptions,
): Promise<TrainResult>;
/**
 * Trains one classifier from the files of MRNet, with logs and checkpoint.
 *
 * Labels, exams and options are checked before anything is written. The state of the run is saved
 * before its first exam, at each epoch's end, every few minutes, at the signal and if an exam can no
 * longer be read; {@linkcode RunOptions.resume} goes on from there. If the run fails later on, the
 * message says at which exam and step, with which file it can go on, and which model was kept.
 *
 * @param run what to train on, what to start from, where to keep what comes of it
 * @throws {MRNetError} of the class that fits; see the training of a model, {@linkcode openDataset} and
 * {@linkcode createMRNet}
 *
 * @example
 * ```ts
 * import { phantom, train } from "../../mod.ts";
 * const home = await Deno.makeTempDir();
 * const [data, models, logs] = ["data", "models", "logs"].map((name) => `${home}/${name}`);
 * const knees = { train: 4, valid: 2, size: 64, slices: [2, 2], seed: 1 } as const;
 * await phantom.writePhantomDataset({ folder: data, ...knees });
 * const folders = { data, models, logs, weights: "none" };
 * const run = await train({ task: "acl", plane: "axial", epochs: 1, seed: 1, ...folders });
 * console.assert(run.epochs.length === 1);
 * ```
 */
export function train(run: RunOptions): Promise<RunResult>;
export async function train(
  what: MRNet | RunOptions,
  datasets?: TrainDatasets,
  options: TrainModelOptions = {},
): Promise<TrainResult | RunResult> {
  const { checkRunOptions, TRAIN_MODEL_OPTION_NAMES } = await import("./model_options.ts");
  if (!("parameters" in what)) {
    checkRunOptions(what);
    const { RUN_OPTION_NAMES } = await import("./option_names.ts");
    checkOptionNames("train", what, RUN_OPTION_NAMES);
    const { trainRun } = await import("./run.ts");
    return await trainRun(what);
  }
  checkOptionNames("train", options, TRAIN_MODEL_OPTION_NAMES);
  if (datasets !== undefined) {
    const { trainModel } = await import("./trainer.ts");
    return await trainModel(what, datasets, options);
  }
  throw new OptionError(
    "Cannot train a model without exams: give datasets behind it, as { train, valid }",
  );
}
