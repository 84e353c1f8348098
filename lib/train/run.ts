/**
 * A whole training run on MRNet's folders: what `cli.ts` does when it trains, as one function.
 *
 * @module
 */
import { openDataset } from "../data/dataset.ts";
import { describeEngine, type Engine, type EngineChoice, startEngine } from "../engine/engine.ts";
import { MRNetError } from "../errors.ts";
import { makeWritableFolder } from "../files.ts";
import { flushHistory } from "../logs/run_folder.ts";
import { createMRNet } from "../model/create.ts";
import { drawSeed } from "../random.ts";
import type { Plane, Task } from "../terms.ts";
import { BestCheckpoint, checkPrefix } from "./checkpoint.ts";
import { RunLog } from "./run_log.ts";
import { type ResolvedTrainOptions, resolveTrainOptions, type TrainOptions } from "./options.ts";
import { type EpochReport, train, type TrainResult } from "./trainer.ts";

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
   * How many threads of the processor compute on WebAssembly, at least 1.
   * @default the processor's cores, at most 16
   */
  threads?: number;
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
   * Keep the exams in memory once they are read.
   * @default false
   */
  inMemory?: boolean;
  /** Called once everything is checked and ready, before the first exam. */
  onStart?: (start: RunStart) => void;
  /** Called after each epoch; `checkpoint` is the file of the best model so far. */
  onEpoch?: (report: EpochReport, checkpoint: string | undefined) => void;
  /** Called while the ImageNet weights are fetched, with the bytes so far and in all. */
  onDownload?: (received: number, total: number | undefined) => void;
}

/** What is known when a run begins. */
export interface RunStart {
  /** The engine that was started. */
  engine: Engine;
  /** The seed in use, drawn or given. */
  seed: number;
  /** How many exams there are to train on. */
  trainExams: number;
  /** How many exams there are to validate on. */
  validExams: number;
  /** The folder of this run's logs. */
  logFolder: string;
  /** How many earlier runs' logs were removed. */
  flushed: number;
}

/** What a run leaves. */
export interface RunResult extends TrainResult {
  /** The file of the best model; none where it was not asked for or no epoch was better than 0. */
  checkpoint?: string;
  /** The folder of this run's logs. */
  logFolder: string;
  /** The seed in use, drawn or given. */
  seed: number;
}

/**
 * Trains one classifier from the files of MRNet, with logs and checkpoint.
 *
 * Labels, exams and options are checked before anything is written. Where the run fails later on,
 * the message says which model was kept.
 *
 * @throws {MRNetError} of the class that fits; see {@linkcode train}, {@linkcode openDataset} and
 * {@linkcode createMRNet}
 *
 * @example
 * ```ts
 * import { trainClassifier, writePhantomDataset } from "../../mod.ts";
 * const home = await Deno.makeTempDir();
 * const [data, models, logs] = ["data", "models", "logs"].map((name) => `${home}/${name}`);
 * await writePhantomDataset({ folder: data, train: 4, valid: 2, size: 64, slices: [2, 2], seed: 1 });
 * const folders = { data, models, logs, weights: "none" };
 * const run = await trainClassifier({ task: "acl", plane: "axial", epochs: 1, seed: 1, ...folders });
 * console.assert(run.epochs.length === 1);
 * ```
 */
export async function trainClassifier(options: RunOptions): Promise<RunResult> {
  const { task, plane, prefix = "mrnet", data = "data", models = "models" } = options;
  const { logs = "logs", weights = "imagenet", seed = drawSeed(), saveModel = true } = options;
  const { onStart, onEpoch, onDownload, ...loop } = options;
  const { onExam, signal } = loop;
  checkPrefix(prefix);
  const resolved = resolveTrainOptions(loop);
  const exams = { data, task, plane, inMemory: options.inMemory };
  const datasets = {
    train: await openDataset({ ...exams, split: "train" }),
    valid: await openDataset({ ...exams, split: "valid" }),
  };
  const engine = await startEngine(options.engine, { threads: options.threads });
  const model = await createMRNet({ weights, seed, models, signal, onProgress: onDownload });
  const files = { data, models, logs, weights, save_model: saveModel };
  const config = { task, plane, prefix_name: prefix, ..._recipe(resolved), seed, ...files };
  let checkpoint: BestCheckpoint | undefined;
  let log: RunLog | undefined;
  try {
    if (saveModel) {
      await makeWritableFolder(models);
      const metadata = { config: JSON.stringify(config) };
      checkpoint = new BestCheckpoint({ folder: models, prefix, task, plane, metadata });
    }
    const flushed = options.flushHistory ? await flushHistory(logs, task, plane) : 0;
    log = await RunLog.create(logs, { task, plane }, {
      ...config,
      engine: describeEngine(engine),
      started: new Date().toISOString(),
    });
    const trainExams = datasets.train.labels.length;
    const validExams = datasets.valid.labels.length;
    onStart?.({ engine, seed, trainExams, validExams, logFolder: log.folder, flushed });
    const running = log;
    const result = await train(model, datasets, {
      ...resolved,
      seed,
      onExam(report) {
        running.exam(report);
        onExam?.(report);
      },
      async onEpoch(report) {
        if (report.isBest) await checkpoint?.keep(model, report);
        await running.epoch(report);
        onEpoch?.(report, checkpoint?.path);
      },
    });
    return { ...result, checkpoint: checkpoint?.path, logFolder: log.folder, seed };
  } catch (error) {
    // A fault of this toolkit is shown as it is; the user's own errors say what they still have.
    if (error instanceof MRNetError && checkpoint?.path !== undefined) {
      error.message += `; the best model so far is kept in '${checkpoint.path}'`;
    }
    throw error;
  } finally {
    model.dispose();
    await log?.close();
  }
}

/** What `config.json` and the checkpoint say about the training, under the command line's names. */
function _recipe(options: ResolvedTrainOptions): Record<string, unknown> {
  const { epochs, learningRate, schedule, gamma, patience, weightDecay, ...rest } = options;
  return {
    epochs,
    lr: learningRate,
    lr_scheduler: schedule,
    gamma,
    patience,
    weight_decay: weightDecay,
    augment: rest.augment,
    shuffle: rest.shuffle,
  };
}
