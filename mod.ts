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
export type { Augmentation } from "./lib/data/augment.ts";
export {
  type Dataset,
  type DatasetOptions,
  examsInOrder,
  type LabelledExam,
  openDataset,
  positiveWeight,
} from "./lib/data/dataset.ts";

// Made-up knees.
export * from "./lib/data/phantom/mod.ts";

// The model.
export {
  createMRNet,
  type CreateOptions,
  type LoadedMRNet,
  loadMRNet,
  saveMRNet,
} from "./lib/model/create.ts";
export { type Conversion, convertWeights } from "./lib/model/convert.ts";
export { MRNet, type Prediction } from "./lib/model/mrnet.ts";
export type { NamedTensor, StateDict } from "./lib/model/weights/tensors.ts";

// Training and judging.
export { train } from "./lib/train/trainer.ts";
export type { EpochReport, ExamReport, TrainResult } from "./lib/train/trainer.ts";
export { TRAIN_DEFAULTS, type TrainOptions } from "./lib/train/options.ts";
export {
  type RunOptions,
  type RunResult,
  type RunStart,
  trainClassifier,
} from "./lib/train/run.ts";
export {
  evaluate,
  type EvaluateOptions,
  type Evaluation,
  type ExamPrediction,
} from "./lib/train/evaluate.ts";
export type { ExamFigures, Runner } from "./lib/train/runner.ts";
export { type ScheduleName, SCHEDULES } from "./lib/train/schedule.ts";
export { rocAuc, type RocCurve, rocCurve } from "./lib/metrics/roc.ts";
