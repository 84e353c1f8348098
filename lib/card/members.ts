/** The sections of a card that are about what a combination or an ensemble is made of. */
import { baseName } from "../files.ts";
import { networkOf } from "../network/networks.ts";
import { fixed, planeText } from "../page/format.ts";
import { PLANES } from "../terms.ts";
import type { DescribedCombination, DescribedEnsemble, DescribedSingle } from "./describe.ts";
import { type CardRow, type CardSection, CHOOSING_EXAMS, pixelHash, row } from "./rows.ts";
import { recalibrationRow, thresholdRow } from "./rows.ts";

/** How the members go together, and what each of them is. */
export async function memberSections(
  model: DescribedCombination | DescribedEnsemble,
): Promise<CardSection[]> {
  return model.kind === "combined"
    ? [await _combination(model), ...await Promise.all(model.members.map((each) => _single(each)))]
    : [await _ensemble(model), ...await _ensembleMembers(model)];
}

async function _combination({ card }: DescribedCombination): Promise<CardSection> {
  const { coefficients, intercept, fitOn, exams, positives, fitExams, operatingPoint } = card;
  return {
    title: "How the planes go together",
    paragraphs: [
      "The probability is the sigmoid of the sum of the planes' probabilities, each times its " +
      "weight, and the intercept.",
    ],
    rows: [
      ["Weights", PLANES.map((plane) => `${plane} ${fixed(coefficients[plane], 4)}`).join(", ")],
      ["Intercept", fixed(intercept, 4)],
      ["Fitted on", `${exams} ${CHOOSING_EXAMS[fitOn]}, ${positives} with the finding`],
      ...row("… by hash", await pixelHash(fitExams)),
      ["Threshold", `${thresholdRow(operatingPoint)} on these`],
      ...recalibrationRow(card),
    ],
  };
}

async function _ensemble({ card, members }: DescribedEnsemble): Promise<CardSection> {
  const rows: CardRow[] = [["Members", String(members.length)]];
  const { outOfFold } = card;
  rows.push(["Threshold", thresholdRow(outOfFold?.operatingPoint)]);
  if (outOfFold !== undefined) {
    const { exams, positives, hashes } = outOfFold;
    rows.push(["Chosen by", `${exams} ${CHOOSING_EXAMS["out-of-fold"]}, ${positives} with it`]);
    rows.push(...row("… by hash", await pixelHash(hashes)));
  }
  rows.push(...recalibrationRow(card));
  return { title: "How the members go together", rows };
}

async function _ensembleMembers({ members }: DescribedEnsemble): Promise<CardSection[]> {
  const sections: CardSection[] = [];
  for (const [index, member] of members.entries()) {
    if (member.kind === "single") {
      sections.push(await _single(member, index));
      continue;
    }
    const { file, sha256 } = member;
    sections.push({
      title: `Member ${index + 1}`,
      rows: [
        ["File", baseName(file)],
        ["SHA-256", sha256],
        ...await Promise.all(
          member.members.map(async (each): Promise<CardRow> => {
            const { rows = [] } = await _single(each);
            const said = rows.map(([name, value]) => `${name}: ${value}`).join("; ");
            return [planeText(each.plane!), said];
          }),
        ),
      ],
    });
  }
  return sections;
}

/** A member that is a model of one plane, in few rows: its own card says more. */
async function _single(
  { file, sha256, plane, network, card }: DescribedSingle,
  index?: number,
): Promise<CardSection> {
  const { trainingSet, trainedExams, selectionSet, chosenExams, operatingPoint } = card;
  const { epoch, recipe, valAuc, config = {} } = card;
  const trained = trainingSet?.exams ?? trainedExams?.length;
  const chosen = selectionSet?.exams ?? chosenExams?.length;
  const by = operatingPoint === undefined
    ? ""
    : `, chosen by ${chosen === undefined ? "" : `${chosen} `}${
      CHOOSING_EXAMS[operatingPoint.exams]
    }`;
  const fold = config.fold === undefined ? [] : [`fold ${config.fold} kept out`];
  const made = [
    networkOf(network).title,
    ...recipe === undefined ? [] : [`recipe ${recipe}`],
    ...config.seed === undefined ? [] : [`seed ${config.seed}`],
    ...fold,
  ];
  return {
    title: index === undefined ? `Model of the ${plane} plane` : `Member ${index + 1}`,
    rows: [
      ["File", baseName(file)],
      ["SHA-256", sha256],
      ["Made of", made.join(", ")],
      ...row("Trained on", trained && `${trained} exams${_share(trainingSet)}`),
      ...row("… by hash", await pixelHash(trainedExams)),
      ...row("Epoch", epoch && `${epoch}${by}`),
      ...row("… by hash", await pixelHash(chosenExams)),
      ...row("AUC, choosing", valAuc && `${fixed(valAuc, 4)} on the exams that chose the epoch`),
    ],
  };
}

function _share(set: DescribedSingle["card"]["trainingSet"]): string {
  return set === undefined ? "" : `, ${set.positives} with the finding`;
}
