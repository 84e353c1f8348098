/** The exams of a dataset that a classifier is evaluated on, and whether it was chosen on them. */
import type { Classifier } from "../classifier/classifier.ts";
import { type ClassifiedExam, evaluateClassifier } from "../classifier/evaluate.ts";
import type { ByPlane } from "../combine/combination.ts";
import { PatientHashes } from "../combine/patient_hashes.ts";
import { type Dataset, type DatasetOptions, openDataset } from "../data/dataset.ts";
import type { ExamHash } from "../data/exam_hash.ts";
import { labelFile, type LabelledId, readLabels } from "../data/labels.ts";
import { oddityOf } from "../data/oddity.ts";
import {
  type Acquaintance,
  chosenBy,
  closest,
  type Evaluated,
  fittedOn,
  outOfFoldOn,
  recalibratedOn,
  trainedOn,
} from "./acquaintance.ts";

/** Called after each exam with the AUC so far, NaN if there is none. */
export type OnExam = (auc: number) => void;

/** The exams that a classifier is to be evaluated on. */
export interface OpenedExams {
  /** The exams' ids and labels; of a combination the patients'. */
  labels: readonly LabelledId[];
  /** How many exams are computed: each once by each model that reads its plane. */
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
  /** How many of them the model was trained on; with several models, one of them. */
  trainedOn?: Acquaintance;
  /** How many of them chose the model's epoch; with several models, their epochs. */
  chosenBy?: Acquaintance;
  /** How many of them chose its operating point. */
  pointBy?: Acquaintance;
  /** Of a combination: how many of the patients it was fitted on. */
  fittedOn?: Acquaintance;
  /** If it is recalibrated: how many of them that was fitted on. */
  recalibratedOn?: Acquaintance;
  /** A hash of each exam; for a combination, of each patient. */
  examHashes?: readonly ExamHash[];
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
export async function openSplit(
  { task, planes }: Pick<Classifier, "task" | "planes">,
  options: Omit<DatasetOptions, "task" | "plane">,
): Promise<Partial<ByPlane<Dataset>>> {
  return Object.fromEntries(
    await Promise.all(
      planes.map(async (plane) => [plane, await openDataset({ ...options, task, plane })] as const),
    ),
  );
}

/** How many exams the label file has that a split is of. */
export async function countLabelled(
  { data = "data", split, task }: Pick<DatasetOptions, "data" | "split" | "task">,
): Promise<number> {
  return (await readLabels(labelFile(data, split === "valid" ? split : "train", task))).length;
}

/** The exams of datasets, ready to be evaluated. */
export function openExams(
  classifier: Classifier,
  datasets: Partial<ByPlane<Dataset>>,
  { split }: Pick<Evaluated, "split">,
): OpenedExams {
  const { planes, models } = classifier;
  const { labels } = datasets[planes[0]]!;
  const evaluate = async (onExam: OnExam): Promise<EvaluatedExams> => {
    const odd = new Map<string, string>();
    const hashes = new PatientHashes();
    const { predictions } = await evaluateClassifier(classifier, datasets, {
      onExam: ({ auc }) => onExam(auc),
      onRead({ exam }, { card: { plane, intensity } }) {
        hashes.add(exam, plane);
        const found = oddityOf(exam, intensity);
        const id = planes.length === 1 ? exam.id : `${exam.id} ${plane}`;
        if (found !== undefined) odd.set(id, found);
      },
    });
    const byPlane = await hashes.planes();
    const known = planes.map((plane) => {
      const cards = models.map(({ card }) => card).filter((card) => card.plane === plane);
      const evaluated = { split, hashes: byPlane[plane] };
      return { trained: trainedOn(evaluated, cards), chosen: chosenBy(evaluated, cards) };
    });
    const chosen = closest(known.map(({ chosen }) => chosen));
    const patients = planes.length === 1 ? byPlane[planes[0]] : await hashes.patients();
    return {
      predictions,
      odd: Array.from(odd, ([id, odd]) => ({ id, odd })),
      trainedOn: closest(known.map(({ trained }) => trained)),
      chosenBy: chosen,
      ..._pointBy(classifier, { split, hashes: patients }, chosen),
      recalibratedOn: closest(
        classifier.recalibrations.map(({ plane, recalibration }) => {
          const hashes = plane === "combined" ? patients : byPlane[plane];
          return recalibratedOn({ split, hashes }, recalibration);
        }),
      ),
      examHashes: patients,
    };
  };
  return { labels, total: labels.length * models.length, evaluate };
}

/** How many of the exams chose the operating point, and of a combination the weights with it. */
function _pointBy(
  { combination, ensemble }: Classifier,
  evaluated: Evaluated,
  chosen: Acquaintance | undefined,
): Pick<EvaluatedExams, "pointBy" | "fittedOn"> {
  if (ensemble !== undefined) return { pointBy: outOfFoldOn(evaluated, ensemble) };
  if (combination === undefined) return { pointBy: chosen };
  const known = fittedOn(evaluated, combination);
  return { pointBy: known, fittedOn: known };
}
