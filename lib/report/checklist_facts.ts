/** What a run knows of itself, as the sentences of a checklist. Nothing is said that is not known. */
import { fixed, range, RATES, ratioRange, RATIOS, ratioText } from "../page/format.ts";
import { FINDINGS, ruleText, thresholdKind, thresholdText } from "../page/format.ts";
import type { ExamSet } from "../data/exam_set.ts";
import type { Estimate } from "../metrics/estimate.ts";
import { networkOf } from "../network/networks.ts";
import { recalibrationText } from "../model/recalibration.ts";
import { VERSION } from "../version.ts";
import { SET_NAMES } from "./acquaintance.ts";
import { cautions } from "./cautions.ts";
import type { ModelEvaluation } from "./evaluate_model.ts";
import { choices, sharedText } from "./protocol_plot.ts";

/** Sentences; empty if nothing is known. */
export type Facts = (evaluation: ModelEvaluation) => string[];

/** A sentence if something is known. */
function _if<T>(value: T | undefined, sentence: (value: T) => string): string[] {
  return value === undefined || value === "" ? [] : [sentence(value)];
}

/** What is estimated, with its interval if there is one. */
function _estimate(name: string, { value, ...ends }: Estimate, digits = 3): string {
  const interval = range(ends, digits);
  const beside = interval === range({ low: NaN, high: NaN }, digits) ? "" : ` (${interval})`;
  return `${name} ${fixed(value, digits)}${beside}`;
}

/** The kind of model, its finding and its planes. */
export const model: Facts = ({ card: { task, plane, network }, combination, ensemble }) => {
  const kind = ensemble !== undefined
    ? `an ensemble of ${ensemble.members.length} members (mean of their logits)`
    : combination !== undefined
    ? "a logistic regression over the probabilities of three models, one a plane"
    : "one model";
  const reads = plane === "combined"
    ? "the axial, the coronal and the sagittal series"
    : `the ${plane} series`;
  return [
    `MRNet: a convolutional neural network that reads ${reads} of a knee MRI exam and gives the ` +
    `probability of the finding '${FINDINGS[task]}'; here ${kind}.`,
    ..._if(network, (name) => `Network of a slice: ${networkOf(name).title}.`),
  ];
};

/** What people say of the intended use. */
export const intendedUse: Facts = ({ card: { about } }) => [
  ..._if(about?.intendedUse, (text) => `Intended use, by the model's card: ${text}`),
  ..._if(about?.outOfScopeUse, (text) => `Out of scope, by the model's card: ${text}`),
];

/** What people say of limitations. */
export const limitations: Facts = (evaluation) => [
  ..._if(evaluation.card.about?.limitations, (text) => `By the model's card: ${text}`),
  ...cautions(evaluation, evaluation.split),
];

/** Which exams were evaluated, and where they come from as far as that is known. */
export const dataSources: Facts = ({ data, split, card: { about, trainingSet } }) => [
  `Evaluated: ${SET_NAMES[split]} in '${data}'.`,
  ..._if(about?.datasets?.join(", "), (names) => `Trained on, by the model's card: ${names}.`),
  ..._if(trainingSet, (set) => `Training exams: ${_set(set)}.`),
];

/** How exams were prepared for the network. */
export const preparation: Facts = ({ card: { intensity } }) =>
  _if(intensity, (name) =>
    ({
      raw: "Grey values as in the exam's file.",
      standardized: "Each exam is stretched to 0–255 by its own range, then standardized.",
      landmarks: "The histogram of each exam is mapped to landmarks of the training exams.",
    })[name]);

/** What the images are like, where imported exams say it. */
export const acquisition: Facts = ({ card: { trainingSet } }) => {
  const named = (list: ExamSet["scanners"]) =>
    list?.map(({ name, exams }) => `${name} (${exams})`).join("; ");
  return [
    ..._if(named(trainingSet?.sequences), (all) => `Sequences of the training exams: ${all}.`),
    ..._if(named(trainingSet?.scanners), (all) => `Scanners of the training exams: ${all}.`),
    ..._if(trainingSet?.slices, ([least, most]) => `Slices of a training exam: ${least}–${most}.`),
    ..._if(named(trainingSet?.sizes), (all) => `Sizes of their slices, in pixels: ${all}.`),
  ];
};

/** Exams found, left out, and evaluated. */
export const flow: Facts = ({ summary, found, leftOut, odd = [], card: { trainingSet } }) => {
  const { exams, positives, patients } = summary;
  return [
    ..._if(
      found,
      (count) => `${count} exams in the label file, ${count - exams} of another split.`,
    ),
    ..._if(
      leftOut,
      ({ unlabelled, unknownLabels, skipped }) =>
        `Left out: ${unlabelled.length} studies without a label, ${unknownLabels.length} labels ` +
        `without a study, ${skipped.length} files of no use.`,
    ),
    `Evaluated: ${exams} exams, ${positives} with the finding` +
    `${patients === undefined ? "" : `, of ${patients} patients`}.`,
    ...(odd.length === 0 ? [] : [`${odd.length} of them are unlike the model's input.`]),
    ..._if(
      trainingSet,
      (set) => `Trained on ${set.exams} exams, ${set.positives} with the finding.`,
    ),
  ];
};

/** Exams that cannot be read. */
export const missing: Facts = () => [
  "An exam that cannot be read, or lacks a plane, ends the evaluation: none is imputed.",
];

/** What was chosen by which exams. */
export const partitions: Facts = (evaluation) =>
  choices(evaluation).map(({ exams, chosen, shared }) =>
    `${exams}: ${chosen.toLowerCase()}${shared === undefined ? "" : ` (${sharedText(shared)})`}.`
  );

/** By what partitions are known to be apart. */
export const disjoint: Facts = ({ trainedOn, chosenBy }) => {
  if (!trainedOn?.compared) return [];
  const told =
    `By hashes of the exams, ${trainedOn.shared} of ${trainedOn.exams} evaluated exams were ` +
    "trained on";
  return [
    chosenBy?.compared ? `${told}, and ${chosenBy.shared} chose the epoch.` : `${told}.`,
  ];
};

/** How it was trained, by its file. */
export const training: Facts = ({ card, metadata }) => {
  const config = _config(metadata);
  const said = Object.entries(config).map(([name, value]) => `${name} ${value}`).join(", ");
  return [
    ..._if(card.recipe, (name) => `Recipe: ${name}.`),
    ..._if(said, (all) => `Settings: ${all}.`),
    ..._if(card.epoch, (epoch) => `Epoch that was kept: ${epoch}.`),
    ..._if(card.engine, (engine) => `Computed by ${engine}.`),
  ];
};

/** What the weights started from. */
export const initial: Facts = ({ metadata }) =>
  _if(
    _config(metadata).weights,
    (weights) =>
      weights === "none"
        ? "Random weights."
        : weights === "imagenet"
        ? "torchvision's weights for ImageNet; the last layer is random."
        : `The weights of '${weights}'.`,
  );

/** How the epoch and the operating point were chosen. */
export const selection: Facts = (
  { card: { epochRule, selectionSet, operatingPoint, ...card } },
) => [
  ...(epochRule === "auc" ? ["The epoch with the highest AUC on the exams that chose it."] : []),
  ..._if(
    selectionSet,
    (set) => `These were ${set.exams} exams, ${set.positives} with the finding.`,
  ),
  ..._if(
    operatingPoint,
    ({ threshold, rule, exams }) =>
      `Operating point: ${thresholdText(threshold)}, by ${ruleText(rule)} on the ${exams} exams.`,
  ),
  ..._if(card.recalibration, (each) => `The probabilities are ${recalibrationText(each)}.`),
];

/** Whether and how it was recalibrated. */
export const recalibration: Facts = ({ card }) => [
  card.recalibration === undefined
    ? "The model was not recalibrated."
    : `The probabilities are ${recalibrationText(card.recalibration)}.`,
];

/** How several models go together. */
export const together: Facts = ({ combination, ensemble }) => [
  ..._if(
    combination,
    ({ fitOn, exams }) =>
      `Logistic regression (L2, C = 1) on ${exams} patients of the ${fitOn} exams.`,
  ),
  ..._if(ensemble, ({ members }) => `The mean of the logits of ${members.length} members.`),
];

/** What the output is, and what a decision. */
export const output: Facts = ({ summary: { thresholds } }) => [
  "A probability of the finding, 0 to 1.",
  `Positive from a threshold on; evaluated at ${
    thresholds.map((named) => `${thresholdText(named.threshold)} (${thresholdKind(named)})`).join(
      ", ",
    )
  }.`,
];

/** Which metrics with which intervals. */
export const methods: Facts = ({ summary: { auc, patients }, against }) => [
  "AUC (DeLong's and a bootstrap interval), average precision (bootstrap), sensitivity, specificity and " +
  "predictive values (Wilson), likelihood ratios (Miettinen and Nurminen), calibration slope, intercept " +
  "and observed to expected (logistic and Poisson regression), Brier score, net benefit; 95 % intervals.",
  `${auc.bootstrap.samples} bootstrap draws, seed ${auc.bootstrap.seed}.`,
  patients === undefined
    ? "Exams were taken for independent."
    : "Intervals are by patient (Obuchowski; cluster bootstrap).",
  ...(against.length === 0
    ? []
    : [`Compared with ${against.length} other models by DeLong's paired test, p values by Holm.`]),
];

/** The metrics themselves. */
export const performance: Facts = ({ summary, against }) => {
  const { auc, averagePrecision, calibrationFit: fit, brier, thresholds } = summary;
  return [
    `${_estimate("AUC", { value: auc.value, ...auc.delong })}, ` +
    `${_estimate("average precision", averagePrecision)}, ` +
    `${_estimate("calibration slope", fit.slope, 2)}, ${
      _estimate("intercept", fit.intercept, 2)
    }, ` +
    `${_estimate("observed to expected", fit.observedToExpected, 2)}, Brier score ${
      fixed(brier, 3)
    }.`,
    ...thresholds.map((named) =>
      `At ${thresholdText(named.threshold)} (${thresholdKind(named)}): ` +
      [
        ...RATES.map(([rate, name]) => _estimate(name.toLowerCase(), named[rate], 2)),
        ...RATIOS.map(([ratio, name]) =>
          `${name.toLowerCase()} ${ratioText(named[ratio].value)} (${ratioRange(named[ratio])})`
        ),
      ].join(", ") + "."
    ),
    ...against.map(({ file, comparison: { difference, p, adjustedP, ...ends } }) =>
      `Against '${file}': AUC ${_estimate("difference", { value: difference, ...ends })}, ` +
      `p ${fixed(p, 3)}, adjusted ${fixed(adjustedP, 3)}.`
    ),
  ];
};

/** The metrics of groups. */
export const groups: Facts = ({ subgroups }) =>
  (subgroups?.groupings ?? []).map(({ column, groups }) =>
    `By ${column}: ` + groups.map(({ value, exams, auc, isSmall }) =>
      `${value} (${exams} exams${isSmall ? ", a small group" : ""}) ${_estimate("AUC", auc, 2)}`
    ).join("; ") + "."
  );

/** The exams that were decided wrongly. */
export const failures: Facts = ({ summary: { thresholds } }) =>
  thresholds.map((named) => {
    const { falsePositives, falseNegatives } = named.confusion;
    return `At ${thresholdText(named.threshold)} (${
      thresholdKind(named)
    }): ${falsePositives} false ` +
      `positives, ${falseNegatives} false negatives; 'report.html' lists them by error.`;
  });

/** How common the finding is, and how training made up for it. */
export const imbalance: Facts = ({ summary: { exams, positives }, card: { lossWeights } }) => [
  `${positives} of ${exams} evaluated exams have the finding.`,
  ..._if(lossWeights, (by) => `The loss of training was weighted (loss_weights ${by}).`),
];

/** With what it was computed. */
export const software: Facts = ({ engine, card: { toolkit } }) => [
  `Evaluated with MRNet for Deno ${VERSION}, ${engine}.`,
  ..._if(toolkit, (version) => `Trained with version ${version}.`),
];

/** What identifies the model, and what its card says of rights. */
export const availability: Facts = ({ file, sha256, card: { about } }) => [
  `Model: '${file}', SHA-256 ${sha256}.`,
  ..._if(about?.license, (license) => `Licence, by the model's card: ${license}.`),
  ..._if(about?.dataSource, (source) => `Data, by the model's card: ${source}`),
];

/** What is written about the protocol elsewhere. */
export const references: Facts = ({ card: { about } }) =>
  _if(about?.references?.join("; "), (all) => `By the model's card: ${all}.`);

function _set({ exams, positives }: ExamSet): string {
  return `${exams}, ${positives} with the finding`;
}

/** The settings of the run, as the model's file has them. */
function _config(metadata: ModelEvaluation["metadata"]): Record<string, string> {
  let config: unknown;
  try {
    config = JSON.parse(metadata.config ?? "{}");
  } catch {
    return {};
  }
  if (typeof config !== "object" || config === null || Array.isArray(config)) return {};
  const plain = Object.entries(config).filter(([, value]) => typeof value !== "object");
  return Object.fromEntries(plain.map(([name, value]) => [name, String(value)]));
}
