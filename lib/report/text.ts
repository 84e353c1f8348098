/** An evaluation as lines for a terminal. */
import { widthCaution } from "./cautions.ts";
import type { ModelEvaluation } from "./evaluate_model.ts";
import {
  fixed,
  planeText,
  pValue,
  range,
  RATES,
  thresholdKind,
  thresholdText,
  UNDEFINED,
} from "../page/format.ts";

/** An evaluation as a table, a line each, at most 100 columns wide. */
export function evaluationLines(evaluation: ModelEvaluation): string[] {
  const { summary: { auc, loss, brier, exams, positives, thresholds }, against } = evaluation;
  const rows = [
    ["", ...thresholds.map(({ threshold }) => `at ${thresholdText(threshold)}`)],
    ["", ...thresholds.map(({ kind }) => `(${thresholdKind(kind)})`)],
    ...RATES.map(([rate, name]) => [
      name,
      ...thresholds.map(({ [rate]: { value, ...ends } }) =>
        Number.isNaN(value) ? UNDEFINED : `${fixed(value, 2)} (${range(ends, 2)})`
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
      ["Exams", `${exams}, ${positives} with the finding`],
      ["AUC", `${fixed(auc.value, 3)} (95 % CI ${range(auc.delong, 3)}, DeLong)`],
      ["", `      (95 % CI ${range(auc.bootstrap, 3)}, ${auc.bootstrap.samples} bootstrap draws)`],
      ["Brier score", fixed(brier, 3)],
      ["Loss", fixed(loss, 4)],
    ]),
    "",
    ..._aligned(rows),
    ...(caution === undefined ? [] : ["", ..._folded(caution)]),
    ...(against === undefined ? [] : ["", ..._comparison(evaluation)]),
  ];
}

function _comparison({ against }: ModelEvaluation): string[] {
  const { comparison: { difference, z, p, ...ends }, summary: other, file, card } = against!;
  return [
    `Against ${file} (${planeText(card.plane)})`,
    ..._aligned([
      ["AUC", `${fixed(other.auc.value, 3)} (95 % CI ${range(other.auc.delong, 3)})`],
      [
        "Difference",
        `${fixed(difference, 3)} (95 % CI ${range(ends, 3)})`,
      ],
      ["DeLong's test", `z = ${fixed(z, 2)}, ${pValue(p)}`],
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
