/** The decision curve: net benefit of acting by the model, in every exam, and in none. */
import type { NetBenefit } from "../metrics/decision_curve.ts";
import { fixed } from "../page/format.ts";
import { type Markup, markup } from "../page/html.ts";
import { horizontalAxis, line, path, plot, square, TOP, verticalAxis, x, y } from "../page/plot.ts";

/** How far below 0 the plot reaches, as a share of its height above. */
const BELOW = 0.25;

/** The plot; lines end where they leave it. */
export function decisionPlot(
  id: string,
  curve: readonly NetBenefit[],
  thresholds: readonly { threshold: number }[],
  prevalence: number,
): Markup {
  const { bottom } = square("", "");
  const ticks = _ticks(prevalence);
  const [lowest, highest] = [-BELOW * ticks.at(-1)!, ticks.at(-1)!];
  const share = (value: number) => (value - lowest) / (highest - lowest);
  const at = (threshold: number, value: number) =>
    [x(threshold), y(Math.min(1, Math.max(0, share(value))), TOP, bottom)] as const;
  const seen = (value: (point: NetBenefit) => number) =>
    path(
      curve.filter((point) => value(point) >= lowest).map((each) =>
        at(each.threshold, value(each))
      ),
    );
  const known = curve.filter(({ low }) => !Number.isNaN(low));
  const band = [
    ...known.map(({ threshold, high }) => at(threshold, high)),
    ...known.toReversed().map(({ threshold, low }) => at(threshold, low)),
  ];
  const better = curve.filter(({ value, all }) => value > Math.max(0, all));
  const where = better.length === 0
    ? "The model is nowhere better than acting in every exam or in none."
    : `The model is better than acting in every exam and in none at ${better.length} of ` +
      `${curve.length} thresholds, from ${fixed(better[0].threshold, 2)} to ` +
      `${fixed(better.at(-1)!.threshold, 2)}.`;
  return plot({
    id,
    title: "Decision curve",
    description: where,
    bottom,
    content: [
      band.length > 0 && line("band", `${path(band)}Z`),
      horizontalAxis("Threshold probability", TOP, bottom),
      verticalAxis("Net benefit", ticks.map((tick) => [share(tick), _text(tick)]), TOP, bottom),
      line("chance", path([at(0, 0), at(1, 0)])),
      line("other", seen(({ all }) => all)),
      line("curve", seen(({ value }) => value)),
      thresholds.map(({ threshold }) =>
        markup`<path class="threshold" d="M${x(threshold)} ${bottom - 5}V${bottom + 5}"/>`
      ),
    ],
  });
}

/** Three to six round numbers from 0 to at least the prevalence. */
function _ticks(prevalence: number): number[] {
  const step = [0.01, 0.02, 0.05, 0.1, 0.2].find((each) => prevalence / each <= 5)!;
  const count = Math.max(1, Math.ceil(prevalence / step - 1e-9));
  return Array.from({ length: count + 1 }, (_, i) => i * step);
}

function _text(tick: number): string {
  return String(Number(tick.toFixed(2)));
}
