/** What three models, and their combination, say about the patients of a dataset. */
import {
  type Dataset,
  type DatasetOptions,
  type LabelledExam,
  openDataset,
} from "../data/dataset.ts";
import { DataError } from "../errors.ts";
import { rocAuc } from "../metrics/roc.ts";
import { rankingScores } from "../metrics/summary.ts";
import type { MRNet, Prediction } from "../model/mrnet.ts";
import { evaluate, type ExamPrediction } from "../train/evaluate.ts";
import { type Label, type Plane, PLANES } from "../terms.ts";
import {
  type ByPlane,
  byPlane,
  type Combination,
  type CombinedPrediction,
  combinePredictions,
} from "./combination.ts";
import type { PlanePredictions } from "./predictions.ts";

/** What the models of the three planes say about one patient of a dataset. */
export interface PatientPrediction extends PlanePredictions {
  /** The patient's name, the same in the three planes. */
  id: string;
  /** Logits and probability by each plane. */
  planes: ByPlane<Prediction>;
}

/** What a combination says about one patient of a dataset. */
export interface CombinedExamPrediction extends CombinedPrediction {
  /** The patient's name. */
  id: string;
  /** 1 where the finding is present. */
  label: Label;
  /** The cross-entropy of the combined probability, −log p of what is so; not weighted. */
  loss: number;
}

/** How a combination does on a dataset. */
export interface CombinedEvaluation {
  /** The mean of the patients' losses. */
  loss: number;
  /** The area under the ROC curve of the combined logit, in 0–1; not rounded. */
  auc: number;
  /** A prediction for each patient, in the order of the dataset. */
  predictions: CombinedExamPrediction[];
}

/** How to evaluate the planes. */
export interface EvaluatePlanesOptions {
  /** Ends the evaluation; what it was for fails with the signal's reason. */
  signal?: AbortSignal;
  /** Called with each exam that was read, before it is computed. */
  onRead?: (exam: LabelledExam, plane: Plane) => void;
  /** Called after each exam; there are three a patient. */
  onExam?: (progress: { plane: Plane; done: number; total: number }) => void;
}

/** Opens the same exams in the three planes; see {@linkcode openDataset} for what may fail. */
export async function openPlanes(
  options: Omit<DatasetOptions, "plane">,
): Promise<ByPlane<Dataset>> {
  const [axial, coronal, sagittal] = await Promise.all(
    PLANES.map((plane) => openDataset({ ...options, plane })),
  );
  return { axial, coronal, sagittal };
}

/**
 * Runs the three models over the exams of their planes, one plane after another.
 *
 * @param models the model of each plane
 * @param datasets the same patients in each plane
 * @returns a row for each patient, in the order of the axial dataset
 * @throws {DataError} if a patient is not in all three, or his labels differ
 * @throws what {@linkcode evaluate} throws, and the signal's reason
 */
export async function evaluatePlanes(
  models: ByPlane<MRNet>,
  datasets: ByPlane<Dataset>,
  { signal, onRead, onExam }: EvaluatePlanesOptions = {},
): Promise<PatientPrediction[]> {
  _checkPatients(datasets);
  const found: Partial<ByPlane<Map<string, ExamPrediction>>> = {};
  for (const plane of PLANES) {
    const total = datasets[plane].labels.length;
    const { predictions } = await evaluate(models[plane], datasets[plane], {
      signal,
      onRead: (exam) => onRead?.(exam, plane),
      onExam: (_, { done }) => onExam?.({ plane, done, total }),
    });
    signal?.throwIfAborted();
    found[plane] = new Map(predictions.map((prediction) => [prediction.id, prediction]));
  }
  return datasets.axial.labels.map(({ id, label }) => {
    const planes = byPlane((plane) => {
      const { logits, probability } = found[plane]!.get(id)!;
      return { logits, probability };
    });
    return {
      ...{ id, label, planes },
      probabilities: byPlane((plane) => planes[plane].probability),
      logits: byPlane((plane) => planes[plane].logits[1]),
    };
  });
}

/**
 * Runs a combination over the patients of a dataset.
 *
 * @param combined three models and their combination
 * @param datasets the same patients in each plane
 * @throws as {@linkcode evaluatePlanes}
 */
export async function evaluateCombined(
  { combination, members }: { combination: Combination; members: ByPlane<{ model: MRNet }> },
  datasets: ByPlane<Dataset>,
  options: EvaluatePlanesOptions = {},
): Promise<CombinedEvaluation> {
  const models = byPlane((plane) => members[plane].model);
  const patients = await evaluatePlanes(models, datasets, options);
  const predictions = patients.map(({ id, label, planes }) => {
    const prediction = combinePredictions(combination, planes);
    const margin = label === 1 ? prediction.logit : -prediction.logit;
    return { id, label, ...prediction, loss: softplus(-margin) };
  });
  const labels = predictions.map(({ label }) => label);
  return {
    loss: predictions.reduce((sum, { loss }) => sum + loss, 0) / predictions.length,
    auc: rocAuc(labels, rankingScores(predictions)),
    predictions,
  };
}

/** `log(1 + eˣ)`, without overflow. */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

function _checkPatients(datasets: ByPlane<Dataset>): void {
  const wanted = new Map(datasets.axial.labels.map(({ id, label }) => [id, label]));
  for (const plane of PLANES) {
    const { labels } = datasets[plane];
    const odd = labels.find(({ id, label }) => wanted.get(id) !== label);
    if (odd === undefined && labels.length === wanted.size) continue;
    const found = odd === undefined
      ? `${labels.length} exams are ${plane} and ${wanted.size} axial`
      : `exam '${odd.id}' is not in the axial dataset with the same label as in the ${plane} one`;
    throw new DataError(
      `Cannot combine the planes: ${found}: give the same patients in the three planes`,
    );
  }
}
