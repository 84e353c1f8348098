/**
 * All nine models of MRNet and the combinations of their planes: what `cli.ts run_all` does, as one
 * function.
 *
 * The tune split is kept out of all nine, chooses their best epochs and operating points, and fits the
 * combinations; the validation set is evaluated once, at the end of each model's training, and decides
 * nothing.
 *
 * @module
 */
import { TrainingError } from "../errors.ts";
import { describeHolder, lockRun, type RunLock } from "../logs/run_lock.ts";
import { checkOptionNames } from "../option_names.ts";
import { trainAndEvaluate } from "./one_model.ts";
import { RUN_ALL_OPTION_NAMES, type RunAllOptions } from "./options.ts";
import { writeOutcome } from "./outcome.ts";
import { makePlan, type Plan } from "./plan.ts";
import type { TaskResult } from "./results.ts";
import { type LeftOutExam, modelKey, readState, writeState } from "./state.ts";

/** What came of it. */
export interface RunAllResult {
  /** Whether everything is done, or the signal ended it; running again goes on from there. */
  stopped: "finished" | "interrupted";
  /** A row for each task; empty where it was interrupted. */
  results: TaskResult[];
  /** The exams that could not be read; none but where `skipBadExams` leaves them out. */
  leftOut: LeftOutExam[];
  /** The folder of the state, the predictions and the report. */
  out: string;
  /** The table as a page, one file that needs no other; none where it was interrupted. */
  report?: string;
}

/**
 * Trains the three planes of the three tasks, combines them, and evaluates all twelve on the validation
 * set.
 *
 * What is done is kept in the folder `out`: running again with the same options trains only what is
 * missing, and goes on with the model that was interrupted from its last saved state. With other
 * options it refuses and names the differences.
 *
 * With `skipBadExams` it goes on without exams that cannot be read. A patient counts in a combination,
 * and in the table, only where all three exams could be read.
 *
 * @throws {OptionError} if an option is out of its range, or earlier runs there had others
 * @throws {TrainingError} if another process is at work there, a training fails, or no epoch of it was worth keeping
 * @throws {DataError} if exams cannot be used; all are checked before the first training; or if
 * the predictions that the folder has of the three planes are not of the same exams
 * @throws what {@linkcode train} throws
 *
 * @example
 * ```ts
 * import { phantom, runAll } from "../../mod.ts";
 * const home = await Deno.makeTempDir();
 * const [data, models, logs] = ["data", "models", "logs"].map((name) => `${home}/${name}`);
 * const balanced = { abnormal: 0.5, acl: 0.5, meniscus: 0.5 };
 * const prevalence = { train: balanced, valid: balanced };
 * const knees = { train: 24, valid: 4, size: 64, slices: [1, 1], seed: 1, prevalence } as const;
 * await phantom.writePhantomDataset({ folder: data, ...knees });
 * const { results } = await runAll({
 *   ...{ data, models, logs, weights: "none", seed: 1, epochs: 1, augment: false },
 *   tune: { fraction: 0.3, seed: 0 },
 * });
 * console.assert(results.length === 3 && results[0].exams === 4);
 * ```
 */
export async function runAll(options: RunAllOptions): Promise<RunAllResult> {
  checkOptionNames("run all", options, RUN_ALL_OPTION_NAMES);
  for (;;) {
    const plan = await makePlan(options);
    const { done, open, lost, seed, out, before, state, statePath } = plan;
    const lock = await _lock(out);
    try {
      // Until it gave the lock back another process may have trained some of them.
      if (JSON.stringify(await readState(statePath)) !== JSON.stringify(before)) continue;
      await writeState(statePath, state);
      options.onPlan?.({ done, open, lost, seed, out, lock: lock.kind });
      return await _carryOut(plan, options);
    } finally {
      await lock.release();
    }
  }
}

/** One process at a time trains what a folder keeps the state of. */
async function _lock(out: string): Promise<RunLock> {
  const lock = await lockRun(out);
  if (lock !== undefined) return lock;
  throw new TrainingError(
    `Cannot train the models of '${out}': another process is at work on them${await describeHolder(
      out,
    )}: wait for its end, or give another --out`,
  );
}

/** Trains what is open, and makes combinations, tables and report of all. */
async function _carryOut(plan: Plan, options: RunAllOptions): Promise<RunAllResult> {
  const { out, state, statePath } = plan;
  for (const model of plan.open) {
    const done = await trainAndEvaluate(plan, options, model);
    if (done === undefined) return { stopped: "interrupted", results: [], leftOut: [], out };
    state.models[modelKey(model.task, model.plane)] = done;
    delete state.running;
    await writeState(statePath, state);
    options.onDone?.(model, done);
  }
  return { stopped: "finished", out, ...await writeOutcome(plan) };
}
