/** A training's progress as JSON and back, every number exactly. */
import { examId } from "../data/labels.ts";
import { messageOf, MRNetError } from "../errors.ts";
import { type OperatingRule, parseOperatingRule } from "../metrics/operating_rule.ts";
import type { Passed, TrainProgress } from "./progress.ts";
import type { EpochReport, SkippedExam } from "./reports.ts";

/** The metrics of an epoch, in the order in which they are kept. */
const METRICS = [
  ...["trainLoss", "trainAuc", "valLoss", "valAuc", "threshold", "learningRate", "seconds"],
] as readonly Exclude<keyof EpochReport, "epoch" | "isBest" | "rule" | "unreached">[];

/** The longest reason that is read, in characters: it is shown to a person. */
const LONGEST_REASON = 500;

/** As plain JSON values; JSON has no NaN and no infinities, so these are text. */
export function progressJson(progress: TrainProgress): Record<string, unknown> {
  const { epochs, train, valid, seconds, skipped } = progress;
  const rows = epochs.map((report) => [
    ...METRICS.map((name) => Number.isFinite(report[name]) ? report[name] : String(report[name])),
    report.isBest,
    // Why a wanted rule chose none is told at its epoch alone.
    report.rule,
  ]);
  return { epochs: rows, train, valid, seconds, skipped };
}

/**
 * Reads it back.
 *
 * @throws {RangeError} if it is anything else
 */
export function parseProgress(value: Record<string, unknown>): TrainProgress {
  const { epochs, train, valid, seconds, skipped } = value;
  if (typeof seconds !== "number" || !(seconds >= 0)) throw new RangeError("its time is none");
  return {
    epochs: _list(epochs, "epochs", _epoch),
    train: _list(train, "training exams", _passed),
    valid: _list(valid, "validation exams", _passed),
    seconds,
    skipped: _list(skipped, "exams left out", _skipped),
  };
}

function _list<T>(
  value: unknown,
  what: string,
  read: (each: unknown, index: number) => T | undefined,
): T[] {
  if (!Array.isArray(value)) throw new RangeError(`its list of ${what} is none`);
  return value.map((each, index) => {
    const made = read(each, index);
    if (made !== undefined) return made;
    throw new RangeError(`its list of ${what} is wrong at ${index + 1}`);
  });
}

function _epoch(row: unknown, index: number): EpochReport | undefined {
  if (!Array.isArray(row) || row.length < METRICS.length + 1) return undefined;
  const values = row.slice(0, METRICS.length).map(_number);
  const [isBest, given, ...more] = row.slice(METRICS.length);
  const rule = _rule(given);
  const sound = typeof isBest === "boolean" && rule !== undefined && more.length === 0;
  if (values.includes(undefined) || !sound) return undefined;
  const metrics = Object.fromEntries(METRICS.map((name, at) => [name, values[at]]));
  return { epoch: index + 1, ...metrics, isBest, rule } as EpochReport;
}

/** The rule of an epoch; when states did not have it, there was but one for training. */
function _rule(value: unknown): OperatingRule | undefined {
  if (value === undefined) return "youden";
  return typeof value === "string" ? parseOperatingRule(value) : undefined;
}

function _number(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  const named = ["NaN", "Infinity", "-Infinity"].includes(value as string);
  return named ? Number(value) : undefined;
}

function _passed(value: unknown): Passed | undefined {
  if (value === null) return null;
  const sound = Array.isArray(value) && value.length === 3 && value.every(Number.isFinite);
  return sound ? value as unknown as Passed : undefined;
}

function _skipped(value: unknown): SkippedExam | undefined {
  const { split, id, reason } = (value ?? {}) as Record<string, unknown>;
  const sound = (split === "train" || split === "valid") && typeof id === "string" &&
    typeof reason === "string";
  if (!sound) return undefined;
  try {
    return { split, id: examId(id), reason: messageOf(reason.slice(0, LONGEST_REASON)) };
  } catch (error) {
    if (error instanceof MRNetError) return undefined;
    throw error;
  }
}
