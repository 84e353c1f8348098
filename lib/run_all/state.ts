/**
 * What is already done of a run over all tasks and planes: one JSON file, written whole when a model
 * is begun and when it is finished. The model at hand goes on from its own run's state.
 *
 * A model counts as done where it was trained to its end and judged with the same options and labels,
 * and its file is there with the same hash.
 *
 * @module
 */
import { DataError, messageOf } from "../errors.ts";
import { checkPlainFile, type FileAction, fileError, readBytes, writeWhole } from "../files.ts";
import type { Label, Plane, Task } from "../terms.ts";

const FORMAT = "mrnet-run-all";
const VERSION = 1;

/** The size from which a file is not taken for a state, in bytes; MRNet's has about 0.2 MB. */
const LARGEST_FILE = 64 * 1024 * 1024;

/** What a model said about an exam: its name, its label, the probability of the finding. */
export type SavedPrediction = readonly [id: string, label: Label, probability: number];

/** A model that was trained to its end and judged. */
export interface DoneModel {
  /** The file of its best epoch. */
  checkpoint: string;
  /** The SHA-256 of that file. */
  sha256: string;
  /** The epoch it is of, counted from 1, and how many there were. */
  epoch: number;
  /** How many epochs it was trained. */
  epochs: number;
  /** What it says about the tune split. */
  tune: SavedPrediction[];
  /** What it says about the validation set. */
  valid: SavedPrediction[];
}

/** What is done so far. */
export interface RunAllState {
  /** Everything that the outcome depends on, as plain JSON values. */
  config: Record<string, unknown>;
  /** The models that are done, by `task/plane`. */
  models: Record<string, DoneModel>;
  /** The model at hand, by `task/plane`, and the folder of its logs. */
  running?: { model: string; logFolder: string };
}

/** The key of a model in the state. */
export function modelKey(task: Task, plane: Plane): string {
  return `${task}/${plane}`;
}

/**
 * Reads the state.
 *
 * @returns nothing where there is no such file
 * @throws {DataError} where it is none, or is not whole
 */
export async function readState(path: string): Promise<RunAllState | undefined> {
  const mend = "move it away to start over";
  const what = "go on with the runs of";
  const action: FileAction = { what, path, access: "read", error: DataError, mend };
  let bytes: Uint8Array;
  try {
    const { size } = await checkPlainFile(path);
    if (size > LARGEST_FILE) throw new RangeError(`it is ${size} bytes long`);
    bytes = await readBytes(action, { most: LARGEST_FILE });
    return _parse(new TextDecoder().decode(bytes));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (!(error instanceof RangeError)) throw fileError(error, action);
    throw new DataError(`Cannot ${what} '${path}': ${messageOf(error)}: ${mend}`);
  }
}

/** Writes the state whole. */
export async function writeState(path: string, state: RunAllState): Promise<void> {
  const { config, models, running } = state;
  const file = { format: FORMAT, version: VERSION, config, models, running };
  await writeWhole(path, JSON.stringify(file));
}

/**
 * What differs between the options of earlier runs and those of now: `lr 0.00005 instead of 0.00001`.
 *
 * @param then as the state has it
 * @param now as plain JSON values
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
  const done = Object.entries(_object(models, "models")).map(([key, value]) =>
    [key, _model(value, key)] as const
  );
  return {
    config: _object(config, "config"),
    models: Object.fromEntries(done),
    ...(running === undefined ? {} : { running: _running(running) }),
  };
}

function _running(value: unknown): RunAllState["running"] {
  const { model, logFolder } = _object(value, "the model at hand");
  if (typeof model === "string" && typeof logFolder === "string") return { model, logFolder };
  throw new RangeError("what it says of the model at hand is not whole");
}

function _model(value: unknown, key: string): DoneModel {
  const { checkpoint, sha256, epoch, epochs, tune, valid } = _object(value, key);
  const whole = typeof checkpoint === "string" && typeof sha256 === "string" &&
    typeof epoch === "number" && typeof epochs === "number";
  if (!whole) throw new RangeError(`what it says of ${key} is not whole`);
  return {
    checkpoint,
    sha256,
    epoch,
    epochs,
    tune: _predictions(tune, key),
    valid: _predictions(valid, key),
  };
}

function _predictions(value: unknown, key: string): SavedPrediction[] {
  const isRow = (row: unknown) =>
    Array.isArray(row) && row.length === 3 && typeof row[0] === "string" &&
    (row[1] === 0 || row[1] === 1) && row[2] >= 0 && row[2] <= 1;
  if (Array.isArray(value) && value.every(isRow)) return value as SavedPrediction[];
  throw new RangeError(`its predictions of ${key} are none`);
}

function _object(value: unknown, key: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new RangeError(`${key} is no JSON object`);
}
