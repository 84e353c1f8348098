/**
 * The metrics that scikit-learn, SciPy and pROC give, from `tools/make_metrics_golden.py`.
 */

/** The file's content. */
interface MetricsGolden {
  delong: {
    labels: number[];
    scores: Record<string, number[]>;
    variance: Record<string, number>;
    interval: Record<string, [low: number, auc: number, high: number]>;
    tests: {
      first: string;
      second: string;
      z: number;
      p: number;
      low: number;
      high: number;
    }[];
  };
  normal: { z: number[]; cdf: number[]; p: number[]; quantile: number[] };
  cases: {
    labels: number[];
    probabilities: number[];
    brier: number;
    calibration: { bins: number; positive_share: number[]; mean_probability: number[] }[];
    youden: { at: number; index: number };
    thresholds: (
      & {
        [metric in "threshold" | "tn" | "fp" | "fn" | "tp" | Metric]: number;
      }
      & { sensitivity_interval: [number, number] }
    )[];
  }[];
  logistic: {
    name: string;
    features: number[][];
    labels: number[];
    c: number;
    weights: number[];
    intercept: number;
    probabilities: number[];
  }[];
}

/** The metrics at a threshold. */
export const METRICS = ["sensitivity", "specificity", "accuracy", "ppv", "npv"] as const;
type Metric = (typeof METRICS)[number];

/** The content of `tests/golden/metrics.json`. */
export const METRICS_GOLDEN: MetricsGolden = JSON.parse(
  Deno.readTextFileSync(`${import.meta.dirname}/../golden/metrics.json`),
);

/** Fails where a metric is further from the expected one than allowed. */
export function assertNear(actual: number, expected: number, within: number, what = ""): void {
  if (Math.abs(actual - expected) <= within) return;
  throw new Error(`${what} ${actual} is not ${expected} within ${within}`);
}

/** Labels and scores of up to `most` cases with many ties, for properties. */
export function unzip(
  cases: readonly (readonly [number, number])[],
): { labels: number[]; scores: number[] } {
  return { labels: cases.map(([label]) => label), scores: cases.map(([, score]) => score) };
}
