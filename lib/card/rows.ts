/** The rows of a model's card, and what they have in common. */
import { type ExamSet, type NamedCount, prevalence } from "../data/exam_set.ts";
import { type ExamHash, hashTogether } from "../data/exam_hash.ts";
import { DEFAULT_THRESHOLD, type OperatingPoint } from "../model/card.ts";
import type { ChosenOn } from "../model/card.ts";
import { type Recalibration, recalibrationText } from "../model/recalibration.ts";
import { ruleText, thresholdText } from "../page/format.ts";

/** A part of a card. */
export interface CardSection {
  /** Its heading. */
  title: string;
  /** Paragraphs ahead of the rows. */
  paragraphs?: readonly string[];
  /** What is known, each with what it is called. */
  rows?: readonly CardRow[];
}

/** A row: what it is called, and what is known. */
export type CardRow = readonly [name: string, value: string];

/** What is said where a file says nothing. */
export const UNKNOWN = "the file does not say";

/** A set of exams in rows. */
export async function setRows(
  set: ExamSet,
  hashes: readonly ExamHash[] | undefined,
): Promise<CardRow[]> {
  const { exams, positives, slices, sizes, sequences, scanners, ids, labels } = set;
  const share = (100 * prevalence(set)).toFixed(1);
  const left = hashes === undefined ? 0 : exams - hashes.length;
  return [
    ["Exams", `${exams}, ${positives} with the finding (${share} %)`],
    ...left > 0 ? [["Left out", `${left} that could not be read`]] as const : [],
    ...row("Slices", slices && (slices[0] === slices[1] ? `${slices[0]}` : slices.join("–"))),
    ...row("Sizes", sizes && _counts(sizes, exams)),
    ...row("Sequences", sequences && _counts(sequences, exams)),
    ...row("Scanners", scanners && _counts(scanners, exams)),
    ["Hash of ids", ids],
    ["… of labels", labels],
    ...row("… of pixels", await pixelHash(hashes)),
  ];
}

/** A hash of the pixels of all exams, in the order of the label file. */
export async function pixelHash(hashes: readonly ExamHash[] | undefined) {
  return hashes === undefined ? undefined : await hashTogether(hashes);
}

/** The exams that something was chosen by, in words. */
export const CHOOSING_EXAMS: Readonly<Record<ChosenOn | "table" | "out-of-fold", string>> = {
  train: "training exams",
  valid: "exams of the validation set",
  tune: "training exams that were kept out of training (tune)",
  table: "exams of a table of predictions",
  "out-of-fold": "exams by members that were not trained on them (out of fold)",
};

/** The threshold of a model and how it was chosen. */
export function thresholdRow(
  point: Pick<OperatingPoint, "threshold" | "rule"> | undefined,
): string {
  return point === undefined
    ? `${DEFAULT_THRESHOLD}, for none was chosen`
    : `positive from ${thresholdText(point.threshold)} on, by ${ruleText(point.rule)}`;
}

/** A row, if something is known. */
export function row(name: string, value: string | number | undefined): CardRow[] {
  return value === undefined || value === "" ? [] : [[name, String(value)]];
}

function _counts(counts: readonly NamedCount[], exams: number): string {
  if (counts.length === 1 && counts[0].exams === exams) return counts[0].name;
  return counts.map(({ name, exams }) => `${name} (${exams})`).join(", ");
}

/** How the probabilities were recalibrated, if they were. */
export function recalibrationRow(
  { recalibration }: { recalibration?: Recalibration },
): CardRow[] {
  return row("Recalibrated", recalibration && recalibrationText(recalibration));
}
