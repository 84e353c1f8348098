/** `cli.ts recalibrate MODEL --on SPLIT|DIR`: probabilities that mean what they say on exams like these. */
import { describeEngine } from "../engine/engine.ts";
import type { RecalibrationMap, RecalibrationMethod } from "../metrics/recalibration.ts";
import { recalibrationText } from "../model/recalibration.ts";
import { fixed, thresholdText } from "../page/format.ts";
import type {
  FittedCalibration,
  RecalibrateOptions,
  RecalibrateResult,
} from "../report/recalibrate.ts";
import { recalibrate } from "../report/verbs.ts";
import type { Split } from "../terms.ts";
import { choice, Command, option, text, UsageError } from "./arguments.ts";
import { endProgress, print, remark, showProgress } from "./console.ts";
import {
  backendOption,
  dataOption,
  intensityOption,
  planeOption,
  taskOption,
  threadsOption,
} from "./model_options.ts";
import { checkModelFiles } from "./models_there.ts";
import { readSeries, SERIES_FLAGS, SERIES_HELP } from "./series_choice.ts";

/** What `--on` takes as a split; anything else is a folder. */
const SPLITS: readonly string[] = ["valid", "train", "tune"];

/** The command and its options, without what it does. */
function _command() {
  return new Command("recalibrate")
    .description(
      "Make a model's probabilities mean what they say on exams like those of --on. The map is kept in\n" +
        "the model's file; weights and logits stay, and the operating point moves with it.",
    )
    .argument("MODEL", "the model: .safetensors, or .json of a combination or an ensemble")
    .addOption(
      option(
        "--on <{valid,train,tune,DIR}>",
        "the exams: a split of --data, or another dataset's folder, of which the validation exams; with " +
          "--labels a folder or archive of studies (default: tune)",
        text,
      ),
    )
    .addOption(
      option(
        "--method <{platt,isotonic,temperature,none}>",
        "slope and intercept of the logits, steps, or one number that the logits are divided by; none " +
          "takes it away again",
        choice(["platt", "isotonic", "temperature", "none"]),
      ).default<RecalibrationMethod | "none">("platt"),
    )
    .option("--undo", "the same as --method none")
    .addOption(option("--out <FILE>", "write this file, and leave MODEL as it is", text))
    .addOption(dataOption())
    .addOption(
      option(
        "--labels <CSV>",
        "a table id,abnormal,acl,meniscus: --on then names a folder or an archive of studies",
        text,
      ),
    )
    .option(SERIES_FLAGS, SERIES_HELP, readSeries)
    .addOption(taskOption())
    .addOption(planeOption())
    .addOption(intensityOption())
    .addOption(backendOption())
    .addOption(threadsOption())
    .addHelpText(
      "after",
      "\nPermissions: --allow-read=data,models --allow-write=models, for models in models; the set\n" +
        "-P=combine grants that.",
    );
}

/** What the command is given. */
type _Given = ReturnType<ReturnType<typeof _command>["opts"]>;

/** The options of the function. */
function _options(model: string, given: _Given): RecalibrateOptions {
  const { on, undo, data, labels, series, backend: engine, ...same } = given;
  if (undo && on !== undefined) {
    throw new UsageError("argument --on: not allowed with argument --undo");
  }
  if (labels !== undefined && (on === undefined || SPLITS.includes(on))) {
    throw new UsageError(
      "argument --labels: only allowed with --on DIR, the folder of the studies",
    );
  }
  if (labels === undefined && series !== undefined) {
    throw new UsageError("argument --series: not allowed without argument --labels");
  }
  const options = { ...same, model, engine, labels, series };
  if (undo) return { ...options, method: "none" };
  if (on === undefined || SPLITS.includes(on)) return { ...options, data, split: on as Split };
  return { ...options, data: on, ...(labels === undefined && { split: "valid" as const }) };
}

/** The command. */
export function recalibrateCommand() {
  return _command().action(async (model: string, given) => {
    const options = _options(model, given);
    await checkModelFiles([model]);
    const start = performance.now();
    try {
      _print(
        await recalibrate({
          ...options,
          onStart({ engine, exams, positives }) {
            remark(`Engine: ${describeEngine(engine)}`);
            remark(`Exams:  ${exams}, ${positives} with the finding`);
          },
          onExam({ done, total }) {
            const seconds = (performance.now() - start) / 1000;
            showProgress({ label: "recalibrate", done, total, seconds, unit: "exams" });
          },
        }),
      );
    } finally {
      endProgress();
    }
  });
}

function _print(result: RecalibrateResult): void {
  endProgress();
  const { recalibration, threshold, changedDecisions, calibration, cautions, path } = result;
  if (recalibration === undefined) print("Not recalibrated any more");
  else {
    const words = recalibrationText(recalibration);
    print(words[0].toUpperCase() + words.slice(1));
    print(_mapText(recalibration.map));
  }
  if (threshold !== undefined) {
    const changed = changedDecisions === 0
      ? "every decision on these exams stays"
      : `${changedDecisions} decisions on these exams change, on the same level as the threshold`;
    const [before, now] = [threshold.before, threshold.now].map(thresholdText);
    print(`Positive from ${now} on, before from ${before}: ${changed}`);
  }
  if (calibration !== undefined) {
    print("On the exams of the fit, which says nothing about others:");
    print(`  before  ${_calibrationText(calibration.before)}`);
    print(`  after   ${_calibrationText(calibration.after)}`);
  }
  cautions.forEach((each) => remark(each));
  print(`Wrote ${path}`);
}

function _mapText(map: RecalibrationMap): string {
  switch (map.method) {
    case "platt": {
      const sign = map.intercept < 0 ? "−" : "+";
      return `Probability: sigmoid of ${fixed(map.slope, 4)} × logit ${sign} ` +
        fixed(Math.abs(map.intercept), 4);
    }
    case "temperature":
      return `Probability: sigmoid of logit / ${fixed(map.temperature, 4)}`;
    case "isotonic": {
      const { probabilities: all } = map;
      return `Probability: ${new Set(all).size} levels from ${fixed(all[0], 4)} to ` +
        fixed(all.at(-1)!, 4);
    }
    default:
      return map satisfies never;
  }
}

function _calibrationText(
  { slope, intercept, observedToExpected, brier }: FittedCalibration,
): string {
  return [
    `slope ${fixed(slope.value, 2)}`,
    `intercept ${fixed(intercept.value, 2)}`,
    `observed to expected ${fixed(observedToExpected.value, 2)}`,
    `Brier score ${fixed(brier, 3)}`,
  ].join(", ");
}
