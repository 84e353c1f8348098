/** An evaluation as the files and lines that machines read. */
import type { ByPlane } from "../combine/combination.ts";
import type { Proportion } from "../metrics/threshold.ts";
import type { LabelledPrediction } from "../metrics/summary.ts";
import type { Prediction } from "../model/mrnet.ts";
import { PLANES } from "../terms.ts";
import { cautions } from "./cautions.ts";
import type { EvaluatedModel, ModelEvaluation } from "./evaluate_model.ts";
import { RATES } from "../page/format.ts";

/**
 * Predictions as CSV: a line an exam, `exam,label,probability`, with every digit of the probability; of
 * a combination with a column for the probability of each plane. Where the logits are known a column
 * `logit` follows, and of a combination one for each plane, such as `axial_logit`: exams are ranked by
 * those.
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
  const lines = predictions.map((prediction) => {
    const { id, label, probability, planes: own } = prediction;
    const logits = planes.map((plane) => own?.[plane]?.logits[1]);
    return [
      ...[id, label, probability, ...planes.map((plane) => own?.[plane]?.probability)],
      ...(known ? [logitOf(prediction), ...logits] : []),
    ].join() + "\n";
  });
  const logits = known ? ["logit", ...planes.map((plane) => `${plane}_logit`)] : [];
  return ["exam", "label", "probability", ...planes, ...logits].join() + "\n" + lines.join("");
}

/**
 * An evaluation as one JSON object, as `cli.ts evaluate --json` prints it. What is undefined is
 * `null`; intervals are `[low, high]` of 95 %.
 */
export function evaluationJson(evaluation: ModelEvaluation): Record<string, unknown> {
  const { data, split, engine, against, summary } = evaluation;
  return {
    ..._model(evaluation),
    data,
    split,
    engine,
    exams: summary.exams,
    positives: summary.positives,
    ..._metrics(evaluation, split),
    against: against === undefined ? null : {
      ..._model(against),
      ..._metrics(against, split),
      auc_difference: _number(against.comparison.difference),
      auc_difference_ci: _interval(against.comparison),
      z: _number(against.comparison.z),
      p: _number(against.comparison.p),
    },
  };
}

function _model({ file, sha256, card }: EvaluatedModel): Record<string, unknown> {
  return {
    model: file,
    sha256,
    task: card.task,
    plane: card.plane,
    intensity: card.intensity ?? null,
  };
}

function _metrics(
  evaluated: EvaluatedModel,
  split: ModelEvaluation["split"],
): Record<string, unknown> {
  const { auc, loss, brier, thresholds, calibration } = evaluated.summary;
  const { seed, samples } = auc.bootstrap;
  return {
    loss: _number(loss),
    auc: _number(auc.value),
    auc_ci_delong: _interval(auc.delong),
    auc_ci_bootstrap: _interval(auc.bootstrap),
    bootstrap: { seed, samples },
    brier: _number(brier),
    thresholds: thresholds.map(({ threshold, kind, confusion, ...rates }) => ({
      threshold,
      kind: kind.replace(" ", "_"),
      true_positives: confusion.truePositives,
      false_positives: confusion.falsePositives,
      true_negatives: confusion.trueNegatives,
      false_negatives: confusion.falseNegatives,
      ...Object.fromEntries(RATES.flatMap(([rate]) => _rate(rate, rates[rate]))),
    })),
    calibration: calibration.map(({ from, to, count, meanProbability, positiveShare }) => ({
      from,
      to,
      count,
      mean_probability: _number(meanProbability),
      positive_share: _number(positiveShare),
    })),
    no_operating_point: evaluated.noOperatingPoint ?? null,
    cautions: cautions(evaluated, split),
  };
}

function _rate(name: string, rate: Proportion): [string, unknown][] {
  return [[name, _number(rate.value)], [`${name}_ci`, _interval(rate)]];
}

function _interval({ low, high }: { low: number; high: number }): (number | null)[] | null {
  return Number.isNaN(low) || Number.isNaN(high) ? null : [_number(low), _number(high)];
}

/** JSON has neither NaN nor infinities. */
function _number(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
