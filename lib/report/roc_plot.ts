/** The ROC curve with its band and the thresholds on it. */
import type { PredictionSummary } from "../metrics/summary.ts";
import { fixed, range } from "../page/format.ts";
import type { Markup } from "../page/html.ts";
import { line, mark, path, plot, square, TOP, x, y } from "../page/plot.ts";

/** What is drawn. */
type Summary = Pick<PredictionSummary, "roc" | "band" | "auc" | "thresholds">;

/** The plot; nothing where only one class is present, for which there is no curve. */
export function rocPlot(id: string, { roc, band, auc, thresholds }: Summary): Markup | undefined {
  if (Number.isNaN(auc.value)) return undefined;
  const { bottom, frame } = square("1 − specificity", "Sensitivity");
  const at = (fpr: number, tpr: number) => [x(fpr), y(tpr, TOP, bottom)] as const;
  const upper = band.fpr.map((fpr, i) => at(fpr, band.high[i]));
  const lower = band.fpr.map((fpr, i) => at(fpr, band.low[i])).reverse();
  const decisions = thresholds.map(({ threshold, sensitivity, specificity }) =>
    `At the threshold ${fixed(threshold, 3)} sensitivity is ${fixed(sensitivity.value, 2)} and ` +
    `specificity ${fixed(specificity.value, 2)}.`
  );
  return plot({
    id,
    title: "ROC curve",
    description: `The area under the curve is ${fixed(auc.value, 3)}, with a 95 % interval of ` +
      `${range(auc.delong, 3)}. ${decisions.join(" ")}`,
    bottom,
    content: [
      line("band", `${path([...upper, ...lower])}Z`),
      frame,
      line("chance", path([at(0, 0), at(1, 1)])),
      line("curve", path(_corners(roc.fpr, roc.tpr).map(([fpr, tpr]) => at(fpr, tpr)))),
      thresholds.map(({ sensitivity, specificity }, index) =>
        mark(index, ...at(1 - specificity.value, sensitivity.value))
      ),
    ],
  });
}

/** The points at which a curve turns; a thousand exams have few of them. */
function _corners(
  fpr: readonly number[],
  tpr: readonly number[],
): (readonly [number, number])[] {
  const points = fpr.map((value, i) => [value, tpr[i]] as const);
  return points.filter(([px, py], i) => {
    if (i === 0 || i === points.length - 1) return true;
    const [[bx, by], [ax, ay]] = [points[i - 1], points[i + 1]];
    return Math.abs((px - bx) * (ay - by) - (ax - bx) * (py - by)) > 1e-12;
  });
}
