/** An evaluation as the files and lines that machines read. */
import type { ByPlane } from "../combine/combination.ts";
import type { Estimate } from "../metrics/estimate.ts";
import type { LabelledPrediction } from "../metrics/summary.ts";
import type { Prediction } from "../model/mrnet.ts";
import { recalibrationText } from "../model/recalibration.ts";
import { PLANES } from "../terms.ts";
import { cautions } from "./cautions.ts";
import type { EvaluatedModel, ModelEvaluation } from "./evaluate_model.ts";
import { choices, sharedText } from "./protocol_plot.ts";
import type { Subgroups } from "./subgroups.ts";
import { RATES } from "../page/format.ts";

/**
 * Predictions as CSV: a line an exam, `exam,label,probability`, with every digit of the probability; of
 * a combination with a column for the probability of each plane. Where the logits are known a column
 * `logit` follows, and of a combination one for each plane, such as `axial_logit`: exams are ranked by
 * those. Of a recalibrated model they are those of the probabilities, and `raw_logit` is the model's.
 *
 * @example
 * ```ts
 * import { predictionsCsv } from "./files.ts";
 * const csv = predictionsCsv([{ id: "0012", label: 1, probability: 0.25 }]);
 * console.assert(csv === "exam,label,probability\n0012,1,0.25\n");
 * ```
 */
export function predictionsCsv(
  predictions: readonly (LabelledPrediction & { planes?: Partial<ByPlane<Prediction>> })[],
): string {
  const read = PLANES.filter((plane) => predictions.some(({ planes }) => planes?.[plane]));
  const planes = read.length > 1 ? read : [];
  const logitOf = ({ logit, logits }: LabelledPrediction) => logit ?? logits?.[1];
  const known = predictions.every((prediction) => logitOf(prediction) !== undefined);
  const isRecalibrated = known &&
    predictions.some(({ logit, logits }) =>
      logits !== undefined && (logit ?? logits[1]) !== logits[1]
    );
  const lines = predictions.map((prediction) => {
    const { id, label, probability, planes: own } = prediction;
    const logits = planes.map((plane) => own?.[plane]?.recalibrated ?? own?.[plane]?.logits[1]);
    return [
      ...[id, label, probability, ...planes.map((plane) => own?.[plane]?.probability)],
      ...(known ? [logitOf(prediction), ...logits] : []),
      ...(isRecalibrated ? [prediction.logits?.[1]] : []),
    ].join() + "\n";
  });
  const logits = known ? ["logit", ...planes.map((plane) => `${plane}_logit`)] : [];
  if (isRecalibrated) logits.push("raw_logit");
  return ["exam", "label", "probability", ...planes, ...logits].join() + "\n" + lines.join("");
}

/**
 * An evaluation as one JSON object, as `cli.ts evaluate --json` prints it. What is undefined is
 * `null`, as is an end of an interval that is infinite; intervals are `[low, high]` of 95 %.
 */
export function evaluationJson(evaluation: ModelEvaluation): Record<string, unknown> {
  const { data, split, engine, against, summary, found, subgroups } = evaluation;
  return {
    ..._model(evaluation),
    data,
    split,
    engine,
    exams: summary.exams,
    positives: summary.positives,
    patients: summary.patients ?? null,
    exams_found: found ?? null,
    protocol: choices(evaluation).map(({ exams, chosen, shared }) => ({
      exams: exams.toLowerCase(),
      chose: chosen.toLowerCase(),
      evaluated_among_them: shared === undefined ? null : sharedText(shared),
    })),
    ..._metrics(evaluation, split),
    groups: subgroups === undefined ? null : _groups(subgroups),
    against: against.map((other) => ({
      ..._model(other),
      ..._metrics(other, split),
      auc_difference: _number(other.comparison.difference),
      auc_difference_ci: _interval(other.comparison),
      z: _number(other.comparison.z),
      p: _number(other.comparison.p),
      p_adjusted: _number(other.comparison.adjustedP),
    })),
  };
}

function _groups({ groupings, threshold }: Subgroups): Record<string, unknown>[] {
  return groupings.map(({ column, groups, unknown }) => ({
    column,
    threshold,
    unknown,
    groups: groups.map(({ value, exams, positives, isSmall, ...metrics }) => ({
      ...{ value, exams, positives, small: isSmall },
      ..._estimates(metrics),
    })),
  }));
}

function _model({ file, sha256, card }: EvaluatedModel): Record<string, unknown> {
  return {
    model: file,
    sha256,
    task: card.task,
    plane: card.plane,
    intensity: card.intensity ?? null,
    recalibration: card.recalibration === undefined ? null : recalibrationText(card.recalibration),
  };
}

function _metrics(
  evaluated: EvaluatedModel,
  split: ModelEvaluation["split"],
): Record<string, unknown> {
  const { auc, loss, brier, thresholds, calibration, calibrationFit } = evaluated.summary;
  const { averagePrecision, precisionRecall, decisionCurve } = evaluated.summary;
  const { seed, samples } = auc.bootstrap;
  return {
    loss: _number(loss),
    auc: _number(auc.value),
    auc_ci_delong: _interval(auc.delong),
    auc_ci_bootstrap: _interval(auc.bootstrap),
    bootstrap: { seed, samples },
    brier: _number(brier),
    ..._estimates({
      average_precision: averagePrecision,
      calibration_slope: calibrationFit.slope,
      calibration_intercept: calibrationFit.intercept,
      observed_to_expected: calibrationFit.observedToExpected,
    }),
    thresholds: thresholds.map(({ threshold, kind, rule, confusion, ...rates }) => ({
      threshold,
      kind: kind.replace(" ", "_"),
      ...(rule && { rule }),
      true_positives: confusion.truePositives,
      false_positives: confusion.falsePositives,
      true_negatives: confusion.trueNegatives,
      false_negatives: confusion.falseNegatives,
      ..._estimates(Object.fromEntries(RATES.map(([rate]) => [rate, rates[rate]]))),
      ..._estimates({
        positive_likelihood_ratio: rates.positiveLikelihoodRatio,
        negative_likelihood_ratio: rates.negativeLikelihoodRatio,
      }),
    })),
    precision_recall: precisionRecall.thresholds.map((threshold, i) => ({
      threshold: _number(threshold),
      precision: precisionRecall.precision[i],
      recall: _number(precisionRecall.recall[i]),
    })),
    decision_curve: decisionCurve.map(({ threshold, value, all, ...ends }) => ({
      threshold,
      net_benefit: value,
      net_benefit_ci: _interval(ends),
      net_benefit_of_all: all,
    })),
    calibration: calibration.map((
      { from, to, count, meanProbability, positiveShare, ...ends },
    ) => ({
      from,
      to,
      count,
      mean_probability: _number(meanProbability),
      positive_share: _number(positiveShare),
      positive_share_ci: _interval(ends),
    })),
    no_operating_point: evaluated.noOperatingPoint ?? null,
    cautions: cautions(evaluated, split),
  };
}

/** Each estimate, and beside it its interval. */
function _estimates(estimates: Readonly<Record<string, Estimate>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(estimates).flatMap(([name, estimate]) => [
      [name, _number(estimate.value)],
      [`${name}_ci`, _interval(estimate)],
    ]),
  );
}

function _interval({ low, high }: { low: number; high: number }): (number | null)[] | null {
  return Number.isNaN(low) || Number.isNaN(high) ? null : [_number(low), _number(high)];
}

/** JSON has neither NaN nor infinities. */
function _number(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
