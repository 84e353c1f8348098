/** What was chosen by which exams, as a picture: where the metrics of a report come from. */
import type { FitOn } from "../combine/combination.ts";
import { thresholdText } from "../page/format.ts";
import { type Markup, markup } from "../page/html.ts";
import { plot } from "../page/plot.ts";
import { type Acquaintance, isAll } from "./acquaintance.ts";
import type { ModelEvaluation } from "./evaluate_model.ts";

/** What was chosen, and by which exams. */
export interface Choice {
  /** The exams. */
  exams: string;
  /** What they chose. */
  chosen: string;
  /** How many of the evaluated exams are among them, if that is known and there are any. */
  shared?: Acquaintance;
}

const EXAMS: Readonly<Record<FitOn | "out-of-fold" | "studies", string>> = {
  train: "Training exams",
  valid: "Validation exams",
  tune: "Tune exams",
  studies: "Other studies",
  table: "Table of predictions",
  "out-of-fold": "Out-of-fold exams",
};

/** Everything that was chosen, in the order in which it happened, the metrics last. */
export function choices(
  evaluation: Pick<
    ModelEvaluation,
    | "card"
    | "combination"
    | "trainedOn"
    | "chosenBy"
    | "fittedOn"
    | "pointBy"
    | "recalibratedOn"
  >,
): Choice[] {
  const { card, combination, ...shared } = evaluation;
  const { epochBy, operatingPoint, tune, recalibration } = card;
  const { trainedOn, chosenBy, fittedOn, pointBy, recalibratedOn } = shared;
  const known = (acquaintance: Acquaintance | undefined) =>
    acquaintance !== undefined && acquaintance.shared > 0 ? { shared: acquaintance } : {};
  const point = operatingPoint && `Threshold ${thresholdText(operatingPoint.threshold)}`;
  const trained = tune === undefined ? EXAMS.train : "Other training exams";
  return [
    {
      ...{ exams: epochBy.length === 0 ? "Not known" : trained, chosen: "Weights of the network" },
      ...known(trainedOn),
    },
    ...[...new Set(epochBy)].map((exams) => ({
      ...{ exams: EXAMS[exams], chosen: "Epoch" },
      ...known(chosenBy),
    })),
    ...(combination === undefined ? [] : [{
      ...{ exams: EXAMS[combination.fitOn], chosen: "Weights of the planes" },
      ...known(fittedOn),
    }]),
    ...(operatingPoint === undefined ? [] : [{
      ...{ exams: EXAMS[operatingPoint.exams], chosen: point! },
      ...known(pointBy),
    }]),
    ...(recalibration === undefined ? [] : [{
      ...{ exams: EXAMS[recalibration.on], chosen: `Recalibration (${recalibration.map.method})` },
      ...known(recalibratedOn),
    }]),
    { exams: "Evaluated exams", chosen: "Metrics of this report" },
  ];
}

/** The measures of the picture. */
const [BOX, GAP, HEIGHT, STEP] = [158, 36, 36, 48];

/** The picture: the exams on the left, what they chose on the right. */
export function protocolPlot(id: string, evaluation: Parameters<typeof choices>[0]): Markup {
  const rows = choices(evaluation);
  const box = (left: number, top: number, text: string, kind: string) =>
    markup`<rect class="box ${kind}" x="${left}" y="${top}" width="${BOX}" height="${HEIGHT}" rx="4"/>
<text class="name" x="${left + BOX / 2}" y="${
      top + HEIGHT / 2 + 4
    }" text-anchor="middle">${text}</text>
`;
  return plot({
    id,
    title: "What was chosen by which exams",
    description: rows.map(({ exams, chosen, shared }) =>
      `${exams}: ${chosen}${shared === undefined ? "" : `; ${sharedText(shared)}`}.`
    ).join(" "),
    // The frame has room for axes below, which this picture does not need.
    bottom: rows.length * STEP - 42,
    content: rows.map(({ exams, chosen, shared }, index) => {
      const [top, left] = [4 + index * STEP, 4 + BOX + GAP];
      const middle = top + HEIGHT / 2;
      const kind = shared === undefined ? "" : "known";
      return [
        box(4, top, exams, index === rows.length - 1 ? "own" : kind),
        markup`<path class="arrow" d="M${4 + BOX + 4} ${middle}H${left - 6}m-7 -4l7 4l-7 4"/>`,
        box(left, top, chosen, index === rows.length - 1 ? "own" : kind),
      ];
    }),
  });
}

/** How many of the evaluated exams are among others. */
export function sharedText(known: Acquaintance): string {
  if (!known.compared) return "by the split’s name the evaluated exams are the same";
  if (isAll(known)) return "the evaluated exams are all among them";
  return `${known.shared} of the ${known.exams} evaluated exams are among them`;
}
