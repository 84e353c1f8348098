/**
 * The recalibration of a model: the map of its logits to probabilities, and the exams that it was fitted
 * on. A model's file keeps it beside the weights, which stay as they are.
 */
import { decodeHashes, encodeHashes, type ExamHash } from "../data/exam_hash.ts";
import {
  RECALIBRATION_METHODS,
  type RecalibrationMap,
  type RecalibrationMethod,
} from "../metrics/recalibration.ts";

/** The exams that a recalibration is fitted on: a split of a dataset, or studies from a scanner. */
export const RECALIBRATED_ON = ["train", "valid", "tune", "studies"] as const;
/** The exams that a recalibration was fitted on. */
export type RecalibratedOn = "train" | "valid" | "tune" | "studies";

/** How a model is recalibrated, and by which exams. */
export interface Recalibration {
  /** The probability of each logit. */
  map: RecalibrationMap;
  /** The exams it was fitted on; calibration on them is too good. */
  on: RecalibratedOn;
  /** How many they are. */
  exams: number;
  /** How many of them have the finding. */
  positives: number;
  /** A hash of each, of three planes of each patient; none if they are too many for the file. */
  hashes?: readonly ExamHash[];
  /** The threshold of the operating point before, which `recalibrate` moved along; none without one. */
  threshold?: number;
}

/** Of more exams the file does not say which they were: the hashes of these take 44 kB. */
export const MAX_RECALIBRATION_EXAMS = 4000;

/** The most ends of pieces that an isotonic map in a file has. */
const MAX_KNOTS = 10_000;

/** A recalibration in words: `recalibrated by platt on 120 valid exams`. */
export function recalibrationText({ map, on, exams }: Recalibration): string {
  return `recalibrated by ${map.method} on ${exams} ${
    on === "studies" ? "studies" : `${on} exams`
  }`;
}

/** A recalibration as a JSON value. */
export function recalibrationJson(
  { map, hashes, ...rest }: Recalibration,
): Record<string, unknown> {
  const kept = hashes !== undefined && hashes.length <= MAX_RECALIBRATION_EXAMS;
  return { ...map, ...rest, ...(kept && { hashes: encodeHashes(hashes) }) };
}

/**
 * Reads it back.
 *
 * @throws {RangeError} if it is anything else
 */
export function parseRecalibration(value: Record<string, unknown>): Recalibration {
  const { on, exams, positives, hashes, threshold } = value;
  if (!RECALIBRATED_ON.includes(on as RecalibratedOn)) {
    throw new RangeError(`its exams must be one of ${RECALIBRATED_ON.join(", ")}`);
  }
  if (!(_isCount(exams) && _isCount(positives) && positives < exams)) {
    throw new RangeError("a number of exams, and fewer of them with the finding, are needed");
  }
  const map = _map(value);
  const recalibration: Recalibration = { map, on: on as RecalibratedOn, exams, positives };
  if (threshold !== undefined) recalibration.threshold = _share(threshold, "threshold");
  if (hashes !== undefined) {
    recalibration.hashes = decodeHashes(hashes);
    const count = recalibration.hashes.length;
    if (count !== exams) throw new RangeError(`${exams} hashes are needed, there are ${count}`);
  }
  return recalibration;
}

function _map(value: Record<string, unknown>): RecalibrationMap {
  const method = value.method as RecalibrationMethod;
  switch (method) {
    case "platt": {
      const [slope, intercept] = [_above0(value.slope, "slope"), value.intercept];
      if (!_isBound(intercept)) throw new RangeError("an intercept that is a number is needed");
      return { method, slope, intercept };
    }
    case "temperature":
      return { method, temperature: _above0(value.temperature, "temperature") };
    case "isotonic": {
      const [logits, probabilities] = [_list(value.logits), _list(value.probabilities)];
      const isRising = logits.every((each, i) =>
        _isBound(each) && (i === 0 || logits[i - 1] < each)
      );
      const isProbability = probabilities.every((each, i) =>
        each > 0 && each < 1 && (i === 0 || probabilities[i - 1] <= each)
      );
      if (isRising && isProbability && logits.length === probabilities.length) {
        return { method, logits, probabilities };
      }
      throw new RangeError(
        "rising logits, and a probability for each that never falls, are needed",
      );
    }
    default:
      method satisfies never;
      throw new RangeError(`the method must be one of ${RECALIBRATION_METHODS.join(", ")}`);
  }
}

/** Whether a number cannot make a logit that is not finite. */
function _isBound(value: unknown): value is number {
  return typeof value === "number" && Math.abs(value) <= 1e6;
}

function _above0(value: unknown, name: string): number {
  if (_isBound(value) && value >= 1e-6) return value;
  throw new RangeError(`a ${name} above 0 is needed`);
}

function _share(value: unknown, name: string): number {
  if (typeof value === "number" && value >= 0 && value <= 1) return value;
  throw new RangeError(`a ${name} in 0–1 is needed`);
}

function _list(value: unknown): number[] {
  const isList = Array.isArray(value) && value.length >= 2 && value.length <= MAX_KNOTS &&
    value.every((each) => typeof each === "number");
  if (isList) return value;
  throw new RangeError(`lists of 2 to ${MAX_KNOTS} numbers are needed`);
}

function _isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}
