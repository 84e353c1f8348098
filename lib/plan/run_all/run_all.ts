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
import { baseName, join } from "../../files.ts";
import { resumable } from "../../train/resume.ts";
import type { DoneModel, LeftOutExam } from "../done_model.ts";
import { inLanes, type UnitComputer } from "../jobs.ts";
import { type ModelOfAll, RUN_ALL_OPTION_NAMES, type RunAllOptions } from "./options.ts";
import { writeOutcome } from "./outcome.ts";
import { makePlan, type Plan } from "./plan.ts";
import type { TaskResult } from "./results.ts";
import {
  endRunning,
  modelKey,
  noteRunning,
  readState,
  runningModel,
  stateError,
  writeState,
} from "./state.ts";

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
  /** The folder of the state, the predictions and the report. */
  out: string;
  /** The table as a page in a single file; none if it was interrupted. */
  report?: string;
}

/** As in `verbs.ts`, where it is described. */
export async function runAll(options: RunAllOptions): Promise<RunAllResult> {
  checkOptionNames("run all", options, RUN_ALL_OPTION_NAMES);
  for (;;) {
    const plan = await makePlan(options);
    const { done, open, lost, jobs, reason, seed, out, before, state, statePath } = plan;
    const lock = await _lock(out);
    try {
      // Planned under the lock: another process may have trained some of them before.
      if (JSON.stringify(await readState(statePath)) !== JSON.stringify(before)) continue;
      await writeState(statePath, state);
      options.onPlan?.({ done, open, lost, jobs, reason, seed, out, lock: lock.kind });
      return await _carryOut(plan, options);
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

/** Trains the missing models, then makes combinations, tables and report. */
async function _carryOut(plan: Plan, options: RunAllOptions): Promise<RunAllResult> {
  const { out, state, statePath } = plan;
  const save = _inOrder(() => writeState(statePath, state));
  let left = plan.open.length;
  await inLanes(plan.open, plan.jobs, async (model, computer) => {
    const done = await _train({ ...plan, save }, options, model, computer);
    if (done === undefined) return false;
    const key = modelKey(model.task, model.plane);
    state.models[key] = done;
    endRunning(state, key);
    await save();
    options.onDone?.(model, done);
    left--;
    return true;
  });
  if (left > 0) return { stopped: "interrupted", results: [], leftOut: [], remarks: [], out };
  const outcome = await writeOutcome({
    ...{ ...plan, ...state, combinations: plan.models },
    failure: (found) => stateError(statePath, found),
  });
  return { stopped: "finished", out, ...outcome };
}

/** One call after the other, so that the last one is that of the last state. */
function _inOrder(write: () => Promise<void>): () => Promise<void> {
  let before: Promise<unknown> = Promise.resolve();
  return () => {
    const written = before.then(write);
    before = written.catch(() => {});
    return written;
  };
}

/** Trains and evaluates one of the nine, or goes on with it; nothing if the signal ended it. */
async function _train(
  plan: Plan & { save: () => Promise<void> },
  options: RunAllOptions,
  model: ModelOfAll,
  computer: UnitComputer,
): Promise<DoneModel | undefined> {
  const { prefix, data, models, logs, tune, seed, threads, state, save } = plan;
  const { out: _out, jobs: _jobs, onPlan: _plan, onDone: _done, onEvaluated, ...given } = options;
  const { signal, onDownload, onStart, onExam, onEpoch, ...shared } = given;
  const { task, plane } = model;
  const key = modelKey(task, plane);
  const run = { ...shared, task, plane, prefix, data, models, logs, tune, seed, threads };
  // The state names the run's folder; the caller gives the folder of the logs.
  const running = runningModel(state, key);
  const resume = running &&
    await resumable(run, join(logs, task, plane, baseName(running.logFolder)));
  const done = await computer.train({ run: { ...run, resume }, evaluateOn: ["tune", "valid"] }, {
    signal,
    onDownload,
    onStart(start) {
      noteRunning(state, { model: key, logFolder: start.logFolder });
      const noted = save();
      onStart?.(model, start);
      return noted;
    },
    onExam: (report) => onExam?.(model, report),
    onEpoch: (report, checkpoint) => onEpoch?.(model, report, checkpoint),
    onEvaluated: (progress) => onEvaluated?.(model, progress),
  });
  // The state keeps what earlier versions kept.
  return done && { ...done, validExams: undefined };
}
