/** The file of a plan, which every later step reads. Nothing in it is taken on trust. */
import { DataError, OptionError } from "../errors.ts";
import { isFileName } from "../file_name.ts";
import { type FileAction, isMissing, join, readBytes, sha256Of, writeWhole } from "../files.ts";
import { commandLine } from "../invocation.ts";
import { shortened } from "../quoted.ts";
import { parseJson } from "./done_model.ts";
import type { Plan } from "./plan.ts";

/** The name of the file in a plan's folder. */
export const PLAN_FILE = "plan.json";

/** The name of the table of folds beside it. */
export const FOLDS_FILE = "folds.csv";

/** The folder of the units beside it. */
export const UNITS_FOLDER = "units";

const FORMAT = "mrnet-plan";
const VERSION = 1;

/** The largest plan that is read, in bytes: some 50,000 units. */
export const MAX_PLAN_BYTES = 16 * 1024 * 1024;

const MAX_BRACKETS = 200_000;

const WHAT = "read the plan";

/** A plan that was read, with what tells it from others. */
export interface OpenedPlan {
  /** The plan. */
  plan: Plan;
  /** The SHA-256 of its file, by which units know whose they are. */
  sha256: string;
}

/** The folder of a unit. */
export function unitFolder(folder: string, { id }: { id: string }): string {
  return join(folder, UNITS_FOLDER, id);
}

/**
 * Reads the plan in a folder.
 *
 * @param folder the plan's
 * @throws {DataError} if there is none, or it is anything else
 * @throws {PermissionError} if Deno may not read it
 */
export async function readPlan(folder: string): Promise<Plan> {
  return (await openPlan(folder)).plan;
}

/** Reads the plan in a folder, as {@linkcode readPlan} does, and hashes its file. */
export async function openPlan(folder: string): Promise<OpenedPlan> {
  const path = join(folder, PLAN_FILE);
  const hint = `make one: ${commandLine("plan", "all", "--out", folder)}`;
  const action: FileAction = { what: WHAT, path, access: "read", error: DataError, hint };
  const bytes = await readBytes(action, { most: MAX_PLAN_BYTES, hint: "give a plan's folder" });
  const plan = await parsePlan(new TextDecoder().decode(bytes), path);
  return { plan, sha256: await sha256Of(bytes) };
}

/** Reads the plan in a folder; nothing if there is none. */
export async function findPlan(folder: string): Promise<Plan | undefined> {
  return await isMissing(join(folder, PLAN_FILE)) ? undefined : await readPlan(folder);
}

/**
 * Parses the text of a plan.
 *
 * @param path the file, for messages
 * @throws {DataError} if it is anything else, or its units are not numbered from 0
 */
export async function parsePlan(text: string, path: string): Promise<Plan> {
  const { PlanSchema } = await import("./schema.ts");
  const refusal = (found: string) =>
    new DataError(
      `Cannot ${WHAT} '${path}': ${found}: give the folder that 'cli.ts plan' wrote, or plan anew`,
    );
  let value: unknown;
  try {
    value = parseJson(text, MAX_BRACKETS);
  } catch (error) {
    if (error instanceof RangeError) throw refusal(error.message);
    throw error;
  }
  const read = PlanSchema.safeParse(value);
  if (!read.success) {
    const [{ path: keys, message }] = read.error.issues;
    const found = keys.length === 0 ? message : `its ${keys.join(".")}: ${message}`;
    throw refusal(shortened(found, 200));
  }
  const { format: _format, version: _version, ...plan } = read.data;
  const odd = plan.units.findIndex(({ index, id }, at) => index !== at || !isFileName(id));
  if (odd >= 0) throw refusal(`its unit ${odd} has another number or no name`);
  if (new Set(plan.units.map(({ id }) => id)).size < plan.units.length) {
    throw refusal("two of its units have the same name");
  }
  return plan as Plan;
}

/** The text of a plan, which {@linkcode parsePlan} reads back. */
export function formatPlan(plan: Plan): string {
  return JSON.stringify({ format: FORMAT, version: VERSION, ...plan }, null, 1) + "\n";
}

/** Writes the plan whole. */
export async function writePlan(folder: string, plan: Plan): Promise<void> {
  await writeWhole(join(folder, PLAN_FILE), formatPlan(plan));
}

/**
 * The unit of a number.
 *
 * @throws {OptionError} if the plan has no such unit
 */
export function unitAt<P extends Plan>({ units }: P, index: number): P["units"][number] {
  const unit = units[index];
  if (unit !== undefined) return unit;
  throw new OptionError(
    `Cannot do unit ${index}: the plan has units 0 to ${units.length - 1}: give one of them`,
  );
}

/**
 * The differences between two plans by what was asked: `lr 0.00005 instead of 0.00001`.
 *
 * @param then the earlier one, as plain JSON values
 * @param now the present one
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
