/**
 * The file of a combination: JSON that says how three models go together, and how that was found.
 *
 * Nothing in it is taken on trust: a value that is not what its key promises is refused by name.
 */
import { decodeHashes, encodeHashes, type ExamHash } from "../data/exam_hash.ts";
import { TOLD_INTENSITIES } from "../data/intensity.ts";
import { checkTuneSplit, type TuneSplit } from "../data/tune.ts";
import { messageOf, OptionError, WeightsError } from "../errors.ts";
import { writeUnderFreeName, writeWhole } from "../files.ts";
import {
  OPERATING_RULES,
  type OperatingRule,
  parseOperatingRule,
} from "../metrics/operating_rule.ts";
import { type MissingFile, openModelSource } from "../model/model_source.ts";
import {
  parseRecalibration,
  type Recalibration,
  recalibrationJson,
} from "../model/recalibration.ts";
import { madeByJson, parseMadeBy } from "../model/made_by.ts";
import { asciiOf } from "../quoted.ts";
import type { Source } from "../source.ts";
import { PLANES, TASKS } from "../terms.ts";
import {
  type ByPlane,
  byPlane,
  type Combination,
  type CombinedMember,
  type CombinedOperatingPoint,
  FIT_ON,
  type FitOn,
  fitRemark,
} from "./combination.ts";
import { isRecord } from "../record.ts";

/** What the file calls itself. */
const FORMAT = "mrnet-combination";
const VERSION = 1;

/**
 * The size from which a file is not taken for a combination, in bytes; of 1,000 patients they have 12,000,
 * and as many more if they were recalibrated on them.
 */
export const MAX_COMBINATION_BYTES = 128 * 1024;

/** Of more patients the file does not say which they were: the hashes of these take 44 kB. */
const MAX_FIT_EXAMS = 4000;

/**
 * The longest path of a member, in characters. It may lead anywhere, for `combine` takes models from
 * any folder; so what lies there is only compared with the hash that is given, and never shown.
 */
export const LONGEST_PATH = 255;

/** Whether a model's path is that of a combination. */
export function isCombinationFile(path: string): boolean {
  return /\.json$/i.test(path);
}

/** Refuses a name by which nothing would know a combination again. */
export function checkCombinationFile(path: string): void {
  if (isCombinationFile(path)) return;
  throw new OptionError(
    `Cannot write the combination to '${path}': a combination is known by a name that ends in ` +
      `.json: give one, such as '${path.replace(/([^\\/])\.[^.\\/]*$/, "$1")}.json'`,
  );
}

/** The text of a combination's file, which {@linkcode parseCombination} reads back. */
export function formatCombination(combination: Combination): string {
  const { task, coefficients, intercept, members, fitOn, tune, operatingPoint } = combination;
  const { exams, positives, auc, fitExams, unseen, recalibration } = combination;
  return JSON.stringify(
    {
      format: FORMAT,
      version: VERSION,
      task,
      planes: PLANES,
      coefficients,
      intercept,
      members,
      fit_on: fitOn,
      tune,
      exams,
      fit_exams: fitExams && fitExams.length <= MAX_FIT_EXAMS ? encodeHashes(fitExams) : undefined,
      unseen,
      positives,
      auc,
      operating_point: operatingPoint,
      recalibration: recalibration && recalibrationJson(recalibration),
      remark: fitRemark(combination),
      ...madeByJson(combination),
    },
    null,
    2,
  ) + "\n";
}

/**
 * Reads the text of a combination's file. Keys that it does not know are passed over.
 *
 * @param text the file's text
 * @param path the file, for messages
 * @throws {WeightsError} if it is no combination, or says of itself what cannot be
 */
export function parseCombination(text: string, path: string): Combination {
  try {
    return _combination(_object(_json(text), "the file"));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw _refusal(path, error.message, "give a file that 'cli.ts combine' wrote");
  }
}

/** How a combination's file is spoken of. */
export const READ_COMBINATION: MissingFile = {
  what: "read the combination",
  hint: "check the path",
};

/**
 * Reads a combination's file; its members are left alone.
 *
 * @throws {WeightsError} as {@linkcode parseCombination}
 * @throws {PermissionError} if Deno may not read it
 */
export async function readCombination(path: string): Promise<Combination> {
  using source = await openModelSource(path, READ_COMBINATION);
  return combinationFrom(source);
}

/** The same of a file that is open. */
export function combinationFrom({ name, size, read }: Source): Combination {
  if (size <= MAX_COMBINATION_BYTES) {
    return parseCombination(new TextDecoder().decode(read(0, size)), name);
  }
  throw new WeightsError(
    `Cannot read the combination '${name}': it is ${size} bytes long, allowed are ` +
      `${MAX_COMBINATION_BYTES}: give a file that 'cli.ts combine' wrote`,
  );
}

/**
 * Writes a combination's file whole; one that is there is replaced.
 *
 * @throws {OptionError} if its name does not end in `.json`
 * @throws {OutputError} if it cannot be written
 */
export async function writeCombination(path: string, combination: Combination): Promise<void> {
  checkCombinationFile(path);
  await writeWhole(path, formatCombination(combination));
}

/**
 * Writes a combination's file beside those that are there: one of the same models is replaced, one of
 * others is left alone, and the new one then has a number behind its name, as checkpoints have.
 *
 * @returns the path of the file
 * @throws {OutputError} if it cannot be written
 */
export async function keepCombination(path: string, combination: Combination): Promise<string> {
  const text = formatCombination(combination);
  return await writeUnderFreeName(
    path,
    (own) => writeWhole(own, text, { replace: () => _isOf(combination, own) }),
  );
}

/** Whether the file that is there is a combination of the same models. */
async function _isOf({ members }: Combination, path: string): Promise<boolean> {
  try {
    const there = (await readCombination(path)).members;
    return PLANES.every((plane) => there?.[plane].sha256 === members?.[plane].sha256);
  } catch (error) {
    // Whatever else stands there is somebody's.
    if (error instanceof WeightsError) return false;
    throw error;
  }
}

function _refusal(path: string, found: string, hint: string): WeightsError {
  return new WeightsError(`Cannot use the combination '${path}': ${found}: ${hint}`);
}

function _combination(file: Record<string, unknown>): Combination {
  if (file.format !== FORMAT) throw new RangeError(`its format is not '${FORMAT}'`);
  if (file.version !== VERSION) {
    throw new RangeError(`its version is ${_shown(file.version)} and not ${VERSION}`);
  }
  const fitOn = _word(file.fit_on, "fit_on", FIT_ON);
  const exams = _count(file.exams, "exams", 2);
  _checkSum(file);
  const combination: Combination = {
    coefficients: _byPlane(file.coefficients, "coefficients", _finite),
    intercept: _finite(file.intercept, "intercept"),
    fitOn,
    exams,
    positives: _count(file.positives, "positives", 1, exams - 1),
    auc: _share(file.auc, "auc"),
    operatingPoint: _operatingPoint(file.operating_point, fitOn),
    ...parseMadeBy(file),
  };
  if (file.task !== undefined) combination.task = _word(file.task, "task", TASKS);
  if (file.members !== undefined) {
    combination.members = _byPlane(file.members, "members", _member);
    // A model has a finding; only a table may come without one.
    if (combination.task === undefined) throw new RangeError("its task is missing");
  }
  if (file.fit_exams !== undefined) combination.fitExams = _fitExams(file.fit_exams, exams);
  if (file.unseen !== undefined) combination.unseen = _true(file.unseen, "unseen");
  if (file.tune !== undefined) combination.tune = _tune(file.tune);
  if (file.recalibration !== undefined) {
    combination.recalibration = _recalibration(file.recalibration);
  }
  if (fitOn === "tune" && combination.tune === undefined) {
    throw new RangeError("its tune is missing, though it was fitted on that");
  }
  return combination;
}

/** No probabilities may make a sum that is not a number. */
function _checkSum({ coefficients, intercept }: Record<string, unknown>): void {
  const planes = _byPlane(coefficients, "coefficients", _finite);
  const sum = PLANES.reduce((sum, plane) => sum + Math.abs(planes[plane]), 0);
  if (Number.isFinite(sum + Math.abs(_finite(intercept, "intercept")))) return;
  throw new RangeError("its coefficients and its intercept add up to more than a number can be");
}

function _json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new RangeError(`it is not JSON (${messageOf(error).slice(0, 80)})`);
  }
}

function _byPlane<T>(value: unknown, key: string, read: (value: unknown, key: string) => T) {
  const object = _object(value, key);
  return byPlane((plane) => read(object[plane], `${key}.${plane}`)) satisfies ByPlane<T>;
}

function _member(value: unknown, key: string): CombinedMember {
  const { file, sha256, intensity } = _object(value, key);
  const isPath = typeof file === "string" && file !== "" && file.length <= LONGEST_PATH &&
    !/\p{Cc}/u.test(file);
  if (!isPath) {
    throw _wrong(file, `${key}.file`, `the path of a file, at most ${LONGEST_PATH} characters`);
  }
  if (typeof sha256 !== "string" || !/^[0-9a-f]{64}$/.test(sha256)) {
    throw _wrong(sha256, `${key}.sha256`, "64 hexadecimal digits");
  }
  if (intensity === undefined) return { file, sha256 };
  return { file, sha256, intensity: _word(intensity, `${key}.intensity`, TOLD_INTENSITIES) };
}

function _operatingPoint(value: unknown, fitOn: FitOn): CombinedOperatingPoint {
  const { threshold, rule, exams } = _object(value, "operating_point");
  return {
    threshold: _share(threshold, "operating_point.threshold"),
    rule: _rule(rule, "operating_point.rule"),
    exams: _word(exams, "operating_point.exams", [fitOn]),
  };
}

function _rule(value: unknown, key: string): OperatingRule {
  const rule = typeof value === "string" ? parseOperatingRule(value) : undefined;
  if (rule === undefined) throw _wrong(value, key, OPERATING_RULES);
  return rule;
}

function _fitExams(value: unknown, exams: number): ExamHash[] {
  let hashes: ExamHash[];
  try {
    hashes = decodeHashes(value);
  } catch (error) {
    throw new RangeError(`its fit_exams are ${_shown(value)} (${messageOf(error)})`);
  }
  if (hashes.length === exams) return hashes;
  throw new RangeError(`its fit_exams are ${hashes.length}, though its exams are ${exams}`);
}

function _recalibration(value: unknown): Recalibration {
  try {
    return parseRecalibration(_object(value, "recalibration"));
  } catch (error) {
    throw new RangeError(`its recalibration is ${_shown(value)} (${messageOf(error)})`);
  }
}

function _tune(value: unknown): TuneSplit {
  const { fraction, seed } = _object(value, "tune");
  const split = { fraction: _finite(fraction, "tune.fraction"), seed: _count(seed, "tune.seed") };
  try {
    checkTuneSplit(split);
  } catch (error) {
    throw new RangeError(`its tune is ${_shown(value)} (${messageOf(error)})`);
  }
  return split;
}

function _object(value: unknown, key: string): Record<string, unknown> {
  if (isRecord(value)) return value;
  throw key === "the file"
    ? new RangeError("it is no JSON object")
    : _wrong(value, key, "an object");
}

function _word<const T extends string>(value: unknown, key: string, words: readonly T[]): T {
  if (words.includes(value as T)) return value as T;
  throw _wrong(value, key, words.length === 1 ? `'${words[0]}'` : `one of ${words.join(", ")}`);
}

function _true(value: unknown, key: string): true {
  if (value === true) return value;
  throw _wrong(value, key, "true");
}

function _finite(value: unknown, key: string): number {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw _wrong(value, key, "a number");
}

function _share(value: unknown, key: string): number {
  if (typeof value === "number" && value >= 0 && value <= 1) return value;
  throw _wrong(value, key, "a number in 0–1");
}

function _count(value: unknown, key: string, least = 0, most = Number.MAX_SAFE_INTEGER): number {
  if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most) {
    return value as number;
  }
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `in ${least}–${most}`;
  throw _wrong(value, key, `a whole number ${range}`);
}

function _wrong(value: unknown, key: string, needed: string): RangeError {
  const found = value === undefined ? "missing" : _shown(value);
  return new RangeError(`its ${key} is ${found}, needed is ${needed}`);
}

/** A value from a file, safe to print: short and on one line. */
function _shown(value: unknown): string {
  return asciiOf(JSON.stringify(value) ?? String(value));
}
