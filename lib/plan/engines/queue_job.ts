/** A unit of a plan as a job of a queue. What a queue holds may be anybody's and is checked. */
import { join, sha256Of } from "../../files.ts";

/** The queue that is used where nothing is said. */
export const QUEUE = "mrnet";

/** What a job says: the unit, and where its plan is. */
export interface UnitJob {
  /** The folder of the plan, as it was called where the job was submitted. */
  plan: string;
  /** The folder that it was submitted in, from which the plan's paths lead on. */
  cwd: string;
  /** The SHA-256 of the plan's file. */
  sha256: string;
  /** The number of the unit. */
  index: number;
  /** The name of the unit. */
  id: string;
}

/**
 * What the names of a plan's jobs begin with: another one for each folder and plan.
 *
 * @param folder the plan's, whatever it is called
 */
export async function jobPrefix(folder: string, sha256: string): Promise<string> {
  const text = `${await Deno.realPath(folder)}\n${sha256}`;
  return (await sha256Of(new TextEncoder().encode(text))).slice(0, 16);
}

/** The folder of a job's plan, whatever folder it is called from. */
export function planFolder({ plan, cwd }: UnitJob): string {
  return /^([\\/]|[A-Za-z]:)/.test(plan) ? plan : join(cwd, plan);
}

/** Reads what a job says; nothing if it is not one of a unit. */
export function parseUnitJob(data: unknown): UnitJob | undefined {
  if (typeof data !== "object" || data === null) return undefined;
  const { plan, cwd, sha256, index, id } = data as Record<string, unknown>;
  const isPath = (value: unknown): value is string =>
    typeof value === "string" && /^\P{Cc}{1,4096}$/u.test(value);
  // A path like an option would be taken for one.
  if (!isPath(plan) || plan.startsWith("-") || !isPath(cwd)) return undefined;
  if (typeof sha256 !== "string" || !/^[0-9a-f]{64}$/.test(sha256)) return undefined;
  if (!Number.isSafeInteger(index) || (index as number) < 0) return undefined;
  if (typeof id !== "string" || !/^[\w.-]{1,100}$/.test(id)) return undefined;
  return { plan, cwd, sha256, index: index as number, id };
}
