/**
 * The curves of a training as a page of its own: loss and AUC by epoch, the learning rate, and all of it
 * as a table. It opens from the disk, without a network and without Python.
 */
import { clock } from "../logs/progress.ts";
import { fixed } from "../page/format.ts";
import { type Markup, markup, NumberCell, page, section, sideBySide, table } from "../page/html.ts";
import {
  horizontalAxis,
  line,
  path,
  plot,
  round,
  roundedUp,
  SHARES,
  TOP,
  verticalAxis,
  x,
  y,
} from "../page/plot.ts";
import { STYLE } from "../page/style.ts";
import type { EpochReport } from "./reports.ts";

/** What is shown of an epoch. */
export type EpochOfCurves = Omit<EpochReport, "threshold" | "rule">;

/** What the page says of the run. */
export interface CurvesOf {
  /** What was trained, as in `ACL tear, sagittal plane`. */
  title: string;
  /** What the exams are called that the run chose by: `validation` or `tune`. */
  chosenBy: string;
}

/** Where the plots end at the bottom, in SVG units. */
const BOTTOM = 220;

const CURVES_STYLE = `${STYLE}
.curve.second { stroke: var(--second); stroke-dasharray: 7 4; }
.dot { fill: var(--first); } .dot.second { fill: var(--second); }
.best { stroke: var(--muted); stroke-width: 1; stroke-dasharray: 2 3; fill: none; }
`;

/** One of the two lines of a plot. */
interface Series {
  name: string;
  values: readonly number[];
}

/** The page, as a whole file of HTML. */
export function curvesHtml(
  epochs: readonly EpochOfCurves[],
  { title, chosenBy }: CurvesOf,
): string {
  const best = epochs.findLast(({ isBest }) => isBest);
  const of = (pick: (epoch: EpochOfCurves) => number) => epochs.map(pick);
  const losses = [
    { name: "training", values: of(({ trainLoss }) => trainLoss) },
    { name: chosenBy, values: of(({ valLoss }) => valLoss) },
  ];
  const areas = [
    { name: "training", values: of(({ trainAuc }) => trainAuc) },
    { name: chosenBy, values: of(({ valAuc }) => valAuc) },
  ];
  const highest = Math.max(...losses.flatMap(({ values }) => values).filter(Number.isFinite), 0);
  return page({
    title: `Training: ${title}`,
    header: markup`<p class="kicker">Training, ${epochs.length} epoch${
      epochs.length === 1 ? "" : "s"
    }</p>
<h1>${title}</h1>`,
    main: [
      section(
        "curves",
        "Curves",
        [
          markup`<ul class="legend">${_legend("training")}${_legend(chosenBy, "second")}</ul>`,
          sideBySide(
            _figure("loss", "Loss", losses, highest > 0 ? roundedUp(highest) : 1, best?.epoch),
            _figure("auc", "AUC", areas, 1, best?.epoch),
          ),
        ],
      ),
      section("epochs", "Epochs", _table(epochs, chosenBy)),
    ],
    footer: markup`<p>${
      best === undefined
        ? `No epoch had an AUC above 0 on the ${chosenBy} exams.`
        : `The model of epoch ${best.epoch} was kept: its AUC on the ${chosenBy} exams is the highest, ` +
          "and as the best of several a little too good."
    }</p>`,
    style: CURVES_STYLE,
  });
}

function _legend(name: string, kind = ""): Markup {
  const key = line(`curve ${kind}`, "M0 8H44");
  return markup`<li><svg class="key" viewBox="0 0 44 16" aria-hidden="true">${key}</svg>${name}</li>`;
}

function _figure(
  id: string,
  title: string,
  series: readonly Series[],
  top: number,
  best: number | undefined,
): Markup {
  const count = series[0].values.length;
  const shareOf = (index: number) => count === 1 ? 0.5 : index / (count - 1);
  const across = (index: number) => x(shareOf(index));
  // As many ticks as are readable.
  const every = Math.ceil(count / 10);
  const epochs = series[0].values.map((_, index) => [shareOf(index), `${index + 1}`] as const)
    .filter((_, index) => index % every === 0);
  const up = (value: number) => y(value / top, TOP, BOTTOM);
  const last = series.map(({ name, values }) => `${name} ${fixed(values.at(-1) ?? NaN, 4)}`);
  const ticks = SHARES.map((share) => [share, String(round(share * top))] as const);
  return markup`<figure><h3>${title}</h3>
${
    plot({
      id,
      title: `${title} by epoch`,
      description: `After epoch ${count}: ${last.join(", ")}.`,
      bottom: BOTTOM,
      content: [
        verticalAxis(title, ticks, TOP, BOTTOM),
        horizontalAxis("Epoch", undefined, BOTTOM, epochs),
        best !== undefined && line("best", `M${across(best - 1)} ${TOP}V${BOTTOM}`),
        series.map(({ values }, index) => {
          const kind = index === 0 ? "" : "second";
          const points = values.map((value, i) => [across(i), up(value)] as const)
            .filter(([, at]) => Number.isFinite(at));
          return [
            line(`curve ${kind}`, path(points)),
            points.map(([px, py]) =>
              markup`<circle class="dot ${kind}" cx="${px}" cy="${py}" r="2.5"/>`
            ),
          ];
        }),
      ],
    })
  }</figure>`;
}

function _table(epochs: readonly EpochOfCurves[], chosenBy: string): Markup {
  const number = (text: string) => new NumberCell(text);
  const auc = (value: number) => number(Number.isNaN(value) ? "undefined" : fixed(value, 4));
  return table({
    caption: `Loss and AUC after each epoch, on the exams to train on and on the ${chosenBy} exams`,
    head: [
      ...["Epoch", "Training loss", "Training AUC", "Loss", "AUC", "Learning rate", "Time"].map(
        (name, index) => index === 0 ? name : number(name),
      ),
      "",
    ],
    rows: epochs.map((each) => [
      String(each.epoch),
      number(fixed(each.trainLoss, 4)),
      auc(each.trainAuc),
      number(fixed(each.valLoss, 4)),
      auc(each.valAuc),
      number(String(each.learningRate)),
      number(clock(each.seconds)),
      each.isBest ? "best so far" : "",
    ]),
  });
}
