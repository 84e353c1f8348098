/**
 * A classifier predicts one finding from the exams of a patient. It is a model of one plane, a
 * combination of three, or an ensemble of several of either; {@linkcode loadClassifier} makes it from a
 * file.
 *
 * A classifier has models of one plane each, and a rule for their predictions
 * ({@linkcode Classifier.conclude}). Callers that read exams in another way, from many files or with
 * pauses, run the models themselves and then apply the rule.
 */
import type { Intensity } from "../data/intensity.ts";
import {
  type ByPlane,
  type Combination,
  type CombinedOperatingPoint,
  everyPlane,
} from "../combine/combination.ts";
import type { Exam } from "../data/exam.ts";
import { DataError } from "../errors.ts";
import type { ExplainOptions, Explanation } from "../explain/explain.ts";
import { meanExplanation, meanPrediction } from "../explain/mean.ts";
import { explain } from "../explain/verbs.ts";
import { type ChosenOn, decide, type Decision, type ResolvedCard } from "../model/card.ts";
import { type Prediction, probabilityOf, type ReadOptions } from "../model/mrnet.ts";
import type { Recalibration } from "../model/recalibration.ts";
import type { PlaneModel } from "../model/plane_model.ts";
import { type Plane, PLANES, type Task } from "../terms.ts";
import type { Ensemble, EnsembleOperatingPoint } from "./ensemble.ts";

/** What a classifier is made of. */
export type ClassifierKind = "single" | "combined" | "ensemble";

/** The file of a classifier. */
export interface ClassifierFile {
  /** Its name: the file's name without the extension, unless another was given. */
  name: string;
  /** The file's path or address. */
  file: string;
  /** The SHA-256 of the file, in hexadecimal. */
  sha256: string;
}

/** What is known about a classifier. */
export interface ClassifierCard
  extends Omit<ResolvedCard, "plane" | "operatingPoint" | "intensity"> {
  /** The plane it reads; `combined` if that is all three. */
  plane: Plane | "combined";
  /** How its input is prepared; none if its models differ in it. */
  intensity?: ResolvedCard["intensity"];
  /** The probability from which an exam counts as positive; none if the file does not say it. */
  operatingPoint?: CombinedOperatingPoint | EnsembleOperatingPoint;
  /** The exams that the epochs of its models were chosen on, as far as that is known. */
  epochBy: readonly ChosenOn[];
}

/** The prediction that a classifier concludes from its models' predictions. */
export interface Conclusion extends Decision {
  /** The probability of the finding, in 0–1. */
  probability: number;
  /** The logit of that probability. */
  logit: number;
  /**
   * The two outputs before the sigmoid. The second is `logit`, or if the classifier is recalibrated that
   * before; the first of three planes is 0.
   */
  logits: [number, number];
}

/** The prediction for a patient. */
export interface ClassifierPrediction<T extends Prediction = Prediction> extends Conclusion {
  /** The prediction of each plane's model for its exam; if it has several models, their mean. */
  planes: Partial<ByPlane<T>>;
}

/** The exams of one patient. */
export type PatientExams = Readonly<Partial<ByPlane<Exam>>>;

/** A classifier. It holds memory until it is disposed of (`using`). */
export abstract class Classifier implements ClassifierFile, Disposable {
  /** See {@linkcode ClassifierFile.name}. */
  readonly name: string;
  /** See {@linkcode ClassifierFile.file}. */
  readonly file: string;
  /** See {@linkcode ClassifierFile.sha256}. */
  readonly sha256: string;
  /** Whether it is a model of one plane, a combination of three, or an ensemble of either. */
  abstract readonly kind: ClassifierKind;
  /** What is known about it. */
  abstract readonly card: ClassifierCard;
  /** Its models, in the order that {@linkcode Classifier.conclude} expects. */
  abstract readonly models: readonly PlaneModel[];
  /** How it was made, as its file says; empty if the file says nothing. */
  readonly metadata: PlaneModel["metadata"] = {};
  /** The weights of the planes and the patients they were fitted on, if it is a combination. */
  readonly combination?: Combination;
  /** The members, and what its operating point was chosen by, if it is an ensemble. */
  readonly ensemble?: Ensemble;

  /** Keeps the name, the path and the hash of its file. */
  constructor({ name, file, sha256 }: ClassifierFile) {
    this.name = name;
    this.file = file;
    this.sha256 = sha256;
  }

  /** The finding. */
  get task(): Task {
    return this.card.task;
  }

  /** The planes that it needs an exam of. */
  get planes(): readonly Plane[] {
    return PLANES.filter((plane) => this.models.some(({ card }) => card.plane === plane));
  }

  /** Every recalibration that its probability goes through, with the planes of the exams that fitted it. */
  get recalibrations(): { plane: Plane | "combined"; recalibration: Recalibration }[] {
    const cards = [...this.models.map(({ card }) => card), this.card];
    // The card of a single model says again what the model's says.
    const planes = new Map(cards.map(({ plane, recalibration }) => [recalibration, plane]));
    return [...planes].flatMap(([recalibration, plane]) =>
      recalibration === undefined ? [] : [{ plane, recalibration }]
    );
  }

  /**
   * Concludes one prediction from those of the models.
   *
   * @param said the prediction of each model, in the order of {@linkcode Classifier.models}
   */
  abstract conclude(said: readonly Prediction[]): Conclusion;

  /**
   * The prediction for a patient from those of the models.
   *
   * @param said the prediction of each model, in the order of {@linkcode Classifier.models}
   */
  predictionFrom(said: readonly Prediction[]): ClassifierPrediction {
    return { ...this.conclude(said), planes: this.#byPlane(said, meanPrediction) };
  }

  /** The same from explanations; see {@linkcode meanExplanation}. */
  explanationFrom(said: readonly Explanation[]): ClassifierPrediction<Explanation> {
    return { ...this.conclude(said), planes: this.#byPlane(said, meanExplanation) };
  }

  /**
   * Predicts from the exams of one patient, computed one after another.
   *
   * @param exams the exam of each plane it needs; others are ignored
   * @throws {DataError} if a plane is missing, or a logit is not finite
   */
  async predict(exams: PatientExams, options: ReadOptions = {}): Promise<ClassifierPrediction> {
    const said = await this.#read(exams, ({ model }, exam) => model.predict(exam, options));
    return this.predictionFrom(said);
  }

  /**
   * Predicts, and explains the prediction of each plane; see {@linkcode explain}.
   *
   * @throws {DataError} as {@linkcode Classifier.predict}
   */
  async explain(
    exams: PatientExams,
    options: ExplainOptions = {},
  ): Promise<ClassifierPrediction<Explanation>> {
    const said = await this.#read(exams, ({ model }, exam) => explain(model, exam, options));
    return this.explanationFrom(said);
  }

  /** Frees its models; it cannot be used afterwards. */
  dispose(): void {
    for (const { model } of this.models) model.dispose();
  }

  /** As {@linkcode Classifier.dispose}, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  #checkExams(exams: PatientExams): void {
    if (this.planes.length > 1) return void everyPlane(exams);
    const [plane] = this.planes;
    if (exams[plane] !== undefined) return;
    throw new DataError(
      `Cannot predict with '${this.file}': there is no ${plane} exam: the model reads that plane`,
    );
  }

  async #read<T>(
    exams: PatientExams,
    read: (model: PlaneModel, exam: Exam) => Promise<T>,
  ): Promise<T[]> {
    this.#checkExams(exams);
    const said: T[] = [];
    for (const model of this.models) said.push(await read(model, exams[model.card.plane]!));
    return said;
  }

  /** What the models of each plane say together. */
  #byPlane<T>(said: readonly T[], mean: (several: readonly T[]) => T): Partial<ByPlane<T>> {
    const ofPlane = (plane: Plane) =>
      said.filter((_, index) => this.models[index].card.plane === plane);
    return Object.fromEntries(this.planes.map((plane) => [plane, mean(ofPlane(plane))]));
  }
}

/** What a classifier concludes from outputs of its own, by its recalibration and its operating point. */
export function concluded(
  logits: [number, number],
  card: Pick<ClassifierCard, "recalibration" | "operatingPoint">,
): Conclusion {
  const { probability, recalibrated } = probabilityOf(logits[1], card.recalibration);
  return { probability, logit: recalibrated ?? logits[1], logits, ...decide(probability, card) };
}

/** The exams that the epochs of models were chosen on, as far as their files say it. */
export function epochBy(models: readonly PlaneModel[]): ChosenOn[] {
  return models.flatMap(({ card }) => card.operatingPoint?.exams ?? []);
}

/** How the input of all these models is prepared, if it is prepared alike. */
export function commonIntensity([first, ...others]: readonly PlaneModel[]): Intensity | undefined {
  const { intensity } = first.card;
  return others.every(({ card }) => card.intensity === intensity) ? intensity : undefined;
}
