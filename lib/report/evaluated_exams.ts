/** The exams of a dataset that a classifier is evaluated on, and whether it was chosen on them. */
import type { Classifier } from "../classifier/classifier.ts";
import { type ClassifiedExam, evaluateClassifier } from "../classifier/evaluate.ts";
import { PatientHashes } from "../combine/patient_hashes.ts";
import { type DatasetOptions, openDataset } from "../data/dataset.ts";
import type { LabelledId } from "../data/labels.ts";
import { oddityOf } from "../data/oddity.ts";
import { type Acquaintance, chosenBy, closest, type Evaluated, fittedOn } from "./acquaintance.ts";

/** Called after each exam with the AUC so far, NaN if there is none. */
export type OnExam = (auc: number) => void;

/** The exams that a classifier is to be evaluated on. */
export interface OpenedExams {
  /** The exams' ids and labels; of a combination the patients'. */
  labels: readonly LabelledId[];
  /** How many exams are read; a combination reads three for each patient. */
  total: number;
  /** Evaluates all of them. */
  evaluate(onExam: OnExam): Promise<EvaluatedExams>;
}

/** The predictions for exams, and what is known about the exams. */
export interface EvaluatedExams {
  /** The prediction for each exam; for a combination, for each patient. */
  predictions: ClassifiedExam[];
  /** The exams that do not look like the model's input. */
  odd: OddExam[];
  /** How many of them chose the model's epoch and, where it is no combination, its operating point. */
  chosenBy?: Acquaintance;
  /** Of a combination: how many of the patients it was fitted on. */
  fittedOn?: Acquaintance;
}

/** An exam that does not look like a model's input. */
export interface OddExam {
  /** Its name; of a combination with its plane. */
  id: string;
  /** What is odd; see {@linkcode oddityOf}. */
  odd: string;
}

/**
 * Opens and checks the exams of a split of a dataset, in every plane that a classifier reads.
 *
 * @throws {DataError} if they cannot be used; see {@linkcode openDataset}
 */
export async function openExams(
  classifier: Classifier,
  options: Omit<DatasetOptions, "task" | "plane" | "split"> & Pick<Evaluated, "split">,
): Promise<OpenedExams> {
  const { task, planes, models, combination } = classifier;
  const opened = await Promise.all(
    planes.map(async (plane) => [plane, await openDataset({ ...options, task, plane })] as const),
  );
  const { labels } = opened[0][1];
  const evaluate = async (onExam: OnExam): Promise<EvaluatedExams> => {
    const { split } = options;
    const odd: OddExam[] = [];
    const hashes = new PatientHashes();
    const { predictions } = await evaluateClassifier(classifier, Object.fromEntries(opened), {
      onExam: ({ auc }) => onExam(auc),
      onRead({ exam }, { card: { plane, intensity } }) {
        hashes.add(exam, plane);
        const found = oddityOf(exam, intensity);
        const id = planes.length === 1 ? exam.id : `${exam.id} ${plane}`;
        if (found !== undefined) odd.push({ id, odd: found });
      },
    });
    const byPlane = await hashes.planes();
    const chosen = models.map(({ card }) => chosenBy({ split, hashes: byPlane[card.plane] }, card));
    const known = { predictions, odd, chosenBy: closest(chosen) };
    if (combination === undefined) return known;
    return {
      ...known,
      fittedOn: fittedOn({ split, hashes: await hashes.patients() }, combination),
    };
  };
  return { labels, total: labels.length * planes.length, evaluate };
}
