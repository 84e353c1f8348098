/**
 * The run that trains a unit, where the units of a plan share one folder of logs: by its name there, so
 * that the unit goes on with its own run and not with another one of the same task and plane.
 */
import { baseName, isMissing, join } from "../files.ts";
import { isRunName } from "../logs/run_folder.ts";
import type { TrainUnit } from "./plan.ts";
import type { OpenedPlan } from "./plan_file.ts";
import { type NoteKind, readNote, removeUnitFile, writeNote } from "./unit_note.ts";

/** The file: the name of the run's folder. */
export const RUN_NOTE: NoteKind<string> = {
  file: "run.json",
  format: "mrnet-unit-run",
  what: "go on with the run of a unit by",
  parse({ run }) {
    if (typeof run === "string" && isRunName(run)) return run;
    throw new RangeError("it names no run");
  },
};

/**
 * The folder of the run that was begun for a unit.
 *
 * @param logs the folder of the logs now; a note leads nowhere else
 * @returns nothing if none was begun, or its folder is gone
 * @throws {DataError} if the note is anything else
 */
export async function notedRun(
  folder: string,
  opened: Pick<OpenedPlan, "sha256">,
  unit: TrainUnit,
  logs: string,
): Promise<string | undefined> {
  const name = await readNote(folder, opened, unit, RUN_NOTE);
  if (name === undefined) return undefined;
  const run = join(logs, unit.task, unit.plane, name);
  return await isMissing(run) ? undefined : run;
}

/** Notes the run that was begun for a unit. */
export async function noteRun(
  folder: string,
  opened: Pick<OpenedPlan, "sha256">,
  unit: { id: string },
  logFolder: string,
): Promise<void> {
  await writeNote(folder, opened, unit, RUN_NOTE, { run: baseName(logFolder) });
}

/** Removes the note, so that the unit is begun anew. */
export async function forgetRun(folder: string, unit: { id: string }): Promise<void> {
  await removeUnitFile(folder, unit, RUN_NOTE.file);
}
