/**
 * A model that was trained to its end and evaluated, as a state or the file of a unit has it. Nothing in
 * such a file is taken on trust.
 */
import { decodeHashes, encodeHashes, type ExamHash } from "../data/exam_hash.ts";
import { type EngineName, ENGINES } from "../engine/engine.ts";
import { type Precision, PRECISIONS } from "../engine/webgpu/precision.ts";
import { messageOf } from "../errors.ts";
import { isFileName } from "../file_name.ts";
import { baseName } from "../files.ts";
import { type Label, type Plane, type Split, SPLITS } from "../terms.ts";
import { isRecord } from "../record.ts";

/** A split of exams that a trained model is evaluated on; `fold` is the fold that was kept out. */
export type EvaluatedSplit = "tune" | "fold" | "valid";

/**
 * A prediction for an exam: its name, its label, the probability of the finding, and the logit of that
 * probability, which states of earlier versions do not have.
 */
export type SavedPrediction = readonly [
  id: string,
  label: Label,
  probability: number,
  logit?: number,
];

/** An exam that was left out because it could not be read. */
export interface LeftOut {
  /** The split of the exam. */
  split: Split | "tune" | "fold";
  /** The exam's name. */
  id: string;
  /** Why it could not be read. */
  reason: string;
}

/** The same with its plane; the tasks share the file. */
export interface LeftOutExam extends LeftOut {
  /** The plane. */
  plane: Plane;
}

/** A model that was trained to its end and evaluated. */
export interface DoneModel {
  /** The file of its best epoch. */
  checkpoint: string;
  /** The SHA-256 of that file. */
  sha256: string;
  /** The best epoch, counted from 1. */
  epoch: number;
  /** How many epochs it was trained. */
  epochs: number;
  /** What computed it; if its training was resumed on another engine, the last one. */
  computed: { engine: EngineName; threads: number; precision: Precision };
  /** The exams that were left out because they could not be read. */
  leftOut: LeftOut[];
  /** Its predictions for the tune split. */
  tune: SavedPrediction[];
  /** The hashes of the tune split's exams, in the same order; earlier versions kept none. */
  tuneExams?: ExamHash[];
  /** Its predictions for the fold that was kept out, if there was one. */
  fold?: SavedPrediction[];
  /** The hashes of that fold's exams, in the same order. */
  foldExams?: ExamHash[];
  /** Its predictions for the validation set; none if it was not evaluated on that. */
  valid: SavedPrediction[];
  /** The hashes of the validation exams, in the same order; earlier versions kept none. */
  validExams?: ExamHash[];
}

/** The splits that exams can be left out of. */
const LEFT_OUT_SPLITS: readonly LeftOut["split"][] = [...SPLITS, "tune", "fold"];

/**
 * Reads the text of a JSON file that may have been damaged or made up.
 *
 * @param most the most lists and objects in it: in memory each takes about 100 bytes
 * @throws {RangeError} if it is not JSON, or has more of them
 */
export function parseJson(text: string, most: number): unknown {
  let brackets = 0;
  for (let at = 0; at < text.length; at++) {
    if ((text[at] === "[" || text[at] === "{") && ++brackets > most) {
      throw new RangeError(`it has more than ${most} lists and objects`);
    }
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new RangeError("it is not JSON");
  }
}

/**
 * The plain JSON value of a model, which {@linkcode parseDoneModel} reads back.
 */
export function encodeDoneModel(
  { tuneExams, foldExams, validExams, ...model }: DoneModel,
): Record<string, unknown> {
  return {
    ...model,
    ...(tuneExams && { tuneExams: encodeHashes(tuneExams) }),
    ...(foldExams && { foldExams: encodeHashes(foldExams) }),
    ...(validExams && { validExams: encodeHashes(validExams) }),
  };
}

/**
 * Reads a model from a value of JSON.
 *
 * @param key what the model is called in messages
 * @throws {RangeError} if it is anything else
 */
export function parseDoneModel(value: unknown, key: string): DoneModel {
  const file = jsonObject(value, key);
  const { checkpoint, sha256, epoch, epochs, computed, leftOut, tune, fold, valid } = file;
  const whole = isShownPath(checkpoint) && typeof sha256 === "string" && _isCount(epoch) &&
    _isCount(epochs);
  if (!whole) throw new RangeError(`what it says of ${key} is not whole`);
  return {
    checkpoint,
    sha256,
    epoch,
    epochs,
    computed: _computed(computed, key),
    leftOut: _leftOut(leftOut, key),
    tune: _predictions(tune, key),
    ..._hashes("tuneExams", file, tune),
    ...(fold !== undefined && { fold: _predictions(fold, key) }),
    ..._hashes("foldExams", file, fold),
    valid: _predictions(valid, key),
    ..._hashes("validExams", file, valid),
  };
}

function _computed(value: unknown, key: string): DoneModel["computed"] {
  const { engine, threads, precision } = jsonObject(value, `what computed ${key}`);
  const known = ENGINES.includes(engine as EngineName) && _isCount(threads) &&
    PRECISIONS.includes(precision as Precision);
  if (known) return { engine, threads, precision } as DoneModel["computed"];
  throw new RangeError(`what computed ${key} is none of the engines`);
}

function _leftOut(value: unknown, key: string): LeftOut[] {
  const isOne = ({ split, id, reason }: LeftOut) =>
    LEFT_OUT_SPLITS.includes(split) && _isId(id) && typeof reason === "string";
  if (!Array.isArray(value) || !value.every((each) => isOne(each ?? {}))) {
    throw new RangeError(`what it says of exams that ${key} left out is not whole`);
  }
  // The reason will be printed, so control characters are escaped.
  return value.map(({ split, id, reason }) => ({ split, id, reason: messageOf(reason) }));
}

/** Exams have the names that label files can give them. */
function _isId(value: unknown): value is string {
  return typeof value === "string" && /^[\w-]{1,64}$/.test(value) && isFileName(value);
}

function _isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

/** Whether a value is a path that names a file or folder and can be printed. */
export function isShownPath(value: unknown): value is string {
  return typeof value === "string" && isFileName(baseName(value)) && !/\p{Cc}/u.test(value);
}

/** The hashes of exams of which there are predictions; none where the file has none. */
function _hashes<const K extends string>(
  key: K,
  file: Readonly<Record<string, unknown>>,
  exams: unknown,
): Partial<Record<K, ExamHash[]>> {
  if (file[key] === undefined) return {};
  const hashes = decodeHashes(file[key]);
  const count = Array.isArray(exams) ? exams.length : 0;
  if (hashes.length === count) return { [key]: hashes } as Partial<Record<K, ExamHash[]>>;
  throw new RangeError(`it has ${hashes.length} hashes for ${count} exams`);
}

function _predictions(value: unknown, key: string): SavedPrediction[] {
  const isRow = (row: unknown) =>
    Array.isArray(row) && (row.length === 3 || (row.length === 4 && Number.isFinite(row[3]))) &&
    _isId(row[0]) && (row[1] === 0 || row[1] === 1) && typeof row[2] === "number" && row[2] >= 0 &&
    row[2] <= 1;
  if (!Array.isArray(value) || !value.every(isRow)) {
    throw new RangeError(`its predictions of ${key} are none`);
  }
  if (new Set(value.map(([id]) => id)).size === value.length) return value as SavedPrediction[];
  throw new RangeError(`its predictions of ${key} have an exam twice`);
}

/** A value as a JSON object. */
export function jsonObject(value: unknown, key: string): Record<string, unknown> {
  if (isRecord(value)) return value;
  throw new RangeError(`${key} is no JSON object`);
}
