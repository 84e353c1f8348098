/**
 * Whether a model, or its combination, was chosen on exams that it is evaluated on. Files keep hashes of
 * the exams that chose them; files of earlier versions keep only the name of the split.
 */
import type { Ensemble } from "../classifier/ensemble.ts";
import { type Combination, isFittedOn } from "../combine/combination.ts";
import { countAmong, type ExamHash, type KnownExams } from "../data/exam_hash.ts";
import { type ChosenOn, everTrainedOn, toldExams } from "../model/card.ts";
import type { Recalibration } from "../model/recalibration.ts";
import type { Split } from "../terms.ts";

/** How many of the exams a model or a combination was chosen on. */
export interface Acquaintance {
  /** How many of the exams; 0 for none. */
  shared: number;
  /** How many exams there are. */
  exams: number;
  /** Whether the exams were compared by their hashes, or only by the name of the split. */
  compared: boolean;
}

/** Which exams a model is evaluated on: a split of a dataset, or studies from a scanner. */
export type EvaluatedSet = Split | "tune" | "studies";

/** What a set is called in a sentence. */
export const SET_NAMES: Readonly<Record<EvaluatedSet, string>> = {
  train: "the training set",
  valid: "the validation set",
  tune: "the tune set",
  studies: "the studies",
};

/** The exams of an evaluation. */
export interface Evaluated {
  /** Which set they are. */
  split: EvaluatedSet;
  /** Their hashes; none where they are not known. */
  hashes?: readonly ExamHash[];
}

/** What the file of a model says about the exams that it was trained and chosen on. */
interface Card {
  trainedExams?: readonly ExamHash[];
  earlierExams?: KnownExams;
  chosenExams?: readonly ExamHash[];
  operatingPoint?: { exams: ChosenOn };
}

/** How many of the exams chose the epoch of a model, or of one of several models that read a plane. */
export function chosenBy(
  { hashes, split }: Evaluated,
  cards: readonly Card[],
): Acquaintance | undefined {
  const known = cards.filter(({ operatingPoint }) => operatingPoint !== undefined);
  const isTold = ({ chosenExams }: Card) => hashes !== undefined && chosenExams !== undefined;
  const told = known.filter(isTold).flatMap(({ chosenExams }) => chosenExams!);
  return closest([
    ...(known.some(isTold) ? [_acquaintance(hashes, told, false)] : []),
    ...known.filter((card) => !isTold(card))
      .map(({ operatingPoint }) => byName(operatingPoint!.exams === split)),
  ]);
}

/**
 * How many of the exams a model was trained on, or a model that it started from, or one of several
 * models that read a plane.
 */
export function trainedOn({ hashes, split }: Evaluated, cards: readonly Card[]): Acquaintance {
  const told = cards.flatMap(toldExams);
  const isTold = cards.every((card) => everTrainedOn(card) !== undefined) ||
    countAmong(hashes ?? [], told) > 0;
  return _acquaintance(hashes, isTold ? told : undefined, split === "train");
}

/** How many of the exams chose the operating point of an ensemble: training exams, each out of fold. */
export function outOfFoldOn(
  { hashes, split }: Evaluated,
  { outOfFold }: Pick<Ensemble, "outOfFold">,
): Acquaintance | undefined {
  if (outOfFold === undefined) return undefined;
  return _acquaintance(hashes, outOfFold.hashes, split === "train" || split === "tune");
}

/** How many of the patients a combination was fitted, and its operating point chosen, on. */
export function fittedOn(
  { hashes, split }: Evaluated,
  combination: Pick<Combination, "fitOn" | "tune" | "fitExams">,
): Acquaintance {
  return _acquaintance(
    hashes,
    combination.fitExams,
    split !== "studies" && isFittedOn(combination, split),
  );
}

/** How many of the exams a recalibration was fitted on. */
export function recalibratedOn(
  { hashes, split }: Evaluated,
  { on, hashes: fitted }: Recalibration,
): Acquaintance {
  return _acquaintance(hashes, fitted, on === split);
}

/** The most certain of several. */
export function closest(all: readonly (Acquaintance | undefined)[]): Acquaintance | undefined {
  const share = ({ shared, exams }: Acquaintance) => shared / exams;
  return all.filter((each) => each !== undefined).sort((a, b) =>
    share(b) - share(a) || Number(b.compared) - Number(a.compared)
  )[0];
}

/** What is known if a file has no hashes. */
export const NAME_ONLY =
  "that goes by the split’s name, for the model’s file does not tell which exams these were";

/** These exams, as a sentence's subject. */
export function theseExams(known: Acquaintance): string {
  return isAll(known) ? "These exams" : `${known.shared} of these ${known.exams} exams`;
}

/** Whether it was chosen on all of them, as far as that is known. */
export function isAll({ shared, exams }: Acquaintance): boolean {
  return shared === exams;
}

/** What the name of the split tells, if the exams cannot be compared. */
export function byName(isSame: boolean): Acquaintance {
  return { shared: isSame ? 1 : 0, exams: 1, compared: false };
}

function _acquaintance(
  evaluated: readonly ExamHash[] | undefined,
  known: readonly ExamHash[] | undefined,
  sameName: boolean,
): Acquaintance {
  if (evaluated === undefined || known === undefined) {
    return byName(sameName);
  }
  return { shared: countAmong(evaluated, known), exams: evaluated.length, compared: true };
}
