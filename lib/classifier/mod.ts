/** Classifiers: what they are, loading them, what they say of a dataset, and making ensembles. */
export {
  Classifier,
  type ClassifierCard,
  type ClassifierFile,
  type ClassifierKind,
  type ClassifierPrediction,
  type Conclusion,
  type PatientExams,
} from "./classifier.ts";
export { CombinedMRNet } from "./combined.ts";
export type { Ensemble, EnsembleMember, EnsembleOperatingPoint, OutOfFold } from "./ensemble.ts";
export { EnsembleMRNet } from "./ensemble_mrnet.ts";
export type { EnsembleOptions, EnsembleResult } from "./ensemble_models.ts";
export type {
  ClassifiedExam,
  ClassifierEvaluation,
  EvaluateClassifierOptions,
} from "./evaluate.ts";
export type { ClassifierOptions } from "./load.ts";
export * from "./verbs.ts";
