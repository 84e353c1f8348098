/**
 * The state of a run over all tasks and planes: one JSON file, written when a model's training begins
 * and when the model is done. A training that was interrupted continues from its own run's state.
 *
 * A model counts as done if it was trained and evaluated with the same options and labels, and if its
 * file exists with the same hash.
 */
import { decodeHashes, encodeHashes, type ExamHash } from "../../data/exam_hash.ts";
import { type EngineName, ENGINES } from "../../engine/engine.ts";
import { type Precision, PRECISIONS } from "../../engine/webgpu/precision.ts";
import { DataError, messageOf } from "../../errors.ts";
import { isFileName } from "../../file_name.ts";
import {
  baseName,
  checkPlainFile,
  type FileAction,
  fileError,
  readBytes,
  writeWhole,
} from "../../files.ts";
import {
  type Label,
  type Plane,
  PLANES,
  type Split,
  SPLITS,
  type Task,
  TASKS,
} from "../../terms.ts";

const FORMAT = "mrnet-run-all";
const VERSION = 2;

/** The largest file that is read as a state, in bytes; MRNet's has about 0.2 MB. */
export const MAX_STATE_BYTES = 4 * 1024 * 1024;

/** The most lists and objects in it, one for each prediction: in memory each takes about 100 bytes. */
const MAX_BRACKETS = 200_000;

const GO_ON = "go on with the runs of";
const HINT = "move it away to start over";

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
  split: Split | "tune";
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
  /** Its predictions for the validation set. */
  valid: SavedPrediction[];
}

/** What is done so far. */
export interface RunAllState {
  /** Everything that the outcome depends on, as plain JSON values. */
  config: Record<string, unknown>;
  /** The models that are done, by `task/plane`. */
  models: Record<string, DoneModel>;
  /** The model that is being trained, as `task/plane`, and the folder of its logs. */
  running?: { model: string; logFolder: string };
}

/** The key of a model in the state. */
export function modelKey(task: Task, plane: Plane): string {
  return `${task}/${plane}`;
}

/** The splits that models are trained, evaluated and chosen on. */
const MODEL_SPLITS: readonly LeftOut["split"][] = [...SPLITS, "tune"];

const KEYS = TASKS.flatMap((task) => PLANES.map((plane) => modelKey(task, plane)));

/**
 * Reads the state.
 *
 * @returns nothing where there is no such file
 * @throws {DataError} if it is none, or is not whole
 */
export async function readState(path: string): Promise<RunAllState | undefined> {
  const action: FileAction = { what: GO_ON, path, access: "read", error: DataError, hint: HINT };
  try {
    await checkPlainFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw fileError(error, action);
  }
  const bytes = await readBytes(action, { most: MAX_STATE_BYTES });
  return parseState(new TextDecoder().decode(bytes), path);
}

/**
 * Reads the text of a state.
 *
 * @param path the file, for messages
 * @throws {DataError} if it is none, or is not whole
 */
export function parseState(text: string, path: string): RunAllState {
  try {
    return _parse(text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw stateError(path, error.message);
  }
}

/** The error of a state that cannot be used. */
export function stateError(path: string, found: string): DataError {
  return new DataError(`Cannot ${GO_ON} '${path}': ${found}: ${HINT}`);
}

/** The text of a state, which {@linkcode parseState} reads back. */
export function formatState({ config, models, running }: RunAllState): string {
  const coded = Object.entries(models).map(([key, { tuneExams, ...model }]) => [
    key,
    { ...model, ...(tuneExams && { tuneExams: encodeHashes(tuneExams) }) },
  ]);
  const all = { config, models: Object.fromEntries(coded), running };
  return JSON.stringify({ format: FORMAT, version: VERSION, ...all });
}

/** Writes the state whole. */
export async function writeState(path: string, state: RunAllState): Promise<void> {
  await writeWhole(path, formatState(state));
}

/**
 * The differences between the earlier options and the present ones: `lr 0.00005 instead of 0.00001`.
 *
 * @param then the options in the state
 * @param now the present options, as plain JSON values
 */
export function differences(
  then: Readonly<Record<string, unknown>>,
  now: Readonly<Record<string, unknown>>,
): string[] {
  const names = [...new Set([...Object.keys(then), ...Object.keys(now)])];
  const text = (value: unknown) => value === undefined ? "none" : JSON.stringify(value);
  return names.filter((name) => text(then[name]) !== text(now[name]))
    .map((name) => `${name} ${text(now[name])} instead of ${text(then[name])}`);
}

function _parse(text: string): RunAllState {
  let brackets = 0;
  for (let at = 0; at < text.length; at++) {
    if ((text[at] === "[" || text[at] === "{") && ++brackets > MAX_BRACKETS) {
      throw new RangeError(`it has more than ${MAX_BRACKETS} lists and objects`);
    }
  }
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    throw new RangeError("it is not JSON");
  }
  const { format, version, config, models, running } = _object(file, "the file");
  if (format !== FORMAT || version !== VERSION) {
    throw new RangeError(`it is not a '${FORMAT}' file of version ${VERSION}`);
  }
  const all = _object(models, "models");
  const odd = Object.keys(all).find((key) => !KEYS.includes(key));
  if (odd !== undefined) throw new RangeError("its models are not those of the three tasks");
  const done = Object.entries(all).map(([key, value]) => [key, _model(value, key)] as const);
  return {
    config: _object(config, "config"),
    models: Object.fromEntries(done),
    ...(running === undefined ? {} : { running: _running(running) }),
  };
}

function _running(value: unknown): RunAllState["running"] {
  const { model, logFolder } = _object(value, "the model at hand");
  if (KEYS.includes(model as string) && _isPath(logFolder)) {
    return { model: model as string, logFolder };
  }
  throw new RangeError("what it says of the model at hand is not whole");
}

function _model(value: unknown, key: string): DoneModel {
  const { tuneExams, ...rest } = _object(value, key);
  const { checkpoint, sha256, epoch, epochs, computed, leftOut, tune, valid } = rest;
  const whole = _isPath(checkpoint) && typeof sha256 === "string" && _isCount(epoch) &&
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
    ...(tuneExams === undefined ? {} : { tuneExams: _hashes(tuneExams, tune as unknown[]) }),
    valid: _predictions(valid, key),
  };
}

function _computed(value: unknown, key: string): DoneModel["computed"] {
  const { engine, threads, precision } = _object(value, `what computed ${key}`);
  const known = ENGINES.includes(engine as EngineName) && _isCount(threads) &&
    PRECISIONS.includes(precision as Precision);
  if (known) return { engine, threads, precision } as DoneModel["computed"];
  throw new RangeError(`what computed ${key} is none of the engines`);
}

function _leftOut(value: unknown, key: string): LeftOut[] {
  const isOne = ({ split, id, reason }: LeftOut) =>
    MODEL_SPLITS.includes(split) && _isId(id) && typeof reason === "string";
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
function _isPath(value: unknown): value is string {
  return typeof value === "string" && isFileName(baseName(value)) && !/\p{Cc}/u.test(value);
}

function _hashes(value: unknown, exams: readonly unknown[]): ExamHash[] {
  const hashes = decodeHashes(value);
  if (hashes.length === exams.length) return hashes;
  throw new RangeError(`it has ${hashes.length} hashes for ${exams.length} exams`);
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

function _object(value: unknown, key: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new RangeError(`${key} is no JSON object`);
}
