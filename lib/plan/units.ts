/** Doing all units of a plan on one machine, one after the other or side by side. */
import { MRNetError } from "../errors.ts";
import { checkOptionNames, type OptionNames } from "../option_names.ts";
import { inLanes, limitJobs } from "./jobs.ts";
import type { Plan, ScoreUnit, TrainUnit } from "./plan.ts";
import { openPlan } from "./plan_file.ts";
import type { UnitHooks } from "./train_unit.ts";
import { doUnit, type UnitOutcome } from "./unit.ts";

/** How to do all units of a plan. */
export interface UnitsOptions {
  /**
   * How many are done side by side, each in a worker; fewer if threads or memory do not allow it.
   * @default 1
   */
  jobs?: number;
  /** Saves the states of the units at hand and begins no more. */
  signal?: AbortSignal;
  /** Called with each unit that begins; what it returns is called while that unit is done. */
  onUnit?: (unit: TrainUnit | ScoreUnit) => Omit<UnitHooks, "signal"> | void;
  /** Called with each unit that is done, was done, is busy or is saved. */
  onOutcome?: (outcome: UnitOutcome) => void;
  /** Called with each unit that failed; the others are done all the same. */
  onFailure?: (unit: TrainUnit | ScoreUnit, error: MRNetError) => void;
  /** Called with a remark, such as that fewer are done side by side than were asked for. */
  onRemark?: (remark: string) => void;
}

/** The names of the options. */
const OPTION_NAMES: OptionNames<UnitsOptions> = {
  jobs: true,
  signal: true,
  onUnit: true,
  onOutcome: true,
  onFailure: true,
  onRemark: true,
};

/** What became of the units. */
export interface UnitsOutcome {
  /** The plan. */
  plan: Plan;
  /** How many are done, now or before. */
  done: number;
  /** How many are being done by other processes. */
  busy: number;
  /** How many failed. */
  failed: number;
  /** How many are left: they were saved, or not begun. */
  left: number;
}

/** As in `verbs.ts`, where it is described. */
export async function runUnits(folder: string, options: UnitsOptions = {}): Promise<UnitsOutcome> {
  checkOptionNames("do units", options, OPTION_NAMES);
  const { jobs: asked = 1, signal, onUnit, onOutcome, onFailure, onRemark } = options;
  const { plan } = await openPlan(folder);
  const units: readonly (TrainUnit | ScoreUnit)[] = plan.units;
  const threads = plan.kind === "score" ? plan.threads : plan.units[0].threads;
  const { jobs, reason } = limitJobs(Math.min(asked, units.length), threads);
  if (reason !== undefined) onRemark?.(`${jobs} of ${asked} units side by side: ${reason}`);
  const counts = { done: 0, busy: 0, failed: 0 };
  await inLanes(units, jobs, async (unit, computer) => {
    if (signal?.aborted) return false;
    try {
      const hooks = _hooksOf(unit, onUnit);
      const own = { index: unit.index, signal, onRemark, ...hooks };
      const outcome = await doUnit(folder, own, computer);
      if (outcome.state !== "saved") counts[outcome.state]++;
      onOutcome?.(outcome);
      return outcome.state !== "saved";
    } catch (error) {
      if (!(error instanceof MRNetError)) throw error;
      counts.failed++;
      onFailure?.(unit, error);
      return true;
    }
  });
  return { plan, ...counts, left: units.length - counts.done - counts.busy - counts.failed };
}

/** The hooks of a unit, which are asked for when it begins. */
function _hooksOf(
  unit: TrainUnit | ScoreUnit,
  onUnit: UnitsOptions["onUnit"],
): UnitHooks & { onUnit: () => void } {
  let hooks: Omit<UnitHooks, "signal"> | void;
  return {
    onUnit: () => hooks = onUnit?.(unit),
    onDownload: (received, total) => hooks?.onDownload?.(received, total),
    onStart: (start) => hooks?.onStart?.(start),
    onExam: (report) => hooks?.onExam?.(report),
    onEpoch: (report, checkpoint) => hooks?.onEpoch?.(report, checkpoint),
    onEvaluated: (progress) => hooks?.onEvaluated?.(progress),
  };
}
