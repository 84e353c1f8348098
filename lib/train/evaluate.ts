/** Evaluating a model on exams it is not trained on. */
import { type Dataset, examsInOrder, type LabelledExam, readableExams } from "../data/dataset.ts";
import { currentEngine } from "../engine/engine.ts";
import { TrainingError } from "../errors.ts";
import { RunningAuc } from "../metrics/roc.ts";
import { type MRNet, probabilityOf } from "../model/mrnet.ts";
import type { LossWeights } from "../model/recipe.ts";
import type { Label } from "../terms.ts";
import { yieldToEventLoop } from "./yield_to_event_loop.ts";
import { type Started, withInFlight } from "./in_flight.ts";
import { outputWeights } from "./loss_weights.ts";
import { createNetwork } from "../model/create_network.ts";
import type { EngineNetwork } from "../model/engine_network.ts";
import { evaluateExam, type ExamResult } from "./exam_result.ts";

/** What a model says about one exam of a dataset. */
export interface ExamPrediction {
  /** The exam's name. */
  id: string;
  /** 1 where the finding is present. */
  label: Label;
  /** The two outputs before the sigmoid. */
  logits: [number, number];
  /** The probability of the finding, in 0–1: the sigmoid of the second logit, or recalibrated. */
  probability: number;
  /** The logit of the probability if it was recalibrated. */
  recalibrated?: number;
  /** The exam's loss, weighted by the labels of the dataset. */
  loss: number;
}

/** How a model does on a dataset. */
export interface Evaluation {
  /** The mean of the exams' losses; not rounded. */
  loss: number;
  /** The area under the ROC curve of the logits, in 0–1; not rounded. */
  auc: number;
  /** A prediction for each exam that was read, in the order of the dataset. */
  predictions: ExamPrediction[];
}

/** How to evaluate. */
export interface EvaluateOptions {
  /**
   * What the weights in the loss go by; nothing else depends on it.
   * @default "output"
   */
  lossWeights?: LossWeights;
  /** Ends the evaluation early; the result is then that of the exams so far. */
  signal?: AbortSignal;
  /**
   * Called for each exam that cannot be read, which is then left out; without it such an exam ends the
   * evaluation.
   */
  onUnreadable?: (id: string, reason: string) => void;
  /** Called with each exam that was read, before it is computed; the voxels are not to be changed. */
  onRead?: (exam: LabelledExam) => void;
  /** Called after each exam with its prediction and the AUC so far (NaN for one class only). */
  onExam?: (prediction: ExamPrediction, progress: { done: number; auc: number }) => void;
}

/** Runs a model over every exam of a dataset: `evaluate` as it is given one, which documents it. */
export async function evaluate(
  model: MRNet,
  dataset: Dataset,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  const { onExam } = options;
  const network = await createNetwork(model, { use: "evaluate" });
  const engine = currentEngine();
  const predictions: ExamPrediction[] = [];
  const running = new RunningAuc();
  try {
    const started = _started(network, dataset, options);
    for await (const { id, label, result } of withInFlight(started, network.inFlight)) {
      engine.check();
      if (!isComputed(result)) throw unusableLoss(id, result.loss);
      const said = probabilityOf(result.logits[1], model.recalibration);
      predictions.push({ id, label, ...result, ...said });
      running.add(label, result.logits[1]);
      onExam?.(predictions.at(-1)!, { done: predictions.length, auc: running.value });
    }
  } finally {
    network.dispose();
  }
  const loss = predictions.reduce((sum, { loss }) => sum + loss, 0) / predictions.length;
  return { loss, auc: running.value, predictions };
}

/** Whether something is known of an exam: its loss and both logits are finite. */
export function isComputed({ loss, logits }: Pick<ExamResult, "loss" | "logits">): boolean {
  return [loss, ...logits].every(Number.isFinite);
}

/** What is said of a loss, or of logits, that are not finite. */
export function unusableLoss(id: string, loss: number): TrainingError {
  return new TrainingError(
    `Cannot evaluate the model on exam '${id}': the loss is ${loss}: ` +
      "the weights have diverged or the exam's values are far from 0–255",
  );
}

/** Gives exam after exam to the network; ends at the signal. */
async function* _started(
  network: EngineNetwork,
  dataset: Dataset,
  { lossWeights = "output", signal, onUnreadable, onRead }: EvaluateOptions,
): AsyncGenerator<Started> {
  const weights = outputWeights(dataset, lossWeights);
  const exams = onUnreadable === undefined
    ? examsInOrder(dataset, [...dataset.labels.keys()])
    : readableExams(dataset, onUnreadable);
  for await (const labelled of exams) {
    const { exam: { id }, label } = labelled;
    onRead?.(labelled);
    yield { id, label, result: evaluateExam(network, labelled, weights(label)) };
    await yieldToEventLoop();
    if (signal?.aborted) return;
  }
}
