/** The calibration curve: what the model says against what is. */
import type { CalibrationBin } from "../metrics/calibration.ts";
import { type Markup, markup } from "../page/html.ts";
import { line, path, plot, square, TOP, x, y } from "../page/plot.ts";

/** The plot; bins without an exam are left out. */
export function calibrationPlot(
  id: string,
  bins: readonly CalibrationBin[],
  brier: number,
): Markup {
  const { bottom, frame } = square("Mean probability in the bin", "Share with the finding");
  const filled = bins.filter(({ count }) => count > 0);
  const at = (probability: number, share: number) =>
    [x(probability), y(share, TOP, bottom)] as const;
  const points = filled.map(({ meanProbability, positiveShare }) =>
    at(meanProbability, positiveShare)
  );
  const whiskers = filled.filter(({ low }) => !Number.isNaN(low)).map((bin) =>
    line("whisker", path([at(bin.meanProbability, bin.low), at(bin.meanProbability, bin.high)]))
  );
  return plot({
    id,
    title: "Calibration",
    description: `In ${filled.length} of ${bins.length} bins of probability there are exams. ` +
      "On the diagonal the share of exams with the finding equals the probability; the table of " +
      `bins has the metrics. The Brier score is ${brier.toFixed(3)}.`,
    bottom,
    content: [
      frame,
      line("chance", path([at(0, 0), at(1, 1)])),
      whiskers,
      line("curve", path(points)),
      points.map(([cx, cy]) => markup`<circle class="point" cx="${cx}" cy="${cy}" r="4"/>`),
    ],
  });
}
