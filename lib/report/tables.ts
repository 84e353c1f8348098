/** The tables of a report. */
import type { Ensemble } from "../classifier/ensemble.ts";
import type { Combination } from "../combine/combination.ts";
import type { Intensity } from "../data/intensity.ts";
import type { PredictionSummary } from "../metrics/summary.ts";
import type { Estimate } from "../metrics/estimate.ts";
import type { Proportion } from "../metrics/threshold.ts";
import { recalibrationText } from "../model/recalibration.ts";
import { PLANES } from "../terms.ts";
import type { EvaluatedModel, ModelEvaluation } from "./evaluate_model.ts";
import {
  fixed,
  planeText,
  pValue,
  range,
  RATES,
  ratioRange,
  RATIOS,
  ratioText,
  ruleText,
  subject,
  thresholdKind,
  thresholdText,
} from "../page/format.ts";
import { markup, note, NumberCell, numberCells, table } from "../page/html.ts";
import type { Cell, Fragment, Markup } from "../page/html.ts";

/** The rates at every threshold. */
export function ratesTable({ thresholds }: PredictionSummary): Markup {
  const columns = thresholds.map((named) =>
    withBelow(thresholdText(named.threshold), thresholdKind(named))
  );
  return table({
    caption:
      "Metrics at each threshold, with 95 % intervals (Wilson; of likelihood ratios Miettinen and Nurminen)",
    head: ["Threshold", ...columns],
    rows: [
      ...RATES.map(([rate, name]) => [
        name,
        ...thresholds.map(({ [rate]: share }) => proportion(share)),
      ]),
      ...RATIOS.map(([ratio, name]) => [
        name,
        ...thresholds.map(({ [ratio]: { value, ...ends } }) =>
          withBelow(ratioText(value), Number.isNaN(value) ? undefined : ratioRange(ends))
        ),
      ]),
    ],
  });
}

/** How many exams were decided how, a table for each threshold. */
export function confusionTables({ thresholds }: PredictionSummary): Markup[] {
  return thresholds.map(({ threshold, confusion }) =>
    table({
      caption: `Exams at the threshold ${thresholdText(threshold)}`,
      className: "confusion",
      head: ["Finding", ...numberCells("Called positive", "Called negative")],
      rows: [
        ["present", ...numberCells(confusion.truePositives, confusion.falseNegatives)],
        ["absent", ...numberCells(confusion.falsePositives, confusion.trueNegatives)],
      ],
    })
  );
}

/** The models and the tests of their differences from the first. */
export function comparisonTable({ summary, card, against }: ModelEvaluation): Markup {
  const row = (name: Fragment, value: number, ends: { low: number; high: number }) => [
    name,
    ...numberCells(fixed(value, 3), range(ends, 3)),
  ];
  return table({
    caption:
      "Areas under the ROC curve, and DeLong’s paired test of each difference from this model",
    className: "narrow",
    head: ["Model", ...numberCells("AUC", "95 % CI")],
    rows: [
      row(`This model, ${planeText(card.plane)}`, summary.auc.value, summary.auc.delong),
      ...against.flatMap(({ file, card, summary: { auc }, comparison }) => [
        row([markup`<code>${file}</code>`, `, ${planeText(card.plane)}`], auc.value, auc.delong),
        row("Difference", comparison.difference, comparison),
        ["Test", ...numberCells(`z = ${fixed(comparison.z, 2)}`, pValue(comparison.p))],
        ...(against.length === 1 ? [] : [[
          "Adjusted for the number of tests",
          ...numberCells("", pValue(comparison.adjustedP)),
        ]]),
      ]),
    ],
  });
}

/** The metrics that need no threshold. */
export function overallTable(summary: PredictionSummary): Markup {
  const { auc, averagePrecision, brier, loss, calibrationFit } = summary;
  const estimate = (name: string, { value, ...ends }: Estimate, digits: number) => [
    name,
    ...numberCells(fixed(value, digits), range(ends, digits)),
  ];
  const value = fixed(auc.value, 3);
  return table({
    caption: "Metrics that need no threshold",
    head: ["Metric", ...numberCells("Value", "95 % CI")],
    rows: [
      ["AUC, DeLong’s interval", ...numberCells(value, range(auc.delong, 3))],
      ["AUC, bootstrap interval", ...numberCells(value, range(auc.bootstrap, 3))],
      estimate("Average precision", averagePrecision, 3),
      estimate("Calibration slope", calibrationFit.slope, 2),
      estimate("Calibration intercept", calibrationFit.intercept, 2),
      estimate("Observed to expected", calibrationFit.observedToExpected, 2),
      ["Brier score", ...numberCells(fixed(brier, 3), "")],
      ["Loss", ...numberCells(fixed(loss, 4), "")],
    ],
  });
}

/** The bins of the calibration curve that have exams. */
export function calibrationTable({ calibration }: PredictionSummary): Markup {
  const filled = calibration.filter(({ count }) => count > 0);
  return table({
    caption: "Calibration by bin of probability",
    className: "bins",
    head: ["Bin", ...numberCells("Exams", "Mean probability", "Share with the finding")],
    rows: filled.map(({ from, to, count, meanProbability, positiveShare, low, high }) => [
      `${from.toFixed(1)}–${to.toFixed(1)}`,
      ...numberCells(count, meanProbability.toFixed(2)),
      proportion({ value: positiveShare, low, high }),
    ]),
  });
}

/** Every exam, the worst mistake first. */
export function examsTable({ predictions, summary: { thresholds } }: ModelEvaluation): Markup {
  const sorted = predictions.map((prediction) => ({
    ...prediction,
    error: Math.abs(prediction.label - prediction.probability),
  })).sort((a, b) => b.error - a.error || (a.id < b.id ? -1 : 1));
  return table({
    caption: "The error is the distance of the probability from the truth. At a threshold a " +
      "decision is a true positive (TP), a true negative (TN), a false positive (FP) or a false " +
      "negative (FN); the wrong ones are bold.",
    className: "narrow exams",
    head: [
      "Exam",
      "Finding",
      ...numberCells("Probability", "Error"),
      ...thresholds.map(({ threshold }) => `At ${thresholdText(threshold)}`),
    ],
    rows: sorted.map(({ id, label, probability, error }) => [
      id,
      label === 1 ? "present" : "absent",
      ...numberCells(fixed(probability, 3), fixed(error, 3)),
      ...thresholds.map(({ threshold }) => {
        const positive = probability >= threshold;
        const called = positive ? "P" : "N";
        return positive === (label === 1) ? `T${called}` : markup`<strong>F${called}</strong>`;
      }),
    ]),
  });
}

/** Which model was evaluated on which data. */
export function originTable(evaluation: ModelEvaluation): Markup {
  const { file, sha256, card, data, split } = evaluation;
  const { operatingPoint, tune, recalibration } = card;
  const set = split === "tune"
    ? "the training exams kept out for tuning"
    : split === "studies"
    ? "studies from a scanner"
    : `the ${split} exams`;
  const chosen = operatingPoint &&
    `${thresholdText(operatingPoint.threshold)}, by ${
      ruleText(operatingPoint.rule)
    } on the ${operatingPoint.exams} exams`;
  return table({
    caption: "Model and data",
    head: ["What", "Which"],
    rows: [
      ["Model", markup`<code>${file}</code>`],
      ["SHA-256", markup`<code>${sha256}</code>`],
      ["Finding and plane", subject(card.task, card.plane)],
      [
        "Input",
        card.intensity === undefined ? "differs from plane to plane" : INPUT_TEXTS[card.intensity],
      ],
      ["Operating point", chosen ?? "none"],
      [
        "Probabilities",
        recalibration ? recalibrationText(recalibration) : "as the model gives them",
      ],
      ["Tune split", tune ? `${tune.fraction} of the training exams, seed ${tune.seed}` : "none"],
      ["Data", markup`<code>${data}</code>, ${set}`],
      ["Engine", evaluation.engine],
    ],
  });
}

/** What the grey values become. */
const INPUT_TEXTS: Readonly<Record<Intensity, string>> = {
  raw: "grey values as in the file",
  standardized: "standardized per exam",
  landmarks: "each exam's histogram mapped to landmarks of the training exams",
};

/** How three models go together, and by which exams that was found. */
export function combinationTable(combination: Combination): Markup {
  const { coefficients, intercept, fitOn, exams, positives, members } = combination;
  return table({
    caption: "How the planes go together: logistic regression over their probabilities",
    head: ["What", "Which"],
    rows: [
      ...PLANES.map((plane) => [
        `Weight, ${plane}`,
        [coefficients[plane].toFixed(3), members && markup`, <code>${members[plane].file}</code>`],
      ]),
      ["Intercept", intercept.toFixed(3)],
      ["Fitted on", `the ${fitOn} exams: ${exams} patients, ${positives} with the finding`],
    ],
  });
}

/** The members of an ensemble, and what its operating point was chosen by. */
export function ensembleTable({ members, outOfFold }: Ensemble): Markup {
  const chosen = outOfFold === undefined
    ? "none"
    : `${outOfFold.exams} exams, ${outOfFold.positives} with the finding, AUC ${
      fixed(outOfFold.auc, 3)
    }`;
  return table({
    caption: "Members: the logit is the mean of theirs",
    head: ["What", "Which"],
    rows: [
      ...members.map(({ file }, index) => [`Member ${index + 1}`, markup`<code>${file}</code>`]),
      ["Out-of-fold predictions", chosen],
    ],
  });
}

/**
 * How the model was trained, as the run wrote it into the file. That may be a run of another version,
 * so whatever it wrote is shown.
 */
export function recipeTable({ metadata }: EvaluatedModel): Markup {
  const rows: Cell[][] = [
    ...Object.entries(_config(metadata)),
    ...["epoch", "train_auc", "val_auc", "val_loss"].map((name) => [name, metadata[name]]),
  ].filter(([, value]) => value !== undefined).map(([name, value]) => [
    String(name),
    (typeof value === "object" ? JSON.stringify(value) : String(value)).slice(0, 200),
  ]);
  if (rows.length === 0) return note("The model’s file does not say how it was trained.");
  return table({ caption: "How it was trained", head: ["Option", "Value"], rows });
}

function _config(metadata: EvaluatedModel["metadata"]): Record<string, unknown> {
  try {
    const config = JSON.parse(metadata.config ?? "{}");
    return typeof config === "object" && config !== null ? config : {};
  } catch {
    return {};
  }
}

/** A share and below it its interval, where it has one. */
export function proportion(share: Proportion): NumberCell {
  const below = Number.isNaN(share.value) ? undefined : range(share, 2);
  return withBelow(fixed(share.value, 2), below);
}

/** A number, and below it what belongs to it. */
export function withBelow(content: Fragment, below: string | undefined): NumberCell {
  const small = below && markup`<span class="below">${below}</span>`;
  return new NumberCell([content, small]);
}
