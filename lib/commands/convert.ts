/** `cli.ts convert IN OUT`: takes a model from one form of file to another. */
import { convertWeights } from "../model/verbs.ts";
import { recalibrationText } from "../model/recalibration.ts";
import { Command } from "./arguments.ts";
import { print, remark } from "./console.ts";
import { checkModelFiles } from "./models_there.ts";
import { cardOption, intensityOption, intensityRemark } from "./model_options.ts";

/** The command. */
export function convertCommand() {
  return new Command("convert")
    .description(
      "Convert a model between PyTorch (.pth, .pt), .safetensors and, for writing only, .onnx.\n" +
        "The names of the files tell the forms.",
    )
    .argument("IN", "the model to read")
    .argument("OUT", "the file to write")
    .addOption(intensityOption())
    .addOption(cardOption())
    .addHelpText(
      "after",
      "\nPermissions: --allow-read=DIR --allow-write=DIR, where DIR is the folder of both files. The set\n" +
        "-P=convert grants that for models.",
    )
    .action(async (from, to, { intensity, card }) => {
      await checkModelFiles([from]);
      const { metadata, keptMetadata, outputs, recalibration } = await convertWeights(from, to, {
        intensity,
        card,
      });
      print(`Wrote ${to}`);
      if (outputs === 1) {
        remark(`${from} has one output: in ${to} it is the second of two, and the first is zero`);
      }
      if (/\.onnx$/i.test(to) && intensity === undefined && metadata.intensity === undefined) {
        remark(intensityRemark(from));
      }
      if (recalibration !== undefined) {
        const words = recalibrationText(recalibration);
        remark(
          keptMetadata
            ? `Its probabilities are ${words}`
            : `A PyTorch state dict has no place for it: ${from} is ${words}, ${to} is not`,
        );
      }
      if (!keptMetadata && Object.keys(metadata).length > 0) {
        const { intensity } = metadata;
        const input = intensity === undefined || intensity === "raw"
          ? ""
          : `, and so does that its input is ${intensity}`;
        remark(
          `A PyTorch state dict has no place for metadata: how it was made stays in ${from}${input}`,
        );
      }
    });
}
