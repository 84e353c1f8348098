/**
 * `cli.ts -t TASK -p PLANE`: trains one classifier. The options are the original script's.
 *
 * @module
 */
import { parseShift, type Shift, SHIFT_RULE } from "../data/augment.ts";
import { INTENSITIES } from "../data/intensity.ts";
import { TUNE_SEED } from "../data/tune.ts";
import { ENGINE_CHOICES } from "../engine/engine.ts";
import { MOST_THREADS } from "../engine/wasm/capabilities.ts";
import { PRECISIONS } from "../engine/webgpu/precision.ts";
import { LOSS_WEIGHTS, RECIPE_NAMES } from "../model/recipe.ts";
import { TASKS } from "../terms.ts";
import { isPrefix, PREFIX_RULE } from "../train/checkpoint.ts";
import { TRAIN_DEFAULTS } from "../train/options.ts";
import { type RunOptions, SAVE_EVERY } from "../train/run.ts";
import type { ScheduleName } from "../train/schedule.ts";
import {
  choice,
  Command,
  numberAbove,
  numberWithin,
  option,
  text,
  UsageError,
  wholeNumber,
  zeroOrOne,
} from "./arguments.ts";
import { remark } from "./console.ts";
import { INTERRUPTED, report, runTraining } from "./training_display.ts";

/** The schedules under the names and numbers of the original script. */
const SCHEDULE_WORDS = { "0": "none", "1": "plateau", plateau: "plateau", step: "step" } as const;

const SEED_RANGE = 2 ** 32 - 1;

function scheduleName(given: string): ScheduleName {
  const words = Object.keys(SCHEDULE_WORDS) as (keyof typeof SCHEDULE_WORDS)[];
  return SCHEDULE_WORDS[choice(words)(given)];
}

/** A prefix that can be part of a file's name. */
export function prefixName(given: string): string {
  if (isPrefix(given)) return given;
  throw new UsageError(`invalid value: '${given}' (${PREFIX_RULE})`);
}

function shift(given: string): Shift {
  const read = parseShift(given);
  if (read !== undefined) return read;
  throw new UsageError(`invalid value: '${given}' (must be ${SHIFT_RULE})`);
}

/** The command; `exit` is told the exit code. */
export function trainCommand(exit: (code: number) => void) {
  const flag = <const F extends string>(name: F, description: string, byDefault: boolean) =>
    option(`${name} <{0,1}>`, description, zeroOrOne).default(byDefault, byDefault ? "1" : "0");
  return new Command("train")
    .description(
      "Train one classifier: one finding, one plane. This is what cli.ts does by itself.",
    )
    .addOption(
      option("-t, --task <{abnormal,acl,meniscus}>", "the finding to predict", choice(TASKS))
        .makeOptionMandatory(),
    )
    .addOption(
      option(
        "-p, --plane <{sagittal,coronal,axial}>",
        "the plane to read",
        choice(["sagittal", "coronal", "axial"]),
      ).makeOptionMandatory(),
    )
    .addOption(
      option("--prefix_name <PREFIX>", "begins the checkpoint's name", prefixName)
        .default("mrnet"),
    )
    .addOption(flag("--augment", "rotate, shift and flip the training exams at random", true))
    .addOption(
      option(
        "--lr_scheduler <{0,1,plateau,step}>",
        "how the learning rate falls; 1 is plateau, 0 is not at all",
        scheduleName,
      ).default<ScheduleName>("plateau"),
    )
    .addOption(
      option("--gamma <NUMBER>", "factor of the step scheduler, every 3 epochs", numberAbove(0))
        .default(TRAIN_DEFAULTS.gamma),
    )
    .addOption(
      option("--epochs <N>", "at most so many epochs (default: 50)", wholeNumber(1)),
    )
    .addOption(
      option("--lr <NUMBER>", "learning rate at the start", numberAbove(0))
        .default(TRAIN_DEFAULTS.learningRate, "1e-5"),
    )
    .addOption(flag("--flush_history", "remove earlier logs of this task and plane first", false))
    .addOption(flag("--save_model", "keep the best model", true))
    .addOption(
      option(
        "--patience <N>",
        "stop after so many epochs without lower loss, 0 is never; stanford 0 (default: 5)",
        wholeNumber(0),
      ),
    )
    .addOption(
      option("--log_every <N>", "a line after so many exams", wholeNumber(1)).default(100),
    )
    .addOption(option("--data <DIR>", "folder of the dataset", text).default("data"))
    .addOption(option("--models <DIR>", "folder of the checkpoints", text).default("models"))
    .addOption(option("--logs <DIR>", "folder of the logs", text).default("logs"))
    .addOption(
      option(
        "--weights <{imagenet,none,FILE,URL}>",
        "what to start from; FILE is .pth, .pt or .safetensors",
        text,
      ).default("imagenet"),
    )
    .addOption(
      option(
        "--recipe <{reference,stanford}>",
        "a published way of training: sets the eight options that follow, epochs and patience, " +
          "each of which can be changed (default: reference)",
        choice(RECIPE_NAMES),
      ),
    )
    .addOption(
      option(
        "--intensity <{raw,standardized}>",
        "grey values as in the file, or each exam stretched to 0-255 and standardized; " +
          "reference raw, stanford standardized",
        choice(INTENSITIES),
      ),
    )
    .addOption(
      option(
        "--loss_weights <{output,class}>",
        "the second output counts negatives/positives, or an exam counts the more the rarer its " +
          "class; reference output, stanford class",
        choice(LOSS_WEIGHTS),
      ),
    )
    .addOption(
      option(
        "--weight_decay <NUMBER>",
        "this share of each weight is added to its gradient; reference 0.1, stanford 0.01",
        numberWithin(0),
      ),
    )
    .addOption(
      option(
        "--plateau_patience <N>",
        "epochs without lower loss that the plateau scheduler bears; reference 3, stanford 5",
        wholeNumber(0),
      ),
    )
    .addOption(
      option(
        "--plateau_factor <NUMBER>",
        "what the plateau scheduler multiplies the learning rate by; both 0.3",
        numberAbove(0, 1),
      ),
    )
    .addOption(
      option("--rotation <DEGREES>", "largest rotation either way; both 25", numberWithin(0, 180)),
    )
    .addOption(
      option(
        "--shift <{SHARE,PIXELSpx}>",
        "largest shift either way, of the side or in pixels; reference 0.11, stanford 25px",
        shift,
      ),
    )
    .addOption(
      option(
        "--flip <P>",
        "probability of a flip from left to right; both 0.5",
        numberWithin(0, 1),
      ),
    )
    .addOption(
      option(
        "--backend <{auto,webgpu,wasm,cpu}>",
        "the engine to compute on",
        choice(ENGINE_CHOICES),
      ).default("auto" as const),
    )
    .addOption(
      option(
        "--threads <N>",
        "threads of the wasm engine (default: the processor's cores, at most 16)",
        wholeNumber(1, MOST_THREADS),
      ),
    )
    .addOption(
      option(
        "--precision <{float32,half}>",
        "how the webgpu engine stores activations; half takes less memory and is less exact",
        choice(PRECISIONS),
      ).default("float32" as const),
    )
    .addOption(flag("--shuffle", "visit the exams in a new order each epoch", true))
    .addOption(
      option(
        "--seed <N>",
        "for weights, order and augmentation (default: drawn, and printed)",
        wholeNumber(0, SEED_RANGE),
      ),
    )
    .addOption(
      option(
        "--tune <FRACTION>",
        "keep this share of the training exams out and choose by them instead of by the " +
          "validation set, which is then not touched; 0.1 is usual (default: none)",
        numberAbove(0, 1),
      ),
    )
    .addOption(
      option(
        "--tune_seed <N>",
        `which exams are kept out, the same for every plane and task (default: ${TUNE_SEED})`,
        wholeNumber(0, SEED_RANGE),
      ),
    )
    .addOption(flag("--in_memory", "keep the exams in memory once they are read", false))
    .addOption(
      option(
        "--resume [FILE]",
        "go on with a run that was stopped: the latest of this prefix, task and plane, or that of " +
          "this folder or state file; what is not given is as it was",
        text,
      ),
    )
    .addOption(
      option(
        "--save_every <MINUTES>",
        "save the state so often, besides at each epoch's end; 0 is after every exam",
        numberWithin(0),
      ).default(SAVE_EVERY),
    )
    .addOption(
      flag("--skip_bad_exams", "go on without exams that cannot be read, and list them", false),
    )
    .addOption(
      flag(
        "--any_range",
        "train on exams though they are far from 0–255 or their slices may be last",
        false,
      ),
    )
    .addHelpText(
      "after",
      "\nPermissions: --allow-read=data,models,logs --allow-write=models,logs, and\n" +
        "--allow-net=download.pytorch.org to fetch the ImageNet weights the first time.",
    )
    .action(async (given, command) => {
      const { log_every, resume } = given;
      const asked = resume === undefined ? given : _withoutDefaults(given, command);
      let before: number | undefined;
      const result = await runTraining({
        ...runOptions(asked),
        // Commander says true where the option has no argument.
        resume: resume as true | string | undefined,
        onStart: ({ resumed }) => before = resumed?.epochs,
      }, log_every);
      if (before === result.epochs.length && result.stopped !== "interrupted") {
        remark("That run is at its end; with more --epochs or --patience it goes on.");
      }
      report(result);
      if (result.stopped === "interrupted") exit(INTERRUPTED);
    });
}

/** Only what was typed: a run that goes on has its own settings for the rest. */
function _withoutDefaults(
  given: GivenRun,
  command: { getOptionValueSource(name: string): string | undefined },
): GivenRun {
  const typed = Object.entries(given).filter(([name]) =>
    command.getOptionValueSource(name) !== "default"
  );
  return Object.fromEntries(typed) as GivenRun;
}

/** What the command line says about a run, under the names of the command line. */
export type GivenRun = ReturnType<ReturnType<typeof trainCommand>["opts"]>;

/**
 * The run that was asked for.
 *
 * @throws {UsageError} where options do not go together
 */
export function runOptions(given: GivenRun): RunOptions {
  const { tune, tune_seed } = given;
  if (tune === undefined && tune_seed !== undefined) {
    throw new UsageError("argument --tune_seed: only allowed with argument --tune");
  }
  return {
    task: given.task,
    plane: given.plane,
    prefix: given.prefix_name,
    recipe: given.recipe,
    intensity: given.intensity,
    lossWeights: given.loss_weights,
    weightDecay: given.weight_decay,
    plateauPatience: given.plateau_patience,
    plateauFactor: given.plateau_factor,
    rotation: given.rotation,
    shift: given.shift,
    flip: given.flip,
    augment: given.augment,
    schedule: given.lr_scheduler,
    gamma: given.gamma,
    epochs: given.epochs,
    learningRate: given.lr,
    flushHistory: given.flush_history,
    saveModel: given.save_model,
    patience: given.patience,
    data: given.data,
    models: given.models,
    logs: given.logs,
    weights: given.weights,
    engine: given.backend,
    threads: given.threads,
    precision: given.precision,
    shuffle: given.shuffle,
    seed: given.seed,
    tune: tune === undefined ? undefined : { fraction: tune, seed: tune_seed ?? TUNE_SEED },
    inMemory: given.in_memory,
    saveEvery: given.save_every,
    skipBadExams: given.skip_bad_exams,
    anyRange: given.any_range,
  };
}
