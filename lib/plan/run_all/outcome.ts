/**
 * The outcome of a run over all tasks and planes, once its nine models are done: three combinations,
 * their predictions, and the table of results as JSON and as a page.
 */
import { type ByPlane, byPlane, type Combination } from "../../combine/combination.ts";
import { keepCombination } from "../../combine/file.ts";
import { fitCombination } from "../../combine/fit.ts";
import { describeMembers } from "../../combine/members.ts";
import { patientHashes } from "../../combine/patient_hashes.ts";
import { join, writeWhole } from "../../files.ts";
import { PLANES, TASKS } from "../../terms.ts";
import { resultsPage } from "./page.ts";
import { ALL, type Plan } from "./plan.ts";
import {
  flatResults,
  patientsOf,
  predictionsTable,
  type TaskResult,
  taskResult,
} from "./results.ts";
import type { DoneModel, LeftOutExam } from "../done_model.ts";
import { modelKey, type RunAllState } from "./state.ts";

/** The outcome of a run over all. */
export interface Outcome {
  /** A row for each task. */
  results: TaskResult[];
  /** The exams that could not be read. */
  leftOut: LeftOutExam[];
  /** The table as a page, in a single file. */
  report: string;
}

/**
 * Combines the planes of each task, and writes the combinations, their predictions and the results.
 *
 * @throws {DataError} if the predictions of the three planes are not of the same exams
 * @throws {OutputError} if a file cannot be written
 */
export async function writeOutcome(plan: Plan): Promise<Outcome> {
  const { out, state, statePath, models } = plan;
  const results: TaskResult[] = [];
  for (const task of TASKS) {
    const members = byPlane((plane) => state.models[modelKey(task, plane)]);
    const patients = (split: "tune" | "valid") => patientsOf(members, split, statePath);
    const files = byPlane((plane) => members[plane].checkpoint);
    const name = join(models, `combined_${plan.prefix}_${task}.json`);
    const described = byPlane((plane) => ({ ...members[plane], file: files[plane] }));
    const combination = {
      ...fitCombination(patients("tune"), "tune"),
      ...await _fitExams(members),
      task,
      tune: plan.tune,
      members: describeMembers(name, described),
    };
    const path = await keepCombination(name, combination);
    for (const split of ["tune", "valid"] as const) {
      const table = predictionsTable(patients(split), combination);
      await writeWhole(join(out, `predictions_${task}_${split}.csv`), table);
    }
    results.push(taskResult(task, patients("valid"), combination, { ...files, combined: path }));
  }
  const rows = JSON.stringify(flatResults(results), null, 2);
  await writeWhole(join(out, "results.json"), rows + "\n");
  const report = join(out, "report.html");
  const leftOut = _leftOut(state);
  await writeWhole(report, resultsPage(results, { ...plan, ...state, leftOut }));
  return { results, leftOut, report };
}

/** The hashes of the patients that a combination is fitted on, if the state has them. */
async function _fitExams(members: ByPlane<DoneModel>): Promise<Pick<Combination, "fitExams">> {
  if (PLANES.some((plane) => members[plane].tuneExams === undefined)) return {};
  const planes = byPlane((plane) => {
    const { tune, tuneExams } = members[plane];
    return new Map(tune.map(([id], at) => [id, tuneExams![at]]));
  });
  return { fitExams: await patientHashes(planes) };
}

/** The exams that were left out; one that three tasks left out is listed once. */
function _leftOut({ models }: RunAllState): LeftOutExam[] {
  const all = ALL.flatMap(({ task, plane }) =>
    models[modelKey(task, plane)].leftOut.map((each) => ({ plane, ...each }))
  );
  return [...new Map(all.map((each) => [`${each.plane} ${each.split} ${each.id}`, each])).values()];
}
