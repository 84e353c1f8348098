/** What models say about the patients of a dataset, plane by plane. */
import { openDataset } from "../data/dataset.ts";
import type { Dataset, DatasetOptions, LabelledExam } from "../data/dataset.ts";
import { DataError } from "../errors.ts";
import type { MRNet, Prediction } from "../model/mrnet.ts";
import type { LossWeights } from "../model/recipe.ts";
import type { ExamPrediction } from "../train/evaluate.ts";
import { type Plane, PLANES } from "../terms.ts";
import { type ByPlane, byPlane } from "./combination.ts";
import type { PlanePredictions } from "./predictions.ts";

/** What the models of the three planes say about one patient of a dataset. */
export interface PatientPrediction extends PlanePredictions {
  /** The patient's name, the same in the three planes. */
  id: string;
  /** Logits and probability by each plane. */
  planes: ByPlane<Prediction>;
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

/** A model and the plane that it reads. */
export interface ModelOfPlane {
  model: MRNet;
  plane: Plane;
  /** What the weights in its loss go by. */
  lossWeights?: LossWeights;
}

/** How to evaluate several models; each is called by its index. */
export interface EvaluateModelsOptions {
  /** Ends the evaluation, which then fails with the signal's reason. */
  signal?: AbortSignal;
  /** Called with each exam that was read, before it is computed. */
  onRead?: (exam: LabelledExam, index: number) => void;
  /** Called after each exam with the model's AUC so far, NaN for one class only. */
  onExam?: (progress: { plane: Plane; done: number; total: number; auc: number }) => void;
}

/**
 * Runs models over the exams of their planes, one model after another.
 *
 * @param datasets the same patients in each plane
 * @returns the predictions of each model, by the patients' names
 * @throws {DataError} if a patient is not in all datasets, or his labels differ
 * @throws what {@linkcode evaluate} throws, and the signal's reason
 */
export async function evaluateModels(
  models: readonly ModelOfPlane[],
  datasets: Readonly<Partial<ByPlane<Dataset>>>,
  { signal, onRead, onExam }: EvaluateModelsOptions = {},
): Promise<Map<string, ExamPrediction>[]> {
  const { evaluate } = await import("../train/evaluate.ts");
  _checkPatients(datasets);
  const said: Map<string, ExamPrediction>[] = [];
  for (const [index, { model, plane, lossWeights }] of models.entries()) {
    const dataset = datasets[plane]!;
    const total = dataset.labels.length;
    const { predictions } = await evaluate(model, dataset, {
      lossWeights,
      signal,
      onRead: (exam) => onRead?.(exam, index),
      onExam: (_, progress) => onExam?.({ plane, total, ...progress }),
    });
    signal?.throwIfAborted();
    said.push(new Map(predictions.map((prediction) => [prediction.id, prediction])));
  }
  return said;
}

/**
 * Runs the three models over the exams of their planes, one plane after another.
 *
 * @param models the model of each plane
 * @param datasets the same patients in each plane
 * @returns a row for each patient, in the order of the axial dataset
 * @throws as {@linkcode evaluateModels}
 */
export async function evaluatePlanes(
  models: ByPlane<MRNet>,
  datasets: ByPlane<Dataset>,
  { signal, onRead, onExam }: EvaluatePlanesOptions = {},
): Promise<PatientPrediction[]> {
  const said = await evaluateModels(
    PLANES.map((plane) => ({ model: models[plane], plane })),
    datasets,
    { signal, onRead: (exam, index) => onRead?.(exam, PLANES[index]), onExam },
  );
  return datasets.axial.labels.map(({ id, label }) => {
    const planes = byPlane((plane) => {
      const { id: _id, label: _label, loss: _loss, ...prediction } = said[PLANES.indexOf(plane)]
        .get(id)!;
      return prediction;
    });
    return {
      ...{ id, label, planes },
      probabilities: byPlane((plane) => planes[plane].probability),
      logits: byPlane((plane) => planes[plane].logits[1]),
    };
  });
}

function _checkPatients(datasets: Readonly<Partial<ByPlane<Dataset>>>): void {
  const [first, ...others] = PLANES.filter((plane) => datasets[plane] !== undefined);
  const wanted = new Map(datasets[first]!.labels.map(({ id, label }) => [id, label]));
  for (const plane of others) {
    const { labels } = datasets[plane]!;
    const odd = labels.find(({ id, label }) => wanted.get(id) !== label);
    if (odd === undefined && labels.length === wanted.size) continue;
    const found = odd === undefined
      ? `${labels.length} exams are ${plane} and ${wanted.size} ${first}`
      : `exam '${odd.id}' is not in the ${first} dataset with the same label as in the ${plane} one`;
    throw new DataError(
      `Cannot combine the planes: ${found}: give the same patients in the ${
        others.length === 1 ? "two" : "three"
      } planes`,
    );
  }
}
