/**
 * Metrics of labels and scores, whatever model made them: the ROC curve and its area with intervals and
 * tests, precision and recall, decisions at a threshold and how it is chosen, net benefit, calibration and
 * recalibration, how many exams a study needs, how far two raters agree, logistic regression.
 *
 * Labels are 0 and 1; of scores larger ones speak for 1. Where cases belong together, such as both knees
 * of a patient, `clusters` names the patient of each, and the intervals are wider.
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
export { type Clusters, effectiveShare, type Share, varianceOfMean } from "./clusters.ts";
export type { Estimate } from "./estimate.ts";
export { bootstrapAveragePrecision, bootstrapRoc } from "./bootstrap.ts";
export type { BootstrapOptions, RocBand, RocBootstrap } from "./bootstrap.ts";
export { confusionMatrix, metricsAt, wilsonInterval, youdenPoint } from "./threshold.ts";
export type { ConfusionMatrix, Proportion, ThresholdMetrics, YoudenPoint } from "./threshold.ts";
export { chooseThreshold, type OperatingRule, parseOperatingRule } from "./operating_rule.ts";
export { OPERATING_RULES } from "./operating_rule.ts";
export type { RuleName } from "./operating_rule.ts";
export { shareRatio } from "./likelihood_ratio.ts";
export { averagePrecision, precisionRecallCurve } from "./precision_recall.ts";
export type { PrecisionRecallCurve } from "./precision_recall.ts";
export { decisionCurve, type NetBenefit } from "./decision_curve.ts";
export { holmAdjusted } from "./multiple.ts";
export { cohensKappa, mcnemarTest, type PairedDecisions } from "./agreement.ts";
export { type DifferenceGoal, examsForDifference, examsForInterval } from "./power.ts";
export { hanleyMcNeilVariance, type IntervalGoal, obuchowskiVariance } from "./power.ts";
export type { SampleSize } from "./power.ts";
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
export { type Grouping, type GroupingOptions, groupPredictions } from "./subgroups.ts";
export { SMALL_GROUP, type Subgroup } from "./subgroups.ts";
export { fitRecalibration, recalibrated, recalibratedThreshold } from "./recalibration.ts";
export type { Recalibrated, RecalibrationMap, RecalibrationMethod } from "./recalibration.ts";
export { type IsotonicCurve, isotonicRegression } from "./isotonic.ts";
export { type CalibrationFit, calibrationFit } from "./calibration_fit.ts";
export { brierScore, type CalibrationBin, calibrationCurve } from "./calibration.ts";
export { fitLogistic, type LogisticModel, logisticProbability } from "./logistic.ts";
export type { Label } from "../terms.ts";
