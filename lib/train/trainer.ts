/**
 * The training loop of the reference: one exam a step, a validation after each epoch, and its rules
 * for the learning rate, the best model and the early stop. It touches no file.
 *
 * @module
 */
import { drawAugmentation } from "../data/augment.ts";
import { type Dataset, examsInOrder, type LabelledExam, positiveWeight } from "../data/dataset.ts";
import { currentEngine } from "../engine/engine.ts";
import { TrainingError } from "../errors.ts";
import { RunningAuc } from "../metrics/roc.ts";
import type { MRNet } from "../model/mrnet.ts";
import { createRandom, drawSeed } from "../random.ts";
import { breathe } from "./breathe.ts";
import { earlyStopping } from "./early_stopping.ts";
import { evaluate } from "./evaluate.ts";
import { type Started, withLag } from "./lag.ts";
import { type ResolvedTrainOptions, resolveTrainOptions, type TrainOptions } from "./options.ts";
import { round4 } from "./rounding.ts";
import { createRunner, type ExamFigures, type Runner } from "./runner.ts";
import { createSchedule } from "./schedule.ts";

/** What is known after an exam. */
export interface ExamReport extends ExamFigures {
  /** Whether the model was moved by it or judged by it. */
  phase: "train" | "valid";
  /** The epoch, counted from 1. */
  epoch: number;
  /** How many exams of this phase are done in this epoch, this one included. */
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
  /** AUC over the training exams, each judged before it moved the model. */
  trainAuc: number;
  /** Mean loss over the validation exams. */
  valLoss: number;
  /** AUC over the validation exams. */
  valAuc: number;
  /** The learning rate that the epoch was trained with. */
  learningRate: number;
  /** How long training and validation took together, in seconds. */
  seconds: number;
  /** Whether its validation AUC is above that of every epoch before. */
  isBest: boolean;
}

/** How training went. */
export interface TrainResult {
  /** The epochs that were completed. */
  epochs: EpochReport[];
  /** The epoch with the highest validation AUC, the first where several are equal. */
  best?: EpochReport;
  /** Why it ended: all epochs done, no more improvement, or the signal. */
  stopped: "finished" | "early" | "interrupted";
}

/**
 * Trains a model in place.
 *
 * After it the parameters are those of the last step, not of the best epoch: keep those in
 * `onEpoch`.
 *
 * @param model what is trained
 * @param datasets the exams to train on, and the exams that steer schedule, best model and stop
 * @throws {OptionError} where an option is out of its range
 * @throws {TrainingError} where a loss is not finite; the message names the exam
 * @throws {DataError} where an exam can no longer be read
 * @throws {EngineError} where the engine's device failed
 *
 * @example
 * ```ts
 * import { createMRNet, openDataset, train, writePhantomDataset } from "../../mod.ts";
 * const data = await Deno.makeTempDir();
 * await writePhantomDataset({ folder: data, train: 4, valid: 2, size: 64, slices: [2, 2], seed: 1 });
 * const exams = { data, task: "acl", plane: "sagittal" } as const;
 * const result = await train(await createMRNet({ weights: "none", seed: 1 }), {
 *   train: await openDataset({ ...exams, split: "train" }),
 *   valid: await openDataset({ ...exams, split: "valid" }),
 * }, { epochs: 1 });
 * console.assert(result.epochs.length === 1 && result.stopped === "finished");
 * ```
 */
export async function train(
  model: MRNet,
  datasets: { train: Dataset; valid: Dataset },
  options: TrainOptions = {},
): Promise<TrainResult> {
  const resolved = { ...resolveTrainOptions(options), seed: options.seed ?? drawSeed() };
  const { epochs, learningRate, schedule, gamma, patience, weightDecay } = resolved;
  const { signal, onEpoch } = resolved;
  // A set without a weight is refused now and not after an epoch.
  positiveWeight(datasets.train);
  positiveWeight(datasets.valid);
  const runner = await createRunner(model, { learningRate, weightDecay });
  const rate = createSchedule(schedule, learningRate, gamma);
  const stopping = earlyStopping(patience);
  const result: TrainResult = { epochs: [], stopped: "finished" };
  const phase: Phase = { model, runner, datasets, options: resolved };
  try {
    for (let epoch = 1; epoch <= epochs; epoch++) {
      if (signal?.aborted) {
        result.stopped = "interrupted";
        break;
      }
      const start = performance.now();
      const used = runner.learningRate;
      const trained = await _trainEpoch(phase, epoch);
      const judged = signal?.aborted ? undefined : await _validate(phase, epoch);
      if (trained === undefined || judged === undefined) {
        result.stopped = "interrupted";
        break;
      }
      const report: EpochReport = {
        epoch,
        trainLoss: round4(trained.loss),
        trainAuc: round4(trained.auc),
        valLoss: round4(judged.loss),
        valAuc: round4(judged.auc),
        learningRate: used,
        seconds: (performance.now() - start) / 1000,
        isBest: false,
      };
      // The first best of the reference is 0, so a model that is always wrong is never kept.
      report.isBest = report.valAuc > (result.best?.valAuc ?? 0);
      if (report.isBest) result.best = report;
      runner.learningRate = rate.next(report.valLoss);
      result.epochs.push(report);
      await runner.sync();
      await _checkParameters(model, epoch, runner);
      await onEpoch?.(report);
      if (stopping.shouldStop(report.valLoss)) {
        result.stopped = "early";
        break;
      }
    }
    await runner.sync();
  } finally {
    runner.dispose();
  }
  return result;
}

/** What both halves of an epoch work with. */
interface Phase {
  model: MRNet;
  runner: Runner;
  datasets: { train: Dataset; valid: Dataset };
  options: ResolvedTrainOptions & { seed: number };
}

interface Totals {
  loss: number;
  auc: number;
}

/** One pass over the training exams; `undefined` where the signal ended it. */
async function _trainEpoch(phase: Phase, epoch: number): Promise<Totals | undefined> {
  const { runner, datasets: { train: dataset }, options } = phase;
  const { shuffle, seed, onExam } = options;
  const engine = currentEngine();
  const order = [...dataset.labels.keys()];
  if (shuffle) createRandom(seed, "shuffle", epoch).shuffle(order);
  const running = new RunningAuc();
  let sum = 0;
  let done = 0;
  const steps = _steps(phase, epoch, examsInOrder(dataset, order));
  for await (const { id, label, figures } of withLag(steps, runner.lag)) {
    engine.check();
    if (!Number.isFinite(figures.loss)) {
      throw _diverged(`the loss of exam '${id}' in epoch ${epoch} is ${figures.loss}`, runner);
    }
    sum += figures.loss;
    done++;
    running.add(label, figures.probability);
    onExam?.({
      phase: "train",
      epoch,
      done,
      total: order.length,
      id,
      ...figures,
      meanLoss: sum / done,
      auc: running.value,
      learningRate: runner.learningRate,
    });
  }
  // A signal during the last exam comes too late to cost the pass.
  return done < order.length ? undefined : { loss: sum / done, auc: running.value };
}

/** Gives exam after exam to the runner; ends at the signal. */
async function* _steps(
  { runner, datasets: { train: dataset }, options: { augment, seed, signal } }: Phase,
  epoch: number,
  exams: AsyncIterable<LabelledExam>,
): AsyncGenerator<Started> {
  const weight = positiveWeight(dataset);
  for await (const labelled of exams) {
    const { exam: { id, height, width }, label } = labelled;
    const random = createRandom(seed, "augment", epoch, id);
    const change = augment ? drawAugmentation(random, [height, width]) : undefined;
    yield { id, label, figures: runner.train(labelled, weight, change) };
    await breathe();
    if (signal?.aborted) return;
  }
}

/** One pass over the validation exams; `undefined` where the signal ended it. */
async function _validate(phase: Phase, epoch: number): Promise<Totals | undefined> {
  const { model, runner, datasets: { valid: dataset }, options: { signal, onExam } } = phase;
  let sum = 0;
  const judged = await evaluate(model, dataset, {
    runner,
    signal,
    onExam({ id, logits, probability, loss }, { done, auc }) {
      sum += loss;
      onExam?.({
        phase: "valid",
        epoch,
        done,
        total: dataset.labels.length,
        id,
        loss,
        logits,
        probability,
        meanLoss: sum / done,
        auc,
        learningRate: runner.learningRate,
      });
    },
  });
  return judged.predictions.length < dataset.labels.length ? undefined : judged;
}

/**
 * Refuses to go on, and so to keep the model, with parameters that are not finite. The loss alone does
 * not tell: on WebAssembly and WebGPU a ReLU makes 0 of NaN, and it stays a number.
 */
async function _checkParameters(model: MRNet, epoch: number, runner: Runner): Promise<void> {
  for (const [name, parameter] of model.parameters) {
    if ((await parameter.data()).every((value) => Number.isFinite(value))) continue;
    throw _diverged(`'${name}' is no longer finite after epoch ${epoch}`, runner);
  }
}

function _diverged(found: string, { learningRate }: Runner): TrainingError {
  return new TrainingError(
    `Cannot go on training: ${found}: lower --lr, now ${learningRate}, or look at the exams`,
  );
}
