/**
 * An evaluation as a page: one file that opens from a disk without a network, is read out well and
 * prints well.
 */
import type { LabelledPrediction, PredictionSummary } from "../metrics/summary.ts";
import { VERSION } from "../version.ts";
import { SET_NAMES } from "./acquaintance.ts";
import { calibrationPlot } from "./calibration_plot.ts";
import { cautions, widthCaution } from "./cautions.ts";
import type { ModelEvaluation } from "./evaluate_model.ts";
import { fixed, range, subject, thresholdKind, thresholdText } from "../page/format.ts";
import { histogramPlot } from "./histogram_plot.ts";
import { markup, note, page, section, sideBySide } from "../page/html.ts";
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
  const { card, summary, predictions, against, noOperatingPoint } = evaluation;
  const name = subject(card.task, card.plane);
  const [day, time] = date.toISOString().split("T");
  return page({
    title: `${name}: evaluation`,
    style: STYLE,
    header: markup`<p class="kicker">MRNet evaluation, ${day}</p>
<h1>${name}</h1>
${_headline(evaluation)}`,
    main: [
      section("curves", "Curves", [_legend(summary), _plots(summary, predictions)]),
      section("decisions", "Decisions", [
        noOperatingPoint && note(`No metrics at an operating point: ${noOperatingPoint}.`),
        sideBySide(ratesTable(summary), confusionTables(summary)),
      ]),
      against && section("comparison", "Against another model", [
        markup`<p>Both models were evaluated on the same exams. The other one:</p>
<p><code>${against.file}</code><br><span class="remark">SHA-256 <code>${against.sha256}</code></span></p>
`,
        cautions(against, evaluation.split).map(note),
        comparisonTable(evaluation as Required<ModelEvaluation>),
      ]),
      section("overall", "Overall metrics", [
        sideBySide([overallTable(summary), _methods(evaluation)], calibrationTable(summary)),
      ]),
      section("origin", "What was evaluated", [
        sideBySide(
          originTable(evaluation),
          _makingTable(evaluation),
        ),
      ]),
      section("exams", "Exams by error", examsTable(evaluation)),
    ],
    footer: markup`<p>Made with MRNet for Deno ${VERSION} on ${day} at ${time.slice(0, 5)} UTC.
Not a medical device: not for diagnosis.</p>`,
  });
}

function _headline(evaluation: ModelEvaluation): Markup {
  const { summary: { auc, exams, positives }, data, split } = evaluation;
  const count = `${exams} ${exams === 1 ? "exam" : "exams"}`;
  const caution = widthCaution({ auc: auc.value, ...auc.delong });
  return markup`<p class="headline"><strong>AUC ${fixed(auc.value, 3)}</strong>
<span>95 % CI ${range(auc.delong, 3)}</span></p>
<p>${count} of ${SET_NAMES[split]} in <code>${data}</code>, ${positives} with the finding.
The interval is DeLong’s.</p>${caution && note(caution)}${cautions(evaluation, split).map(note)}`;
}

function _legend({ thresholds }: PredictionSummary): Markup {
  const items = thresholds.map(({ threshold, kind }, index) => {
    const text = `Threshold ${thresholdText(threshold)} (${thresholdKind(kind)})`;
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

function _methods({ summary, combination, ensemble }: ModelEvaluation): Markup {
  const { samples, seed } = summary.auc.bootstrap;
  const loss = (combination ?? ensemble) === undefined
    ? "weighted cross-entropy of training"
    : "cross-entropy of the combined probability";
  return markup`<p class="remark">The bootstrap draws exams within each class, ${samples} times,
seed ${seed}; its interval is their percentiles. The loss is the ${loss}.</p>`;
}
