/** `cli.ts combine`: puts the models of the three planes together, or tables of what they said. */
import { type Combination, fitRemark } from "../combine/combination.ts";
import { combineModels, type CombineOptions, combineTable } from "../combine/combine.ts";
import { describeEngine } from "../engine/engine.ts";
import { PhaseTimer } from "../logs/progress.ts";
import { CHOSEN_ON } from "../model/card.ts";
import { ruleText } from "../page/format.ts";
import { PLANES } from "../terms.ts";
import { choice, Command, option, text, UsageError } from "./arguments.ts";
import { endProgress, print, remark, showProgress } from "./console.ts";
import { checkModelFiles } from "./models_there.ts";
import { interruptible } from "./interrupt.ts";
import {
  backendOption,
  cardOption,
  dataOption,
  intensityOption,
  intensityRemark,
  operatingPointOption,
  taskOption,
  threadsOption,
} from "./model_options.ts";
import { prefixName } from "./setting_options.ts";

/** `AXIAL,CORONAL,SAGITTAL`. */
function threeFiles(given: string): string[] {
  const files = given.split(",");
  if (files.length === PLANES.length && files.every((file) => file !== "")) return files;
  throw new UsageError(`invalid value: '${given}' (must be three files joined by commas)`);
}

/** What is for models, which a table has in their place. */
const OF_MODELS = [
  ...["models", "fit_on", "prefix_name", "data", "intensity", "backend", "threads"],
] as const;

/** The command. */
export function combineCommand() {
  return new Command("combine")
    .description(
      "Combine the models of the three planes by logistic regression, on exams that none of them\n" +
        "was trained on: the tune split that they share. evaluate and predict take what it writes,\n" +
        "but not that of a table, which has weights but no models.",
    )
    .addOption(
      option(
        "--models <AXIAL,CORONAL,SAGITTAL>",
        "the three models; any order where their files say their planes",
        threeFiles,
      ),
    )
    .addOption(
      option(
        "--predictions <CSV>",
        "in place of models: a table label,axial,coronal,sagittal of probabilities",
        text,
      ),
    )
    .addOption(taskOption())
    .addOption(intensityOption())
    .addOption(dataOption())
    .addOption(
      option(
        "--fit_on <{tune,train,valid}>",
        "the exams to fit on; on train or valid the metrics are not to be believed (default: tune)",
        choice(CHOSEN_ON),
      ),
    )
    .addOption(
      option(
        "--prefix_name <PREFIX>",
        "stands in the file's name (default: the models' own where they agree, otherwise mrnet)",
        prefixName,
      ),
    )
    .addOption(
      option(
        "--out <FILE>",
        "the .json file to write, in place of what is there (default: combined_PREFIX_TASK.json " +
          "beside the axial model, numbered where that is of other models; none for a table)",
        text,
      ),
    )
    .addOption(operatingPointOption("the tune exams, or the table,"))
    .addOption(cardOption())
    .addOption(backendOption())
    .addOption(threadsOption())
    .addHelpText(
      "after",
      "\nPermissions: --allow-read=data,models --allow-write=models; with --predictions\n" +
        "--allow-read=CSV and --allow-write of the folder of --out.",
    )
    .action(async (given, command) => {
      if (given.predictions !== undefined) {
        for (const name of OF_MODELS) {
          if ([undefined, "default"].includes(command.getOptionValueSource(name))) continue;
          throw new UsageError(`argument --${name}: not allowed with argument --predictions`);
        }
        const { out, task, predictions, card, operating_point: operatingPoint } = given;
        const options = { task, operatingPoint, out, card, onRemark: remark };
        report(await combineTable(predictions, options), out);
        return;
      }
      if (given.models === undefined) {
        throw new UsageError("one of the arguments --models --predictions is required");
      }
      await checkModelFiles(given.models);
      const { fit_on: fitOn, prefix_name: prefix, backend: engine, operating_point, ...same } =
        given;
      const names = { fitOn, prefix, engine, operatingPoint: operating_point };
      await _combineModels({ ...same, ...names, models: given.models });
    });
}

/** Combines models, shows how it goes, and prints what came of it. */
async function _combineModels(options: CombineOptions): Promise<void> {
  using interrupt = interruptible(() => remark("Stopping after the exam at hand."));
  const timer = new PhaseTimer();
  try {
    const { combination, path } = await combineModels({
      ...options,
      signal: interrupt.signal,
      onRemark: remark,
      onStart({ engine, task, patients }) {
        remark(`Engine: ${describeEngine(engine)}`);
        remark(`Exams:  ${patients} patients in three planes, ${task}`);
        timer.mark();
      },
      onExam({ plane, done, total }) {
        showProgress({ label: plane, done, total, unit: "exams", ...timer.at(plane, done) });
      },
    });
    endProgress();
    report(combination, path);
    for (const plane of PLANES) {
      // It is kept of a model only where the model's file does not say it.
      const { file, intensity } = combination.members![plane];
      if (options.intensity === undefined && intensity !== undefined) {
        remark(intensityRemark(file));
      }
    }
  } finally {
    endProgress();
  }
}

/** Where the exams come from, in words. */
function _source({ fitOn, tune }: Combination): string {
  switch (fitOn) {
    case "tune":
      return "of the tune split, which no model was trained on";
    case "train":
      return `of the training set${tune === undefined ? "" : " without the tune split"}`;
    case "valid":
      return "of the validation set";
    case "table":
      return "of the table";
    default:
      return fitOn satisfies never;
  }
}

/** What the fit came to. */
export function report(combination: Combination, path?: string): void {
  const { task, coefficients, intercept, exams, positives, auc, operatingPoint } = combination;
  const finding = `the finding${task === undefined ? "" : ` (${task})`}`;
  print(`Fitted on ${exams} patients ${_source(combination)}; ${positives} have ${finding}`);
  for (const plane of PLANES) print(`${plane.padEnd(10)}${_signed(coefficients[plane])}`);
  print(`${"intercept".padEnd(10)}${_signed(intercept)}`);
  print(
    `Positive from ${operatingPoint.threshold.toFixed(4)} on (by ${
      ruleText(operatingPoint.rule)
    } on these patients)`,
  );
  print(
    `AUC ${auc.toFixed(4)} on these patients: how well it fits, not how well it does on others`,
  );
  const words = fitRemark(combination);
  if (words !== undefined) remark(words);
  if (path !== undefined) print(`Wrote ${path}`);
}

function _signed(value: number): string {
  return (value < 0 ? "−" : "+") + Math.abs(value).toFixed(4);
}
