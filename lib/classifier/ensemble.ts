/** What an ensemble is, as its file has it: its members, and what its operating point was chosen by. */
import type { ExamHash } from "../data/exam_hash.ts";
import type { Intensity } from "../data/intensity.ts";
import type { OperatingPoint } from "../model/card.ts";
import type { Recalibration } from "../model/recalibration.ts";
import type { MadeBy } from "../model/made_by.ts";
import type { Plane, Task } from "../terms.ts";

/** What the file of an ensemble calls itself. */
export const ENSEMBLE_FORMAT = "mrnet-ensemble";

/** The most members of an ensemble: 25 folds and seeds of three planes, and a few. */
export const MAX_MEMBERS = 100;

/** A member of an ensemble. */
export interface EnsembleMember {
  /** Its file, relative to the folder of the ensemble's file. */
  file: string;
  /** The SHA-256 of that file, 64 hexadecimal digits. */
  sha256: string;
  /** How its input is prepared, if its file does not say it. */
  intensity?: Intensity;
}

/** The threshold of an ensemble; see {@linkcode OperatingPoint}. */
export interface EnsembleOperatingPoint extends Omit<OperatingPoint, "exams"> {
  /** Exams that the member which predicted them was not trained on. */
  exams: "out-of-fold";
}

/** What is known from out-of-fold predictions: each exam's by a member that was not trained on it. */
export interface OutOfFold {
  /** How many exams there are. */
  exams: number;
  /** How many of them have the finding. */
  positives: number;
  /** The AUC over them, in 0–1: that of single members, which the ensemble's may exceed. */
  auc: number;
  /** A hash of each exam, of combinations of each patient; none if the predictions do not say them. */
  hashes?: readonly ExamHash[];
  /** The probability from which an exam counts as positive. */
  operatingPoint: EnsembleOperatingPoint;
}

/** An ensemble, as its file has it. */
export interface Ensemble extends MadeBy {
  /** The finding. */
  task: Task;
  /** The plane that every member reads; `combined` if each is a combination of three. */
  plane: Plane | "combined";
  /** The members, at least two. */
  members: readonly EnsembleMember[];
  /** What the out-of-fold predictions say; none if there were none. */
  outOfFold?: OutOfFold;
  /** How its probability is made of the mean logit; by the sigmoid if there is none. */
  recalibration?: Recalibration;
}

/**
 * What is to be kept in mind of an ensemble.
 *
 * @returns a sentence or two
 */
export function ensembleRemark({ outOfFold }: Pick<Ensemble, "outOfFold">): string {
  return outOfFold === undefined
    ? "No operating point: there are no out-of-fold predictions, and exams that a member was trained " +
      "on can choose none. Exams count as positive from 0.5 on."
    : "The operating point was chosen by out-of-fold predictions, each of which is a single member's. " +
      "The mean of several is calibrated a little differently.";
}
