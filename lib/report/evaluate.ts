/**
 * Evaluating, by what is given: a network and a dataset of one's own, a classifier of any kind with a
 * dataset of each plane that it reads, or the file of one with MRNet's folders.
 */
import { Classifier } from "../classifier/classifier.ts";
import type { ClassifierEvaluation, EvaluateClassifierOptions } from "../classifier/evaluate.ts";
import type { ByPlane } from "../combine/combination.ts";
import type { Dataset } from "../data/dataset.ts";
import { OptionError } from "../errors.ts";
import type { MRNet } from "../model/mrnet.ts";
import { checkOptionNames, type OptionNames } from "../option_names.ts";
import type { EvaluateOptions, Evaluation } from "../train/evaluate.ts";
import type { EvaluateModelOptions, ModelEvaluation } from "./evaluate_model.ts";

/** What evaluating a network can be given. */
const OPTION_NAMES: OptionNames<EvaluateOptions> = {
  lossWeights: true,
  signal: true,
  onUnreadable: true,
  onRead: true,
  onExam: true,
};

/** What evaluating a classifier can be given. */
const CLASSIFIER_OPTION_NAMES: OptionNames<EvaluateClassifierOptions> = {
  signal: true,
  onRead: true,
  onExam: true,
};

/** What evaluating a file can be given. */
const MODEL_OPTION_NAMES: OptionNames<EvaluateModelOptions> = {
  model: true,
  task: true,
  plane: true,
  intensity: true,
  data: true,
  split: true,
  labels: true,
  series: true,
  against: true,
  againstPlane: true,
  againstIntensity: true,
  threshold: true,
  operatingPoint: true,
  patients: true,
  groups: true,
  seed: true,
  samples: true,
  engine: true,
  threads: true,
  onStart: true,
  onExam: true,
};

/**
 * Runs a network over every exam of a dataset, without augmentation.
 *
 * @param model what is evaluated
 * @param dataset the exams; anything of this shape will do
 * @throws {OptionError} if there is no option of a name that is given
 * @throws {TrainingError} if an exam's loss is not finite
 * @throws {DataError} if an exam can no longer be read and may not be left out
 * @throws {EngineError} if the engine's device failed
 *
 * @example
 * ```ts
 * import { createMRNet, evaluate } from "../../mod.ts";
 * const size = { slices: 2, height: 64, width: 64 };
 * const exam = (id: string) => ({ id, ...size, voxels: new Uint8Array(2 * 64 * 64) });
 * const exams = {
 *   labels: [{ id: "healthy", label: 0 }, { id: "torn", label: 1 }] as const,
 *   read: (index: number) => Promise.resolve(exam(exams.labels[index].id)),
 * };
 * using model = await createMRNet({ weights: "none", seed: 1 });
 * const { auc } = await evaluate(model, exams);
 * console.assert(auc === 0.5, "two equal exams cannot be told apart");
 * ```
 */
export function evaluate(
  model: MRNet,
  dataset: Dataset,
  options?: EvaluateOptions,
): Promise<Evaluation>;
/**
 * Runs a classifier over the patients of datasets, whatever it is made of: each of its models over the
 * exams of its plane, one after another.
 *
 * @param classifier what {@linkcode loadClassifier} gives
 * @param exams the same patients in each plane that it reads; a dataset alone if that is one plane
 * @throws {OptionError} if an option does not exist
 * @throws {DataError} if a plane has no dataset, a patient is not in all of them, or his labels differ
 * @throws as the evaluation of a model, and the signal's reason
 */
export function evaluate(
  classifier: Classifier,
  exams: Dataset | Readonly<Partial<ByPlane<Dataset>>>,
  options?: EvaluateClassifierOptions,
): Promise<ClassifierEvaluation>;
/**
 * Evaluates the file of a model, or of a combination, on a split of a dataset in MRNet's folders.
 *
 * Metrics at a model's operating point are given only if that was chosen by other exams than these,
 * which the exams themselves tell and not their names; a second model is evaluated at its own.
 *
 * @param options which file, on which exams
 * @throws {OptionError} if task, plane or split do not go with the model, or a number is out of its
 * range
 * @throws {WeightsError} if a file is no model
 * @throws {DataError} if the dataset is missing or broken, or all labels are the same
 *
 * @example
 * ```ts
 * import { createMRNet, evaluate, phantom, saveMRNet } from "../../mod.ts";
 * const data = await Deno.makeTempDir();
 * const knees = { train: 2, valid: 4, size: 64, slices: [2, 2], seed: 1 } as const;
 * await phantom.writePhantomDataset({ folder: data, ...knees });
 * const file = `${data}/model.safetensors`;
 * using model = await createMRNet({ weights: "none", seed: 1 });
 * await saveMRNet(model, file, { task: "acl", plane: "axial" });
 * const { summary } = await evaluate({ model: file, data, seed: 1 });
 * console.assert(summary.exams === 4 && summary.auc.value >= 0);
 * ```
 */
export function evaluate(options: EvaluateModelOptions): Promise<ModelEvaluation>;
export async function evaluate(
  what: MRNet | Classifier | EvaluateModelOptions,
  exams?: Dataset | Readonly<Partial<ByPlane<Dataset>>>,
  options: EvaluateOptions | EvaluateClassifierOptions = {},
): Promise<Evaluation | ClassifierEvaluation | ModelEvaluation> {
  const isClassifier = what instanceof Classifier;
  if (!isClassifier && !("parameters" in what)) {
    checkOptionNames("evaluate", what, MODEL_OPTION_NAMES);
    const { evaluateModel } = await import("./evaluate_model.ts");
    return await evaluateModel(what);
  }
  checkOptionNames("evaluate", options, isClassifier ? CLASSIFIER_OPTION_NAMES : OPTION_NAMES);
  if (exams === undefined) {
    throw new OptionError(
      "Cannot evaluate a model without exams: give a dataset behind it, for several planes one of " +
        "each plane",
    );
  }
  // The overloads say which goes with which.
  if (isClassifier) {
    const { evaluateClassifier } = await import("../classifier/evaluate.ts");
    return await evaluateClassifier(what, exams, options as EvaluateClassifierOptions);
  }
  const { evaluate } = await import("../train/evaluate.ts");
  return await evaluate(what, exams as Dataset, options as EvaluateOptions);
}
