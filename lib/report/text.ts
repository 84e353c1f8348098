/** An evaluation as lines for a terminal. */
import { widthCaution } from "./cautions.ts";
import type { Estimate } from "../metrics/estimate.ts";
import type { Grouping } from "../metrics/subgroups.ts";
import type { ComparedModel, ModelEvaluation } from "./evaluate_model.ts";
import {
  fixed,
  planeText,
  pValue,
  range,
  RATES,
  ratioRange,
  RATIOS,
  ratioText,
  thresholdKind,
  thresholdText,
  UNDEFINED,
} from "../page/format.ts";

/** An evaluation as a table, a line each, at most 100 columns wide. */
export function evaluationLines(evaluation: ModelEvaluation): string[] {
  const { summary, against } = evaluation;
  const { auc, loss, brier, exams, positives, patients, thresholds, averagePrecision } = summary;
  const { slope, intercept, observedToExpected } = summary.calibrationFit;
  const rows = [
    ["", ...thresholds.map(({ threshold }) => `at ${thresholdText(threshold)}`)],
    ["", ...thresholds.map((named) => `(${thresholdKind(named)})`)],
    ...RATES.map(([rate, name]) => [
      name,
      ...thresholds.map(({ [rate]: { value, ...ends } }) =>
        Number.isNaN(value) ? UNDEFINED : `${fixed(value, 2)} (${range(ends, 2)})`
      ),
    ]),
    ...RATIOS.map(([ratio, name]) => [
      name,
      ...thresholds.map(({ [ratio]: { value, ...ends } }) =>
        Number.isNaN(value) ? UNDEFINED : `${ratioText(value)} (${ratioRange(ends)})`
      ),
    ]),
    ...[
      ["True positives", "truePositives"],
      ["False negatives", "falseNegatives"],
      ["True negatives", "trueNegatives"],
      ["False positives", "falsePositives"],
    ].map(([name, count]) => [
      name,
      ...thresholds.map(({ confusion }) => `${confusion[count as keyof typeof confusion]}`),
    ]),
  ];
  const caution = widthCaution({ auc: auc.value, ...auc.delong });
  return [
    ..._aligned([
      [
        "Exams",
        `${exams}, ${positives} with the finding` +
        (patients === undefined ? "" : `, of ${patients} patients; all intervals are by patient`),
      ],
      ["AUC", `${fixed(auc.value, 3)} (95 % CI ${range(auc.delong, 3)}, DeLong)`],
      ["", `      (95 % CI ${range(auc.bootstrap, 3)}, ${auc.bootstrap.samples} bootstrap draws)`],
      ["Average precision", _estimate(averagePrecision, 3)],
      ["Calibration slope", _estimate(slope, 2)],
      ["Calibration intercept", _estimate(intercept, 2)],
      ["Observed to expected", _estimate(observedToExpected, 2)],
      ["Brier score", fixed(brier, 3)],
      ["Loss", fixed(loss, 4)],
    ]),
    "",
    ..._aligned(rows),
    ...(caution === undefined ? [] : ["", ..._folded(caution)]),
    ...(evaluation.subgroups?.groupings ?? []).flatMap((grouping) => ["", ..._groups(grouping)]),
    ...against.flatMap((other) => ["", ..._comparison(other, against.length)]),
  ];
}

function _estimate({ value, ...ends }: Estimate, digits: number): string {
  const interval = range(ends, digits);
  if (interval === UNDEFINED) return fixed(value, digits);
  return `${fixed(value, digits)} (95 % CI ${interval})`;
}

/** The groups by a column. */
function _groups({ column, groups, unknown }: Grouping): string[] {
  const rows = groups.map(({ value, exams, positives, auc, isSmall }) => [
    `  ${value}`,
    `${exams} exams, ${positives} with the finding`,
    `AUC ${fixed(auc.value, 2)} (${range(auc, 2)})`,
    isSmall ? "small" : "",
  ]);
  const rest = unknown === 0 ? [] : [`  ${unknown} exams have no value`];
  return [`Groups by ${column}`, ..._aligned(rows), ...rest];
}

function _comparison({ comparison, summary: other, file, card }: ComparedModel, models: number) {
  const { difference, z, p, adjustedP, ...ends } = comparison;
  const adjusted = models === 1 ? "" : `; adjusted for ${models} tests ${pValue(adjustedP)}`;
  return [
    `Against ${file} (${planeText(card.plane)})`,
    ..._aligned([
      ["AUC", `${fixed(other.auc.value, 3)} (95 % CI ${range(other.auc.delong, 3)})`],
      [
        "Difference",
        `${fixed(difference, 3)} (95 % CI ${range(ends, 3)})`,
      ],
      ["DeLong's test", `z = ${fixed(z, 2)}, ${pValue(p)}${adjusted}`],
    ]),
  ];
}

/** A sentence or two in lines of bearable length. */
function _folded(text: string): string[] {
  return text.match(/\S.{0,88}(?=\s|$)/g) ?? [];
}

/** Rows with their columns one below the other. */
function _aligned(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => widths[i] = Math.max(widths[i] ?? 0, cell.length));
  }
  return rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i])).join("   ").trimEnd());
}
