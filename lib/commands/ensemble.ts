/** `cli.ts ensemble MODEL… --out FILE`: several models of one finding and plane as one. */
import { ensembleModels } from "../classifier/ensemble_models.ts";
import { ensembleRemark } from "../classifier/ensemble.ts";
import { ruleText, subject, thresholdText } from "../page/format.ts";
import { Command, option, text, UsageError } from "./arguments.ts";
import { print, remark } from "./console.ts";
import {
  cardOption,
  intensityOption,
  intensityRemark,
  operatingPointOption,
  planeOption,
  taskOption,
} from "./model_options.ts";
import { checkModelFiles } from "./models_there.ts";

/** The command. */
export function ensembleCommand() {
  return new Command("ensemble")
    .description(
      "Make an ensemble of models of one finding and plane, or of combinations: the mean of their\n" +
        "logits. evaluate, predict, serve and view take what it writes.",
    )
    .argument("<MODEL...>", "the members, at least two: models of one plane, or combinations")
    .addOption(
      option("--out <FILE>", "the .json file to write, in place of what is there", text)
        .makeOptionMandatory(),
    )
    .addOption(
      option(
        "--predictions <CSV>",
        "a table exam,label,probability of out-of-fold predictions, which choose the operating point",
        text,
      ),
    )
    .addOption(operatingPointOption("the predictions"))
    .addOption(taskOption())
    .addOption(planeOption())
    .addOption(intensityOption())
    .addOption(cardOption())
    .addHelpText(
      "after",
      "\nPermissions: --allow-read=data,models --allow-write=models, for models in models and a table\n" +
        "in data.",
    )
    .action(async (models, { predictions, operating_point: operatingPoint, ...given }) => {
      if (operatingPoint !== undefined && predictions === undefined) {
        throw new UsageError(
          "argument --operating_point: not allowed without argument --predictions",
        );
      }
      await checkModelFiles(models);
      const { ensemble, path, remarks } = await ensembleModels({
        ...given,
        models,
        predictions,
        operatingPoint,
      });
      const { task, plane, members, outOfFold } = ensemble;
      print(`Ensemble of ${members.length} (${subject(task, plane)})`);
      if (outOfFold !== undefined) {
        const { exams, positives, auc, operatingPoint: { threshold, rule } } = outOfFold;
        print(`Out-of-fold predictions: ${exams} exams, ${positives} with the finding`);
        print(`Positive from ${thresholdText(threshold)} on (by ${ruleText(rule)} on these)`);
        print(
          `AUC ${auc.toFixed(4)} on these: that of single members, which the ensemble's may exceed`,
        );
      }
      remark(ensembleRemark(ensemble));
      remarks.forEach((each) => remark(each));
      for (const { file, intensity } of members) {
        // It is kept of a member only if the member's file does not say it.
        if (given.intensity === undefined && intensity !== undefined) remark(intensityRemark(file));
      }
      print(`Wrote ${path}`);
    });
}
