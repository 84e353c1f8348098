/**
 * Probabilities that say nothing: far from 0 the sigmoid gives exactly 0 or 1, whatever the logit.
 */
import { type Plane, PLANES } from "../terms.ts";
import type { PlanePredictions } from "./predictions.ts";

/**
 * What is said of planes whose probabilities are exactly 0 or 1 for patients with the finding and for
 * patients without it.
 *
 * @returns a line for each such plane
 */
export function saturationRemarks(patients: readonly PlanePredictions[]): string[] {
  return PLANES.flatMap((plane) => [0, 1].flatMap((end) => _remark(patients, plane, end) ?? []));
}

function _remark(
  patients: readonly PlanePredictions[],
  plane: Plane,
  end: number,
): string | undefined {
  const same = patients.filter(({ probabilities }) => probabilities[plane] === end);
  if (new Set(same.map(({ label }) => label)).size < 2) return undefined;
  return `The ${plane} probability is exactly ${end} for ${same.length} of ${patients.length} ` +
    "patients, with and without the finding, so it does not tell them apart: look whether the " +
    "exams' grey values are 0–255, or write the probabilities with all their digits";
}
