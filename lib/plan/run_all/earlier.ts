/**
 * What earlier runs over all tasks and planes left in a folder: a plan and the files of its units, or the
 * state of earlier versions, which becomes such a plan.
 */
import { OptionError } from "../../errors.ts";
import { isMissing, join, makeFolder } from "../../files.ts";
import type { DoneModel } from "../done_model.ts";
import type { TrainPlan } from "../plan.ts";
import { type OpenedPlan, openPlan, PLAN_FILE, unitFolder, UNITS_FOLDER } from "../plan_file.ts";
import { noteRun } from "../run_note.ts";
import { readUnits, writeUnit } from "../unit_file.ts";
import { modelKey, readState, type RunAllState, runningModels, STATE_FILE } from "./state.ts";

/** What earlier runs left. */
export interface EarlierRuns {
  /** The file that says what was asked for. */
  path: string;
  /** What was asked for; nothing if no run was begun. */
  asked?: Record<string, unknown>;
  /** The plan; none if an earlier version left the state. */
  opened?: OpenedPlan;
  /** The models that are done, by `task/plane`. */
  models: Readonly<Record<string, DoneModel>>;
  /** The state of an earlier version, as far as the plan does not have it. */
  state?: RunAllState;
}

/**
 * Reads what earlier runs left in a folder.
 *
 * @throws {DataError} if a file there is anything else
 * @throws {OptionError} if the folder has another kind of plan
 */
export async function readEarlier(out: string): Promise<EarlierRuns> {
  const [planPath, statePath] = [join(out, PLAN_FILE), join(out, STATE_FILE)];
  const state = await readState(statePath);
  if (await isMissing(planPath)) {
    if (state !== undefined) {
      return { path: statePath, asked: state.config, models: state.models, state };
    }
    if (await isMissing(join(out, UNITS_FOLDER))) return { path: planPath, models: {} };
    throw new OptionError(
      `Cannot train all models in '${out}': units of another plan are there: give another --out`,
    );
  }
  const opened = await openPlan(out);
  const { plan } = opened;
  if (plan.kind !== "all" || plan.shared === undefined) {
    throw new OptionError(
      `Cannot train all models in '${out}': it has a plan that 'cli.ts plan' made: ` +
        "do its units with 'cli.ts unit', or give another --out",
    );
  }
  const results = await readUnits(out, opened);
  const done = plan.units.flatMap(({ index, task, plane }) => {
    const key = modelKey(task, plane);
    // A kill may have come while the state of an earlier version became a plan.
    const model = results[index] ?? state?.models[key];
    return model === undefined ? [] : [[key, model as DoneModel] as const];
  });
  return {
    ...{ path: planPath, asked: plan.asked, opened, models: Object.fromEntries(done) },
    ...(state && { state }),
  };
}

/**
 * Makes files of a plan's units from the state of an earlier version, which is removed then. A kill in
 * between loses nothing: what is left is done the next time.
 */
export async function adoptState(
  out: string,
  opened: OpenedPlan,
  state: RunAllState,
): Promise<void> {
  const { units } = opened.plan as TrainPlan;
  const results = await readUnits(out, opened);
  const begun = new Map(runningModels(state).map(({ model, logFolder }) => [model, logFolder]));
  for (const unit of units) {
    const key = modelKey(unit.task, unit.plane);
    const [model, logFolder] = [state.models[key], begun.get(key)];
    if (results[unit.index] !== undefined || (model ?? logFolder) === undefined) continue;
    await makeFolder(unitFolder(out, unit));
    if (logFolder !== undefined) await noteRun(out, opened, unit, logFolder);
    if (model !== undefined) await writeUnit(out, opened, unit, model);
  }
  await Deno.remove(join(out, STATE_FILE));
}
