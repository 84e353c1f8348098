/**
 * Doing one unit of a plan: under a lock, from where it was left, until its file says that it is done.
 * Any number of processes may do units of one plan; two never do the same one at once.
 */
import { MRNetError } from "../errors.ts";
import { isMissing, join, makeFolder, removeLeftOvers } from "../files.ts";
import { listRuns } from "../logs/run_folder.ts";
import { lockRun, type RunLock } from "../logs/run_lock.ts";
import { resumable } from "../train/resume.ts";
import { readRunConfig } from "../train/run_config.ts";
import { STATE_FILE } from "../train/run_state.ts";
import { checkOptionNames, type OptionNames } from "../option_names.ts";
import { checkScoringModel, checkTrainInputs } from "./inputs.ts";
import type { DoneModel } from "./done_model.ts";
import { clearFailure, hasFailed, noteFailure } from "./failed_file.ts";
import { notedRun, noteRun } from "./run_note.ts";
import type { ScoreUnit, TrainPlan, TrainUnit } from "./plan.ts";
import { removePartial } from "./partial_table.ts";
import { FOLDS_FILE, type OpenedPlan, openPlan, unitAt, unitFolder } from "./plan_file.ts";
import { THIS_THREAD, type UnitComputer } from "./jobs.ts";
import { runOptionsFrom } from "./setting_values.ts";
import type { PlainRunOptions, UnitHooks } from "./train_unit.ts";
import { readUnit, type UnitResult, writeUnit } from "./unit_file.ts";

/** Which unit to do, and what is told meanwhile. */
export interface UnitOptions extends UnitHooks {
  /**
   * The number of the unit, counted from 0.
   * @default the first that is neither done nor being done; those that failed come last
   */
  index?: number;
  /** Called when the unit is begun or goes on, once its inputs are checked. */
  onUnit?: (unit: TrainUnit | ScoreUnit) => void;
  /** Called with a remark, such as that a state cannot be used. */
  onRemark?: (remark: string) => void;
}

/** The names of what a unit can be given. */
const OPTION_NAMES: OptionNames<UnitOptions> = {
  index: true,
  signal: true,
  onUnit: true,
  onRemark: true,
  onDownload: true,
  onStart: true,
  onExam: true,
  onEpoch: true,
  onEvaluated: true,
};

/** What became of a unit. */
export interface UnitOutcome {
  /**
   * - `done`: it is done, now or before
   * - `saved`: the signal stopped it; doing it again goes on from there
   * - `busy`: another process is doing it, or all units that are left
   */
  state: "done" | "saved" | "busy";
  /** The unit; none if no unit was free. */
  unit?: TrainUnit | ScoreUnit;
  /** Whether this call did it, or goes on doing it later. */
  begun: boolean;
}

/** As in `verbs.ts`, where it is described. */
export async function runUnit(folder: string, options: UnitOptions = {}): Promise<UnitOutcome> {
  checkOptionNames("do a unit", options, OPTION_NAMES);
  return await doUnit(folder, options, THIS_THREAD);
}

/** What of a training may differ from its plan, for its outcome does not depend on it. */
export type FreeRunOptions = Pick<
  PlainRunOptions,
  | "engine"
  | "threads"
  | "inMemory"
  | "saveEvery"
  | "skipBadExams"
  | "anyRange"
  | "card"
  | "models"
  | "logs"
>;

/** What the toolkit itself says about doing a unit. */
export interface OwnUnitOptions extends UnitOptions {
  /** The plan, if it was read already. */
  opened?: OpenedPlan;
  /** What differs from the plan. */
  free?: FreeRunOptions;
}

/** As {@linkcode runUnit}, with what computes it. */
export async function doUnit(
  folder: string,
  options: OwnUnitOptions,
  computer: UnitComputer,
): Promise<UnitOutcome> {
  const opened = options.opened ?? await openPlan(folder);
  const { index } = options;
  if (index !== undefined) {
    const unit = unitAt(opened.plan, index);
    return await _doUnit(folder, { opened, unit }, options, computer);
  }
  let busy = false;
  for (const unit of await _failedLast(folder, opened.plan.units)) {
    if (options.signal?.aborted) return { state: "saved", begun: false };
    const outcome = await _doUnit(folder, { opened, unit }, options, computer);
    if (outcome.begun) return outcome;
    if (outcome.state === "busy") busy = true;
  }
  return { state: busy ? "busy" : "done", begun: false };
}

/** The units in their order, those that failed behind the others: a later try may fail again. */
async function _failedLast(
  folder: string,
  units: readonly (TrainUnit | ScoreUnit)[],
): Promise<(TrainUnit | ScoreUnit)[]> {
  const failed = new Set<TrainUnit | ScoreUnit>();
  for (const unit of units) if (await hasFailed(folder, unit)) failed.add(unit);
  return [...units.filter((unit) => !failed.has(unit)), ...failed];
}

/** A unit of a plan that was read. */
interface Chosen {
  opened: OpenedPlan;
  unit: TrainUnit | ScoreUnit;
}

async function _doUnit(
  folder: string,
  { opened, unit }: Chosen,
  options: OwnUnitOptions,
  computer: UnitComputer,
): Promise<UnitOutcome> {
  // Asked before the lock too, so that a unit that is done changes no file.
  if (await readUnit(folder, opened, unit) !== undefined) {
    return { state: "done", unit, begun: false };
  }
  const own = unitFolder(folder, unit);
  await makeFolder(own);
  const lock = await lockRun(own);
  if (lock === undefined) return { state: "busy", unit, begun: false };
  try {
    if (await readUnit(folder, opened, unit) !== undefined) {
      return { state: "done", unit, begun: false };
    }
    await clearFailure(folder, unit);
    // What a kill left half written; under the lock nobody else writes here.
    await removeLeftOvers(own, { age: 0 });
    const result = await _result(folder, { opened, unit }, options, computer);
    if (result === "busy") return { state: "busy", unit, begun: false };
    if (result === undefined) return { state: "saved", unit, begun: true };
    if (!await _isHeld(lock)) return { state: "busy", unit, begun: true };
    await writeUnit(folder, opened, unit, result);
    if (opened.plan.kind === "score") await removePartial(folder, unit as ScoreUnit);
    return { state: "done", unit, begun: true };
  } catch (error) {
    if (await _isHeld(lock)) await noteFailure(folder, opened, unit, error);
    throw error;
  } finally {
    await lock.release();
  }
}

/** The result of a unit; nothing if the signal ended it. */
async function _result(
  folder: string,
  { opened, unit }: Chosen,
  options: OwnUnitOptions,
  computer: UnitComputer,
): Promise<UnitResult | "busy" | undefined> {
  const { plan } = opened;
  const { index: _, onUnit, onRemark, opened: _opened, free, ...hooks } = options;
  if (plan.kind === "score") {
    await checkScoringModel(folder, plan);
    onUnit?.(unit);
    const { sha256 } = opened;
    return await computer.score({ folder, plan, sha256, unit: unit as ScoreUnit }, hooks);
  }
  const training = unit as TrainUnit;
  await checkTrainInputs(folder, plan, training);
  const planned = { ...unitRun(folder, plan, training), ...free };
  const run = await _resumed(planned, {
    shared: plan.shared && (() => notedRun(folder, opened, training, planned.logs!)),
    onRemark,
  });
  if (run === "busy") return "busy";
  onUnit?.(unit);
  const done = await computer.train({ run, evaluateOn: plan.evaluateOn }, {
    ...hooks,
    ...(plan.shared && {
      async onStart(start) {
        const told = hooks.onStart?.(start);
        await noteRun(folder, opened, unit, start.logFolder);
        await told;
      },
    }),
  });
  if (done === undefined || plan.shared !== undefined) return done;
  return _inFolder(unitFolder(folder, unit), done);
}

/** The run of a unit: in its own folder, or in those that the units share. */
export function unitRun(
  folder: string,
  { data, prefix, tune, settings, shared }: TrainPlan,
  unit: TrainUnit,
): PlainRunOptions {
  const { task, plane, seed, threads, fold } = unit;
  const { options, weights } = settings[unit.setting - 1];
  const own = unitFolder(folder, unit);
  return {
    ...runOptionsFrom(options),
    ...{ task, plane, seed, threads, data, prefix, tune, weights: weights.file },
    ...(fold !== undefined && { folds: join(folder, FOLDS_FILE), fold }),
    ...(shared ?? { models: join(own, "models"), logs: join(own, "logs") }),
  };
}

/**
 * The run of a unit as it goes on, or begins anew if there is no state to go on from.
 *
 * @param shared finds the unit's run in a folder of logs that others use too
 */
async function _resumed(
  run: PlainRunOptions,
  { shared, onRemark }: {
    shared?: () => Promise<string | undefined>;
    onRemark?: (remark: string) => void;
  },
): Promise<PlainRunOptions | "busy"> {
  const anew = shared === undefined ? { ...run, flushHistory: true } : run;
  const latest = shared === undefined
    ? (await listRuns(run.logs!, run.task, run.plane))[0]
    : await shared();
  if (latest === undefined) return anew;
  const lock = await lockRun(latest);
  if (lock === undefined) return "busy";
  await lock.release();
  // The same folders may be called otherwise than when it began.
  const same = await _withKeptPaths(run, latest);
  const resume = await resumable(same, latest);
  if (resume !== undefined) return { ...same, resume };
  if (!await isMissing(join(latest, STATE_FILE))) {
    onRemark?.(`The state in '${latest}' does not fit this plan or cannot be read: begins anew`);
  }
  return anew;
}

/** The run with the paths by which it began, where these lead to the same files. */
async function _withKeptPaths(run: PlainRunOptions, folder: string): Promise<PlainRunOptions> {
  try {
    const { settings } = await readRunConfig(folder);
    const kept = async (name: "models" | "folds") => {
      const [then, now] = [settings[name], run[name]];
      return typeof then === "string" && now !== undefined && await _isSame(then, now) ? then : now;
    };
    return { ...run, models: await kept("models"), folds: await kept("folds") };
  } catch (error) {
    if (error instanceof MRNetError) return run;
    throw error;
  }
}

async function _isSame(one: string, other: string): Promise<boolean> {
  try {
    const [a, b] = [await Deno.stat(one), await Deno.stat(other)];
    return a.dev === b.dev && a.ino === b.ino;
  } catch {
    return false;
  }
}

/** A model whose file is named from the folder of its unit. */
function _inFolder(own: string, done: DoneModel): DoneModel {
  const begin = `${own.replace(/\/*$/, "")}/`;
  if (done.checkpoint.startsWith(begin)) {
    return { ...done, checkpoint: done.checkpoint.slice(begin.length) };
  }
  // It went on under another name of the same folder.
  return { ...done, checkpoint: done.checkpoint.replace(/^.*[\\/](?=models[\\/])/, "") };
}

/** Whether the lock is still this process's; another one may have taken it for one that was killed. */
async function _isHeld(lock: RunLock): Promise<boolean> {
  return await lock.check().then(() => true, (error) => {
    if (error instanceof MRNetError) return false;
    throw error;
  });
}
