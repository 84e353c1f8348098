/** A reader and a model side by side, on exams whose labels are known. */
import { cohensKappa, mcnemarTest } from "../../metrics/agreement.ts";
import { delongInterval } from "../../metrics/delong.ts";
import type { Estimate } from "../../metrics/estimate.ts";
import { metricsAt, type Proportion } from "../../metrics/threshold.ts";
import type { Label } from "../../terms.ts";

/** An exam that both have read. */
export interface ComparedExam {
  label: Label;
  /** What the reader said. */
  answer: Label;
  /** Whether the model calls it positive. */
  decision: boolean;
  /** The model's logit. */
  logit: number;
}

/** What is said of either. */
export interface RatedDecisions {
  sensitivity: Proportion;
  specificity: Proportion;
}

/** The two side by side. */
export interface ReaderComparison {
  /** How many exams have the finding, and how many have not. */
  positives: number;
  negatives: number;
  reader: RatedDecisions;
  /** At its operating point. */
  model: RatedDecisions & {
    /** The area under its ROC curve, with DeLong's interval. */
    auc: Estimate;
  };
  /** Cohen's kappa of the reader's and the model's decisions. */
  kappa: Estimate;
  /** McNemar's exact test of the two sensitivities and of the two specificities. */
  p: { sensitivity: number; specificity: number };
}

/** Compares them; what the exams do not tell is NaN. */
export function compareReader(exams: readonly ComparedExam[]): ReaderComparison {
  const labels = exams.map(({ label }) => label);
  const answers = exams.map(({ answer }) => answer);
  const decisions = exams.map(({ decision }): Label => decision ? 1 : 0);
  const positives = exams.filter(({ label }) => label === 1);
  const negatives = exams.filter(({ label }) => label === 0);
  const rated = (scores: readonly number[]) => {
    const { sensitivity, specificity } = metricsAt(labels, scores, 0.5);
    return { sensitivity, specificity };
  };
  const { auc: value, low, high } = delongInterval(labels, exams.map(({ logit }) => logit));
  return {
    positives: positives.length,
    negatives: negatives.length,
    reader: rated(answers),
    model: { ...rated(decisions), auc: { value, low, high } },
    kappa: cohensKappa(_pairs(exams)),
    p: {
      sensitivity: _pValue(positives),
      specificity: _pValue(negatives),
    },
  };
}

/** Of no exam there is none. */
function _pValue(exams: readonly ComparedExam[]): number {
  return exams.length === 0 ? NaN : mcnemarTest(_pairs(exams));
}

function _pairs(exams: readonly ComparedExam[]) {
  const count = (answer: Label, decision: boolean) =>
    exams.filter((exam) => exam.answer === answer && exam.decision === decision).length;
  return {
    both: count(1, true),
    firstOnly: count(1, false),
    secondOnly: count(0, true),
    neither: count(0, false),
  };
}
