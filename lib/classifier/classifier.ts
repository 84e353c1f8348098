/**
 * A classifier: whatever says how likely one finding is in the exams of a patient. It is a model of one
 * plane, or several whose answers become one; {@linkcode loadClassifier} makes it of a file.
 *
 * Every classifier is made of models of one plane and of a rule for their answers
 * ({@linkcode Classifier.conclude}). So whoever reads exams in a way of his own, from many files or with
 * pauses, asks the models and lets the classifier conclude.
 *
 * @module
 */
import {
  type ByPlane,
  type Combination,
  type CombinedOperatingPoint,
  everyPlane,
} from "../combine/combination.ts";
import type { Exam } from "../data/exam.ts";
import { DataError } from "../errors.ts";
import { explain, type ExplainOptions, type Explanation } from "../explain/explain.ts";
import type { ChosenOn, Decision, SettledCard } from "../model/card.ts";
import type { Prediction, ReadOptions } from "../model/mrnet.ts";
import type { PlaneModel } from "../model/plane_model.ts";
import { type Plane, PLANES, type Task } from "../terms.ts";

/** Which file a classifier is of. */
export interface ClassifierFile {
  /** What it is called: the file's name without its extension, unless it was given another. */
  name: string;
  /** The file's path or address. */
  file: string;
  /** The SHA-256 of the file, in hexadecimal. */
  sha256: string;
}

/** What is known about a classifier. */
export interface ClassifierCard
  extends Omit<SettledCard, "plane" | "operatingPoint" | "intensity"> {
  /** The plane it reads; `combined` if that is all three. */
  plane: Plane | "combined";
  /** How its input is prepared; none where its models differ in it. */
  intensity?: SettledCard["intensity"];
  /** From where on an exam counts as positive; none where the file does not say. */
  operatingPoint?: CombinedOperatingPoint;
  /** The exams that chose the epochs of its models, as far as that is known. */
  epochBy: readonly ChosenOn[];
}

/** What the answers of a classifier's models come to. */
export interface Conclusion extends Decision {
  /** The probability of the finding, in 0–1. */
  probability: number;
  /** What the sigmoid makes the probability of. */
  logit: number;
  /** The two outputs before the sigmoid, of which the second is `logit`; the first is 0 of a combination. */
  logits: [number, number];
}

/** What a classifier says about a patient. */
export interface ClassifierPrediction<T extends Prediction = Prediction> extends Conclusion {
  /** What the model of each plane says about its own exam. */
  planes: Partial<ByPlane<T>>;
}

/** The exams of one patient. */
export type PatientExams = Readonly<Partial<ByPlane<Exam>>>;

/** What every classifier can do. Its memory is held until it is disposed of (`using`). */
export abstract class Classifier implements ClassifierFile, Disposable {
  /** See {@linkcode ClassifierFile.name}. */
  readonly name: string;
  /** See {@linkcode ClassifierFile.file}. */
  readonly file: string;
  /** See {@linkcode ClassifierFile.sha256}. */
  readonly sha256: string;
  /** What is known about it. */
  abstract readonly card: ClassifierCard;
  /** The models it is made of, in the order in which their answers are concluded from. */
  abstract readonly models: readonly PlaneModel[];
  /** How it was made, as its file says; empty where that says nothing. */
  readonly metadata: PlaneModel["metadata"] = {};
  /** The weights of the planes and the patients they were fitted on, if it is a combination. */
  readonly combination?: Combination;

  /** Keeps which file it is of. */
  constructor({ name, file, sha256 }: ClassifierFile) {
    this.name = name;
    this.file = file;
    this.sha256 = sha256;
  }

  /** The finding. */
  get task(): Task {
    return this.card.task;
  }

  /** Whether it is a model of one plane or a combination of three. */
  get kind(): "single" | "combined" {
    return this.card.plane === "combined" ? "combined" : "single";
  }

  /** The planes that it needs an exam of. */
  get planes(): readonly Plane[] {
    return PLANES.filter((plane) => this.models.some(({ card }) => card.plane === plane));
  }

  /**
   * What the answers of its models come to.
   *
   * @param said an answer of each model, in the order of {@linkcode Classifier.models}
   */
  abstract conclude(said: readonly Prediction[]): Conclusion;

  /**
   * Reads the exams of one patient, one after another.
   *
   * @param exams the exam of each plane it needs; others are left alone
   * @throws {DataError} if a plane is missing, or a logit is not finite
   */
  async predict(exams: PatientExams, options: ReadOptions = {}): Promise<ClassifierPrediction> {
    return await this.#read(exams, ({ model }, exam) => model.predict(exam, options));
  }

  /**
   * The same, with where each model looked; see {@linkcode explain}.
   *
   * @throws {DataError} as {@linkcode Classifier.predict}
   */
  async explain(
    exams: PatientExams,
    options: ExplainOptions = {},
  ): Promise<ClassifierPrediction<Explanation>> {
    return await this.#read(exams, ({ model }, exam) => explain(model, exam, options));
  }

  /** Frees its models; it is of no use afterwards. */
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

  async #read<T extends Prediction>(
    exams: PatientExams,
    read: (model: PlaneModel, exam: Exam) => Promise<T>,
  ): Promise<ClassifierPrediction<T>> {
    this.#checkExams(exams);
    const said: T[] = [];
    const planes: Partial<ByPlane<T>> = {};
    for (const model of this.models) {
      const { plane } = model.card;
      said.push(planes[plane] = await read(model, exams[plane]!));
    }
    return { ...this.conclude(said), planes };
  }
}

/** The exams that chose the epochs of models, as far as their files say it. */
export function epochBy(models: readonly PlaneModel[]): ChosenOn[] {
  return models.flatMap(({ card }) => card.operatingPoint?.exams ?? []);
}
