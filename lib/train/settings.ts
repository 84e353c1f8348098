/**
 * The settings of a training, one row each: its name on the command line and its help, what it may be,
 * its default, and what of it a run's files keep.
 *
 * To add one, describe it in {@linkcode TrainOptions} or {@linkcode RunOptions} and give it a row here.
 * The command line of `train` and `run_all`, the checks of a script's options, `config.json`, the state
 * and what a resumed run may change follow from the row.
 */
import { isShift, parseShift, SHIFT_RULE } from "../data/augment.ts";
import { INTENSITIES } from "../data/intensity.ts";
import { TUNE_SEED } from "../data/tune.ts";
import { ENGINE_CHOICES } from "../engine/engine.ts";
import { MAX_THREADS } from "../engine/wasm/capabilities.ts";
import { PRECISIONS } from "../engine/webgpu/precision.ts";
import {
  OPERATING_RULES,
  type OperatingRule,
  parseOperatingRule,
} from "../metrics/operating_rule.ts";
import { NETWORK_NAMES } from "../network/networks.ts";
import { LOSS_WEIGHTS, RECIPE_NAMES, RECIPES, type RecipeSettings } from "../model/recipe.ts";
import { TASKS } from "../terms.ts";
import { isPrefix, PREFIX_RULE } from "./checkpoint.ts";
import type { TrainOptions } from "./options.ts";
import type { RunOptions } from "./run_options.ts";
import { PHOTOMETRIC_SETTINGS } from "./photometric_settings.ts";
import { SCHEDULES } from "./schedule.ts";
import type { AnySetting, Setting } from "./setting.ts";

/** What the options of a run hold beside settings. */
type Hook = "signal" | "onStart" | "onExam" | "onEpoch" | "onDownload";

/** Every setting and its type. The two numbers that make a tune split are a setting each. */
export interface SettingValues extends Required<Omit<RunOptions, Hook | "tune">> {
  /** The share of the training exams that is kept out. */
  tune: number;
  /** Which exams are kept out. */
  tuneSeed: number;
  /** The command line shows a line after so many exams. */
  logEvery: number;
}

/** The name of a setting, as a script has it. */
export type SettingName = keyof SettingValues;

/** Whose option a setting is; the training loop checks its own by this table. */
type OwnerOf<N extends SettingName> = N extends keyof TrainOptions ? "loop"
  : N extends keyof RunOptions | "tuneSeed" ? "run"
  : "command";

/** The rows, one for each setting: a name that is missing here or there is an error of the compiler. */
type SettingTable = {
  readonly [N in SettingName]: Setting<SettingValues[N], OwnerOf<N>>;
};

const REFERENCE = RECIPES.reference;

/** What the command line takes as a seed, at most. */
const MAX_SEED = 2 ** 32 - 1;

const FLAG = { kind: "flag" } as const;
const TEXT = { kind: "text" } as const;
const SEED = { kind: "number", whole: true, least: 0, mostTyped: MAX_SEED } as const;
const COUNT = { kind: "number", whole: true, least: 1 } as const;
const COUNT_OR_NONE = { kind: "number", whole: true, least: 0 } as const;
const POSITIVE = { kind: "number", above: 0 } as const;
const SHARE = { kind: "number", above: 0, below: 1 } as const;

/** What each recipe sets, for the help: `reference 0.1, stanford 0.01`, or `both 0.3`. */
function _byRecipe(setting: keyof RecipeSettings): string {
  const values = RECIPE_NAMES.map((name) => RECIPES[name][setting]);
  if (new Set(values).size === 1) return `both ${values[0]}`;
  return RECIPE_NAMES.map((name, index) => `${name} ${values[index]}`).join(", ");
}

function _isRule(value: unknown): value is OperatingRule {
  return typeof value === "string" && parseOperatingRule(value) === value;
}

/** The settings, in the order of the help. */
export const SETTINGS = {
  task: {
    use: { of: "run", kept: "fixed", single: true, required: true },
    flag: "-t, --task <{abnormal,acl,meniscus}>",
    help: "the finding to predict",
    check: { kind: "choice", choices: TASKS },
  },
  plane: {
    use: { of: "run", kept: "fixed", single: true, required: true },
    flag: "-p, --plane <{sagittal,coronal,axial}>",
    help: "the plane to read",
    check: { kind: "choice", choices: ["sagittal", "coronal", "axial"] },
  },
  prefix: {
    use: { of: "run", kept: "fixed" },
    flag: "--prefix_name <PREFIX>",
    help: "begins the checkpoint's name",
    check: {
      kind: "form",
      parse: (text) => isPrefix(text) ? text : undefined,
      fits: (value) => typeof value === "string" && isPrefix(value),
      rule: PREFIX_RULE,
      verb: "use",
    },
    default: "mrnet",
  },
  augment: {
    use: { of: "loop", kept: "fixed" },
    flag: "--augment <{0,1}>",
    help: "change the training exams at random: rotate, shift and flip them, and as below",
    check: FLAG,
    default: true,
  },
  schedule: {
    use: { of: "loop", kept: "fixed" },
    flag: "--lr_scheduler <{0,1,plateau,step}>",
    help: "how the learning rate falls; 1 is plateau, 0 is not at all",
    check: {
      kind: "choice",
      choices: SCHEDULES,
      // The words and numbers of the original script.
      typed: { "0": "none", "1": "plateau", plateau: "plateau", step: "step" },
    },
    default: "plateau",
  },
  gamma: {
    use: { of: "loop", kept: "fixed" },
    flag: "--gamma <NUMBER>",
    help: "factor of the step scheduler, every 3 epochs",
    check: POSITIVE,
    default: 0.5,
  },
  epochs: {
    use: { of: "loop", kept: "free" },
    flag: "--epochs <N>",
    help: `at most so many epochs (default: ${REFERENCE.epochs})`,
    check: COUNT,
  },
  learningRate: {
    use: { of: "loop", kept: "fixed" },
    flag: "--lr <NUMBER>",
    help: "learning rate at the start",
    check: POSITIVE,
    default: 1e-5,
    shown: "1e-5",
  },
  flushHistory: {
    use: { of: "run", single: true },
    flag: "--flush_history <{0,1}>",
    help: "remove earlier logs of this task and plane first",
    check: FLAG,
    default: false,
  },
  saveModel: {
    use: { of: "run", kept: "fixed", single: true },
    flag: "--save_model <{0,1}>",
    help: "keep the best model",
    check: FLAG,
    default: true,
  },
  patience: {
    use: { of: "loop", kept: "free" },
    flag: "--patience <N>",
    help: "stop after so many epochs without lower loss, 0 is never; stanford " +
      `${RECIPES.stanford.patience} (default: ${REFERENCE.patience})`,
    check: COUNT_OR_NONE,
  },
  logEvery: {
    use: { of: "command" },
    flag: "--log_every <N>",
    help: "a line after so many exams",
    check: COUNT,
    default: 100,
  },
  data: {
    use: { of: "run", kept: "free" },
    flag: "--data <DIR>",
    help: "folder of the dataset",
    check: TEXT,
    default: "data",
  },
  models: {
    use: { of: "run", kept: "fixed", decides: false },
    flag: "--models <DIR>",
    help: "folder of the checkpoints",
    check: TEXT,
    default: "models",
  },
  logs: {
    use: { of: "run", kept: "noted" },
    flag: "--logs <DIR>",
    help: "folder of the logs",
    check: TEXT,
    default: "logs",
  },
  weights: {
    use: { of: "run", kept: "fixed" },
    flag: "--weights <{imagenet,none,FILE,URL}>",
    help: "what to start from; FILE is .pth, .pt or .safetensors",
    check: TEXT,
    default: "imagenet",
  },
  network: {
    use: { of: "run", kept: "fixed", optional: true },
    flag: "--network <{alexnet,resnet18,resnet34}>",
    help: "what computes the features of a slice (default: the network of the file of weights, " +
      "alexnet without one)",
    check: { kind: "choice", choices: NETWORK_NAMES },
  },
  recipe: {
    use: { of: "loop", kept: "fixed" },
    flag: "--recipe <{reference,stanford}>",
    help: "a published way of training: sets the eight options that follow, epochs and patience, " +
      "each of which can be changed (default: reference)",
    check: { kind: "choice", choices: RECIPE_NAMES },
  },
  intensity: {
    use: { of: "loop", kept: "fixed" },
    flag: "--intensity <{raw,standardized,landmarks}>",
    help: "grey values as in the file, each exam stretched to 0-255 and standardized, or its " +
      `histogram mapped to landmarks of the training exams; ${_byRecipe("intensity")}`,
    check: { kind: "choice", choices: INTENSITIES },
  },
  lossWeights: {
    use: { of: "loop", kept: "fixed" },
    flag: "--loss_weights <{output,class}>",
    help:
      "the second output counts negatives/positives, or an exam counts the more the rarer its " +
      `class; ${_byRecipe("lossWeights")}`,
    check: { kind: "choice", choices: LOSS_WEIGHTS },
  },
  weightDecay: {
    use: { of: "loop", kept: "fixed" },
    flag: "--weight_decay <NUMBER>",
    help: `this share of each weight is added to its gradient; ${_byRecipe("weightDecay")}`,
    check: { kind: "number", least: 0 },
  },
  plateauPatience: {
    use: { of: "loop", kept: "fixed" },
    flag: "--plateau_patience <N>",
    help: "epochs without lower loss that the plateau scheduler bears; " +
      _byRecipe("plateauPatience"),
    check: COUNT_OR_NONE,
  },
  plateauFactor: {
    use: { of: "loop", kept: "fixed" },
    flag: "--plateau_factor <NUMBER>",
    help: "what the plateau scheduler multiplies the learning rate by; " +
      _byRecipe("plateauFactor"),
    check: SHARE,
  },
  rotation: {
    use: { of: "loop", kept: "fixed" },
    flag: "--rotation <DEGREES>",
    help: `largest rotation either way; ${_byRecipe("rotation")}`,
    check: { kind: "number", least: 0, most: 180, what: "degrees" },
  },
  shift: {
    use: { of: "loop", kept: "fixed" },
    flag: "--shift <{SHARE,PIXELSpx}>",
    help: `largest shift either way, of the side or in pixels; ${_byRecipe("shift")}`,
    check: { kind: "form", parse: parseShift, fits: isShift, rule: SHIFT_RULE, verb: "must be" },
  },
  flip: {
    use: { of: "loop", kept: "fixed" },
    flag: "--flip <P>",
    help: `probability of a flip from left to right; ${_byRecipe("flip")}`,
    check: { kind: "number", least: 0, most: 1, what: "a probability" },
  },
  ...PHOTOMETRIC_SETTINGS,
  engine: {
    use: { of: "run" },
    flag: "--backend <{auto,webgpu,wasm,cpu}>",
    help: "the engine to compute on",
    check: { kind: "choice", choices: ENGINE_CHOICES },
    default: "auto",
  },
  threads: {
    use: { of: "run" },
    flag: "--threads <N>",
    help: "threads of the wasm engine (default: the processor's cores, at most 16)",
    check: { ...COUNT, most: MAX_THREADS },
  },
  precision: {
    use: { of: "run", decides: true },
    flag: "--precision <{float32,half}>",
    help: "how the webgpu engine stores activations; half takes less memory and is less exact",
    check: { kind: "choice", choices: PRECISIONS },
    default: "float32",
  },
  shuffle: {
    use: { of: "loop", kept: "fixed" },
    flag: "--shuffle <{0,1}>",
    help: "visit the exams in a new order each epoch",
    check: FLAG,
    default: true,
  },
  seed: {
    use: { of: "loop", kept: "fixed" },
    flag: "--seed <N>",
    help: "for weights, order and augmentation (default: drawn, and printed)",
    check: SEED,
  },
  tune: {
    use: { of: "run", kept: "fixed", optional: true, single: true },
    flag: "--tune <FRACTION>",
    help: "keep this share of the training exams out and choose by them instead of by the " +
      "validation set, which is then not touched; 0.1 is usual (default: none)",
    check: SHARE,
  },
  tuneSeed: {
    use: { of: "run", kept: "fixed", optional: true },
    flag: "--tune_seed <N>",
    help: `which exams are kept out, the same for every plane and task (default: ${TUNE_SEED})`,
    check: SEED,
  },
  operatingPoint: {
    use: { of: "loop", kept: "fixed", optional: true },
    flag: "--operating_point <RULE>",
    help: `how the exams of --tune choose the threshold of a positive exam: ${OPERATING_RULES}`,
    check: {
      kind: "form",
      parse: parseOperatingRule,
      fits: _isRule,
      rule: OPERATING_RULES,
      verb: "must be",
    },
    default: "youden",
  },
  folds: {
    use: { of: "run", kept: "fixed", optional: true, single: true },
    flag: "--folds <FILE>",
    help: "a table of folds of the training exams: lines id,fold or id,fold,patient",
    check: TEXT,
  },
  fold: {
    use: { of: "run", kept: "fixed", optional: true, single: true },
    flag: "--fold <N>",
    help: "keep this fold of --folds out of training; it can then evaluate the model",
    check: COUNT,
  },
  card: {
    use: { of: "run", kept: "free", optional: true, decides: false },
    flag: "--card <FILE>",
    help: "JSON for the model's card: what it is for, its licence, its authors",
    check: TEXT,
  },
  inMemory: {
    use: { of: "run" },
    flag: "--in_memory <{0,1}>",
    help: "keep the exams in memory once they are read",
    check: FLAG,
    default: false,
  },
  resume: {
    use: { of: "run", single: true },
    flag: "--resume [FILE]",
    help:
      "go on with a run that was stopped: the latest of this prefix, task and plane, or that of " +
      "this folder or state file; what is not given is as it was",
    check: TEXT,
  },
  saveEvery: {
    use: { of: "run" },
    flag: "--save_every <MINUTES>",
    help: "save the state so often, besides at each epoch's end; 0 is after every exam",
    check: { kind: "number", least: 0 },
    default: 10,
  },
  skipBadExams: {
    use: { of: "loop", kept: "free", optional: true, decides: false },
    flag: "--skip_bad_exams <{0,1}>",
    help: "go on without exams that cannot be read, and list them",
    check: FLAG,
    default: false,
  },
  anyRange: {
    use: { of: "run", kept: "free", optional: true, decides: false },
    flag: "--any_range <{0,1}>",
    help: "train on exams though they are far from 0–255 or their slices may be last",
    check: FLAG,
    default: false,
  },
} satisfies SettingTable;

/** The names of the settings that have a default whatever the recipe. */
type WithDefault = {
  [N in SettingName]: (typeof SETTINGS)[N] extends { default: unknown } ? N : never;
}[SettingName];

/** The rows with their names. */
export const SETTING_ROWS = Object.entries(SETTINGS) as readonly [SettingName, AnySetting][];

/** What each setting is where nothing else is said, of those that no recipe says. */
export const DEFAULTS = Object.fromEntries(
  SETTING_ROWS.filter(([, { default: value }]) => value !== undefined)
    .map(([name, { default: value }]) => [name, value]),
) as { readonly [N in WithDefault]: SettingValues[N] };
