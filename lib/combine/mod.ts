/**
 * The three planes together: fitting the weights, their file, patients and their exams, beside
 * `combineModels` and `loadClassifier`.
 *
 * ```ts
 * import { combination } from "../../mod.ts";
 * const weights = { coefficients: { axial: 1, coronal: 1, sagittal: 2 }, intercept: -2 };
 * const probabilities = { axial: 0.5, coronal: 0.5, sagittal: 0.5 };
 * console.assert(combination.combinedProbability(weights, probabilities) === 0.5);
 * ```
 *
 * @module
 */
export type { ByPlane, Combination, CombinedMember } from "./combination.ts";
export type { CombinedOperatingPoint, CombinedPrediction, FitOn } from "./combination.ts";
export { combinedProbability } from "./combination.ts";
export { combineTable } from "./verbs.ts";
export type { CombineTableOptions } from "./combine.ts";
export { fitCombination } from "./fit.ts";
export { formatCombination, parseCombination, readCombination, writeCombination } from "./file.ts";
export { evaluatePlanes, openPlanes } from "./evaluate.ts";
export type { EvaluatePlanesOptions, PatientPrediction } from "./evaluate.ts";
export { parsePredictions, type PlanePredictions, readPredictions } from "./predictions.ts";
export { groupByPatient, type PatientFiles, patientOf } from "./patients.ts";
export {
  type ClassifierPatient,
  type PatientOutcome,
  type PlanePredictor,
  predictPatients,
} from "../classifier/predict_patients.ts";
export type { FilePredictions } from "../model/file_prediction.ts";
