/**
 * The training loop of the reference: one exam in each step, a validation after each epoch, and the
 * reference's rules for learning rate, best model and early stop. It reads and writes no file itself.
 */
import { drawAugmentation } from "../data/augment.ts";
import type { Dataset } from "../data/dataset.ts";
import type { Intensity } from "../data/intensity.ts";
import { drawPhotometric } from "../data/photometric.ts";
import { OptionError, TrainingError } from "../errors.ts";
import { areFinite } from "../finite.ts";
import { type OperatingRule, thresholdOrYouden } from "../metrics/operating_rule.ts";
import type { MRNet } from "../model/mrnet.ts";
import { createRandom, drawSeed } from "../random.ts";
import { earlyStopping } from "./early_stopping.ts";
import { type PhaseMetrics, runPhase } from "./epoch_phase.ts";
import { unusableLoss } from "./evaluate.ts";
import { evaluateExam, trainOnExam } from "./exam_result.ts";
import { outputWeights } from "./loss_weights.ts";
import type { ResolvedTrainOptions, TrainOptions } from "./options.ts";
import { resolveModelOptions, type TrainModelOptions } from "./model_options.ts";
import { noProgress, type Position, type TrainHooks, type TrainProgress } from "./progress.ts";
import { resolveTrainOptions } from "./resolve.ts";
import { round4 } from "./rounding.ts";
import { createNetwork } from "../model/create_network.ts";
import type { EngineNetwork, Snapshot } from "../model/engine_network.ts";
import { assignState } from "../model/parameters.ts";
import type { StateDict } from "../model/weights/tensors.ts";
import type { EpochReport, SkippedExam, TrainResult } from "./reports.ts";
import { createSchedule } from "./schedule.ts";

/** Trains a model in place: `train` as it is given a model, which documents it. */
export async function trainModel(
  model: MRNet,
  datasets: { train: Dataset; valid: Dataset },
  given: TrainModelOptions = {},
): Promise<TrainResult> {
  const { options, changes, keepBest } = resolveModelOptions(model, given);
  const take = (state: StateDict) => assignState(model.parameters, state);
  let best: StateDict | undefined;
  const result = await trainFrom(model, datasets, options, {
    changes,
    resumable: false,
    save: (_, { parameters }) => Promise.resolve(take(parameters)),
    async onEpoch(report, { snapshot: { parameters } }) {
      take(parameters);
      if (keepBest && report.isBest) best = parameters;
      await options.onEpoch?.(report);
    },
  });
  if (best !== undefined) take(best);
  return result;
}

/** Trains like {@linkcode trainModel}, but can resume at any exam, and has hooks to save the state. */
export async function trainFrom(
  model: MRNet,
  datasets: { train: Dataset; valid: Dataset },
  options: TrainOptions,
  hooks: TrainHooks,
): Promise<TrainResult> {
  const resolved = { ...resolveTrainOptions(options), seed: options.seed ?? drawSeed() };
  const { epochs, learningRate, schedule, gamma, patience, weightDecay } = resolved;
  const { lossWeights, signal } = resolved;
  const { changes } = hooks;
  _checkIntensity(model, resolved.intensity);
  // Computed now, so that a set of one class is refused at once and not after an epoch.
  outputWeights(datasets.train, lossWeights);
  outputWeights(datasets.valid, lossWeights);
  // It belongs to the parameters that are changed now.
  model.recalibration = undefined;
  const network = await createNetwork(model, {
    learningRate,
    weightDecay,
    frozen: changes?.frozen,
  });
  const plateau = { patience: resolved.plateauPatience, factor: resolved.plateauFactor };
  const nextRate = createSchedule(schedule, learningRate, gamma, plateau);
  const shouldStop = earlyStopping(patience);
  const progress = hooks.from?.progress ?? { ...noProgress(), skipped: _unreadable(datasets) };
  let started = performance.now() - 1000 * progress.seconds;
  /** What is kept: a diverged model must not replace a sound state. */
  const learnt = async () => {
    const snapshot = await network.snapshot(hooks.resumable);
    _checkParameters(snapshot, progress.epochs.length + 1, network);
    return snapshot;
  };
  const keep = async (snapshot: Snapshot) => {
    progress.seconds = (performance.now() - started) / 1000;
    await hooks.save(progress, snapshot);
  };
  const save = async () => await keep(await learnt());
  const training: Training = { network, datasets, options: resolved, hooks, progress, save };
  const result: TrainResult = { epochs: progress.epochs, stopped: "finished" };
  try {
    if (hooks.from?.optimizer !== undefined) await network.restore(hooks.from.optimizer);
    for (const report of progress.epochs) {
      if (report.isBest) result.best = report;
      network.learningRate = nextRate(report.valLoss);
      if (shouldStop(report.valLoss)) result.stopped = "early";
    }
    // Also if the run is resumed: from here on the present options count.
    if (hooks.resumable) await save();
    while (result.stopped === "finished" && progress.epochs.length < epochs) {
      const epoch = progress.epochs.length + 1;
      network.learningRate = changes?.rates?.[epoch - 1] ?? network.learningRate;
      const used = network.learningRate;
      const trained = signal?.aborted ? undefined : await _train(training, epoch);
      const validated = trained === undefined || signal?.aborted
        ? undefined
        : await _validate(training, epoch);
      if (trained === undefined || validated === undefined) {
        result.stopped = "interrupted";
        await save();
        break;
      }
      const seconds = (performance.now() - started) / 1000;
      const { operatingPoint } = resolved;
      const rest = { learningRate: used, seconds, best: result.best, operatingPoint };
      const report = _report(epoch, trained, validated, rest);
      if (report.isBest) result.best = report;
      network.learningRate = nextRate(report.valLoss);
      const snapshot = await learnt();
      progress.epochs.push(report);
      Object.assign(progress, { train: [], valid: [] });
      started = performance.now();
      const { skipped } = progress;
      await hooks.onEpoch(report, { snapshot, save: () => keep(snapshot), skipped });
      if (shouldStop(report.valLoss)) result.stopped = "early";
    }
  } finally {
    network.dispose();
  }
  if (progress.skipped.length > 0) result.skipped = progress.skipped;
  return result;
}

/** The report of an epoch; losses and AUCs are rounded as in the reference. */
function _report(
  epoch: number,
  trained: PhaseMetrics,
  validated: PhaseMetrics,
  { learningRate, seconds, best, operatingPoint = "youden" }: {
    learningRate: number;
    seconds: number;
    best?: EpochReport;
    operatingPoint?: OperatingRule;
  },
): EpochReport {
  const valAuc = round4(validated.auc);
  return {
    epoch,
    trainLoss: round4(trained.loss),
    trainAuc: round4(trained.auc),
    valLoss: round4(validated.loss),
    valAuc,
    ...thresholdOrYouden(validated.labels, validated.probabilities, operatingPoint),
    learningRate,
    seconds,
    // The reference starts from a best AUC of 0, so a model with an AUC of 0 is never kept.
    isBest: valAuc > (best?.valAuc ?? 0),
  };
}

/** What could not be read when the datasets were opened. */
function _unreadable(datasets: { train: Dataset; valid: Dataset }): SkippedExam[] {
  return (["train", "valid"] as const).flatMap((split) =>
    [...datasets[split].unreadable ?? []].map(([id, reason]) => ({ split, id, reason }))
  );
}

/** Refuses a recipe whose intensity is not the model's. */
function _checkIntensity(model: MRNet, wanted: Intensity | undefined): void {
  if (wanted === undefined || wanted === model.intensity) return;
  throw new OptionError(
    `Cannot train with intensity ${wanted}: the model's own is ${model.intensity}: ` +
      `make it with intensity ${wanted}, or train with intensity ${model.intensity}`,
  );
}

/** The values that both phases of an epoch use. */
interface Training {
  network: EngineNetwork;
  datasets: { train: Dataset; valid: Dataset };
  options: ResolvedTrainOptions & { seed: number };
  hooks: TrainHooks;
  progress: TrainProgress;
  save: () => Promise<void>;
}

/** One pass over the training exams; `undefined` if the signal ended it. */
async function _train(training: Training, epoch: number): Promise<PhaseMetrics | undefined> {
  const { network, datasets: { train: dataset }, options, hooks } = training;
  const { shuffle, seed, augment, lossWeights } = options;
  const order = [...dataset.labels.keys()];
  if (shuffle) createRandom(seed, "shuffle", epoch).shuffle(order);
  const weights = outputWeights(dataset, lossWeights);
  return await runPhase({
    ..._phase(training, "train", epoch),
    order,
    start(labelled) {
      const { exam, exam: { id, height, width }, label } = labelled;
      const random = createRandom(seed, "augment", epoch, id);
      const own = hooks.changes?.augment?.(exam, random);
      if (own !== undefined) {
        return "voxels" in own
          ? trainOnExam(network, { exam: own, label }, weights(label))
          : trainOnExam(network, labelled, weights(label), own);
      }
      if (!augment) return trainOnExam(network, labelled, weights(label));
      // A stream of its own: whether grey values change does not decide where an exam is rotated to.
      const photometric = drawPhotometric(createRandom(seed, "photometric", epoch, id), options);
      const change = { ...drawAugmentation(random, [height, width], options), photometric };
      return trainOnExam(network, labelled, weights(label), change);
    },
    diverged: (id, loss) =>
      _diverged(`the loss of exam '${id}' in epoch ${epoch} is ${loss}`, network),
  });
}

/** One pass over the validation exams; `undefined` if the signal ended it. */
async function _validate(training: Training, epoch: number): Promise<PhaseMetrics | undefined> {
  const { network, datasets: { valid: dataset }, options } = training;
  const weights = outputWeights(dataset, options.lossWeights);
  return await runPhase({
    ..._phase(training, "valid", epoch),
    order: [...dataset.labels.keys()],
    start: (labelled) => evaluateExam(network, labelled, weights(labelled.label)),
    diverged: unusableLoss,
  });
}

function _phase(
  { network, datasets, options, hooks, progress, save }: Training,
  phase: "train" | "valid",
  epoch: number,
) {
  const { skipBadExams = false, signal, onExam } = options;
  const { due, onPosition } = hooks;
  const [dataset, passed] = [datasets[phase], progress[phase]];
  const { skipped } = progress;
  const given = { phase, epoch, dataset, passed, skipped, skipBadExams, network, signal, onExam };
  const steps = datasets.train.labels.length;
  return {
    ...{ ...given, due, save },
    onPosition(position: Pick<Position, "number" | "total" | "id">) {
      const step = phase === "train" ? (epoch - 1) * steps + position.number : epoch * steps;
      onPosition?.({ phase, epoch, step, ...position });
    },
  };
}

/**
 * Refuses parameters that are not finite, before the model is kept. The loss does not show them: it is
 * computed before the step, and a ReLU turns -Infinity into 0.
 */
function _checkParameters(
  { parameters }: Snapshot,
  epoch: number,
  network: EngineNetwork,
): void {
  for (const [name, { data }] of parameters) {
    if (areFinite(data)) continue;
    throw _diverged(`'${name}' is no longer finite in epoch ${epoch}`, network);
  }
}

function _diverged(found: string, { learningRate }: EngineNetwork): TrainingError {
  return new TrainingError(
    `Cannot go on training: ${found}: lower --lr, now ${learningRate}, or look at the exams`,
  );
}
