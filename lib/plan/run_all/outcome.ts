/**
 * The outcome of nine models, once all are done: three combinations, their predictions, and the table of
 * results as JSON and as a page.
 */
import { byPlane } from "../../combine/combination.ts";
import type { TuneSplit } from "../../data/tune.ts";
import { join, writeWhole } from "../../files.ts";
import { PLANES, TASKS } from "../../terms.ts";
import { combinePlanes, ruleAmong } from "../combined_planes.ts";
import type { DoneModel, LeftOutExam } from "../done_model.ts";
import { patientsOf, predictionsTable } from "../patients.ts";
import { resultsPage } from "./page.ts";
import { flatResults, type TaskResult, taskResult } from "./results.ts";
import { modelKey } from "./state.ts";

/** Nine models that are done, and where their outcome goes. */
export interface NineModels {
  /** The models, by `task/plane`. */
  models: Readonly<Record<string, DoneModel>>;
  /** The options of all trainings, and the hashes of what they read. */
  config: Readonly<Record<string, unknown>>;
  /** The folder of the dataset. */
  data: string;
  /** The exams that chose epochs and operating points. */
  tune: TuneSplit;
  /** The prefix of the models' files. */
  prefix: string;
  /** The folder of the combinations. */
  combinations: string;
  /** The folder of the tables and the report. */
  out: string;
  /** Makes the error if the models were not evaluated on the same exams. */
  failure: (found: string) => Error;
}

/** The outcome of a run over all. */
export interface Outcome {
  /** A row for each task. */
  results: TaskResult[];
  /** The exams that could not be read. */
  leftOut: LeftOutExam[];
  /** What is to be known about the combinations, a line each. */
  remarks: string[];
  /** The table as a page, in a single file. */
  report: string;
}

/**
 * Combines the planes of each task, and writes the combinations, their predictions and the results.
 *
 * @throws what `failure` makes, if the predictions of the three planes are not of the same exams
 * @throws {OutputError} if a file cannot be written
 */
export async function writeOutcome(nine: NineModels): Promise<Outcome> {
  const { models, config, tune, prefix, combinations, out, failure } = nine;
  const rule = ruleAmong(config);
  const results: TaskResult[] = [];
  const remarks: string[] = [];
  for (const task of TASKS) {
    const members = byPlane((plane) => models[modelKey(task, plane)]);
    const patients = (split: "tune" | "valid") => patientsOf(members, split, failure);
    const files = byPlane((plane) => members[plane].checkpoint);
    const name = join(combinations, `combined_${prefix}_${task}.json`);
    const of = { task, members, tune, rule, name, failure };
    const { combination, path, remark } = await combinePlanes(of);
    if (remark !== undefined) remarks.push(remark);
    for (const split of ["tune", "valid"] as const) {
      const table = predictionsTable(patients(split), combination);
      await writeWhole(join(out, `predictions_${task}_${split}.csv`), table);
    }
    results.push(taskResult(task, patients("valid"), combination, { ...files, combined: path }));
  }
  const rows = JSON.stringify(flatResults(results), null, 2);
  await writeWhole(join(out, "results.json"), rows + "\n");
  const report = join(out, "report.html");
  const leftOut = _leftOut(models);
  await writeWhole(report, resultsPage(results, { ...nine, leftOut }));
  return { results, leftOut, remarks, report };
}

/** The exams that were left out; one that three tasks left out is listed once. */
function _leftOut(models: Readonly<Record<string, DoneModel>>): LeftOutExam[] {
  const all = TASKS.flatMap((task) =>
    PLANES.flatMap((plane) =>
      models[modelKey(task, plane)].leftOut.map((each) => ({ plane, ...each }))
    )
  );
  return [...new Map(all.map((each) => [`${each.plane} ${each.split} ${each.id}`, each])).values()];
}
