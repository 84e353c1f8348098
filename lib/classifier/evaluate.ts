/** What a classifier says about the exams of a dataset, whatever it is made of. */
import type { ByPlane } from "../combine/combination.ts";
import { evaluateModels } from "../combine/evaluate.ts";
import type { Dataset, LabelledExam } from "../data/dataset.ts";
import { DataError } from "../errors.ts";
import { rocAuc } from "../metrics/roc.ts";
import { rankingScores } from "../metrics/summary.ts";
import type { PlaneModel } from "../model/plane_model.ts";
import type { Label, Plane } from "../terms.ts";
import type { Classifier, ClassifierPrediction } from "./classifier.ts";

/** The prediction for one patient of a dataset. */
export interface ClassifiedExam extends ClassifierPrediction {
  /** The patient's name. */
  id: string;
  /** 1 where the finding is present. */
  label: Label;
  /**
   * Of a single model the loss of its training; of several together the cross-entropy of their
   * probability, −log p of what is so, not weighted.
   */
  loss: number;
}

/** How a classifier does on a dataset. */
export interface ClassifierEvaluation {
  /** The mean of the patients' losses; not rounded. */
  loss: number;
  /** The area under the ROC curve of the logits, in 0–1; not rounded. */
  auc: number;
  /** A prediction for each patient, in the order of the dataset. */
  predictions: ClassifiedExam[];
}

/** How to evaluate a classifier. */
export interface EvaluateClassifierOptions {
  /** Ends the evaluation, which then fails with the signal's reason. */
  signal?: AbortSignal;
  /** Called with each exam that was read, before a model computes it; voxels are not to be changed. */
  onRead?: (exam: LabelledExam, model: PlaneModel) => void;
  /**
   * Called after each exam of each model, with the AUC so far: of a classifier with one model, NaN with
   * more or as long as there is one class only.
   */
  onExam?: (progress: { plane: Plane; done: number; total: number; auc: number }) => void;
}

/**
 * Runs a classifier over the patients of datasets, one of its models after another: `evaluate` as it is
 * given a classifier, which documents it.
 *
 * @param exams the same patients in each plane that it reads; a dataset alone if that is one plane
 * @throws {DataError} if a plane has no dataset, a patient is not in all of them, or his labels differ
 * @throws {TrainingError} if an exam's loss is not finite
 */
export async function evaluateClassifier(
  classifier: Classifier,
  exams: Dataset | Readonly<Partial<ByPlane<Dataset>>>,
  { signal, onRead, onExam }: EvaluateClassifierOptions = {},
): Promise<ClassifierEvaluation> {
  const { models } = classifier;
  const datasets = _byPlane(classifier, exams);
  const isOne = models.length === 1;
  const said = await evaluateModels(
    models.map(({ model, card }) => ({ model, ...card })),
    datasets,
    {
      signal,
      onRead: (exam, index) => onRead?.(exam, models[index]),
      onExam: ({ auc, ...progress }) => onExam?.({ ...progress, auc: isOne ? auc : NaN }),
    },
  );
  const { labels } = datasets[classifier.planes[0]]!;
  const predictions = labels.map(({ id, label }): ClassifiedExam => {
    const own = said.map((predictions) => predictions.get(id)!);
    const concluded = classifier.predictionFrom(
      own.map(({ id: _id, label: _label, loss: _loss, ...prediction }) => prediction),
    );
    const margin = label === 1 ? concluded.logit : -concluded.logit;
    return { id, label, ...concluded, loss: isOne ? own[0].loss : _softplus(-margin) };
  });
  return {
    loss: predictions.reduce((sum, { loss }) => sum + loss, 0) / predictions.length,
    auc: rocAuc(predictions.map(({ label }) => label), rankingScores(predictions)),
    predictions,
  };
}

/** The dataset of each plane that a classifier reads. */
function _byPlane(
  { file, planes }: Classifier,
  exams: Dataset | Readonly<Partial<ByPlane<Dataset>>>,
): Partial<ByPlane<Dataset>> {
  const given = "labels" in exams ? { [planes[0]]: exams } : exams;
  const missing = planes.filter((plane) => given[plane] === undefined);
  if (missing.length === 0) return Object.fromEntries(planes.map((plane) => [plane, given[plane]]));
  throw new DataError(
    `Cannot evaluate '${file}': there is no ${missing.join(" and no ")} dataset: ` +
      `it reads ${planes.join(", ")}: give a dataset of each plane, as { ${planes.join(", ")} }`,
  );
}

/** `log(1 + eˣ)`, without overflow. */
function _softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}
