/**
 * An evaluation as a page: one file that opens from a disk without a network, is read out well and
 * prints well.
 */
import type { LabelledPrediction, PredictionSummary } from "../metrics/summary.ts";
import { SET_NAMES } from "./acquaintance.ts";
import { calibrationPlot } from "./calibration_plot.ts";
import { cautions, widthCaution } from "./cautions.ts";
import type { ModelEvaluation } from "./evaluate_model.ts";
import { fixed, range, subject, thresholdKind, thresholdText } from "../page/format.ts";
import { decisionPlot } from "./decision_plot.ts";
import { flowTable, subgroupTables } from "./exam_tables.ts";
import { precisionRecallPlot } from "./precision_recall_plot.ts";
import { choices, protocolPlot, sharedText } from "./protocol_plot.ts";
import { histogramPlot } from "./histogram_plot.ts";
import { imprint, markup, note, page, section, sideBySide } from "../page/html.ts";
import type { Fragment, Markup } from "../page/html.ts";
import { legendMark } from "../page/plot.ts";
import { rocPlot } from "./roc_plot.ts";
import { STYLE } from "../page/style.ts";
import {
  calibrationTable,
  combinationTable,
  comparisonTable,
  confusionTables,
  ensembleTable,
  examsTable,
  originTable,
  overallTable,
  ratesTable,
  recipeTable,
} from "./tables.ts";

/**
 * The page of an evaluation.
 *
 * @param date when the evaluation was made
 */
export function evaluationHtml(evaluation: ModelEvaluation, date: Date): string {
  const { card, summary, predictions, against, noOperatingPoint, subgroups } = evaluation;
  const name = subject(card.task, card.plane);
  return page({
    title: `${name}: evaluation`,
    style: STYLE,
    header: markup`<p class="kicker">MRNet evaluation, ${date.toISOString().slice(0, 10)}</p>
<h1>${name}</h1>
${_headline(evaluation)}`,
    main: [
      section("curves", "Curves", [_legend(summary), _plots(summary, predictions)]),
      section("calibration-numbers", "Calibration", [
        sideBySide([overallTable(summary), _methods(evaluation)], calibrationTable(summary)),
      ]),
      section("decisions", "Decisions", [
        noOperatingPoint && note(`No metrics at an operating point: ${noOperatingPoint}.`),
        sideBySide(ratesTable(summary), confusionTables(summary)),
      ]),
      subgroups && section("groups", "Groups of exams", subgroupTables(subgroups)),
      against.length > 0 && section("comparison", "Against other models", _comparison(evaluation)),
      section("protocol", "Exams and protocol", [
        sideBySide(flowTable(evaluation), _protocol(evaluation)),
      ]),
      section("origin", "What was evaluated", [
        sideBySide(
          originTable(evaluation),
          _makingTable(evaluation),
        ),
      ]),
      section("exams", "Exams by error", examsTable(evaluation)),
    ],
    footer: imprint(date),
  });
}

function _headline(evaluation: ModelEvaluation): Markup {
  const { summary: { auc, exams, positives, patients }, data, split } = evaluation;
  const count = `${exams} ${exams === 1 ? "exam" : "exams"}`;
  const caution = widthCaution({ auc: auc.value, ...auc.delong });
  return markup`<p class="headline"><strong>AUC ${fixed(auc.value, 3)}</strong>
<span>95 % CI ${range(auc.delong, 3)}</span></p>
<p>${count} of ${SET_NAMES[split]} in <code>${data}</code>, ${positives} with the finding.
The interval is DeLong’s${
    patients !== undefined && `, by ${patients} patients (Obuchowski), as all intervals here`
  }.</p>${caution && note(caution)}${cautions(evaluation, split).map(note)}`;
}

function _legend({ thresholds }: PredictionSummary): Markup {
  const items = thresholds.map((named, index) => {
    const text = `Threshold ${thresholdText(named.threshold)} (${thresholdKind(named)})`;
    return markup`<li>${legendMark(index)}${text}</li>\n`;
  });
  return markup`<ul class="legend">
${items}</ul>
`;
}

function _plots(summary: PredictionSummary, predictions: readonly LabelledPrediction[]): Markup {
  const figure = (name: string, plot: Fragment, caption: string) =>
    markup`<figure>
<h3>${name}</h3>
${plot ?? note("Undefined with exams of one class only.")}
<figcaption>${caption}</figcaption>
</figure>
`;
  const { calibration, brier, thresholds, auc } = summary;
  const plots = [
    figure(
      "ROC curve",
      rocPlot("roc", summary),
      `Shaded: 95 % of ${auc.bootstrap.samples} bootstrap draws. Dotted: chance.`,
    ),
    figure(
      "Calibration",
      calibrationPlot("calibration", calibration, brier),
      "Bars: 95 % intervals (Wilson). Dotted: probabilities that mean what they say.",
    ),
    figure(
      "Precision and recall",
      precisionRecallPlot("precision-recall", summary),
      "Dotted: the share of exams with the finding, as without a model.",
    ),
    figure(
      "Decision curve",
      decisionPlot(
        "decision",
        summary.decisionCurve,
        thresholds,
        summary.positives / summary.exams,
      ),
      "Net benefit by the model, with its 95 % interval; dashed: acting in every exam; dotted: in none.",
    ),
    figure(
      "Probabilities by class",
      histogramPlot("histogram", predictions, thresholds),
      "Upright lines: the thresholds.",
    ),
  ];
  return markup`<div class="plots">
${plots}</div>`;
}

/** What the model was made by. */
function _makingTable(evaluation: ModelEvaluation): Markup {
  const { combination, ensemble } = evaluation;
  if (ensemble !== undefined) return ensembleTable(ensemble);
  return combination === undefined ? recipeTable(evaluation) : combinationTable(combination);
}

function _methods(
  { summary, combination, ensemble, recalibratedOn }: ModelEvaluation,
): Markup {
  const { samples, seed } = summary.auc.bootstrap;
  const before = recalibratedOn === undefined ? "" : ", of the logits before recalibration";
  const loss = (combination ?? ensemble) === undefined
    ? `weighted cross-entropy of training${before}`
    : "cross-entropy of the combined probability";
  const drawn = summary.patients === undefined
    ? "exams within each class, for the average precision of all"
    : "patients";
  return markup`<p class="remark">The bootstrap draws ${drawn}, ${samples} times, seed ${seed}; the
interval of the AUC is their percentiles, that of the average precision their standard error on the
scale of the logit. Good probabilities have the slope 1, the intercept 0, and 1 observed to
expected. The loss is the ${loss}.</p>`;
}

/** The other models, and what several tests are worth. */
function _comparison(evaluation: ModelEvaluation): Fragment {
  const { against, split } = evaluation;
  return [
    markup`<p>All models were evaluated on the same exams.</p>
`,
    against.length > 1 && note(
      `${against.length} models are compared with this one. One of twenty tests has p < 0.05 by ` +
        "chance, and the best of several models is better here than it will be on new exams. The " +
        "adjusted p values take the number of tests into account (Holm).",
    ),
    against.map((other) =>
      cautions(other, split).map((caution) =>
        note(against.length === 1 ? caution : `${other.file}: ${caution}`)
      )
    ),
    comparisonTable(evaluation),
    markup`<p class="remark">SHA-256 of the other files: ${
      against.map(({ sha256 }) => markup`<code>${sha256}</code> `)
    }</p>
`,
  ];
}

/** What was chosen by which exams. */
function _protocol(evaluation: ModelEvaluation): Markup {
  const shared = choices(evaluation).find(({ shared }) => shared !== undefined)?.shared;
  return markup`<figure>
<h3>What was chosen by which exams</h3>
${protocolPlot("protocol-plot", evaluation)}
<figcaption>${
    shared === undefined
      ? "None of the evaluated exams is known to have chosen anything."
      : `Framed boldly: these chose something, and ${sharedText(shared)}.`
  }</figcaption>
</figure>`;
}
