/**
 * How sure a ROC curve, its area and the average precision are, by drawing the cases anew (B. Efron,
 * Bootstrap methods: another look at the jackknife, Annals of Statistics 7, 1979,
 * doi:10.1214/aos/1176344552).
 *
 * The draws are stratified: each has as many positive and negative cases as the data. A plain draw
 * from a small set may hold one class only, for which there is no curve. Intervals are percentiles of
 * the draws.
 *
 * If cases are clustered, whole clusters are drawn, without strata (C. A. Field and A. H. Welsh,
 * Bootstrapping clustered data, Journal of the Royal Statistical Society B 69, 2007,
 * doi:10.1111/j.1467-9868.2007.00593.x); a draw of one class is drawn again.
 */
import { createRandom } from "../random.ts";
import { averagePrecision } from "./precision_recall.ts";
import { checkCases, checkLevel } from "./cases.ts";
import { casesByCluster, type Clusters } from "./clusters.ts";
import { type Estimate, NO_ESTIMATE, transformed, waldInterval } from "./estimate.ts";

/** How to draw. */
export interface BootstrapOptions {
  /** Which draws; the same seed gives the same metrics. */
  seed: number;
  /**
   * How many draws, at least 1.
   * @default 2000
   */
  samples?: number;
  /**
   * The share of draws that lie in an interval, above 0 and below 1.
   * @default 0.95
   */
  level?: number;
  /** The cluster of each case; without it the cases are independent. */
  clusters?: Clusters;
}

/** What the draws came to; all NaN where only one class is present. */
export interface RocBootstrap {
  /** The lower end of the area's interval, 0 to 1. */
  low: number;
  /** The upper end of the area's interval, 0 to 1. */
  high: number;
  /** The band of the curve: the interval of the true positive rate at 101 false positive rates. */
  band: RocBand;
}

/** A band around a ROC curve. */
export interface RocBand {
  /** The false positive rates 0, 0.01, …, 1. */
  fpr: number[];
  /** The lower end at each. */
  low: number[];
  /** The upper end at each. */
  high: number[];
}

/** How many steps the band has from 0 to 1. */
const BAND_STEPS = 100;

/** How many draws where nothing is said: as many as the R package pROC takes. */
export const BOOTSTRAP_SAMPLES = 2000;

/**
 * Draws the cases anew and again, and takes percentiles of the areas and of the curves.
 *
 * Between its points a curve is a straight line; where it rises at one false positive rate, the
 * upper end of that rise counts.
 *
 * @param labels 1 for a positive case, 0 for a negative one
 * @param scores one for each label, higher for what is more likely positive
 * @throws {RangeError} if the lengths differ, a label is not 0 or 1, a score is NaN, there is not at
 * least one draw, or the level is not between 0 and 1
 *
 * @example
 * ```ts
 * import { bootstrapRoc } from "./bootstrap.ts";
 * const { low, high } = bootstrapRoc([0, 0, 0, 1, 1, 1], [1, 4, 6, 5, 8, 9], { seed: 1 });
 * console.assert(low > 0.3 && low < 8 / 9 && high === 1);
 * ```
 */
export function bootstrapRoc(
  labels: ArrayLike<number>,
  scores: ArrayLike<number>,
  { seed, samples = BOOTSTRAP_SAMPLES, level = 0.95, clusters }: BootstrapOptions,
): RocBootstrap {
  _checkDraws(labels, scores, samples, level);
  const fpr = Array.from({ length: BAND_STEPS + 1 }, (_, step) => step / BAND_STEPS);
  const strata = _strata(labels, clusters);
  if (new Set(Array.from(labels)).size < 2) {
    const none = fpr.map(() => NaN);
    return { low: NaN, high: NaN, band: { fpr, low: none, high: [...none] } };
  }
  const ranks = _ranks(scores);
  const random = createRandom(seed, "bootstrap");
  const areas = new Float64Array(samples);
  const heights = fpr.map(() => new Float64Array(samples));
  for (let sample = 0; sample < samples; sample++) {
    const curve = _drawCurve(labels, ranks, strata, random.integer);
    areas[sample] = curve.area;
    _sample(curve, (step, height) => heights[step][sample] = height);
  }
  const ends = heights.map((each) => _interval(each, level));
  const band = { fpr, low: ends.map(({ low }) => low), high: ends.map(({ high }) => high) };
  return { ..._interval(areas, level), band };
}

/**
 * The average precision with an interval: so many standard errors of bootstrap draws on both sides, on
 * the scale of the logit, which keeps it within 0–1 (K. Boyd, K. H. Eng and C. D. Page, Area under the
 * precision-recall curve, ECML PKDD 2013, doi:10.1007/978-3-642-40994-3_29). How many cases are positive
 * is a matter of chance too, so these draws are not stratified.
 *
 * Where the scores separate the classes without fault the interval is [1, 1], as DeLong's of the area.
 *
 * @param labels as {@linkcode bootstrapRoc}
 * @param scores as {@linkcode bootstrapRoc}
 * @returns all NaN where only one class is present
 * @throws {RangeError} as {@linkcode bootstrapRoc}
 *
 * @example
 * ```ts
 * import { bootstrapAveragePrecision } from "./bootstrap.ts";
 * const [labels, scores] = [[0, 0, 0, 1, 1, 1], [1, 4, 6, 5, 8, 9]];
 * const { value, low, high } = bootstrapAveragePrecision(labels, scores, { seed: 1 });
 * console.assert(0 < low && low < value && value < high && high < 1);
 * ```
 */
export function bootstrapAveragePrecision(
  labels: ArrayLike<number>,
  scores: ArrayLike<number>,
  { seed, samples = BOOTSTRAP_SAMPLES, level = 0.95, clusters }: BootstrapOptions,
): Estimate {
  _checkDraws(labels, scores, samples, level);
  const value = averagePrecision(labels, scores);
  if (Number.isNaN(value)) return NO_ESTIMATE;
  if (value === 1) return { value, low: 1, high: 1 };
  const ranks = _ranks(scores);
  const random = createRandom(seed, "average precision");
  const all = [casesByCluster(labels.length, clusters)];
  const draw = () => _drawCurve(labels, ranks, all, random.integer).averagePrecision;
  const drawn = Array.from({ length: samples }, draw);
  const mean = drawn.reduce((sum, each) => sum + each, 0) / samples;
  const variance = drawn.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (samples - 1);
  const slope = 1 / (value * (1 - value));
  const onLogits = waldInterval(Math.log(value / (1 - value)), slope ** 2 * variance, level);
  return { ...transformed(onLogits, (logit) => 1 / (1 + Math.exp(-logit))), value };
}

function _checkDraws(
  labels: ArrayLike<number>,
  scores: ArrayLike<number>,
  samples: number,
  level: number,
): void {
  checkCases(labels, scores);
  checkLevel(level);
  if (Number.isSafeInteger(samples) && samples >= 1) return;
  throw new RangeError(`There must be at least one draw: current value is ${samples}`);
}

/** The rank of each score among those that occur, highest first, and how many there are. */
function _ranks(scores: ArrayLike<number>): { of: readonly number[]; count: number } {
  const values = [...new Set(Array.from(scores, (score) => score + 0))]
    .sort((a, b) => a > b ? -1 : a < b ? 1 : 0);
  const rank = new Map(values.map((value, index) => [value, index]));
  return { of: Array.from(scores, (score) => rank.get(score + 0)!), count: values.length };
}

/** What is drawn from: the cases of each class, or all clusters. */
function _strata(labels: ArrayLike<number>, clusters?: Clusters): number[][][] {
  const groups = casesByCluster(labels.length, clusters);
  if (clusters !== undefined) return [groups];
  return [1, 0].map((label) => groups.filter(([i]) => labels[i] === label));
}

/** How often a score of each rank was drawn, by class. */
interface _Drawn {
  positives: Uint32Array;
  negatives: Uint32Array;
}

/** The curve of a draw that has both classes. */
function _drawCurve(...[labels, ranks, strata, integer]: Parameters<typeof _draw>): _Curve {
  for (;;) {
    const curve = _curve(_draw(labels, ranks, strata, integer));
    if (!Number.isNaN(curve.area)) return curve;
  }
}

/** As many cases, or clusters, of each stratum as there are, drawn with replacement. */
function _draw(
  labels: ArrayLike<number>,
  ranks: ReturnType<typeof _ranks>,
  strata: readonly (readonly number[][])[],
  integer: (count: number) => number,
): _Drawn {
  const [negatives, positives] = [new Uint32Array(ranks.count), new Uint32Array(ranks.count)];
  for (const stratum of strata) {
    for (let drawn = 0; drawn < stratum.length; drawn++) {
      for (const i of stratum[integer(stratum.length)]) {
        (labels[i] === 1 ? positives : negatives)[ranks.of[i]]++;
      }
    }
  }
  return { positives, negatives };
}

/** A ROC curve by counts, the area under it, and the average precision. */
interface _Curve {
  falsePositives: number[];
  truePositives: number[];
  area: number;
  averagePrecision: number;
}

function _curve(drawn: _Drawn): _Curve {
  const falsePositives = [0];
  const truePositives = [0];
  let [fp, tp, wins, precision] = [0, 0, 0, 0];
  for (let rank = 0; rank < drawn.positives.length; rank++) {
    const [more, less] = [drawn.positives[rank], drawn.negatives[rank]];
    if (more === 0 && less === 0) continue;
    wins += less * (tp + more / 2);
    falsePositives.push(fp += less);
    truePositives.push(tp += more);
    precision += more * tp / (tp + fp);
  }
  return {
    ...{ falsePositives, truePositives },
    area: wins / (tp * fp),
    averagePrecision: precision / tp,
  };
}

/** The height of a curve at each step of the band. */
function _sample(
  { falsePositives: x, truePositives: y }: _Curve,
  take: (step: number, height: number) => void,
): void {
  const [width, height] = [x.at(-1)!, y.at(-1)!];
  for (let step = 0, i = 0; step <= BAND_STEPS; step++) {
    const at = step * width / BAND_STEPS;
    while (i + 1 < x.length && x[i + 1] <= at) i++;
    const beyond = i + 1 < x.length ? (at - x[i]) / (x[i + 1] - x[i]) * (y[i + 1] - y[i]) : 0;
    take(step, (y[i] + beyond) / height);
  }
}

/** The percentiles that hold a share of the values between them. */
function _interval(values: Float64Array, level: number): { low: number; high: number } {
  const sorted = values.toSorted();
  return { low: quantile(sorted, (1 - level) / 2), high: quantile(sorted, (1 + level) / 2) };
}

/**
 * A quantile of rising values, interpolated as NumPy and R do by default (type 7 of Hyndman and Fan,
 * 1996, doi:10.1080/00031305.1996.10473566).
 *
 * @param sorted rising, at least one
 * @param share 0 to 1
 */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const position = share * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
}
