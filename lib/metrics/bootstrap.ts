/**
 * How sure a ROC curve and its area are, by drawing the cases anew (B. Efron, Bootstrap methods:
 * another look at the jackknife, Annals of Statistics 7, 1979, doi:10.1214/aos/1176344552).
 *
 * The draws are stratified: each has as many positive and negative cases as the data. A plain draw
 * from a small set may hold one class only, for which there is no curve. Intervals are percentiles of
 * the draws.
 */
import { createRandom } from "../random.ts";
import { checkCases, checkLevel } from "./cases.ts";

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
  { seed, samples = BOOTSTRAP_SAMPLES, level = 0.95 }: BootstrapOptions,
): RocBootstrap {
  checkCases(labels, scores);
  checkLevel(level);
  if (!(Number.isSafeInteger(samples) && samples >= 1)) {
    throw new RangeError(`There must be at least one draw: current value is ${samples}`);
  }
  const fpr = Array.from({ length: BAND_STEPS + 1 }, (_, step) => step / BAND_STEPS);
  const { positives, negatives, scores: count } = _ranks(labels, scores);
  if (positives.length === 0 || negatives.length === 0) {
    const none = fpr.map(() => NaN);
    return { low: NaN, high: NaN, band: { fpr, low: none, high: [...none] } };
  }
  const random = createRandom(seed, "bootstrap");
  const areas = new Float64Array(samples);
  const heights = fpr.map(() => new Float64Array(samples));
  for (let sample = 0; sample < samples; sample++) {
    const drawn = {
      positives: _draw(positives, count, random.integer),
      negatives: _draw(negatives, count, random.integer),
    };
    const curve = _curve(drawn, positives.length, negatives.length);
    areas[sample] = curve.area;
    _sample(curve, (step, height) => heights[step][sample] = height);
  }
  const [low, high] = _interval(areas, level);
  const ends = heights.map((each) => _interval(each, level));
  const band = { fpr, low: ends.map(([low]) => low), high: ends.map(([, high]) => high) };
  return { low, high, band };
}

/** The rank of each case's score among the scores that occur, highest first. */
function _ranks(labels: ArrayLike<number>, scores: ArrayLike<number>) {
  const values = [...new Set(Array.from(scores, (score) => score + 0))]
    .sort((a, b) => a > b ? -1 : a < b ? 1 : 0);
  const rank = new Map(values.map((value, index) => [value, index]));
  const of = (label: number) =>
    Array.from(scores).filter((_, i) => labels[i] === label).map((score) => rank.get(score + 0)!);
  return { positives: of(1), negatives: of(0), scores: values.length };
}

/** As many cases as there are, drawn with replacement; how often each score was drawn. */
function _draw(
  ranks: readonly number[],
  scores: number,
  integer: (count: number) => number,
): Uint32Array {
  const counts = new Uint32Array(scores);
  for (let i = 0; i < ranks.length; i++) counts[ranks[integer(ranks.length)]]++;
  return counts;
}

/** A ROC curve by counts, and the area under it. */
interface _Curve {
  falsePositives: number[];
  truePositives: number[];
  area: number;
}

function _curve(
  drawn: { positives: Uint32Array; negatives: Uint32Array },
  positives: number,
  negatives: number,
): _Curve {
  const falsePositives = [0];
  const truePositives = [0];
  let [fp, tp, wins] = [0, 0, 0];
  for (let rank = 0; rank < drawn.positives.length; rank++) {
    const [more, less] = [drawn.positives[rank], drawn.negatives[rank]];
    if (more === 0 && less === 0) continue;
    wins += less * (tp + more / 2);
    falsePositives.push(fp += less);
    truePositives.push(tp += more);
  }
  return { falsePositives, truePositives, area: wins / (positives * negatives) };
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
function _interval(values: Float64Array, level: number): [low: number, high: number] {
  const sorted = values.toSorted();
  return [quantile(sorted, (1 - level) / 2), quantile(sorted, (1 + level) / 2)];
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
