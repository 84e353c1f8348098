/**
 * MRNet for Deno: train, judge and apply classifiers of knee MRI exams.
 *
 * One exam in one plane (sagittal, coronal or axial) goes in; the probability of one finding
 * (abnormal, ACL tear or meniscal tear) comes out. Tensors are computed by Deno's own WebGPU, or by
 * WebAssembly where there is no GPU.
 *
 * Importing this module starts nothing, reads nothing and asks for no permission.
 *
 * ```ts ignore
 * import { createMRNet, openDataset, train } from "./mod.ts";
 *
 * const exams = { task: "acl", plane: "sagittal" } as const;
 * const model = await createMRNet({ weights: "imagenet" });
 * const { best } = await train(model, {
 *   train: await openDataset({ ...exams, split: "train" }),
 *   valid: await openDataset({ ...exams, split: "valid" }),
 * });
 * console.log(best?.valAuc);
 * ```
 *
 * That one needs MRNet's files; the examples of the functions bring their own and are run as tests.
 *
 * @module
 */
export * from "./lib/terms.ts";
export * from "./lib/errors.ts";

// Where tensors are computed.
export {
  describeEngine,
  type Engine,
  ENGINE_CHOICES,
  type EngineChoice,
  type EngineName,
  type EngineOptions,
  ENGINES,
  startEngine,
} from "./lib/engine/engine.ts";
export type { AdapterInfo } from "./lib/engine/webgpu/adapter.ts";
export { type Precision, PRECISIONS } from "./lib/engine/webgpu/precision.ts";

export type { Tensor2D, Tensor3D, Tensor4D, Variable } from "./lib/tf.ts";

// Exams, labels and datasets.
export {
  decodeNpy,
  encodeNpy,
  type NpyArray,
  type NpyData,
  type NpyDtype,
  type NpyHeader,
  readNpy,
} from "./lib/data/npy.ts";
export { type Exam, examFromNpy, type ExamSize, readExam } from "./lib/data/exam.ts";
export { type LabelledId, readLabels } from "./lib/data/labels.ts";
export { type ExamFile, type ReadExamFile, readExamFiles } from "./lib/data/exam_files.ts";
export type { Augmentation, Shift } from "./lib/data/augment.ts";
export { type ExamHash, hashExam } from "./lib/data/exam_hash.ts";
export { oddityOf } from "./lib/data/oddity.ts";
export { INTENSITIES, type Intensity } from "./lib/data/intensity.ts";
export { isTuneExam, TUNE_SEED, type TuneSplit } from "./lib/data/tune.ts";
export {
  type Dataset,
  type DatasetOptions,
  examsInOrder,
  type LabelledExam,
  openDataset,
  positiveWeight,
} from "./lib/data/dataset.ts";

// Made-up knees.
export * from "./lib/phantom/mod.ts";

// The model.
export {
  createMRNet,
  type CreateOptions,
  type LoadedMRNet,
  loadMRNet,
  type LoadOptions,
  saveMRNet,
} from "./lib/model/create.ts";
export type { ModelSource } from "./lib/model/model_source.ts";
export {
  CHOSEN_ON,
  type ChosenOn,
  decide,
  type Decision,
  DEFAULT_THRESHOLD,
  type ModelCard,
  type OperatingPoint,
  settleCard,
  type SettledCard,
} from "./lib/model/card.ts";
export { type Conversion, convertWeights } from "./lib/model/convert.ts";
export type { FilePrediction } from "./lib/model/file_prediction.ts";
export type { Features } from "./lib/model/features.ts";
export { MRNet, type MRNetOptions, type Prediction, type ReadOptions } from "./lib/model/mrnet.ts";
export type { NamedTensor, StateDict } from "./lib/model/weights/tensors.ts";

// The three planes together.
export {
  type ByPlane,
  type Combination,
  type CombinedMember,
  type CombinedOperatingPoint,
  combinedProbability,
  FIT_ON,
  type FitOn,
  fitRemark,
} from "./lib/combine/combination.ts";
export {
  combineModels,
  type CombineOptions,
  type CombineResult,
  combineTable,
} from "./lib/combine/combine.ts";
export { fitCombination } from "./lib/combine/fit.ts";
export {
  type CombinedEvaluation,
  type CombinedExamPrediction,
  evaluateCombined,
  type JudgeOptions,
  judgePlanes,
  openPlanes,
  type PatientPrediction,
} from "./lib/combine/judge.ts";
export {
  parsePredictions,
  type PlanePredictions,
  readPredictions,
} from "./lib/combine/predictions.ts";
export {
  formatCombination,
  parseCombination,
  readCombination,
  writeCombination,
} from "./lib/combine/file.ts";
export {
  CombinedMRNet,
  type CombinedPrediction,
  loadCombined,
  type LoadedMember,
} from "./lib/combine/loaded.ts";
export {
  groupByPatient,
  type PatientFiles,
  patientOf,
  type PatientOutcome,
  type PlanePredictor,
  predictPatients,
} from "./lib/combine/patients.ts";

// All nine models and their combinations.
export {
  type ModelOfAll,
  runAll,
  type RunAllOptions,
  type RunAllPlan,
  type RunAllResult,
  TUNE_FRACTION,
} from "./lib/run_all/run_all.ts";
export {
  type AucFigure,
  type Column,
  flatResults,
  RESULT_COLUMNS,
  resultsText,
  type TaskResult,
} from "./lib/run_all/results.ts";
export type { DoneModel, LeftOut, LeftOutExam, SavedPrediction } from "./lib/run_all/state.ts";

// Training and judging.
export { train } from "./lib/train/trainer.ts";
export type { EpochReport, ExamReport, SkippedExam, TrainResult } from "./lib/train/reports.ts";
export {
  describeRecipe,
  LOSS_WEIGHTS,
  type LossWeights,
  RECIPE_NAMES,
  type RecipeName,
  type RecipeParts,
  RECIPES,
} from "./lib/recipe.ts";
export { TRAIN_DEFAULTS, type TrainDefaults, type TrainOptions } from "./lib/train/options.ts";
export {
  type ResumedRun,
  type RunOptions,
  type RunResult,
  type RunStart,
  type RunTraining,
  type Selection,
  trainClassifier,
} from "./lib/train/run.ts";
export {
  evaluate,
  type EvaluateOptions,
  type Evaluation,
  type ExamPrediction,
} from "./lib/train/evaluate.ts";
export { predictFiles } from "./lib/train/predict.ts";
export type { ExamFigures, Runner } from "./lib/train/runner.ts";
export type { OptimizerState } from "./lib/model/optimizer_state.ts";
export { type OutputWeights, outputWeights } from "./lib/train/loss.ts";
export { type ScheduleName, SCHEDULES } from "./lib/train/schedule.ts";

// Figures of labels and scores, whatever made them.
export { rocAuc, type RocCurve, rocCurve } from "./lib/metrics/roc.ts";
export {
  type AucComparison,
  type AucInterval,
  delongInterval,
  delongTest,
} from "./lib/metrics/delong.ts";
export {
  type BootstrapOptions,
  bootstrapRoc,
  type RocBand,
  type RocBootstrap,
} from "./lib/metrics/bootstrap.ts";
export {
  type ConfusionMatrix,
  confusionMatrix,
  figuresAt,
  type Proportion,
  type ThresholdFigures,
  wilsonInterval,
  type YoudenPoint,
  youdenPoint,
} from "./lib/metrics/threshold.ts";
export {
  compareModels,
  type LabelledPrediction,
  type NamedThreshold,
  type PredictionSummary,
  summarizePredictions,
  type SummaryOptions,
  THRESHOLD_KINDS,
  type ThresholdKind,
} from "./lib/metrics/summary.ts";
export { brierScore, type CalibrationBin, calibrationCurve } from "./lib/metrics/calibration.ts";
export { fitLogistic, type LogisticModel, logisticProbability } from "./lib/metrics/logistic.ts";

// Judging a model's file, and the report of it.
export {
  evaluateModel,
  type EvaluateModelOptions,
  type EvaluationStart,
  type JudgedModel,
  type ModelEvaluation,
} from "./lib/report/evaluate_model.ts";
export type {
  Judgeable,
  JudgedCard,
  JudgedExams,
  JudgedPrediction,
  OddExam,
  OnExam,
  OpenedExams,
  ToldOfModel,
} from "./lib/report/judgeable.ts";
export { cautions } from "./lib/report/cautions.ts";
export type { Acquaintance } from "./lib/report/acquaintance.ts";
export { evaluationJson, predictionsCsv } from "./lib/report/files.ts";
export { evaluationHtml } from "./lib/report/report.ts";
export { evaluationLines } from "./lib/report/text.ts";

// Where a model looked.
export {
  explain,
  type ExplainOptions,
  type Explanation,
  MAP_KINDS,
  type MapKind,
  type SliceShare,
} from "./lib/explain/explain.ts";
export {
  explainFiles,
  type ExplainFilesOptions,
  type FileExplanation,
} from "./lib/explain/explain_files.ts";
export {
  type ExplainedModel,
  type ExplanationFiles,
  writeExplanation,
} from "./lib/explain/write.ts";
export { overlay, type View, viewOf } from "./lib/explain/overlay.ts";
export { contactSheet } from "./lib/explain/sheet.ts";
export { animation } from "./lib/explain/animation.ts";
export { encodePng, type Picture } from "./lib/explain/png.ts";
export type { Size } from "./lib/explain/resample.ts";

// Serving.
export { createHandler, type Handler } from "./lib/serve/handler.ts";
export {
  type GivenModel,
  SERVE_LIMITS,
  type ServeLimits,
  type ServeOptions,
  type ViewerOptions,
} from "./lib/serve/options.ts";
export {
  type InspectedSeries,
  type Inspection,
  type InspectOptions,
  inspectPaths,
  type SkippedFile,
} from "./lib/imaging/inspect.ts";
