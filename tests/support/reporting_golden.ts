/** What statsmodels, scikit-learn and dcurves give, from `tools/make_reporting_golden.py`. */
import type { Estimate } from "../../lib/metrics/estimate.ts";

/** An estimate and its ends, as the file has it. */
export type Ends = [value: number, low: number, high: number];

/** Calibration as the file has it. */
interface GoldenCalibration {
  slope: Ends;
  intercept: Ends;
  observed_to_expected: Ends;
}

/** The file's content. */
interface ReportingGolden {
  cases: {
    labels: number[];
    logits: number[];
    others: number[];
    patients: number[];
    calibration: GoldenCalibration;
    clustered_calibration: GoldenCalibration;
    precision: number[];
    recall: number[];
    thresholds: number[];
    average_precision: number;
    net_benefit: { thresholds: number[]; model: number[]; all: number[] };
    variance_of_mean: number;
    clustered_covariance: [[number, number], [number, number]];
  }[];
  ratios: { counts: [number, number, number, number]; interval: [number, number] }[];
  holm: { p: number[]; adjusted: number[] };
}

/** The content of `tests/golden/reporting.json`. */
export const REPORTING_GOLDEN: ReportingGolden = JSON.parse(
  Deno.readTextFileSync(`${import.meta.dirname}/../golden/reporting.json`),
);

/** The estimate and its ends in the file's order. */
export function endsOf({ value, low, high }: Estimate): Ends {
  return [value, low, high];
}
