/**
 * MRNet for Deno: train, evaluate and apply classifiers of knee MRI exams.
 *
 * One exam in one plane (sagittal, coronal or axial) goes in; the probability of one finding
 * (abnormal, ACL tear or meniscal tear) comes out. Tensors are computed by Deno's own WebGPU, or by
 * WebAssembly where there is no GPU.
 *
 * Importing this module starts nothing, reads nothing and asks for no permission.
 *
 * ```ts ignore
 * import { createMRNet, openDataset, train } from "./mod.ts";
 * const exams = { task: "acl", plane: "sagittal" } as const;
 * using model = await createMRNet({ weights: "imagenet" });
 * const { best } = await train(model, {
 *   train: await openDataset({ ...exams, split: "train" }),
 *   valid: await openDataset({ ...exams, split: "valid" }),
 * });
 * console.log(best?.valAuc);
 * ```
 *
 * That one needs MRNet's files; the examples of the functions bring their own and are run as tests.
 * What is rarely needed is in namespaces: {@linkcode card}, {@linkcode metrics}, {@linkcode npy}, {@linkcode plan},
 * {@linkcode phantom}, {@linkcode combination}, {@linkcode report}, {@linkcode pictures}, {@linkcode pacs}.
 *
 * @module
 */
export * from "./lib/terms.ts";
// What goes wrong.
export { DataError, EngineError, MRNetError, OptionError, OutputError } from "./lib/errors.ts";
export {
  PacsError,
  PermissionError,
  SubmitError,
  TrainingError,
  WeightsError,
} from "./lib/errors.ts";

// Where tensors are computed.
export { describeEngine, ENGINE_CHOICES, ENGINES, startEngine } from "./lib/engine/engine.ts";
export type { ComputeOptions, Engine, EngineChoice } from "./lib/engine/engine.ts";
export type { EngineName, EngineOptions } from "./lib/engine/engine.ts";
export type { AdapterInfo } from "./lib/engine/webgpu/adapter.ts";
export type { Precision } from "./lib/engine/webgpu/precision.ts";
export type { Tensor2D, Tensor3D, Tensor4D, Variable } from "./lib/tf.ts";

// Exams, labels and datasets.
export { type Dataset, type DatasetOptions, openDataset } from "./lib/data/dataset.ts";
export type { LabelledExam } from "./lib/data/dataset.ts";
export { type Exam, type ExamSize, readExam } from "./lib/data/exam.ts";
export { type ExamFile, type ReadExamFile, readExamFiles } from "./lib/data/exam_files.ts";
export type { ExamInput, ExamSource } from "./lib/data/exam_files.ts";
export { type ExamHash, hashExam, type KnownExams } from "./lib/data/exam_hash.ts";
export { type LabelledId, readLabels } from "./lib/data/labels.ts";
export type { ExamSet, NamedCount } from "./lib/data/exam_set.ts";
export { oddityOf } from "./lib/data/oddity.ts";
export type { Shift } from "./lib/data/augment.ts";
export type { Intensity } from "./lib/data/intensity.ts";
export { type ExamChecks, type Landmarks, learnLandmarks } from "./lib/data/survey.ts";
export type { TuneSplit } from "./lib/data/tune.ts";

// The model.
export * from "./lib/model/mod.ts";

// Training.
export { train, type TrainDatasets } from "./lib/train/train.ts";
export type { EpochReport, ExamReport, SkippedExam, TrainResult } from "./lib/train/reports.ts";
export type { TrainDefaults, TrainOptions } from "./lib/train/options.ts";
export { TRAIN_DEFAULTS } from "./lib/train/resolve.ts";
export type { Augment, PixelSource, TrainModelOptions } from "./lib/train/model_options.ts";
export type { Random } from "./lib/random.ts";
export type { ResumedRun, RunOptions, RunResult } from "./lib/train/run.ts";
export type { RunStart, RunTraining, Selection } from "./lib/train/run.ts";
export type { ExamResult } from "./lib/train/exam_result.ts";
export { type ScheduleName, SCHEDULES } from "./lib/train/schedule.ts";
export type { LossWeights, RecipeName, RecipeSettings } from "./lib/model/recipe.ts";
export { RECIPES } from "./lib/model/recipe.ts";

// Classifiers: a model of one plane, three combined, an ensemble.
export * from "./lib/classifier/mod.ts";

// Evaluating and predicting.
export { evaluate } from "./lib/report/evaluate.ts";
export type { AskedExamsOptions } from "./lib/report/asked_exams.ts";
export type { EvaluateOptions, Evaluation, ExamPrediction } from "./lib/train/evaluate.ts";
export type { EvaluateModelOptions, EvaluationStart } from "./lib/report/evaluate_model.ts";
export type { ModelEvaluation } from "./lib/report/evaluate_model.ts";
export { recalibrate } from "./lib/report/verbs.ts";
export type { FittedCalibration, RecalibrateOptions } from "./lib/report/recalibrate.ts";
export type { RecalibrateResult } from "./lib/report/recalibrate.ts";
export type { ModelHints, PlaneModel } from "./lib/model/plane_model.ts";
export { predictFiles } from "./lib/train/verbs.ts";
export type { FilePrediction } from "./lib/model/file_prediction.ts";

// Where a model looked.
export { explain, explainFiles } from "./lib/explain/verbs.ts";
export type { ExplainOptions, Explanation, MapKind, SliceShare } from "./lib/explain/explain.ts";
export type { ExplainFilesOptions } from "./lib/explain/explain_files.ts";
export type { FileExplanation } from "./lib/explain/explain_files.ts";

// The three planes together, ensembles, and all nine models.
export { combineModels } from "./lib/combine/verbs.ts";
export type { CombineOptions, CombineResult } from "./lib/combine/combine.ts";
export { runAll } from "./lib/plan/verbs.ts";
export type { RunAllResult } from "./lib/plan/run_all/run_all.ts";
export type { ModelOfAll, RunAllOptions, RunAllPlan } from "./lib/plan/run_all/options.ts";

// Serving, and files from a scanner.
export { createHandler, type Handler } from "./lib/serve/handler.ts";
export { type GivenModel, SERVE_LIMITS, type ServeLimits } from "./lib/serve/options.ts";
export type { ServeOptions, ViewerOptions } from "./lib/serve/options.ts";
export * from "./lib/imaging/mod.ts";
export * from "./lib/doctor/mod.ts";

// The rest, by what it is about; each is a path of its own too, such as `@mrnet/deno/metrics`.
export * as card from "./lib/card/mod.ts";
export * as combination from "./lib/combine/mod.ts";
export * as metrics from "./lib/metrics/mod.ts";
export * as npy from "./lib/data/npy_mod.ts";
export * as pacs from "./lib/pacs/mod.ts";
export * as phantom from "./lib/phantom/mod.ts";
export * as pictures from "./lib/explain/mod.ts";
export * as plan from "./lib/plan/mod.ts";
export * as report from "./lib/report/mod.ts";
