/**
 * A model's card as the metadata of its file: a text for each key, and the version of the whole.
 *
 * What is written is checked as what is read, so that no file says what cannot be read back. A file of
 * an earlier version has no version; a file of a later one is refused, for it may mean something else.
 */
import {
  decodeHashes,
  decodeKnownExams,
  encodeHashes,
  encodeKnownExams,
} from "../data/exam_hash.ts";
import { parseExamSet } from "../data/exam_set.ts";
import { INTENSITIES, type Intensity } from "../data/intensity.ts";
import { parseLandmarks } from "../data/landmarks.ts";
import { checkTuneSplit, type TuneSplit } from "../data/tune.ts";
import { messageOf, OptionError, WeightsError } from "../errors.ts";
import { OPERATING_RULES, parseOperatingRule } from "../metrics/operating_rule.ts";
import { checkOptionNames } from "../option_names.ts";
import { shortened } from "../quoted.ts";
import { PLANES, TASKS } from "../terms.ts";
import { CHOSEN_ON, type ChosenOn, EPOCH_RULES } from "./card.ts";
import type { ModelCard, OperatingPoint } from "./card.ts";
import { cardTextJson, parseCardText } from "./card_text.ts";
import { NETWORK_NAMES } from "../network/networks.ts";
import { parseRecalibration, recalibrationJson } from "./recalibration.ts";
import { FORMS } from "./made_by.ts";
import { LOSS_WEIGHTS, RECIPE_NAMES } from "./recipe.ts";
import { isRecord } from "../record.ts";

/** The version of the cards that are written, and the only one that is read. */
export const CARD_VERSION = 1;

/** The key of the version. */
const VERSION_KEY = "card_version";

/** A value of a card as a text of the metadata. */
interface Entry<T> {
  key: string;
  write(value: T): string;
  /** @throws {Error} that says what is needed */
  read(text: string): T;
}

/** Every value of a card; the compiler holds the list against the interface. */
const ENTRIES: { readonly [Name in keyof Required<ModelCard>]: Entry<Required<ModelCard>[Name]> } =
  {
    task: _word("task", TASKS),
    plane: _word("plane", PLANES),
    network: _word("network", NETWORK_NAMES),
    intensity: _word("intensity", INTENSITIES),
    landmarks: _json("landmarks", parseLandmarks),
    recipe: _word("recipe", RECIPE_NAMES),
    lossWeights: _word("loss_weights", LOSS_WEIGHTS),
    operatingPoint: _json("operating_point", _operatingPoint),
    recalibration: {
      ..._json("recalibration", parseRecalibration),
      write: (value) => JSON.stringify(recalibrationJson(value)),
    },
    tune: _json("tune", _tuneSplit),
    trainedExams: { key: "trained_exams", write: encodeHashes, read: decodeHashes },
    earlierExams: { key: "earlier_exams", write: encodeKnownExams, read: decodeKnownExams },
    chosenExams: { key: "chosen_exams", write: encodeHashes, read: decodeHashes },
    about: {
      key: "about",
      write: (text) => JSON.stringify(cardTextJson(text)),
      read: (text) => parseCardText(JSON.parse(text)),
    },
    toolkit: _text("toolkit", FORMS.toolkit),
    created: _text("created", FORMS.created),
    trainingSet: _json("training_set", parseExamSet),
    selectionSet: _json("selection_set", parseExamSet),
    epochRule: _word("epoch_rule", EPOCH_RULES),
    engine: _text("engine", { form: /^\P{C}{1,1000}$/u, needed: "a text of one line" }),
    prefix: { key: "prefix", write: String, read: String },
    epoch: _number(
      "epoch",
      "a whole number of at least 1",
      (value) => Number.isSafeInteger(value) && value >= 1,
    ),
    trainAuc: _auc("train_auc"),
    trainLoss: _loss("train_loss"),
    valAuc: _auc("val_auc"),
    valLoss: _loss("val_loss"),
    config: _json("config", (value) => value),
  };

const NAMES = Object.keys(ENTRIES) as (keyof ModelCard)[];
const OPTION_NAMES = Object.fromEntries(NAMES.map((name) => [name, true as const]));

/**
 * The metadata that {@linkcode readCard} reads back.
 *
 * @throws {OptionError} if the card has a key that no card has, or a value that its key does not allow
 */
export function cardMetadata(card: Partial<ModelCard>): Record<string, string> {
  checkOptionNames("save a model", card, OPTION_NAMES);
  const metadata: Record<string, string> = { [VERSION_KEY]: String(CARD_VERSION) };
  for (const name of NAMES) {
    const value = card[name];
    if (value === undefined) continue;
    const { key, write, read } = ENTRIES[name] as Entry<unknown>;
    try {
      metadata[key] = write(value);
      read(metadata[key]);
    } catch (error) {
      const found = shortened(JSON.stringify(value) ?? String(value), 60);
      const needed = messageOf(error);
      throw new OptionError(`Cannot save a model with the ${name} ${found}: ${needed}`);
    }
  }
  return metadata;
}

/**
 * Reads the card from a file's metadata. Keys that it does not know are passed over.
 *
 * @param path the file, for messages
 * @throws {WeightsError} if the card is of a later version, or a value is not what its key promises
 */
export function readCard(metadata: Readonly<Record<string, string>>, path: string): ModelCard {
  const refusal = (key: string, hint: string) =>
    new WeightsError(
      `Cannot use the model '${path}': its ${key} is '${shortened(metadata[key], 60)}': ${hint}`,
    );
  const version = metadata[VERSION_KEY];
  if (version !== undefined && version !== String(CARD_VERSION)) {
    const hint = `this version of the toolkit reads ${CARD_VERSION}: use the one that wrote it`;
    throw refusal(VERSION_KEY, hint);
  }
  const card: Record<string, unknown> = {};
  for (const name of NAMES) {
    const { key, read } = ENTRIES[name];
    if (metadata[key] === undefined) continue;
    try {
      card[name] = read(metadata[key]);
    } catch (error) {
      // JSON.parse quotes the text in its message.
      throw refusal(key, shortened(messageOf(error), 200));
    }
  }
  if (card.intensity === "landmarks" && card.landmarks === undefined) {
    throw refusal("intensity", "its landmarks are missing");
  }
  return { intensity: "raw", ...card };
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
  const isSaid = metadata.intensity !== undefined;
  if (!isSaid && intensity !== "landmarks") return { ...card, intensity };
  const found = isSaid ? `by its file it is ${card.intensity}` : "its file has no landmarks";
  throw new OptionError(
    `Cannot use the model '${path}' with intensity ${intensity}: ${found}: leave the intensity out`,
  );
}

function _word<const T extends string>(key: string, words: readonly T[]): Entry<T> {
  return {
    key,
    write: String,
    read(text) {
      if (words.includes(text as T)) return text as T;
      throw new RangeError(`one of ${words.join(", ")} is needed`);
    },
  };
}

function _text(
  key: string,
  { form, needed }: { form: RegExp; needed: string },
): Entry<string> {
  return {
    key,
    write: String,
    read(text) {
      if (form.test(text)) return text;
      throw new RangeError(`${needed} is needed`);
    },
  };
}

function _number(key: string, needed: string, isAllowed: (value: number) => boolean) {
  return {
    key,
    write: String,
    read(text: string) {
      const value = Number(text);
      if (text.trim() !== "" && isAllowed(value)) return value;
      throw new RangeError(`${needed} is needed`);
    },
  };
}

function _auc(key: string): Entry<number> {
  const needed = "a number in 0–1, or NaN where all exams are of one class,";
  return _number(key, needed, (value) => Number.isNaN(value) || value >= 0 && value <= 1);
}

function _loss(key: string): Entry<number> {
  return _number(key, "a number of at least 0", (value) => value >= 0);
}

function _json<T extends object>(
  key: string,
  check: (value: Record<string, unknown>) => T,
): Entry<T> {
  return {
    key,
    write: (value) => JSON.stringify(value),
    read(text) {
      const value = JSON.parse(text);
      if (isRecord(value)) return check(value);
      throw new RangeError("a JSON object is needed");
    },
  };
}

function _operatingPoint({ threshold, rule, exams }: Record<string, unknown>): OperatingPoint {
  if (!(typeof threshold === "number" && threshold >= 0 && threshold <= 1)) {
    throw new RangeError("a threshold in 0–1 is needed");
  }
  const known = typeof rule === "string" ? parseOperatingRule(rule) : undefined;
  if (known === undefined) throw new RangeError(`the rule must be ${OPERATING_RULES}`);
  if (!CHOSEN_ON.includes(exams as ChosenOn)) {
    throw new RangeError(`the exams must be one of ${CHOSEN_ON.join(", ")}`);
  }
  return { threshold, rule: known, exams: exams as ChosenOn };
}

function _tuneSplit({ fraction, seed }: Record<string, unknown>): TuneSplit {
  if (typeof fraction !== "number" || typeof seed !== "number") {
    throw new RangeError("a fraction and a seed that are numbers are needed");
  }
  checkTuneSplit({ fraction, seed });
  return { fraction, seed };
}
