/**
 * What a model's file says about the model: what it predicts, how its input is prepared, its operating
 * point. Each is a text in the metadata of a checkpoint.
 */
import { decodeHashes, encodeHashes, type ExamHash } from "../data/exam_hash.ts";
import { INTENSITIES, type Intensity } from "../data/intensity.ts";
import { checkTuneSplit, type TuneSplit } from "../data/tune.ts";
import { messageOf, OptionError, WeightsError } from "../errors.ts";
import { LOSS_WEIGHTS, type LossWeights, RECIPE_NAMES, type RecipeName } from "./recipe.ts";
import { type Plane, PLANES, type Task, TASKS } from "../terms.ts";
import { shortened } from "../quoted.ts";

/** The exams by which something was chosen. */
export const CHOSEN_ON = ["train", "valid", "tune"] as const satisfies readonly ChosenOn[];
/** The split by which something was chosen; it says nothing new about that split. */
export type ChosenOn = "train" | "valid" | "tune";

/** The threshold from which on an exam counts as positive, and how it was chosen. */
export interface OperatingPoint {
  /** Positive from this probability on, in 0–1. */
  threshold: number;
  /** How it was chosen: Youden's index, sensitivity + specificity − 1, is largest there. */
  rule: "youden";
  /** The exams it was chosen by; metrics at it are to be believed on others only. */
  exams: ChosenOn;
}

/** The threshold of a model whose file does not say one. */
export const DEFAULT_THRESHOLD = 0.5;

/** What a probability means at a threshold. */
export interface Decision {
  /** Whether the finding is said to be there. */
  decision: "positive" | "negative";
  /** The probability from which on it is, in 0–1. */
  threshold: number;
}

/**
 * What a probability means at a model's operating point, or at {@linkcode DEFAULT_THRESHOLD} if the model
 * has none.
 *
 * @param probability the model's, or the combination's, in 0–1
 * @param card what is known about the model, or the combination itself
 *
 * @example
 * ```ts
 * import { decide } from "./card.ts";
 * const operatingPoint = { threshold: 0.25, rule: "youden", exams: "tune" } as const;
 * console.assert(decide(0.3, { operatingPoint }).decision === "positive");
 * console.assert(decide(0.3, {}).decision === "negative");
 * ```
 */
export function decide(
  probability: number,
  { operatingPoint }: { operatingPoint?: Pick<OperatingPoint, "threshold"> },
): Decision {
  const threshold = operatingPoint?.threshold ?? DEFAULT_THRESHOLD;
  return { decision: probability >= threshold ? "positive" : "negative", threshold };
}

/** What is known about a model. */
export interface ModelCard {
  /** The finding it predicts; unknown for a file of PyTorch. */
  task?: Task;
  /** The plane it reads; unknown for a file of PyTorch. */
  plane?: Plane;
  /** How its input is prepared; `raw` if the file does not say. */
  intensity: Intensity;
  /** The recipe of its training, of which settings may have been changed; unknown for PyTorch's. */
  recipe?: RecipeName;
  /** How the loss was weighted in training; unknown for a file of PyTorch. */
  lossWeights?: LossWeights;
  /** The threshold of a positive exam; none if the file does not say it. */
  operatingPoint?: OperatingPoint;
  /** The training exams it was not trained on; none if it was trained on all. */
  tune?: TuneSplit;
  /**
   * The exams that its epoch and its operating point were chosen by, in the order of their label file;
   * none if the file does not say it.
   */
  chosenExams?: readonly ExamHash[];
}

/** A card that says the finding and the plane, as every use of a model needs it. */
export type ResolvedCard = ModelCard & { task: Task; plane: Plane };

/**
 * Adds what a caller knows of a model to what its file says: files of PyTorch say nothing.
 *
 * @param card what the file says
 * @param told the finding and the plane by the caller's own knowledge
 * @param path the file, for messages
 * @param planeOption what the command line calls the option that tells the plane, for messages
 * @throws {OptionError} if the two contradict each other, or neither says it
 *
 * @example
 * ```ts
 * import { resolveCard } from "./card.ts";
 * const card = resolveCard({ intensity: "raw", task: "acl" }, { plane: "axial" }, "model.pth");
 * console.assert(card.task === "acl" && card.plane === "axial");
 * ```
 */
export function resolveCard(
  card: ModelCard,
  told: { task?: Task; plane?: Plane },
  path: string,
  planeOption = "--plane",
): ResolvedCard {
  const { task = told.task, plane = told.plane } = card;
  const options = { task: "--task", plane: planeOption };
  const named = (which: (name: "task" | "plane") => boolean) =>
    (["task", "plane"] as const).filter(which);
  if (task === undefined || plane === undefined) {
    const open = named((name) => (card[name] ?? told[name]) === undefined);
    throw new OptionError(
      `Cannot use the model '${path}': its file does not say its ${open.join(" and ")}: ` +
        `give ${open.map((name) => options[name]).join(" and ")}`,
    );
  }
  const resolved = { ...card, task, plane };
  const wrong = named((name) => (told[name] ?? resolved[name]) !== resolved[name]);
  if (wrong.length === 0) return resolved;
  const asked = { task: told.task ?? task, plane: told.plane ?? plane };
  throw new OptionError(
    `Cannot use the model '${path}' for ${_named(asked)}: by its file it is for ` +
      `${_named(resolved)}: leave ${wrong.map((name) => options[name]).join(" and ")} out, ` +
      "or give another model",
  );
}

function _named({ task, plane }: { task: Task; plane: Plane }): string {
  return `${task} in the ${plane} plane`;
}

/**
 * Reads the card from a file's metadata. Keys that it does not know are passed over.
 *
 * @param path the file, for messages
 * @throws {WeightsError} if a value is not what its key promises
 */
export function readCard(metadata: Readonly<Record<string, string>>, path: string): ModelCard {
  const refuse = (key: string, hint: string): never => {
    const shown = shortened(metadata[key], 60);
    throw new WeightsError(`Cannot use the model '${path}': its ${key} is '${shown}': ${hint}`);
  };
  const word = <T extends string>(key: string, words: readonly T[]): T | undefined => {
    const value = metadata[key];
    if (value === undefined || words.includes(value as T)) return value as T | undefined;
    return refuse(key, `one of ${words.join(", ")} is needed`);
  };
  const json = <T>(key: string, check: (value: Record<string, unknown>) => T): T | undefined => {
    if (metadata[key] === undefined) return undefined;
    try {
      return check(JSON.parse(metadata[key]));
    } catch (error) {
      // JSON.parse quotes the text in its message.
      return refuse(key, shortened(messageOf(error), 200));
    }
  };
  return {
    task: word("task", TASKS),
    plane: word("plane", PLANES),
    intensity: word("intensity", INTENSITIES) ?? "raw",
    recipe: word("recipe", RECIPE_NAMES),
    lossWeights: word("loss_weights", LOSS_WEIGHTS),
    operatingPoint: json("operating_point", _operatingPoint),
    tune: json("tune", _tuneSplit),
    ..._chosenExams(metadata, refuse),
  };
}

/**
 * As {@linkcode readCard}, with what a caller knows of how the model's input is prepared.
 *
 * @param intensity for files that do not say it
 * @throws {OptionError} if the file says that it is prepared in another way
 */
export function readCardWith(
  metadata: Readonly<Record<string, string>>,
  path: string,
  intensity?: Intensity,
): ModelCard {
  const card = readCard(metadata, path);
  if (intensity === undefined || intensity === card.intensity) return card;
  if (metadata.intensity === undefined) return { ...card, intensity };
  throw new OptionError(
    `Cannot use the model '${path}' with intensity ${intensity}: by its file it is ` +
      `${card.intensity}: leave the intensity out`,
  );
}

/** The metadata that {@linkcode readCard} reads back. */
export function cardMetadata(card: ModelCard): Record<string, string> {
  const { task, plane, intensity, recipe, lossWeights, operatingPoint, tune, chosenExams } = card;
  const entries: [string, string | undefined][] = [
    ["task", task],
    ["plane", plane],
    ["intensity", intensity],
    ["recipe", recipe],
    ["loss_weights", lossWeights],
    ["operating_point", operatingPoint && JSON.stringify(operatingPoint)],
    ["tune", tune && JSON.stringify(tune)],
    ["chosen_exams", chosenExams && encodeHashes(chosenExams)],
  ];
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

function _operatingPoint({ threshold, rule, exams }: Record<string, unknown>): OperatingPoint {
  if (!(typeof threshold === "number" && threshold >= 0 && threshold <= 1)) {
    throw new RangeError("a threshold in 0–1 is needed");
  }
  if (rule !== "youden") throw new RangeError("the rule 'youden' is needed");
  if (!CHOSEN_ON.includes(exams as ChosenOn)) {
    throw new RangeError(`the exams must be one of ${CHOSEN_ON.join(", ")}`);
  }
  return { threshold, rule, exams: exams as ChosenOn };
}

function _chosenExams(
  { chosen_exams: text }: Readonly<Record<string, string>>,
  refuse: (key: string, hint: string) => never,
): Pick<ModelCard, "chosenExams"> {
  if (text === undefined) return {};
  try {
    return { chosenExams: decodeHashes(text) };
  } catch (error) {
    return refuse("chosen_exams", messageOf(error));
  }
}

function _tuneSplit({ fraction, seed }: Record<string, unknown>): TuneSplit {
  if (typeof fraction !== "number" || typeof seed !== "number") {
    throw new RangeError("a fraction and a seed that are numbers are needed");
  }
  checkTuneSplit({ fraction, seed });
  return { fraction, seed };
}
