/**
 * Metrics of labels and scores, whatever model made them: the ROC curve and its area with intervals and
 * tests, decisions at a threshold, calibration, logistic regression.
 *
 * Labels are 0 and 1; of scores larger ones speak for 1.
 *
 * ```ts
 * import { metrics } from "../../mod.ts";
 * const [labels, scores] = [[0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]];
 * console.assert(metrics.rocAuc(labels, scores) === 0.75);
 * ```
 *
 * @module
 */
export { rocAuc, type RocCurve, rocCurve } from "./roc.ts";
export { type AucComparison, type AucInterval, delongInterval, delongTest } from "./delong.ts";
export { bootstrapRoc } from "./bootstrap.ts";
export type { BootstrapOptions, RocBand, RocBootstrap } from "./bootstrap.ts";
export { confusionMatrix, metricsAt, wilsonInterval, youdenPoint } from "./threshold.ts";
export type { ConfusionMatrix, Proportion, ThresholdMetrics, YoudenPoint } from "./threshold.ts";
export {
  compareModels,
  type LabelledPrediction,
  type NamedThreshold,
  type PredictionSummary,
  summarizePredictions,
  type SummaryOptions,
  THRESHOLD_KINDS,
  type ThresholdKind,
} from "./summary.ts";
export { brierScore, type CalibrationBin, calibrationCurve } from "./calibration.ts";
export { fitLogistic, type LogisticModel, logisticProbability } from "./logistic.ts";
export type { Label } from "../terms.ts";
