/**
 * All nine models of MRNet and the combinations of their planes: what `cli.ts run_all` does, as one
 * function.
 *
 * No model is trained on the tune split. It chooses the best epochs and operating points, and the
 * combinations are fitted on it. Each model is evaluated on the validation set once, after its
 * training; that decides nothing.
 */
import { TrainingError } from "../../errors.ts";
import { describeHolder, lockRun, type RunLock } from "../../logs/run_lock.ts";
import { checkOptionNames } from "../../option_names.ts";
import type { DoneModel, LeftOutExam } from "../done_model.ts";
import { gatherNine } from "../gather.ts";
import { inLanes } from "../jobs.ts";
import type { TrainPlan } from "../plan.ts";
import { doUnit, type UnitOptions } from "../unit.ts";
import { readUnit, readUnits } from "../unit_file.ts";
import { readEarlier } from "./earlier.ts";
import { type ModelOfAll, RUN_ALL_OPTION_NAMES, type RunAllOptions } from "./options.ts";
import { type CheckedRun, checkRun, settleRun } from "./plan.ts";
import type { TaskResult } from "./results.ts";

/** The result of a run over all tasks and planes. */
export interface RunAllResult {
  /** Whether everything is done, or the signal stopped it; running again continues from there. */
  stopped: "finished" | "interrupted";
  /** A row for each task; empty if it was interrupted. */
  results: TaskResult[];
  /** The exams that `skipBadExams` left out because they could not be read. */
  leftOut: LeftOutExam[];
  /** What is to be known about the combinations, a line each. */
  remarks: string[];
  /** The folder of the plan, the predictions and the report. */
  out: string;
  /** The table as a page in a single file; none if it was interrupted. */
  report?: string;
}

/** As in `verbs.ts`, where it is described. */
export async function runAll(options: RunAllOptions): Promise<RunAllResult> {
  checkOptionNames("run all", options, RUN_ALL_OPTION_NAMES);
  for (;;) {
    const checked = await checkRun(options);
    const { done, open, lost, jobs, reason, seed, out, earlier } = checked;
    const lock = await _lock(out);
    try {
      // Checked under the lock: another process may have trained some of them before.
      if (JSON.stringify(await readEarlier(out)) !== JSON.stringify(earlier)) continue;
      await settleRun(checked);
      options.onPlan?.({ done, open, lost, jobs, reason, seed, out, lock: lock.kind });
      return await _carryOut(checked, options);
    } finally {
      await lock.release();
    }
  }
}

/** Takes the lock of the folder, so that one process at a time trains. */
async function _lock(out: string): Promise<RunLock> {
  const lock = await lockRun(out);
  if (lock !== undefined) return lock;
  throw new TrainingError(
    `Cannot train the models of '${out}': another process is at work on them${await describeHolder(
      out,
    )}: wait for its end, or give another --out`,
  );
}

/** Does the units that are left, then makes combinations, tables and report. */
async function _carryOut(
  { plan: opened, out, open, jobs, models, free }: CheckedRun,
  options: RunAllOptions,
): Promise<RunAllResult> {
  const plan = opened.plan as TrainPlan;
  const busy: ModelOfAll[] = [];
  let left = open.length;
  await inLanes(open, jobs, async (model, computer) => {
    const unit = plan.units.find(({ task, plane }) =>
      task === model.task && plane === model.plane
    )!;
    const how = { index: unit.index, opened, free, signal: options.signal };
    const { state } = await doUnit(out, { ...how, ..._hooksOf(model, options) }, computer);
    if (state === "saved") return false;
    left--;
    if (state === "busy") busy.push(model);
    else options.onDone?.(model, await readUnit(out, opened, unit) as DoneModel);
    return true;
  });
  if (left > 0) return { stopped: "interrupted", results: [], leftOut: [], remarks: [], out };
  if (busy.length > 0) throw _busyElsewhere(out, busy);
  const results = await readUnits(out, opened) as DoneModel[];
  const { kind: _, ...outcome } = await gatherNine(out, plan, results, models);
  return { stopped: "finished", out, ...outcome };
}

/** What a unit tells while it is done, as the caller wants to hear it. */
function _hooksOf(model: ModelOfAll, options: RunAllOptions): UnitOptions {
  const { onDownload, onStart, onExam, onEpoch, onEvaluated } = options;
  return {
    onDownload,
    onStart: (start) => onStart?.(model, start),
    onExam: (report) => onExam?.(model, report),
    onEpoch: (report, checkpoint) => onEpoch?.(model, report, checkpoint),
    onEvaluated: (progress) => onEvaluated?.(model, progress),
  };
}

/** Somebody does single units of the folder with `cli.ts unit`. */
function _busyElsewhere(out: string, busy: readonly ModelOfAll[]): TrainingError {
  const names = busy.map(({ task, plane }) => `${task} ${plane}`).join(", ");
  return new TrainingError(
    `Cannot put together the models of '${out}': another process is at work on ${names}: ` +
      "run the same again once it has come to its end",
  );
}
