/**
 * What an evaluation, or the results of all nine models, are written down as: a page, lines of text,
 * JSON, CSV; and what is to be kept in mind with them.
 *
 * ```ts ignore
 * import { evaluate, report } from "../../mod.ts";
 * const evaluation = await evaluate({ model: "models/model.safetensors" });
 * for (const line of report.evaluationLines(evaluation)) console.log(line);
 * await Deno.writeTextFile("report.html", report.evaluationHtml(evaluation, new Date()));
 * ```
 *
 * @module
 */
export { cautions } from "./cautions.ts";
export { evaluationChecklist } from "./checklist.ts";
export { evaluationJson, predictionsCsv } from "./files.ts";
export { evaluationHtml } from "./report.ts";
export { evaluationLines } from "./text.ts";
export type { Acquaintance, EvaluatedSet } from "./acquaintance.ts";
export type { Subgroups } from "./subgroups.ts";
export type { ComparedModel, EvaluatedModel, ModelEvaluation } from "./evaluate_model.ts";
export type { OddExam } from "./evaluated_exams.ts";
export type { LeftOutStudies } from "./labelled_studies.ts";
export { flatResults, RESULT_COLUMNS, resultsText } from "../plan/run_all/results.ts";
export type { Column, ModelAuc, TaskResult } from "../plan/run_all/results.ts";
export type { DoneModel, LeftOut, LeftOutExam, SavedPrediction } from "../plan/done_model.ts";
