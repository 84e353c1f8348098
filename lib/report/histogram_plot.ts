/** How the probabilities are spread, for exams with the finding and for those without it. */
import type { LabelledPrediction } from "../metrics/summary.ts";
import type { Label } from "../terms.ts";
import { type Markup, markup } from "../page/html.ts";
import {
  horizontalAxis,
  LEFT,
  plot,
  RIGHT,
  round,
  roundedUp,
  thresholdLine,
  TOP,
  verticalAxis,
  x,
  y,
} from "../page/plot.ts";

/** How many bars there are from 0 to 1. */
const BARS = 20;

/** The height of each of the two panels, and the room for a panel's name above it. */
const PANEL = 120;
const NAME = 22;

/** The plot: a panel for each class, one above the other, on the same scales. */
export function histogramPlot(
  id: string,
  predictions: readonly LabelledPrediction[],
  thresholds: readonly { threshold: number }[],
): Markup {
  const classes = [[1, "with the finding"], [0, "without the finding"]] as const;
  const counts = classes.map(([label]) => {
    const bars = new Array<number>(BARS).fill(0);
    for (const { probability, label: own } of predictions) {
      if (own === label) bars[Math.min(BARS - 1, Math.floor(probability * BARS))]++;
    }
    return bars;
  });
  const most = Math.max(1, ...counts.flat());
  const ticks = _ticks(most);
  const full = ticks.at(-1)!;
  const panels = classes.map(([label, name], i) => {
    const top = TOP + NAME + i * (PANEL + NAME + 16);
    const bottom = top + PANEL;
    const exams = counts[i].reduce((sum, count) => sum + count, 0);
    return { label, name, exams, bars: counts[i], top, bottom };
  });
  return plot({
    id,
    title: "Probabilities by class",
    description: panels.map(({ name, exams, bars }) =>
      `Of ${exams} exams ${name} ${
        bars.slice(BARS / 2).reduce((sum, count) => sum + count, 0)
      } have a probability of at least 0.5.`
    ).join(" "),
    bottom: panels[1].bottom,
    content: panels.map(({ label, name, exams, bars, top, bottom }, index) => {
      const title = `${exams} ${exams === 1 ? "exam" : "exams"} ${name}`;
      const marks = ticks.map((tick) => [tick / full, String(tick)] as const);
      return [
        markup`<text class="panel" x="${LEFT}" y="${top - 8}">${title}</text>`,
        verticalAxis("Exams", marks, top, bottom),
        index === 1 ? horizontalAxis("Probability", top, bottom) : undefined,
        bars.map((count, bar) => _bar(label, bar, y(count / full, top, bottom), bottom)),
        thresholds.map(({ threshold }, index) => thresholdLine(index, threshold, top, bottom)),
      ];
    }),
  });
}

/** A bar from its upper end to the axis, with a gap to its neighbours. */
function _bar(label: Label, bar: number, upper: number, bottom: number): Markup | undefined {
  if (upper === bottom) return undefined;
  const [left, width] = [round(x(bar / BARS) + 1), round((RIGHT - LEFT) / BARS - 2)];
  const box = markup`x="${left}" y="${upper}" width="${width}" height="${round(bottom - upper)}"`;
  return markup`<rect class="bar class-${label}" ${box}/>`;
}

/** Three or four round numbers from 0 to at least the largest count. */
function _ticks(most: number): number[] {
  const step = roundedUp(Math.max(1, most / 3));
  return Array.from({ length: Math.ceil(most / step) + 1 }, (_, i) => i * step);
}
