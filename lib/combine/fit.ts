/** Fitting the combination of the three planes to what the models said about a set of patients. */
import { OptionError } from "../errors.ts";
import { fitLogistic } from "../metrics/logistic.ts";
import { rocAuc } from "../metrics/roc.ts";
import { type OperatingRule, operatingThreshold } from "../metrics/operating_rule.ts";
import { sigmoid } from "../model/mrnet.ts";
import { PLANES } from "../terms.ts";
import { byPlane, type Combination, combinedLogit, type FitOn } from "./combination.ts";
import type { PlanePredictions } from "./predictions.ts";

/**
 * Fits the weights of the planes: logistic regression over the three probabilities with an intercept
 * and the penalty that scikit-learn has by default (L2, C = 1); see {@linkcode combinedProbability}.
 * The operating point is chosen by the combined probability over the same patients.
 *
 * The order of the patients does not matter, but for the last digits.
 *
 * @param patients what the three models said about each, and what is so
 * @param fitOn which exams these are
 * @param rule how the operating point is chosen
 * @throws {OptionError} if all have the finding, or none, or if no threshold does what the rule asks for
 *
 * @example
 * ```ts
 * import { fitCombination } from "./fit.ts";
 * const patient = (label: 0 | 1, p: number) =>
 *   ({ label, probabilities: { axial: p, coronal: 0.5, sagittal: p } });
 * const patients = [patient(0, 0.2), patient(0, 0.4), patient(1, 0.7), patient(1, 0.9)];
 * const { auc, coefficients } = fitCombination(patients, "table");
 * console.assert(auc === 1 && coefficients.axial > 0 && Math.abs(coefficients.coronal) < 1e-9);
 * ```
 */
export function fitCombination(
  patients: readonly PlanePredictions[],
  fitOn: FitOn,
  rule: OperatingRule = "youden",
): Combination {
  const fitted = fitPlanes(patients, fitOn);
  const exams = `these ${patients.length} patients`;
  const threshold = operatingThreshold(...fitted.combined, rule, exams);
  return { ...fitted.fit, operatingPoint: { threshold, rule, exams: fitOn } };
}

/** A combination without its operating point, and what chooses that. */
export interface FittedPlanes {
  /** The weights, and what they were found by. */
  fit: Omit<Combination, "operatingPoint">;
  /** The label of each patient, and the combined probability. */
  combined: [labels: number[], probabilities: number[]];
}

/** Fits the weights of the planes alone; see {@linkcode fitCombination}. */
export function fitPlanes(patients: readonly PlanePredictions[], fitOn: FitOn): FittedPlanes {
  const labels = patients.map(({ label }) => label);
  const positives = labels.filter((label) => label === 1).length;
  if (positives === 0 || positives === labels.length) {
    throw new OptionError(
      `Cannot fit a combination: of ${labels.length} patients ${positives} have the finding: ` +
        "patients with it and patients without it are needed",
    );
  }
  const features = patients.map(({ probabilities }) => PLANES.map((plane) => probabilities[plane]));
  const { weights, intercept } = fitLogistic(features, labels);
  const coefficients = byPlane((plane) => weights[PLANES.indexOf(plane)]);
  const combined = patients.map(({ probabilities }) =>
    combinedLogit({ coefficients, intercept }, probabilities)
  );
  const auc = rocAuc(labels, combined);
  return {
    fit: { coefficients, intercept, fitOn, exams: labels.length, positives, auc },
    combined: [labels, combined.map(sigmoid)],
  };
}
