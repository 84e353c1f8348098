/**
 * What a model's card says, in sections of paragraphs and rows. A terminal and a page show the same.
 */
import type { Intensity } from "../data/intensity.ts";
import { networkOf } from "../network/networks.ts";
import { FINDINGS, fixed, planeText, thresholdText } from "../page/format.ts";
import type { Plane } from "../terms.ts";
import type { DescribedSingle, ModelDescription } from "./describe.ts";
import { makingSections } from "./making.ts";
import { memberSections } from "./members.ts";
import type { ModelResults } from "./results.ts";
import { type CardRow, type CardSection, row, UNKNOWN } from "./rows.ts";

export type { CardRow, CardSection };

/** What every card says, for no model here is one. */
export const NO_DEVICE =
  "This is not a medical device. No authority has approved it, and no decision about a patient may " +
  "rest on it.";

/** What a model is for if nobody has said it. */
export const DEFAULT_USE = "Research. Who made the model has not said more.";

/** What a model is not for if nobody has said it. */
export const DEFAULT_OUT_OF_SCOPE =
  "Diagnosis and treatment. Exams of another joint, of another plane, or unlike those that the model " +
  "was trained on.";

/** The heading of a card: its own name, or what it predicts. */
export function titleOf(model: ModelDescription): string {
  const { about, name, task } = model;
  if (about.name !== undefined) return about.name;
  const plane = planeOf(model);
  if (task === undefined || plane === undefined) return name;
  return `${FINDINGS[task]}, ${planeText(plane)}`;
}

/** The plane that a model reads; `combined` if that is all three. */
export function planeOf(model: ModelDescription): Plane | "combined" | undefined {
  switch (model.kind) {
    case "single":
      return model.plane;
    case "combined":
      return "combined";
    case "ensemble":
      return model.card.plane;
    default:
      return model satisfies never;
  }
}

/** As in `verbs.ts`, where it is described. */
export async function cardSections(
  model: ModelDescription,
  results: readonly ModelResults[] = [],
): Promise<CardSection[]> {
  const own = model.kind === "single"
    ? await makingSections(model.card)
    : await memberSections(model);
  return [
    _identity(model),
    _use(model),
    ...own,
    _results(model, results),
    _people(model),
  ].filter(({ rows = [], paragraphs = [] }) => rows.length + paragraphs.length > 0);
}

const KINDS = {
  single: "MRNet, a model of one plane",
  combined: "three MRNets, one a plane, combined by a logistic regression",
  ensemble: "an ensemble: the mean of its members' logits",
} as const;

const INPUTS: Readonly<Record<Intensity, string>> = {
  raw: "grey values as in the file, 0–255",
  standardized: "each exam stretched to 0–255 and standardized",
  landmarks: "each exam's histogram mapped to that of the training exams",
};

function _identity(model: ModelDescription): CardSection {
  const { about, kind, task, sha256, bytes, file } = model;
  const { toolkit, created } = model.card;
  const plane = planeOf(model);
  return {
    title: "Model",
    paragraphs: _paragraphs(about.description),
    rows: [
      ["Kind", KINDS[kind]],
      ["Finding", task === undefined ? UNKNOWN : `${FINDINGS[task]} (${task})`],
      ["Plane", plane === undefined ? UNKNOWN : planeText(plane)],
      ...model.kind === "single" ? _ofNetwork(model) : [],
      ["Output", "the probability of the finding, in 0–1"],
      ...row("Version", about.version),
      ["File", file],
      ["Size", `${bytes.toLocaleString("en-US")} bytes`],
      ["SHA-256", sha256],
      ...row("Made by", toolkit && `MRNet for Deno ${toolkit}`),
      ...row("Date", created),
    ],
  };
}

function _ofNetwork({ network, card: { intensity } }: DescribedSingle): CardRow[] {
  return [
    ["Network", `${networkOf(network).title}, then the maximum over the slices`],
    ["Input", `an exam [slices, height, width]; ${INPUTS[intensity]}`],
  ];
}

function _use({ about }: ModelDescription): CardSection {
  return {
    title: "Use",
    paragraphs: [NO_DEVICE],
    rows: [
      ["Intended", about.intendedUse ?? DEFAULT_USE],
      ["Out of scope", about.outOfScopeUse ?? DEFAULT_OUT_OF_SCOPE],
      ...row("Limitations", about.limitations),
    ],
  };
}

function _results(model: ModelDescription, results: readonly ModelResults[]): CardSection {
  const rows: CardRow[] = [];
  for (const { data, split, exams, positives, threshold, metrics, cautions } of results) {
    rows.push([
      "Evaluated on",
      `${split} of ${data}: ${exams} exams, ${positives} with the finding`,
    ]);
    rows.push(["Threshold", thresholdText(threshold)]);
    for (const { name, value, interval } of metrics) {
      const ends = interval && ` (95 % CI ${interval.map((end) => end.toFixed(3)).join("–")})`;
      rows.push([name, `${value.toFixed(3)}${ends ?? ""}`]);
    }
    for (const caution of cautions) rows.push(["Caution", caution]);
  }
  rows.push(...ownResults(model));
  return { title: "Results", rows };
}

/** What a file itself knows of how good the model is: results on the exams that chose it. */
export function ownResults(model: ModelDescription): CardRow[] {
  switch (model.kind) {
    case "single": {
      const { trainAuc, valAuc } = model.card;
      return [
        ...row("AUC, choosing", valAuc && `${fixed(valAuc, 4)} on the exams that chose the epoch`),
        ...row("AUC, training", trainAuc && `${fixed(trainAuc, 4)} on the exams it was trained on`),
      ];
    }
    case "combined": {
      const { auc } = model.card;
      return [["AUC, fit", `${fixed(auc, 4)} on the exams that it was fitted on`]];
    }
    case "ensemble": {
      const auc = model.card.outOfFold?.auc;
      return row(
        "AUC, folds",
        auc && `${fixed(auc, 4)} of single members, on exams they were not trained on`,
      );
    }
    default:
      return model satisfies never;
  }
}

function _people({ about }: ModelDescription): CardSection {
  const { license, licenseLink } = about;
  return {
    title: "Licence and authors",
    rows: [
      ["Licence", license === undefined ? "none was given" : `${license}${_link(licenseLink)}`],
      ...row("Copyright", about.copyright),
      ...row("Authors", about.authors?.join("; ")),
      ...row("Contact", about.contact),
      ...row("Datasets", about.datasets?.join("; ")),
      ...row("Data source", about.dataSource),
      ...(about.references ?? []).map((each) => ["Reference", each] as const),
    ],
  };
}

function _link(link: string | undefined): string {
  return link === undefined ? "" : ` (${link})`;
}

function _paragraphs(text: string | undefined): string[] {
  return text === undefined ? [] : text.split(/\n{2,}/).map((each) => each.replace(/\n/g, " "));
}
