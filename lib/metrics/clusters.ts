/**
 * Cases that belong together, such as both knees of a patient. Together they say less than as many
 * cases of different patients, so that intervals that take them for independent are too narrow.
 */

/** The cluster of each case: any name, the same for cases that belong together. */
export type Clusters = ArrayLike<string | number>;

/**
 * Refuses clusters that do not go with the cases.
 *
 * @throws {RangeError} if there is not one for each case
 */
export function checkClusters(cases: number, clusters: Clusters | undefined): void {
  if (clusters === undefined || clusters.length === cases) return;
  throw new RangeError(
    `Cases and clusters must go together: there are ${cases} and ${clusters.length}`,
  );
}

/** The indices of the cases of each cluster, in the order in which the clusters occur. */
export function casesByCluster(cases: number, clusters?: Clusters): number[][] {
  checkClusters(cases, clusters);
  const found = new Map<string | number, number[]>();
  for (let i = 0; i < cases; i++) {
    const name = clusters?.[i] ?? i;
    if (!found.has(name)) found.set(name, []);
    found.get(name)!.push(i);
  }
  return [...found.values()];
}

/** The sum of the values of each cluster; without clusters the values themselves. */
export function clusterSums(values: ArrayLike<number>, clusters?: Clusters): number[] {
  if (clusters === undefined) return Array.from(values);
  return casesByCluster(values.length, clusters).map((cases) =>
    cases.reduce((sum, i) => sum + values[i], 0)
  );
}

/**
 * The variance of a mean whose cases are clustered, as that of a ratio of two sums over clusters
 * (W. G. Cochran, Sampling Techniques, 1977, chapter 9). Without clusters it is the usual one.
 *
 * @param values one for each case
 * @returns NaN for fewer than two clusters
 */
export function varianceOfMean(values: ArrayLike<number>, clusters?: Clusters): number {
  const mean = Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
  const deviations = Array.from(values, (value) => (value - mean) / values.length);
  return varianceOfSum(deviations, clusters);
}

/**
 * The variance of a sum of values whose mean is 0, by the sums over clusters.
 *
 * @returns NaN for fewer than two clusters
 */
export function varianceOfSum(values: ArrayLike<number>, clusters?: Clusters): number {
  const sums = clusterSums(values, clusters);
  if (sums.length < 2) return NaN;
  return sums.length / (sums.length - 1) * sums.reduce((sum, each) => sum + each ** 2, 0);
}

/** So many cases of so many; neither need be whole. */
export interface Share {
  /** How many, from 0 to `cases`. */
  successes: number;
  /** Of how many. */
  cases: number;
}

/**
 * A share of as many independent cases as say as much about it as the clustered ones do: their number
 * divided by the design effect, the clustered variance in relation to that of independent cases
 * (J. N. K. Rao and A. J. Scott, A simple method for the analysis of clustered binary data, Biometrics
 * 48, 1992, doi:10.2307/2532311). There are never more than the cases given.
 *
 * Where all cases are alike their variance says nothing, and each cluster counts as one case.
 *
 * @param successes 1 or 0 for each case
 */
export function effectiveShare(successes: readonly number[], clusters?: Clusters): Share {
  const count = successes.reduce((sum, value) => sum + value, 0);
  const cases = _effectiveCases(successes, count, clusters);
  // A whole number stays one.
  if (cases === successes.length) return { successes: count, cases };
  return { successes: count / successes.length * cases, cases };
}

function _effectiveCases(
  successes: readonly number[],
  count: number,
  clusters: Clusters | undefined,
): number {
  const cases = successes.length;
  if (clusters === undefined || cases === 0) return cases;
  if (count === 0 || count === cases) return casesByCluster(cases, clusters).length;
  const effect = varianceOfMean(successes, clusters) / varianceOfMean(successes);
  return cases / Math.max(1, effect);
}
