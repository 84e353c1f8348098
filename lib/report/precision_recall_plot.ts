/** Precision over recall, with the thresholds on it. */
import type { PredictionSummary } from "../metrics/summary.ts";
import { fixed, range } from "../page/format.ts";
import type { Markup } from "../page/html.ts";
import { line, mark, path, plot, square, TOP, x, y } from "../page/plot.ts";

/** What is drawn. */
type Summary = Pick<
  PredictionSummary,
  "precisionRecall" | "averagePrecision" | "thresholds" | "exams" | "positives"
>;

/** The plot; nothing where only one class is present, for which there is no curve. */
export function precisionRecallPlot(id: string, summary: Summary): Markup | undefined {
  const { precisionRecall, averagePrecision, thresholds, exams, positives } = summary;
  if (Number.isNaN(averagePrecision.value)) return undefined;
  const { bottom, frame } = square("Recall (sensitivity)", "Precision");
  const at = (recall: number, precision: number) => [x(recall), y(precision, TOP, bottom)] as const;
  const prevalence = positives / exams;
  const { recall, precision } = precisionRecall;
  // The first point is that of no exam called positive, where precision is 1 by agreement.
  const points = recall.map((each, i) => at(each, precision[i])).slice(1);
  const marks = thresholds.map(({ sensitivity, ppv }, index) =>
    Number.isNaN(ppv.value) ? undefined : mark(index, ...at(sensitivity.value, ppv.value))
  );
  return plot({
    id,
    title: "Precision and recall",
    description:
      `The average precision is ${fixed(averagePrecision.value, 3)}, with a 95 % interval ` +
      `of ${range(averagePrecision, 3)}. Without knowing anything it would be ` +
      `${fixed(prevalence, 3)}, the share of exams with the finding.`,
    bottom,
    content: [
      frame,
      line("chance", path([at(0, prevalence), at(1, prevalence)])),
      line("curve", path(points)),
      marks,
    ],
  });
}
