/**
 * How often the intervals of the metrics hold the true value: exams are drawn of which the truth is
 * known, again and again. Of intervals of 95 % between 93 % and 97 % should.
 *
 * deno task coverage [SETS] [EXAMS] [PATIENTS]
 *
 * With fewer patients than exams the exams of a patient are alike, in what the model says and in what is
 * so, and every interval is clustered.
 */
import { bootstrapAveragePrecision, bootstrapRoc } from "../lib/metrics/bootstrap.ts";
import { calibrationFit } from "../lib/metrics/calibration_fit.ts";
import { decisionCurve } from "../lib/metrics/decision_curve.ts";
import { delongInterval, delongTest } from "../lib/metrics/delong.ts";
import { normalCdf } from "../lib/metrics/normal.ts";
import { metricsAt } from "../lib/metrics/threshold.ts";
import { createRandom } from "../lib/random.ts";

/** How the logits of the exams are spread: the classes overlap, and a bit less than half are positive. */
const [MEAN, DEVIATION] = [-0.4, 2];

/** A second model's logits are the first's and as much noise. */
const NOISE = 1.2;

/** Where decisions are made. */
const THRESHOLD = 0.4;

/** How many draws a bootstrap takes here: fewer than in a report, for there are many sets. */
const SAMPLES = 500;

/** How much the exams of a patient have in common, 0 to 1. */
const COMMON = 0.6;

/** An interval and what it should hold. */
export interface Coverage {
  /** Whose interval. */
  metric: string;
  /** The true value. */
  truth: number;
  /** The share of the intervals that hold it. */
  held: number;
}

/** What to draw. */
export interface CoverageOptions {
  /** How many sets of exams. */
  draws: number;
  /** How many exams each. */
  exams: number;
  /** Of how many patients, each with as many exams as the others. */
  patients: number;
  /** How many draws a bootstrap takes; 0 leaves the bootstrap out. */
  samples?: number;
}

/** A set of exams. */
interface Drawn {
  labels: number[];
  logits: number[];
  others: number[];
  patients: string[];
}

const sigmoid = (logit: number) => 1 / (1 + Math.exp(-logit));

/** Draws a set of exams whose probabilities mean what they say. */
function draw(exams: number, patients: number, seed: number): Drawn {
  const random = createRandom(seed, "coverage");
  const drawn: Drawn = { labels: [], logits: [], others: [], patients: [] };
  const alike = patients === exams ? 0 : COMMON;
  for (let patient = 0; patient < patients; patient++) {
    const own = [random.normal(), random.normal(), random.normal()];
    const mixed = (i: number) => Math.sqrt(alike) * own[i] + Math.sqrt(1 - alike) * random.normal();
    for (let exam = 0; exam < exams / patients; exam++) {
      const logit = MEAN + DEVIATION * mixed(0);
      drawn.logits.push(logit);
      drawn.others.push(logit + NOISE * mixed(1));
      drawn.labels.push(normalCdf(mixed(2)) < sigmoid(logit) ? 1 : 0);
      drawn.patients.push(`${patient}`);
    }
  }
  return drawn;
}

/** The true values, by sums over a fine grid of logits. */
function truths(): Record<string, number> {
  const step = 0.002;
  const grid = Array.from({ length: 12_001 }, (_, i) => MEAN + DEVIATION * (6 - i * step / 2));
  const density = (z: number) => Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI) * step / 2;
  let [tp, fp, area, precision, called] = [0, 0, 0, 0, { tp: 0, fp: 0 }];
  for (const logit of grid) {
    const weight = density((logit - MEAN) / DEVIATION);
    const [more, less] = [weight * sigmoid(logit), weight * (1 - sigmoid(logit))];
    area += less * (tp + more / 2);
    precision += more * (tp + more / 2) / (tp + fp + (more + less) / 2);
    [tp, fp] = [tp + more, fp + less];
    if (sigmoid(logit) >= THRESHOLD) called = { tp, fp };
  }
  const [sensitivity, specificity] = [called.tp / tp, 1 - called.fp / fp];
  return {
    auc: area / (tp * fp),
    averagePrecision: precision / tp,
    sensitivity,
    specificity,
    accuracy: called.tp + fp - called.fp,
    ppv: called.tp / (called.tp + called.fp),
    npv: (fp - called.fp) / (1 - called.tp - called.fp),
    positiveLikelihoodRatio: sensitivity / (1 - specificity),
    negativeLikelihoodRatio: (1 - sensitivity) / specificity,
    netBenefit: called.tp - called.fp * THRESHOLD / (1 - THRESHOLD),
    slope: 1,
    intercept: 0,
    observedToExpected: 1,
  };
}

/** The true area of the second model: that of the grid's logits, each spread by the noise. */
function otherArea(): number {
  const step = 0.02;
  const grid = Array.from({ length: 1001 }, (_, i) => (i - 500) * step);
  const density = (z: number) => Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI) * step;
  let [tp, area, fp] = [0, 0, 0];
  for (const other of grid.toReversed()) {
    // The first model's logit, of which this is the second's, by its share on both sides.
    let [more, less] = [0, 0];
    for (const z of grid) {
      const logit = MEAN + DEVIATION * z;
      const weight = density(z) * density((other - z * DEVIATION) / NOISE) / NOISE;
      more += weight * sigmoid(logit);
      less += weight * (1 - sigmoid(logit));
    }
    area += less * (tp + more / 2);
    [tp, fp] = [tp + more, fp + less];
  }
  return area / (tp * fp);
}

/** Every interval of a set of exams, by the metric's name. */
function intervals(
  { labels, logits, others, patients }: Drawn,
  seed: number,
  samples: number,
): Record<string, { low: number; high: number }> {
  const clusters = new Set(patients).size === patients.length ? undefined : patients;
  const probabilities = logits.map(sigmoid);
  const draws = { seed, samples, clusters };
  const { sensitivity, specificity, accuracy, ppv, npv, ...ratios } = metricsAt(
    labels,
    probabilities,
    THRESHOLD,
    clusters,
  );
  return {
    "auc (DeLong)": delongInterval(labels, logits, 0.95, clusters),
    "difference of AUCs (DeLong)": delongTest(labels, logits, others, 0.95, clusters),
    ...(samples === 0 ? {} : {
      "auc (bootstrap)": bootstrapRoc(labels, logits, draws),
      averagePrecision: bootstrapAveragePrecision(labels, logits, draws),
    }),
    ...{ sensitivity, specificity, accuracy, ppv, npv },
    positiveLikelihoodRatio: ratios.positiveLikelihoodRatio,
    negativeLikelihoodRatio: ratios.negativeLikelihoodRatio,
    netBenefit: decisionCurve(labels, probabilities, [THRESHOLD], clusters)[0],
    ...calibrationFit(labels, logits, 0.95, clusters),
  };
}

/** Draws sets of exams and counts the intervals that hold the truth. */
export function coverage({ draws, exams, patients, samples = 0 }: CoverageOptions): Coverage[] {
  const known = truths();
  const truth = (name: string) =>
    name.startsWith("difference") ? known.auc - otherArea() : known[name.split(" ")[0]];
  const held = new Map<string, { truth: number; held: number }>();
  for (let seed = 1; seed <= draws; seed++) {
    const found = intervals(draw(exams, patients, seed), seed, samples);
    for (const [name, { low, high }] of Object.entries(found)) {
      if (!held.has(name)) held.set(name, { truth: truth(name), held: 0 });
      const count = held.get(name)!;
      if (low <= count.truth && count.truth <= high) count.held++;
    }
  }
  return [...held].map(([metric, { truth, held }]) => ({ metric, truth, held: held / draws }));
}

if (import.meta.main) {
  const print = (line: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
  const [draws = 2000, exams = 120, patients = exams] = Deno.args.map(Number);
  print(`${draws} sets of ${exams} exams of ${patients} patients; bootstrap: ${SAMPLES} draws`);
  for (const each of coverage({ draws, exams, patients, samples: SAMPLES })) {
    const { metric, truth, held } = each;
    const mark = held < 0.93 || held > 0.97 ? "  outside 93–97 %" : "";
    print(`${metric.padEnd(30)} ${truth.toFixed(4)}  ${(held * 100).toFixed(1)} %${mark}`);
  }
}
