/** The sections of a card that are about how a model of one plane was made. */
import { baseName } from "../files.ts";
import type { ModelCard } from "../model/card.ts";
import { isAddress } from "../model/model_source.ts";
import { fixed } from "../page/format.ts";
import { type CardRow, type CardSection, CHOOSING_EXAMS, pixelHash, row } from "./rows.ts";
import { recalibrationRow, setRows, thresholdRow, UNKNOWN } from "./rows.ts";

/** What a model was trained on, how, and how its epoch and its threshold were chosen. */
export async function makingSections(card: ModelCard): Promise<CardSection[]> {
  return [await _trainingData(card), _training(card), await _choice(card)];
}

/** The exams that a model was trained on. */
async function _trainingData(card: ModelCard): Promise<CardSection> {
  const { trainingSet, trainedExams, earlierExams, landmarks, tune, config = {} } = card;
  const rows: CardRow[] = [];
  if (trainingSet !== undefined) rows.push(...await setRows(trainingSet, trainedExams));
  else if (trainedExams !== undefined) rows.push(["Exams", String(trainedExams.length)]);
  if (earlierExams === "unknown") {
    rows.push([
      "Known before",
      "exams of the model it started from, whose file does not tell them",
    ]);
  } else if (earlierExams !== undefined) {
    rows.push(["Known before", `${earlierExams.length} exams, of the model it started from`]);
    rows.push(...row("… by hash", await pixelHash(earlierExams)));
  }
  if (landmarks !== undefined) {
    const { values, exams } = landmarks;
    const shown = values.map((value) => Number(value.toFixed(1))).join(" ");
    rows.push(["Grey values", `landmarks ${shown} of ${exams} exams`]);
  }
  const left = [
    tune &&
    `${Number((100 * tune.fraction).toFixed(1))} % by seed ${tune.seed}, which chose the epoch`,
    config.fold !== undefined && `fold ${config.fold} of ${baseName(String(config.folds))}`,
  ].filter((each) => each);
  if (left.length > 0) rows.push(["Kept out", left.join("; ")]);
  return rows.length > 0
    ? { title: "Training data", rows }
    : { title: "Training data", paragraphs: [`Unknown: ${UNKNOWN}.`] };
}

function _training(card: ModelCard): CardSection {
  const { recipe, epoch, trainLoss, valLoss, engine, config = {} } = card;
  const given = (name: string) => config[name] === undefined ? undefined : String(config[name]);
  const weights = given("weights");
  const settings = Object.entries(config)
    .filter(([name]) => !SHOWN_ELSEWHERE.includes(name))
    .map(([name, value]) => `${name} ${value}`);
  const losses = [["it was trained on", trainLoss], ["that chose the epoch", valLoss]] as const;
  return {
    title: "Training",
    rows: [
      ...row("Recipe", recipe),
      // Where a file lay is nobody's business; an address stays one.
      ...row("Started from", weights && (isAddress(weights) ? weights : baseName(weights))),
      ...row("Seed", given("seed")),
      ...row("Engine", engine),
      ...row("Epochs", epoch && `${epoch} kept, of ${given("epochs") ?? "some"} at most`),
      ...row(
        "Loss",
        losses.filter(([, loss]) => loss !== undefined)
          .map(([which, loss]) => `${fixed(loss!, 4)} on the exams ${which}`).join(", "),
      ),
      ...row("Settings", settings.join(", ")),
    ],
  };
}

/** Settings that have a row of their own, or that say where something was and not what it is. */
const SHOWN_ELSEWHERE = [
  ...["task", "plane", "recipe", "weights", "seed", "epochs", "tune", "tune_seed", "folds", "fold"],
  ...["data", "models", "logs", "card", "network", "save_model"],
];

/** How the epoch and the operating point were chosen. */
async function _choice(card: ModelCard): Promise<CardSection> {
  const { epoch, epochRule, operatingPoint, selectionSet, chosenExams } = card;
  const by = operatingPoint && CHOOSING_EXAMS[operatingPoint.exams];
  const rows: CardRow[] = [];
  if (epoch !== undefined) {
    const how = epochRule === "auc" ? ", the first with the highest AUC over these exams" : "";
    rows.push(["Epoch", `${epoch}${how}`]);
  }
  rows.push(["Threshold", thresholdRow(operatingPoint)]);
  rows.push(...recalibrationRow(card));
  if (selectionSet !== undefined) rows.push(...await setRows(selectionSet, chosenExams));
  else if (chosenExams !== undefined) {
    rows.push(["Exams", String(chosenExams.length)]);
    rows.push(...row("… of pixels", await pixelHash(chosenExams)));
  }
  const paragraphs = by === undefined ? [] : [`Chosen by ${by}.`];
  return { title: "How it was chosen", paragraphs, rows };
}
