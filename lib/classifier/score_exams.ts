/**
 * What a classifier says about the exams of an archive, as a table: a row for each exam, with the reason
 * where it could not be read.
 */
import { csvValue } from "../data/csv.ts";
import { messageOf } from "../errors.ts";
import type { Plane } from "../terms.ts";
import type { Classifier } from "./classifier.ts";
import { predictPatients } from "./predict_patients.ts";
import type { ClassifierPatient, PatientOutcome } from "./predict_patients.ts";

/** How exams are scored. */
export interface ScoreOptions {
  /** Ends the scoring after the exam at hand. */
  signal?: AbortSignal;
  /** Called after each exam. */
  onExam?: (progress: { done: number; total: number }) => void;
  /**
   * The rows of the first exams, if these were scored before.
   * @default none
   */
  before?: readonly string[];
  /** Called with each new row, a line of the table, and waited for before the next exam. */
  onRow?: (row: string) => void | Promise<void>;
}

/** Exams that were scored. */
export interface ScoredExams {
  /** A header and a row for each exam, in their order. */
  table: string;
  /** The exams that could not be read now, with the reason; those of `before` are not among them. */
  unreadable: { id: string; reason: string }[];
}

/** The columns of the table behind those of the planes. */
const LAST = ["odd", "unreadable"];

/**
 * Scores exams. The columns are `id`, `probability`, `logit`, `decision`, `threshold`, if it reads several planes
 * a column for the probability of each, then `odd`, what makes an exam unlike those that the model can
 * read, and `unreadable`, the reason why there is no prediction.
 *
 * @param exams a file of each plane that the classifier reads
 * @returns nothing if the signal ended it
 * @throws {EngineError} if the engine fails
 */
export async function scoreExams(
  classifier: Classifier,
  exams: readonly ClassifierPatient[],
  { signal, onExam, before = [], onRow }: ScoreOptions = {},
): Promise<ScoredExams | undefined> {
  const planes = _columns(classifier);
  const rows = [...before];
  const unreadable: ScoredExams["unreadable"] = [];
  for await (const outcome of predictPatients(classifier, exams.slice(before.length))) {
    if (signal?.aborted) return undefined;
    let values: string[];
    if ("error" in outcome) {
      const reason = messageOf(outcome.error);
      unreadable.push({ id: outcome.id, reason });
      values = [outcome.id, ...Array(5 + planes.length).fill(""), reason];
    } else {
      values = _row(outcome, planes);
    }
    const row = scoreLine(values);
    rows.push(row);
    await onRow?.(row);
    onExam?.({ done: rows.length, total: exams.length });
  }
  if (signal?.aborted) return undefined;
  return { table: scoreLine(scoreHeader(classifier)) + rows.join(""), unreadable };
}

/** A line of the table, with its end. */
export function scoreLine(values: readonly string[]): string {
  return values.map(csvValue).join() + "\n";
}

/** The names of the columns. */
export function scoreHeader(classifier: Pick<Classifier, "planes">): string[] {
  return ["id", "probability", "logit", "decision", "threshold", ..._columns(classifier), ...LAST];
}

/** The planes that have a column of their own: those of a classifier that reads several. */
function _columns({ planes }: Pick<Classifier, "planes">): readonly Plane[] {
  return planes.length > 1 ? planes : [];
}

function _row(
  { id, prediction, odd }: Extract<PatientOutcome, { prediction: unknown }>,
  planes: readonly Plane[],
): string[] {
  const { probability, logit, decision, threshold } = prediction;
  const words = Object.entries(odd ?? {}).map(([plane, each]) =>
    planes.length > 0 ? `${plane}: ${each}` : each
  );
  return [
    ...[id, `${probability}`, `${logit}`, decision, `${threshold}`],
    ...planes.map((plane) => `${prediction.planes[plane]!.probability}`),
    ...[words.join("; "), ""],
  ];
}
