/** Many trainings, for scripts: each function loads its code when it is first called. */
import type { SubmitOptions } from "./engines/engine.ts";
import type { WorkOptions, WorkOutcome } from "./engines/queue_work.ts";
import type { Gathered, PlanStatus } from "./gather.ts";
import type { MadePlan } from "./make_plan.ts";
import type { PlanOptions } from "./options.ts";
import type { RunAllOptions } from "./run_all/options.ts";
import type { RunAllResult } from "./run_all/run_all.ts";
import type { SubmitOutcome } from "./submit.ts";
import type { UnitOptions, UnitOutcome } from "./unit.ts";
import type { UnitsOptions, UnitsOutcome } from "./units.ts";

/**
 * Makes a plan of trainings, or of scoring an archive, and writes it to a folder. The same call again
 * changes nothing.
 *
 * The trainings keep a tune split out, which chooses epochs and operating points. With folds each training
 * keeps one fold out as well, which only evaluates its model. A sweep does not touch the validation set.
 *
 * @throws {OptionError} if an option does not exist or is out of its range, or the folder has another plan;
 * the message names the differences
 * @throws {DataError} if exams, labels or a table cannot be used, or a fold lacks a class
 * @throws {WeightsError} if the starting weights, or the model, cannot be had
 * @throws {OutputError} if the folder cannot be written
 *
 * @example
 * ```ts
 * import { phantom, plan } from "../../mod.ts";
 * const home = await Deno.makeTempDir();
 * const data = `${home}/data`;
 * const balanced = { abnormal: 0.5, acl: 0.5, meniscus: 0.5 };
 * const prevalence = { train: balanced, valid: balanced };
 * const knees = { train: 24, valid: 4, size: 64, slices: [1, 1], seed: 1, prevalence } as const;
 * await phantom.writePhantomDataset({ folder: data, ...knees });
 * const made = await plan.makePlan({
 *   ...{ kind: "folds", folds: 2, stratify: true, tasks: ["acl"], planes: ["axial"] },
 *   ...{ data, out: `${home}/plan`, weights: "none", seed: 1, tune: { fraction: 0.3, seed: 0 } },
 * });
 * console.assert(made.plan.units.length === 2 && !made.found);
 * ```
 */
export async function makePlan(options: PlanOptions): Promise<MadePlan> {
  const work = await import("./make_plan.ts");
  return await work.makePlan(options);
}

/**
 * Does one unit of a plan, or goes on with it. One that is done changes no file.
 *
 * A training starts in its own folder, `units/ID`, and resumes from the last saved state there; if it was
 * killed before the first one, it starts anew. A chunk of an archive goes on behind the last exam that was
 * predicted.
 *
 * @param folder the plan's
 * @throws {OptionError} if an option, or a unit of that number, does not exist
 * @throws {DataError} if the plan cannot be read, or labels, exams, weights, model or manifest are not
 * those that it was made for
 * @throws {TrainingError} if no epoch was worth keeping
 * @throws what `train` and `evaluate` throw
 *
 * @example
 * ```ts
 * import { phantom, plan } from "../../mod.ts";
 * const home = await Deno.makeTempDir();
 * const [data, out] = [`${home}/data`, `${home}/plan`];
 * const balanced = { abnormal: 0.5, acl: 0.5, meniscus: 0.5 };
 * const prevalence = { train: balanced, valid: balanced };
 * const knees = { train: 24, valid: 4, size: 64, slices: [1, 1], seed: 1, prevalence } as const;
 * await phantom.writePhantomDataset({ folder: data, ...knees });
 * await plan.makePlan({
 *   ...{ kind: "all", tasks: ["acl"], planes: ["axial"], data, out, weights: "none", seed: 1 },
 *   ...{ epochs: 1, threads: 1, tune: { fraction: 0.3, seed: 0 } },
 * });
 * const { state } = await plan.runUnit(out, { index: 0 });
 * console.assert(state === "done");
 * ```
 */
export async function runUnit(folder: string, options?: UnitOptions): Promise<UnitOutcome> {
  const work = await import("./unit.ts");
  return await work.runUnit(folder, options);
}

/**
 * Does all units of a plan that are neither done nor being done.
 *
 * @param folder the plan's
 * @throws {OptionError} if an option does not exist or is out of its range
 * @throws {DataError} if the plan cannot be read
 * @throws {PermissionError} if a worker may not read the toolkit
 */
export async function runUnits(folder: string, options?: UnitsOptions): Promise<UnitsOutcome> {
  const work = await import("./units.ts");
  return await work.runUnits(folder, options);
}

/**
 * Puts the results of all units together and writes them to the plan's folder: `results.json`, and of
 * trainings `report.html`, the predictions, a combination wherever three planes were trained alike, and an
 * ensemble wherever trainings differ in fold and seed alone. Of an archive, `predictions.csv` and `unreadable.csv`.
 *
 * The nine models of a plan of `all` give the table and the files that `runAll` gives.
 *
 * @param folder the plan's
 * @throws {DataError} if units are not done, naming them, or were not evaluated on the same exams
 * @throws {OutputError} if a file cannot be written
 */
export async function gatherPlan(folder: string): Promise<Gathered> {
  const work = await import("./gather.ts");
  return await work.gatherPlan(folder);
}

/**
 * Which units of a plan are done, by their files alone.
 *
 * @param folder the plan's
 * @throws {DataError} if the plan or a unit's file cannot be read
 */
export async function planStatus(folder: string): Promise<PlanStatus> {
  const work = await import("./gather.ts");
  return await work.planStatus(folder);
}

/**
 * Trains a model for each of the three planes of the three tasks, combines the planes, and evaluates
 * all twelve on the validation set.
 *
 * The folder `out` has a plan of nine units, which are done in this process: see `plan.makePlan`, whose
 * `all` it is, with models and logs in the folders of single trainings. Running again with the same
 * options trains only the missing models; an interrupted training continues from its last saved state.
 * Other options are refused, and the differences are named.
 *
 * With `skipBadExams`, exams that cannot be read are left out. A patient counts in a combination and in
 * the table only if all three exams could be read.
 *
 * @throws {OptionError} if an option is out of range, or differs from those of earlier runs in `out`
 * @throws {TrainingError} if another process works in `out`, if a training fails, or if a training had
 * no epoch worth keeping
 * @throws {DataError} if exams cannot be used, which is checked before the first training; or if the
 * predictions of the three planes in `out` are not of the same exams
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
  const work = await import("./run_all/run_all.ts");
  return await work.runAll(options);
}

/**
 * Hands those units of a plan over that are neither done nor with the engine already, and has their
 * results gathered at the end. Doing it twice adds nothing.
 *
 * @param folder the plan's
 * @throws {OptionError} if an option does not exist, or is none that the engine can follow
 * @throws {DataError} if the plan or a unit's file cannot be read
 * @throws {SubmitError} if the engine is not there or refuses, or another process submits the plan
 * @throws {PermissionError} if Deno may not write the plan's folder or run the engine's programs
 * @throws {OutputError} if a file cannot be written
 */
export async function submitPlan(folder: string, options: SubmitOptions): Promise<SubmitOutcome> {
  const work = await import("./submit.ts");
  return await work.submitPlan(folder, options);
}

/**
 * Does the units of a queue, one after the other, until the signal ends it. Any number of workers may do
 * so, on machines that see the plans' folders under the same paths.
 *
 * @throws {OptionError} if an option does not exist or is out of its range
 * @throws {SubmitError} if Redis cannot be reached at first, or BullMQ cannot be had
 * @throws {PermissionError} if Deno may not reach Redis, read the environment or start a process
 */
export async function workOnQueue(options: WorkOptions): Promise<WorkOutcome> {
  const work = await import("./engines/queue_work.ts");
  return await work.workOnQueue(options);
}
