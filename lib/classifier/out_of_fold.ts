/**
 * Out-of-fold predictions: for each exam what a model said that was not trained on it, as the models of
 * all folds give them together. They choose the operating point of an ensemble, since the ensemble
 * itself has no such exams: some member was trained on each.
 *
 * The table is CSV with a header, a line an exam, with the columns `exam`, `label` and `probability`, as
 * `evaluate --out` writes it. The columns `logit` and `hash` are used if they are there.
 */
import {
  type ColumnValue,
  decodeTable,
  labelOf,
  probabilityFault,
  readTable,
  tableError,
  type TableForm,
} from "../combine/prediction_table.ts";
import type { ExamHash } from "../data/exam_hash.ts";
import { rocAuc } from "../metrics/roc.ts";
import { type OperatingRule, operatingThreshold } from "../metrics/operating_rule.ts";
import { asciiOf } from "../quoted.ts";
import type { Label } from "../terms.ts";
import type { OutOfFold } from "./ensemble.ts";

/** The prediction for an exam by a model that was not trained on it. */
export interface OutOfFoldPrediction {
  /** The exam's name. */
  id: string;
  /** 1 where the finding is present. */
  label: Label;
  /** The probability of the finding, in 0–1. */
  probability: number;
  /** What the sigmoid makes that of, if the table says it: exams are ranked by it. */
  logit?: number;
  /** The exam's hash, if the table says it; of a combination the patient's. */
  hash?: ExamHash;
}

const FORM: TableForm<OutOfFoldPrediction> = {
  columns: ["exam", "label", "probability"],
  fault(value) {
    const { exam = "", logit, hash } = _texts(value);
    if (exam === "") return "the exam has no name";
    if (logit !== undefined && (logit === "" || !Number.isFinite(Number(logit)))) {
      return `the logit '${asciiOf(logit)}' is not a number`;
    }
    if (hash !== undefined && !/^[0-9a-f]{16}$/.test(hash)) {
      return `the hash '${asciiOf(hash)}' is not 16 hexadecimal digits`;
    }
    return probabilityFault(value, "probability", "probability");
  },
  row(value) {
    const { exam = "", logit, hash } = _texts(value);
    return {
      id: exam,
      label: labelOf(value),
      probability: Number(value("probability")),
      ...(logit !== undefined && { logit: Number(logit) }),
      ...(hash !== undefined && { hash }),
    };
  },
};

/**
 * Reads a table of out-of-fold predictions.
 *
 * @throws {DataError} if it is missing or no such table, if an exam is in it twice, or if all labels are
 * the same
 * @throws {PermissionError} if Deno may not read it
 */
export async function readOutOfFold(path: string): Promise<OutOfFoldPrediction[]> {
  return _checked(await readTable(path, FORM), path);
}

/** The same from the bytes of a whole file. */
export function decodeOutOfFold(bytes: Uint8Array, path: string): OutOfFoldPrediction[] {
  return _checked(decodeTable(bytes, path, FORM), path);
}

/**
 * What is known from the predictions: how good they are, and the threshold that a rule chooses by them.
 *
 * @throws {OptionError} if no threshold does what the rule asks for
 */
export function outOfFoldOf(
  predictions: readonly OutOfFoldPrediction[],
  rule: OperatingRule = "youden",
): OutOfFold {
  const labels = predictions.map(({ label }) => label);
  const probabilities = predictions.map(({ probability }) => probability);
  const logits = predictions.flatMap(({ logit }) => logit ?? []);
  const hashes = predictions.flatMap(({ hash }) => hash ?? []);
  const threshold = operatingThreshold(labels, probabilities, rule, "the out-of-fold predictions");
  return {
    exams: labels.length,
    positives: labels.filter((label) => label === 1).length,
    auc: rocAuc(labels, logits.length === labels.length ? logits : probabilities),
    ...(hashes.length === labels.length && { hashes }),
    operatingPoint: { threshold, rule, exams: "out-of-fold" },
  };
}

function _texts(value: ColumnValue) {
  return { exam: value("exam"), logit: value("logit"), hash: value("hash") };
}

/** Two predictions for one exam are not both out of fold, or the tables of two runs were put together. */
function _checked(predictions: OutOfFoldPrediction[], path: string): OutOfFoldPrediction[] {
  const seen = new Set<string>();
  for (const { id } of predictions) {
    if (seen.has(id)) {
      const found = `the exam '${asciiOf(id)}' is there twice`;
      throw tableError(path, found, "give each exam once, predicted by a model of another fold");
    }
    seen.add(id);
  }
  return predictions;
}
