/**
 * The `config.json` of a run: its settings, what computed it, and when. Nothing in the file is trusted
 * without a check.
 */
import { WeightsError } from "../errors.ts";
import { join, readBytes } from "../files.ts";
import { parseSettings, type RunSettings } from "./kept_settings.ts";
import { isShortText } from "./setting.ts";
import { isRecord } from "../record.ts";

/** The name of the file in a run's folder. */
export const CONFIG_FILE = "config.json";

/** Room for a thousand exams that were left out, which the file lists with the reasons. */
const MAX_BYTES = 1024 * 1024;

const WHAT = "go on with the run of";
const HINT = "give the folder that a run has left, or start anew without --resume";

/** What `config.json` says of a run. */
export interface RunConfig {
  settings: RunSettings;
  /** What computed it at first, in words, and when it began. */
  begun: RunBeginning;
  /** The same for each time it was resumed, with the epoch. */
  resumed: ({ epoch: number } & RunBeginning)[];
}

/** What computed a run, and since when. */
export interface RunBeginning {
  engine: string;
  /** The driver's description, if it is a GPU. */
  adapter?: Record<string, string>;
  started: string;
}

/**
 * Reads the `config.json` of a run.
 *
 * @param folder the run's
 * @throws {WeightsError} if there is none, or it is anything else
 * @throws {PermissionError} if Deno may not read it
 */
export async function readRunConfig(folder: string): Promise<RunConfig> {
  const path = join(folder, CONFIG_FILE);
  const action = { what: WHAT, path, access: "read", error: WeightsError, hint: HINT } as const;
  const bytes = await readBytes(action, { most: MAX_BYTES });
  return parseRunConfig(new TextDecoder().decode(bytes), path);
}

/** Decodes the text of a `config.json`; `path` is for messages. */
export function parseRunConfig(text: string, path: string): RunConfig {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw _refusal(path, "it is not JSON");
  }
  try {
    const config = record(value, "what it says");
    const { resumed = [] } = config;
    if (!Array.isArray(resumed)) throw new RangeError("its list of 'resumed' is none");
    return {
      settings: parseSettings(config),
      begun: _start(config),
      resumed: resumed.map((each) => {
        const start = record(each, "when it went on");
        const { epoch } = start;
        if (Number.isSafeInteger(epoch)) return { epoch: epoch as number, ..._start(start) };
        throw new RangeError("the epoch in which it went on is none");
      }),
    };
  } catch (error) {
    if (error instanceof RangeError) throw _refusal(path, error.message);
    throw error;
  }
}

/** A JSON object. */
export function record(value: unknown, what: string): Record<string, unknown> {
  if (isRecord(value)) return value;
  throw new RangeError(`${what} is no JSON object`);
}

function _start({ engine, adapter, started }: Record<string, unknown>): RunBeginning {
  const words = adapter === undefined ? {} : record(adapter, "what it says of its adapter");
  if (isShortText(engine) && isShortText(started) && Object.values(words).every(isShortText)) {
    const said = adapter === undefined ? {} : { adapter: words as Record<string, string> };
    return { engine, ...said, started };
  }
  throw new RangeError("what it says of its engine or its beginning is missing or wrong");
}

function _refusal(path: string, found: string): WeightsError {
  return new WeightsError(`Cannot ${WHAT} '${path}': ${found}: ${HINT}`);
}
