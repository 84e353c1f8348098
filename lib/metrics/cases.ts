/**
 * What every metric asks of its cases: labels of 0 and 1, and a score for each; and every interval of
 * its level.
 */

/** Refuses a case that cannot be ranked. */
export function checkCase(label: number, score: number): void {
  if (label !== 0 && label !== 1) {
    throw new RangeError(`A label must be 0 or 1: current value is ${label}`);
  }
  if (Number.isNaN(score)) throw new RangeError("A score must be a number: current value is NaN");
}

/**
 * Refuses cases that do not go together.
 *
 * @throws {RangeError} if the lengths differ, a label is not 0 or 1, or a score is NaN
 */
export function checkCases(labels: ArrayLike<number>, scores: ArrayLike<number>): void {
  if (labels.length !== scores.length) {
    throw new RangeError(
      `Labels and scores must go together: there are ${labels.length} and ${scores.length}`,
    );
  }
  for (let i = 0; i < scores.length; i++) checkCase(labels[i], scores[i]);
}

/**
 * Refuses cases whose scores are no probabilities.
 *
 * @throws {RangeError} as {@linkcode checkCases}, or if a probability is outside 0–1
 */
export function checkProbabilities(
  labels: ArrayLike<number>,
  probabilities: ArrayLike<number>,
): void {
  checkCases(labels, probabilities);
  for (let i = 0; i < probabilities.length; i++) {
    if (probabilities[i] >= 0 && probabilities[i] <= 1) continue;
    throw new RangeError(`A probability must be in 0–1: current value is ${probabilities[i]}`);
  }
}

/**
 * Refuses a level that no interval has.
 *
 * @throws {RangeError} if it is not between 0 and 1
 */
export function checkLevel(level: number): void {
  if (level > 0 && level < 1) return;
  throw new RangeError(`A level must be above 0 and below 1: current value is ${level}`);
}
