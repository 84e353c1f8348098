/**
 * A table of what three models said about patients, made here or elsewhere: CSV with a header, a line
 * a patient, with the columns `label`, `axial`, `coronal` and `sagittal` in any order. Other columns
 * are passed over.
 */
import { type Label, PLANES } from "../terms.ts";
import { type ByPlane, byPlane } from "./combination.ts";
import {
  decodeTable,
  labelOf,
  parseTable,
  probabilityFault,
  readTable,
  type TableForm,
} from "./prediction_table.ts";

/** What three models said about one patient, and what is so. */
export interface PlanePredictions {
  /** 1 where the finding is present. */
  label: Label;
  /** The probability of the finding by each plane, in 0–1. */
  probabilities: ByPlane<number>;
  /** What the sigmoid makes those of, where it is known: patients are ranked by it. */
  logits?: ByPlane<number>;
}

const FORM: TableForm<PlanePredictions> = {
  columns: ["label", ...PLANES],
  fault(value) {
    for (const plane of PLANES) {
      const fault = probabilityFault(value, plane, `${plane} probability`);
      if (fault !== undefined) return fault;
    }
    return undefined;
  },
  row: (value) => ({
    label: labelOf(value),
    probabilities: byPlane((plane) => Number(value(plane))),
  }),
};

/**
 * Parses the text of a table.
 *
 * @param path the file, for messages
 * @throws {DataError} if a column is missing, or a value is no label or no probability, naming the
 * first ten lines at fault, or if all labels are the same
 *
 * @example
 * ```ts
 * import { parsePredictions } from "./predictions.ts";
 * const [first] = parsePredictions("label,axial,coronal,sagittal\n1,0.8,0.6,0.9\n0,0,0,0.1\n", "t.csv");
 * console.assert(first.label === 1 && first.probabilities.coronal === 0.6);
 * ```
 */
export function parsePredictions(text: string, path: string): PlanePredictions[] {
  return parseTable(text, path, FORM);
}

/**
 * Reads such a table.
 *
 * @throws {DataError} if it is missing, not UTF-8, too large, or as {@linkcode parsePredictions}
 * @throws {PermissionError} if Deno may not read it
 */
export async function readPredictions(path: string): Promise<PlanePredictions[]> {
  return await readTable(path, FORM);
}

/** The same from the bytes of a whole file; what may be wrong with them is wrong with the file. */
export function decodePredictions(bytes: Uint8Array, path: string): PlanePredictions[] {
  return decodeTable(bytes, path, FORM);
}
