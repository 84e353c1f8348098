/** The file of a unit, written whole when the unit is done: the only mark that it is. */
import { DataError } from "../errors.ts";
import { checkPlainFile, fileError, join, readBytes, writeWhole } from "../files.ts";
import type { FileAction } from "../files.ts";
import {
  type DoneModel,
  encodeDoneModel,
  isShownPath,
  jsonObject,
  parseDoneModel,
  parseJson,
} from "./done_model.ts";
import type { Plan, ScoreUnit, TrainUnit } from "./plan.ts";
import { type OpenedPlan, unitFolder } from "./plan_file.ts";

/** The name of the file in a unit's folder. */
export const UNIT_FILE = "unit.json";

const FORMAT = "mrnet-unit";
const VERSION = 1;

/** The largest file that is read, in bytes. */
const MAX_UNIT_BYTES = 4 * 1024 * 1024;

const MAX_BRACKETS = 100_000;

const WHAT = "read the unit";
const HINT = "move it away to do the unit again";

/** A chunk that was scored. */
export interface DoneChunk {
  /** The name of its table of predictions, in the unit's folder. */
  predictions: string;
  /** The SHA-256 of that table. */
  sha256: string;
  /** How many exams it has. */
  exams: number;
  /** How many of them could not be read; the table has the reasons. */
  unreadable: number;
}

/** The result of a unit; paths are relative to its folder. */
export type UnitResult = DoneModel | DoneChunk;

/**
 * Reads the result of a unit.
 *
 * @param folder the plan's
 * @returns nothing if the unit is not done
 * @throws {DataError} if the file is of another plan or unit, or is anything else
 */
export async function readUnit(
  folder: string,
  { plan, sha256 }: OpenedPlan,
  unit: TrainUnit | ScoreUnit,
): Promise<UnitResult | undefined> {
  const path = join(unitFolder(folder, unit), UNIT_FILE);
  const action: FileAction = { what: WHAT, path, access: "read", error: DataError, hint: HINT };
  try {
    await checkPlainFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw fileError(error, action);
  }
  const text = new TextDecoder().decode(await readBytes(action, { most: MAX_UNIT_BYTES }));
  return parseUnit(text, path, { kind: plan.kind, plan: sha256, id: unit.id });
}

/** Reads the results of all units, by their numbers; nothing for one that is not done. */
export async function readUnits(
  folder: string,
  opened: OpenedPlan,
): Promise<(UnitResult | undefined)[]> {
  const results: (UnitResult | undefined)[] = [];
  for (const unit of opened.plan.units) results.push(await readUnit(folder, opened, unit));
  return results;
}

/**
 * Parses the text of a unit's file.
 *
 * @param path the file, for messages
 * @param of the unit that it must be of
 * @throws {DataError} if it is of another plan or unit, or is anything else
 */
export function parseUnit(
  text: string,
  path: string,
  of: { kind: Plan["kind"]; plan: string; id: string },
): UnitResult {
  try {
    const file = jsonObject(parseJson(text, MAX_BRACKETS), "the file");
    const { format, version, plan, id, result } = file;
    if (format !== FORMAT || version !== VERSION) {
      throw new RangeError(`it is not a '${FORMAT}' file of version ${VERSION}`);
    }
    if (plan !== of.plan) throw new RangeError("it is of another plan");
    if (id !== of.id) throw new RangeError("it is of another unit");
    return of.kind === "score" ? _chunk(result) : parseDoneModel(result, "the model");
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new DataError(`Cannot ${WHAT} '${path}': ${error.message}: ${HINT}`);
  }
}

/** Writes the result of a unit whole. */
export async function writeUnit(
  folder: string,
  { sha256 }: Pick<OpenedPlan, "sha256">,
  unit: TrainUnit | ScoreUnit,
  result: UnitResult,
): Promise<void> {
  const text = formatUnit({ plan: sha256, id: unit.id }, result);
  await writeWhole(join(unitFolder(folder, unit), UNIT_FILE), text);
}

/** The text of a unit's file, which {@linkcode parseUnit} reads back. */
export function formatUnit({ plan, id }: { plan: string; id: string }, result: UnitResult): string {
  const plain = "checkpoint" in result ? encodeDoneModel(result) : result;
  return JSON.stringify({ format: FORMAT, version: VERSION, plan, id, result: plain }) + "\n";
}

function _chunk(value: unknown): DoneChunk {
  const { predictions, sha256, exams, unreadable } = jsonObject(value, "the result");
  const isCount = (count: unknown): count is number =>
    Number.isSafeInteger(count) && (count as number) >= 0;
  if (
    isShownPath(predictions) && typeof sha256 === "string" && isCount(exams) && isCount(unreadable)
  ) {
    return { predictions, sha256, exams, unreadable };
  }
  throw new RangeError("what it says of its predictions is not whole");
}
