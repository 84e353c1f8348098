/**
 * Evaluating a trained model on a split of a dataset: what `cli.ts evaluate` does, as one function.
 */
import type { Classifier, ClassifierCard } from "../classifier/classifier.ts";
import type { Ensemble } from "../classifier/ensemble.ts";
import type { ClassifiedExam } from "../classifier/evaluate.ts";
import { loadClassifier } from "../classifier/load.ts";
import type { Combination, FitOn } from "../combine/combination.ts";
import type { Intensity } from "../data/intensity.ts";
import { isSameTune } from "../data/tune.ts";
import { type ComputeOptions, describeEngine, type Engine, startEngine } from "../engine/engine.ts";
import { OptionError } from "../errors.ts";
import type { AucComparison } from "../metrics/delong.ts";
import { compareModels, summarizePredictions } from "../metrics/summary.ts";
import type { OperatingRule } from "../metrics/operating_rule.ts";
import { holmAdjusted } from "../metrics/multiple.ts";
import type { NamedThreshold, PredictionSummary } from "../metrics/summary.ts";
import type { ModelHints } from "../model/plane_model.ts";
import { drawSeed } from "../random.ts";
import type { Plane, Split } from "../terms.ts";
import { type Acquaintance, type EvaluatedSet, isAll, NAME_ONLY } from "./acquaintance.ts";
import { AskedExams, type AskedExamsOptions, checkAskedExams } from "./asked_exams.ts";
import { countLabelled } from "./evaluated_exams.ts";
import type { EvaluatedExams, OddExam, OpenedExams } from "./evaluated_exams.ts";
import type { LeftOutStudies } from "./labelled_studies.ts";
import { chooseOnTune } from "./tune_threshold.ts";
import { readExamFacts, type Subgroups, subgroupsOf } from "./subgroups.ts";

/** Which model to evaluate, and on what. */
export interface EvaluateModelOptions
  extends ComputeOptions, AskedExamsOptions, Pick<ModelHints, "task" | "plane" | "intensity"> {
  /** The model's file: `.safetensors`, `.pth` or `.pt`, or `.json` of a combination or an ensemble. */
  model: string;
  /**
   * The split; `tune` are the training exams that the model was not trained on.
   * @default "valid"
   */
  split?: Split | "tune";
  /** The files of other models, to compare on the same exams; they may read other planes. */
  against?: string | readonly string[];
  /**
   * The plane of those other models, for files that do not say it.
   * @default the first model's plane, if it reads one
   */
  againstPlane?: Plane;
  /**
   * How the other models' input is prepared, for files that do not say it.
   * @default "raw"
   */
  againstIntensity?: Intensity;
  /** An additional threshold, 0 to 1, to compute metrics at. */
  threshold?: number;
  /**
   * A rule that chooses one more threshold to compute metrics at, on the model's tune split in the same
   * folder: exams that are not evaluated.
   */
  operatingPoint?: OperatingRule;
  /**
   * A CSV file with the header `id,patient`, a line an exam. Exams of the same patient are then not
   * taken for independent: every interval is by patient.
   */
  patients?: string;
  /**
   * A CSV file with the header `id,column,…`, a line an exam, such as `id,scanner,side`. The metrics are
   * then also given for the exams of each value of each column.
   */
  groups?: string;
  /** The seed of the bootstrap draws; random if left out. */
  seed?: number;
  /**
   * How many bootstrap draws, at least 1.
   * @default 2000
   */
  samples?: number;
  /** Called after all checks, before the first exam; an error that it throws ends the evaluation. */
  onStart?: (start: EvaluationStart) => void | Promise<void>;
  /** Called after each exam; the exams of other models are counted after those of the first. */
  onExam?: (progress: { done: number; total: number; auc: number }) => void;
}

/** What is known when an evaluation begins. */
export interface EvaluationStart {
  /** The engine that was started. */
  engine: Engine;
  /** What is known about the model. */
  card: ClassifierCard;
  /** How many exams there are. */
  exams: number;
  /** How many of them show the finding. */
  positives: number;
  /** The seed of the bootstrap draws, drawn or given. */
  seed: number;
}

/** A model that was evaluated. */
export interface EvaluatedModel {
  /** The model's file. */
  file: string;
  /** The SHA-256 of the file. */
  sha256: string;
  /** What is known about it. */
  card: ClassifierCard;
  /** How it was made, as its file says; empty for files of PyTorch and for combinations. */
  metadata: Readonly<Record<string, string>>;
  /** The weights of the planes, if it is a combination. */
  combination?: Combination;
  /** The members and their out-of-fold predictions, if it is an ensemble. */
  ensemble?: Ensemble;
  /** Its prediction for each exam; for a combination, for each patient. */
  predictions: ClassifiedExam[];
  /** The exams that do not look like its input; none if all do. */
  odd?: readonly OddExam[];
  /** How many of the exams it was trained on; with several models, one of them. */
  trainedOn?: Acquaintance;
  /** How many of the exams chose its epoch; with several models, their epochs. */
  chosenBy?: Acquaintance;
  /** How many of the exams chose its operating point. */
  pointBy?: Acquaintance;
  /** For a combination: how many of the patients it was fitted on. */
  fittedOn?: Acquaintance;
  /** If it is recalibrated: how many of the exams that was fitted on. */
  recalibratedOn?: Acquaintance;
  /** The metrics of the predictions. */
  summary: PredictionSummary;
  /** Why there are no metrics at its own operating point; nothing if there are. */
  noOperatingPoint?: string;
}

/** An evaluation, ready to be written down. */
export interface ModelEvaluation extends EvaluatedModel {
  /** The folder of the dataset. */
  data: string;
  /** Which exams of it. */
  split: EvaluatedSet;
  /** If these were studies: what was left out. */
  leftOut?: LeftOutStudies;
  /** What computed it. */
  engine: string;
  /** How many exams the label file of a dataset has, those of another split included. */
  found?: number;
  /** The metrics of groups of the exams. */
  subgroups?: Subgroups;
  /** The other models, and their tests against this one. */
  against: readonly ComparedModel[];
}

/** A model that was evaluated on the same exams as another. */
export interface ComparedModel extends EvaluatedModel {
  /** The test of the two. */
  comparison: AucComparison & {
    /** The p value, adjusted for the number of models that are compared; see `holmAdjusted`. */
    adjustedP: number;
  };
}

/** Evaluates a model on a split of a dataset: `evaluate` as it is given a file, which documents it. */
export async function evaluateModel(options: EvaluateModelOptions): Promise<ModelEvaluation> {
  const { seed = drawSeed(), samples, onStart, onExam } = options;
  _checkOptions(options);
  const engine = await startEngine(options.engine, { threads: options.threads });
  using first = await loadClassifier(options.model, {
    task: options.task,
    plane: options.plane,
    intensity: options.intensity,
  });
  const { task, card: { plane, tune } } = first;
  using loaded = new DisposableStack();
  const others: Classifier[] = [];
  for (const file of [options.against ?? []].flat()) {
    // Another model must predict the same finding, but may read another plane.
    const other = await loadClassifier(file, {
      task,
      plane: options.againstPlane,
      intensity: options.againstIntensity,
      fallbackPlane: plane === "combined" ? undefined : plane,
      planeOption: "--against_plane",
    });
    others.push(loaded.use(other));
  }
  if (options.split === "tune") _checkTune(first, others);
  using asked = await AskedExams.open(options, "valid");
  const { data, split } = asked;
  const exams = await asked.for(first, tune);
  const { patients, groups } = await readExamFacts(options, exams.labels);
  const otherExams: OpenedExams[] = [];
  for (const other of others) otherExams.push(await asked.for(other, tune));
  const positives = exams.labels.filter(({ label }) => label === 1).length;
  await onStart?.({ engine, card: first.card, exams: exams.labels.length, positives, seed });

  const rule = options.operatingPoint;
  const byRule = rule && { threshold: await chooseOnTune(first, { data, rule, split }), rule };
  const total = [exams, ...otherExams].reduce((sum, each) => sum + each.total, 0);
  let done = 0;
  const evaluate = async (model: Classifier, opened: OpenedExams): Promise<EvaluatedModel> => {
    const { predictions, examHashes: _, ...known } = await opened.evaluate((auc) => {
      done++;
      onExam?.({ done, total, auc });
    });
    const { file, sha256, card, metadata, combination, ensemble } = model;
    const { thresholds, noOperatingPoint } = _thresholds(model, known, split, options.threshold);
    if (byRule !== undefined && model === first) thresholds.push({ ...byRule, kind: "rule" });
    const summary = summarizePredictions(predictions, {
      ...{ seed, samples, thresholds, patients },
    });
    const about = { file, sha256, card, metadata, combination, ensemble, ...known };
    return { ...about, predictions, summary, noOperatingPoint };
  };
  const evaluated = await evaluate(first, exams);
  const compared: EvaluatedModel[] = [];
  for (const [i, other] of others.entries()) compared.push(await evaluate(other, otherExams[i]));
  const { predictions, summary: { thresholds } } = evaluated;
  const { threshold } = thresholds.find(({ kind }) => kind === "operating point") ?? thresholds[0];
  return {
    ...evaluated,
    data,
    split,
    leftOut: asked.leftOut(task),
    engine: describeEngine(engine),
    ...(split === "studies" ? {} : { found: await countLabelled({ data, split, task }) }),
    subgroups: groups && subgroupsOf(predictions, groups, threshold, patients),
    against: compareAll(evaluated, compared, patients),
  };
}

/** Tests models against a first one on the same exams, with p values adjusted for their number. */
export function compareAll(
  { predictions }: EvaluatedModel,
  others: readonly EvaluatedModel[],
  patients?: ReadonlyMap<string, string>,
): ComparedModel[] {
  const tests = others.map((other) => compareModels(predictions, other.predictions, patients));
  const adjusted = holmAdjusted(tests.map(({ p }) => p));
  return others.map((other, i) => ({
    ...other,
    comparison: { ...tests[i], adjustedP: adjusted[i] },
  }));
}

function _checkOptions({ threshold, samples, ...exams }: EvaluateModelOptions): void {
  checkAskedExams("evaluate", exams);
  if (threshold !== undefined && !(threshold >= 0 && threshold <= 1)) {
    throw new OptionError(`Cannot decide at the threshold ${threshold}: give a number in 0–1`);
  }
  if (samples !== undefined && !(Number.isSafeInteger(samples) && samples >= 1)) {
    throw new OptionError(
      `Cannot draw ${samples} bootstrap samples: give a whole number of at least 1`,
    );
  }
}

/** Refuses a tune split that one of the models was trained on. */
function _checkTune(first: Classifier, others: readonly Classifier[]): void {
  const { tune } = first.card;
  if (tune === undefined) {
    throw new OptionError(
      `Cannot evaluate the model '${first.file}' on its tune split: it was trained without one: ` +
        "use the validation set, or train with a tune split",
    );
  }
  const second = others.find(({ card }) => !isSameTune(card.tune, tune));
  if (second === undefined) return;
  const other = second.card.tune;
  throw new OptionError(
    `Cannot evaluate the model '${second.file}' on the tune split of '${first.file}': it was trained ` +
      `with ${other === undefined ? "none" : "another"}: use the validation set`,
  );
}

/** The thresholds to compute metrics at; one that these exams chose would flatter, and is left out. */
function _thresholds(
  { kind, card: { operatingPoint } }: Classifier,
  { pointBy }: Pick<EvaluatedExams, "pointBy">,
  split: EvaluatedSet,
  given: number | undefined,
): { thresholds: NamedThreshold[]; noOperatingPoint?: string } {
  const thresholds: NamedThreshold[] = [{ threshold: 0.5, kind: "half" }];
  let noOperatingPoint: string | undefined;
  if (operatingPoint === undefined) {
    noOperatingPoint = kind === "ensemble"
      ? "the ensemble was made without out-of-fold predictions, which alone can choose one"
      : "the model's file names none";
  } else if (pointBy !== undefined && pointBy.shared > 0) {
    noOperatingPoint = _chosenHere(pointBy, operatingPoint.exams, split);
  } else {
    thresholds.push({ threshold: operatingPoint.threshold, kind: "operating point" });
  }
  if (given !== undefined && thresholds.every(({ threshold }) => threshold !== given)) {
    thresholds.push({ threshold: given, kind: "given" });
  }
  return { thresholds, noOperatingPoint };
}

/** Why the metrics at an operating point are no evidence on exams that chose it. */
function _chosenHere(
  known: Acquaintance,
  chosenOn: FitOn | "out-of-fold",
  split: EvaluatedSet,
): string {
  if (!isAll(known)) {
    return `it was chosen by exams of which ${known.shared} ${
      known.shared === 1 ? "is" : "are"
    } among these ${known.exams}`;
  }
  const why = chosenOn === split
    ? `it was chosen by these very exams (${split})`
    : `it was chosen by the ${chosenOn} exams, these among them`;
  return known.compared ? why : `${why}; ${NAME_ONLY}`;
}
