/** `cli.ts plan KIND --out PLAN`: the units of many trainings, or of scoring an archive. */
import { join } from "../files.ts";
import { commandLine } from "../invocation.ts";
import {
  CHUNK,
  type ScorePlanOptions,
  type TrainPlanOptions,
  TUNE_FRACTION,
} from "../plan/options.ts";
import { PLAN_FILE } from "../plan/plan_file.ts";
import { makePlan } from "../plan/verbs.ts";
import { PLANES, TASKS } from "../terms.ts";
import { optionsOf } from "../train/kept_settings.ts";
import {
  choice,
  Command,
  numberAbove,
  option,
  text,
  UsageError,
  wholeNumber,
} from "./arguments.ts";
import { endProgress, print, remark } from "./console.ts";
import { type Given, givenSettings, settingOptions } from "./setting_options.ts";
import { stoppable, trainingDisplay } from "./training_display.ts";

const KINDS = ["all", "folds", "seeds", "sweep", "score"] as const;
type Kind = (typeof KINDS)[number];

/** What each kind must be told, if anything. */
const VALUES: Readonly<Record<Kind, string | undefined>> = {
  all: undefined,
  folds: "K",
  seeds: "N",
  sweep: "FILE",
  score: "MANIFEST",
};

/** The options that scoring an archive has. */
const OF_SCORE = ["out", "model", "chunk", "backend", "threads"];

/** The command. */
export function planCommand() {
  const command = new Command("plan")
    .description(
      "Plan many trainings, or the scoring of an archive, as numbered units; 'unit' does one, " +
        "'gather' puts their results together. The same call again changes nothing.",
    )
    .argument("<KIND>", `what is planned: ${KINDS.join(", ")}`, choice(KINDS))
    .argument("[VALUE]", "folds K, seeds N, sweep FILE (JSON or CSV), score MANIFEST (CSV)")
    .addOption(option("--out <DIR>", "folder of the plan", text).makeOptionMandatory())
    .addOption(option("-t, --task <{abnormal,acl,meniscus}>", "only this finding", choice(TASKS)))
    .addOption(option("-p, --plane <{sagittal,coronal,axial}>", "only this plane", choice(PLANES)))
    .addOption(option("--folds <K>", "deal the training exams out to folds too", wholeNumber(2)))
    .addOption(option("--seeds <N>", "train with so many seeds too", wholeNumber(1, 1000)))
    .option("--stratify", "folds: deal each combination of labels out evenly")
    .addOption(
      option(
        "--patients <FILE>",
        "folds: lines id,patient, whose exams stay together (default: DATA/patients.csv if there)",
        text,
      ),
    )
    .addOption(
      option("--fold_seed <N>", "folds: which exams go to which", wholeNumber(0, 2 ** 32 - 1)),
    )
    .addOption(
      option(
        "--tune <FRACTION>",
        "the share of training exams that chooses epochs and operating points",
        numberAbove(0, 1),
      ).default(TUNE_FRACTION),
    )
    .addOption(
      option("--model <FILE>", "score: the model, or .json of a combination or an ensemble", text),
    )
    .addOption(
      option("--chunk <N>", `score: exams a unit (default: ${CHUNK})`, wholeNumber(1, 100_000)),
    );
  // Each unit has a folder for its logs, and nothing is shown while planning.
  const without = ["--logs", "--log_every"];
  for (const each of settingOptions({ single: false })) {
    if (!without.includes(each.long!)) command.addOption(each);
  }
  return command
    .addHelpText(
      "after",
      "\nPermissions: --allow-read=data,models,PLAN --allow-write=models,PLAN, and\n" +
        "--allow-net=download.pytorch.org to fetch the ImageNet weights the first time.",
    )
    .action(async (kind, value, given, command) => {
      _checkValue(kind, value);
      const options = kind === "score"
        ? _scoreOptions(value!, given, (name) => command.getOptionValueSource(name) !== "default")
        : _trainOptions(kind, value, given);
      using interrupt = stoppable();
      const { onDownload } = trainingDisplay(undefined, 1);
      try {
        const { plan: { units }, found } = await makePlan(
          options.kind === "score" ? options : { ...options, signal: interrupt.signal, onDownload },
        );
        endProgress();
        const { out } = given;
        if (found) remark("That plan is there already; nothing was changed.");
        print(
          `${join(out, PLAN_FILE)}: ${units.length} unit${units.length === 1 ? "" : "s"}, ` +
            `0 (${units[0].id}) to ${units.length - 1} (${units.at(-1)!.id})`,
        );
        remark(`Do them:  ${commandLine("unit", out, "--jobs", "1")}`);
        remark(`And then: ${commandLine("gather", out)}`);
      } finally {
        endProgress();
      }
    });
}

function _checkValue(kind: Kind, value: string | undefined): void {
  const wanted = VALUES[kind];
  if ((wanted === undefined) === (value === undefined)) return;
  throw new UsageError(
    wanted === undefined
      ? `unrecognized arguments: ${value} (plan ${kind} takes none)`
      : `the following arguments are required: ${wanted} (plan ${kind} ${wanted})`,
  );
}

function _trainOptions(
  kind: TrainPlanOptions["kind"],
  value: string | undefined,
  given: Given & { out: string },
): TrainPlanOptions {
  const { task, plane, folds, seeds, stratify, patients, fold_seed: foldSeed, model, chunk } =
    given;
  const odd = model !== undefined ? "--model" : chunk !== undefined ? "--chunk" : undefined;
  if (odd !== undefined) throw new UsageError(`argument ${odd}: only allowed with plan score`);
  const { logEvery: _l, task: _t, plane: _p, folds: _f, ...settings } = givenSettings(given);
  const counts = { folds: folds as number | undefined, seeds: seeds as number | undefined };
  if (kind === "folds") counts.folds = wholeNumber(2)(value!);
  if (kind === "seeds") counts.seeds = wholeNumber(1, 1000)(value!);
  const more = {
    ...(task !== undefined && { tasks: [task] }),
    ...(plane !== undefined && { planes: [plane] }),
    ...(kind === "sweep" && { sweep: value }),
    ...{ stratify, patients, foldSeed },
  };
  return { ...optionsOf(settings), ...counts, ...more, kind, out: given.out } as TrainPlanOptions;
}

function _scoreOptions(
  manifest: string,
  given: Given & { out: string },
  isTyped: (name: string) => boolean,
): ScorePlanOptions {
  const odd = Object.keys(given).find((name) => !OF_SCORE.includes(name) && isTyped(name));
  if (odd !== undefined) throw new UsageError(`argument --${odd}: not allowed with plan score`);
  if (given.model === undefined) {
    throw new UsageError("the following arguments are required: --model");
  }
  const { out, model, chunk, backend: engine, threads } = given;
  return { kind: "score", out, manifest, model, chunk, engine, threads } as ScorePlanOptions;
}
