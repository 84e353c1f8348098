/**
 * `cli.ts predict --model FILE EXAM…`: what a model says about exams, and where it looked.
 *
 * @module
 */
import { isCombinationFile } from "../combine/file.ts";
import { planeOfPath } from "../data/exam_files.ts";
import { describeEngine } from "../engine/engine.ts";
import { messageOf } from "../errors.ts";
import { MAP_KINDS } from "../explain/explain.ts";
import { checkNames, explainFiles } from "../explain/explain_files.ts";
import { makeWritableFolder } from "../files.ts";
import { decide, DEFAULT_THRESHOLD, type SettledCard } from "../model/card.ts";
import type { FilePrediction } from "../model/file_prediction.ts";
import { hashModelFile } from "../model/model_source.ts";
import type { Prediction } from "../model/mrnet.ts";
import { thresholdText } from "../page/format.ts";
import { PLANES } from "../terms.ts";
import { predictFiles } from "../train/predict.ts";
import { choice, Command, option, text, UsageError } from "./arguments.ts";
import { endWithReader, oddRemark, print, remark } from "./console.ts";
import { checkModelFiles } from "./models_there.ts";
import {
  backendOption,
  intensityOption,
  intensityRemark,
  modelOption,
  type OpenedModel,
  openModel,
  planeOption,
  taskOption,
  threadsOption,
} from "./model_options.ts";
import { predictCombined } from "./predict_combined.ts";

/** The command; `exit` is told the exit code. */
export function predictCommand(exit: (code: number) => void) {
  return new Command("predict")
    .description(
      "Say how likely the finding is in each exam, and with --cam where the model looked.\n" +
        "An exam is an .npy file of [slices, height, width], at least 64×64 pixels.",
    )
    .argument("[EXAM...]", "exams to predict; of a combination in folders called by their planes")
    .addOption(modelOption("the model: .safetensors, .pth or .pt, or .json of a combination"))
    .addOption(taskOption())
    .addOption(planeOption())
    .addOption(intensityOption())
    .option("--json", "an object a line, and nothing else on standard output")
    .addOption(
      option("--cam <DIR>", "write where the model looked: pictures and contributions", text),
    )
    .addOption(
      option(
        "--map <{share,classic}>",
        "of each slice the channels that it won, or all (default: share; needs --cam)",
        choice(MAP_KINDS),
      ),
    )
    .addOption(option("--axial <FILE>", "with a combination: the axial exam of one patient", text))
    .addOption(option("--coronal <FILE>", "its coronal exam", text))
    .addOption(option("--sagittal <FILE>", "its sagittal exam", text))
    .addOption(backendOption())
    .addOption(threadsOption())
    .addHelpText(
      "after",
      "\nPermissions: --allow-read=FILE,EXAM,DIR --allow-write=DIR, DIR only where --cam names one",
    )
    .action(async (exams, { json = false, cam, map, ...given }) => {
      if (map !== undefined && cam === undefined) {
        throw new UsageError("argument --map: not allowed without argument --cam");
      }
      using _reader = cam === undefined ? endWithReader() : undefined;
      if (isCombinationFile(given.model)) {
        return await predictCombined(exams, { ...given, json, cam, map }, exit);
      }
      const named = PLANES.find((plane) => given[plane] !== undefined);
      if (named !== undefined) {
        throw new UsageError(`argument --${named}: only allowed with a combination's .json file`);
      }
      if (exams.length === 0) {
        throw new UsageError("the following arguments are required: EXAM");
      }
      await checkModelFiles([given.model]);
      // What cannot be written is found before anything is computed.
      if (cam !== undefined) {
        checkNames(exams, cam);
        await makeWritableFolder(cam);
      }
      const opened = await openModel(given);
      remark(`Engine: ${describeEngine(opened.engine)}`);
      if (given.intensity === undefined && opened.metadata.intensity === undefined) {
        remark(intensityRemark(given.model));
      }
      remark(_aboutThreshold(opened.card));
      _remarkPlanes(exams, opened.card);
      const write = json ? _json : _line;
      let predicted = 0;
      for await (const outcome of _outcomes(opened, exams, { file: given.model, cam, map })) {
        if ("error" in outcome) {
          remark(messageOf(outcome.error));
          exit(1);
        } else {
          if (outcome.odd !== undefined) remark(oddRemark(outcome.path, outcome.odd));
          print(write(outcome, outcome.prediction, opened.card));
          predicted++;
        }
      }
      opened.model.dispose();
      if (cam !== undefined && predicted > 0) remark(`Pictures: ${cam}`);
    });
}

async function* _outcomes(
  { model, card }: OpenedModel,
  exams: readonly string[],
  { file, cam, map }: { file: string; cam?: string; map?: (typeof MAP_KINDS)[number] },
): AsyncGenerator<FilePrediction> {
  if (cam === undefined) return yield* predictFiles(model, exams);
  const { task, plane, intensity } = card;
  const about = { task, plane, intensity, file, sha256: await hashModelFile(file) };
  yield* explainFiles(model, exams, { folder: cam, model: about, map });
}

/** Says once which files or their folders are called by another plane than the model reads. */
function _remarkPlanes(exams: readonly string[], { plane }: SettledCard): void {
  const others = exams.filter((path) => (planeOfPath(path) ?? plane) !== plane);
  if (others.length === 0) return;
  const more = others.length > 1 ? ` and ${others.length - 1} more` : "";
  remark(
    `The model reads ${plane} exams, and '${others[0]}'${more} is ${
      planeOfPath(others[0])
    } by its ` +
      "name: look whether that is the right file",
  );
}

function _aboutThreshold({ operatingPoint }: SettledCard): string {
  if (operatingPoint === undefined) {
    return `Positive from ${DEFAULT_THRESHOLD} on: the model's file names no operating point`;
  }
  const { threshold, exams } = operatingPoint;
  return `Positive from ${
    thresholdText(threshold)
  } on: the model's operating point, chosen on its ` +
    `${exams} exams`;
}

type Predicted = Extract<FilePrediction, { prediction: unknown }>;

function _line({ path }: Predicted, prediction: Prediction, card: SettledCard): string {
  const { decision, threshold } = decide(prediction.probability, card);
  const logits = prediction.logits.map((logit) => logit.toFixed(4)).join(" ");
  return [
    path,
    `${card.task} ${card.plane}`,
    `probability ${prediction.probability.toFixed(4)}`,
    `logits ${logits}`,
    `${decision} (from ${thresholdText(threshold)})`,
  ].join("  ");
}

function _json({ path, id, odd }: Predicted, prediction: Prediction, card: SettledCard): string {
  const { probability, logits } = prediction;
  const { decision, threshold } = decide(probability, card);
  return JSON.stringify({
    exam: id,
    file: path,
    task: card.task,
    plane: card.plane,
    probability,
    logits,
    decision,
    threshold,
    threshold_from: card.operatingPoint === undefined ? "default" : "model",
    odd,
  });
}
