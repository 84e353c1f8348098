/**
 * Recalibrating a trained model: its probabilities are mapped so that they mean what they say on exams
 * like those given. The file keeps the map beside the weights, which stay as they are to the bit.
 */
import { loadClassifier } from "../classifier/load.ts";
import type { Classifier } from "../classifier/classifier.ts";
import { type ComputeOptions, type Engine, startEngine } from "../engine/engine.ts";
import { messageOf, OptionError } from "../errors.ts";
import { brierScore } from "../metrics/calibration.ts";
import { type CalibrationFit, calibrationFit } from "../metrics/calibration_fit.ts";
import {
  fitRecalibration,
  recalibrated,
  recalibratedThreshold,
  RECALIBRATION_METHODS,
  type RecalibrationMap,
  type RecalibrationMethod,
} from "../metrics/recalibration.ts";
import { decide } from "../model/card.ts";
import { MAX_RECALIBRATION_EXAMS, type Recalibration } from "../model/recalibration.ts";
import type { ModelHints } from "../model/plane_model.ts";
import { checkOptionNames, type OptionNames } from "../option_names.ts";
import type { Split } from "../terms.ts";
import type { EvaluatedSet } from "./acquaintance.ts";
import { isAll, theseExams } from "./acquaintance.ts";
import { AskedExams, type AskedExamsOptions, checkAskedExams } from "./asked_exams.ts";
import type { EvaluatedExams } from "./evaluated_exams.ts";
import { checkRecalibrated, setRecalibration } from "./recalibrated_file.ts";

/** Which model to recalibrate, by which exams. */
export interface RecalibrateOptions
  extends ComputeOptions, AskedExamsOptions, Pick<ModelHints, "task" | "plane" | "intensity"> {
  /** The file: `.safetensors`, or `.json` of a combination or an ensemble. */
  model: string;
  /**
   * The exams to fit on; `tune` are the training exams that the model was not trained on.
   * @default "tune"
   */
  split?: Split | "tune";
  /**
   * How: see {@linkcode RecalibrationMethod}; `none` takes a recalibration away again, and needs no exams.
   * @default "platt"
   */
  method?: RecalibrationMethod | "none";
  /**
   * The file to write.
   * @default the model's, which is replaced once the new one is whole
   */
  out?: string;
  /** Called after all checks, before the first exam. */
  onStart?: (start: { engine: Engine; exams: number; positives: number }) => void | Promise<void>;
  /** Called after each exam. */
  onExam?: (progress: { done: number; total: number }) => void;
}

/** What recalibrating can be given. */
const OPTION_NAMES: OptionNames<RecalibrateOptions> = {
  model: true,
  task: true,
  plane: true,
  intensity: true,
  data: true,
  split: true,
  labels: true,
  series: true,
  method: true,
  out: true,
  engine: true,
  threads: true,
  onStart: true,
  onExam: true,
};

/** Calibration on the exams of the fit, which is no evidence for others. */
export interface FittedCalibration extends CalibrationFit {
  /** The Brier score. */
  brier: number;
}

/** What recalibrating did. */
export interface RecalibrateResult {
  /** The file that was written. */
  path: string;
  /** The recalibration; none if it was taken away. */
  recalibration?: Recalibration;
  /** The operating point's threshold before and now, if there is one. */
  threshold?: { before: number; now: number };
  /** How many of the exams another decision is made of now; 0 but for isotonic maps, see `threshold`. */
  changedDecisions: number;
  /** Calibration on the exams of the fit, before and after. */
  calibration?: { before: FittedCalibration; after: FittedCalibration };
  /** What is to be kept in mind, a sentence or two each. */
  cautions: string[];
}

/** Exams fewer than these are few for an isotonic map. */
const ENOUGH_FOR_ISOTONIC = 1000;

/** As in `verbs.ts`, where it is described. */
export async function recalibrate(options: RecalibrateOptions): Promise<RecalibrateResult> {
  checkOptionNames("recalibrate", options, OPTION_NAMES);
  const { model: file, method = "platt", out = file } = options;
  _checkOptions(options, method);
  if (method === "none") return await _takeAway(file, out);
  await checkRecalibrated(file, false);
  const engine = await startEngine(options.engine, { threads: options.threads });
  const { task, plane, intensity } = options;
  using classifier = await loadClassifier(file, { task, plane, intensity });
  using asked = await AskedExams.open(options, "tune");
  const { split: on } = asked;
  const { labels, total, evaluate } = await asked.for(classifier, _tuneOf(classifier, on));
  const positives = labels.filter(({ label }) => label === 1).length;
  await options.onStart?.({ engine, exams: labels.length, positives });
  let done = 0;
  const evaluated = await evaluate(() => options.onExam?.({ done: ++done, total }));
  const map = _fit(classifier, evaluated, method);
  const { predictions, examHashes: hashes } = evaluated;
  const before = classifier.card.operatingPoint?.threshold;
  const exams = labels.length;
  const recalibration: Recalibration = {
    ...{ map, on, exams, positives },
    ...(hashes !== undefined && exams <= MAX_RECALIBRATION_EXAMS && { hashes }),
    ...(before !== undefined && { threshold: before }),
  };
  const now = before === undefined ? undefined : recalibratedThreshold(map, before);
  await setRecalibration(file, out, recalibration, now);
  const changed = predictions.filter(({ logits, ...said }) => {
    const { probability } = recalibrated(map, logits[1]);
    const operatingPoint = now === undefined ? undefined : { threshold: now };
    return decide(probability, { operatingPoint }).decision !== said.decision;
  });
  return {
    path: out,
    recalibration,
    threshold: before === undefined ? undefined : { before, now: now! },
    changedDecisions: changed.length,
    calibration: _calibration(evaluated, map),
    cautions: _cautions(evaluated, recalibration),
  };
}

function _checkOptions(exams: RecalibrateOptions, method: RecalibrationMethod | "none"): void {
  checkAskedExams("recalibrate on", exams);
  const methods: readonly string[] = [...RECALIBRATION_METHODS, "none"];
  if (methods.includes(method)) return;
  throw new OptionError(`Cannot recalibrate by '${method}': choose from ${methods.join(", ")}`);
}

async function _takeAway(file: string, out: string): Promise<RecalibrateResult> {
  const before = await checkRecalibrated(file, true);
  await setRecalibration(file, out, undefined, before?.threshold);
  return { path: out, changedDecisions: 0, cautions: [] };
}

/** The tune split of a classifier, if the exams are that or are what is left of it. */
function _tuneOf({ file, card: { tune } }: Classifier, on: EvaluatedSet) {
  if (on !== "tune" || tune !== undefined) return tune;
  throw new OptionError(
    `Cannot recalibrate '${file}' on its tune split: it was trained without one: give --on valid, or ` +
      "the folder of other exams",
  );
}

function _fit(
  { file }: Classifier,
  { predictions }: EvaluatedExams,
  method: RecalibrationMethod,
): RecalibrationMap {
  try {
    return fitRecalibration(
      predictions.map(({ label }) => label),
      predictions.map(({ logits }) => logits[1]),
      method,
    );
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new OptionError(`Cannot recalibrate '${file}' by ${method}: ${messageOf(error)}`);
  }
}

function _calibration(
  { predictions }: EvaluatedExams,
  map: RecalibrationMap,
): RecalibrateResult["calibration"] {
  const labels = predictions.map(({ label }) => label);
  const of = (said: { probability: number; logit: number }[]): FittedCalibration => ({
    ...calibrationFit(labels, said.map(({ logit }) => logit)),
    brier: brierScore(labels, said.map(({ probability }) => probability)),
  });
  return {
    before: of(predictions),
    after: of(predictions.map(({ logits }) => recalibrated(map, logits[1]))),
  };
}

/** What makes the recalibration fit new exams less well than these. */
function _cautions(
  { trainedOn, fittedOn, odd }: EvaluatedExams,
  { map, exams }: Recalibration,
): string[] {
  const knows = (known: typeof trainedOn, what: string) => {
    if (known === undefined || known.shared === 0) return [];
    const which = theseExams(known);
    return [
      `${what} ${
        isAll(known) ? which.toLowerCase() : which
      }: it is surer of them than of new exams, ` +
      "so the recalibration does not fit new exams. Take exams that it does not know.",
    ];
  };
  return [
    ...knows(trainedOn, "The model was trained on"),
    ...knows(fittedOn, "The combination was fitted on"),
    ...(map.method === "isotonic" && exams < ENOUGH_FOR_ISOTONIC
      ? [
        `${exams} exams are few for isotonic, which has a step for every few of them: platt has two numbers.`,
      ]
      : []),
    ...(odd.length === 0
      ? []
      : [`${odd.length} of the exams are unlike the model's input, such as '${odd[0].id}'.`]),
  ];
}
