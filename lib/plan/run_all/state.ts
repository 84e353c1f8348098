/**
 * The state of a run over all tasks and planes as earlier versions kept it: one JSON file, `run_all.json`,
 * in the place of a plan and the files of its units. It is read, so that such a run goes on.
 */
import { DataError } from "../../errors.ts";
import { checkPlainFile, type FileAction, fileError, readBytes } from "../../files.ts";
import { type Plane, PLANES, type Task, TASKS } from "../../terms.ts";
import {
  type DoneModel,
  isShownPath,
  jsonObject,
  parseDoneModel,
  parseJson,
} from "../done_model.ts";

/** The name of the file in the folder of the results. */
export const STATE_FILE = "run_all.json";

const FORMAT = "mrnet-run-all";
const VERSION = 2;

/** The largest file that is read as a state, in bytes; MRNet's has about 0.2 MB. */
export const MAX_STATE_BYTES = 4 * 1024 * 1024;

/** The most lists and objects in it, one for each prediction. */
const MAX_BRACKETS = 200_000;

const GO_ON = "go on with the runs of";
const HINT = "move it away to start over";

/** What is done so far. */
export interface RunAllState {
  /** Everything that the outcome depends on, as plain JSON values. */
  config: Record<string, unknown>;
  /** The models that are done, by `task/plane`. */
  models: Record<string, DoneModel>;
  /** The model that is being trained. */
  running?: RunningModel;
  /** Further models that are being trained side by side with it. */
  alongside?: RunningModel[];
}

/** A model that is being trained. */
export interface RunningModel {
  /** The model, as `task/plane`. */
  model: string;
  /** The folder of its logs. */
  logFolder: string;
}

/** The models that are being trained. */
export function runningModels({ running, alongside = [] }: RunAllState): RunningModel[] {
  return running === undefined ? [] : [running, ...alongside];
}

/** The key of a model in the state. */
export function modelKey(task: Task, plane: Plane): string {
  return `${task}/${plane}`;
}

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
    throw new DataError(`Cannot ${GO_ON} '${path}': ${error.message}: ${HINT}`);
  }
}

function _parse(text: string): RunAllState {
  const file = jsonObject(parseJson(text, MAX_BRACKETS), "the file");
  const { format, version, config, models, running, alongside = [] } = file;
  if (format !== FORMAT || version !== VERSION) {
    throw new RangeError(`it is not a '${FORMAT}' file of version ${VERSION}`);
  }
  const all = jsonObject(models, "models");
  const odd = Object.keys(all).find((key) => !KEYS.includes(key));
  if (odd !== undefined) throw new RangeError("its models are not those of the three tasks");
  const done = Object.entries(all).map(([key, value]) =>
    [key, parseDoneModel(value, key)] as const
  );
  return {
    config: jsonObject(config, "config"),
    models: Object.fromEntries(done),
    ...(running === undefined ? {} : { running: _running(running) }),
    ..._alongside(alongside, running !== undefined),
  };
}

function _alongside(value: unknown, isRunning: boolean): Pick<RunAllState, "alongside"> {
  const isList = Array.isArray(value) && value.length < KEYS.length;
  if (isList && value.length === 0) return {};
  if (isList && isRunning) return { alongside: value.map(_running) };
  throw new RangeError("what it says of the models at hand is not whole");
}

function _running(value: unknown): RunningModel {
  const { model, logFolder } = jsonObject(value, "the model at hand");
  if (KEYS.includes(model as string) && isShownPath(logFolder)) {
    return { model: model as string, logFolder };
  }
  throw new RangeError("what it says of the model at hand is not whole");
}
