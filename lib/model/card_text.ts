/**
 * What people say of a model, beside what its file knows by itself: intended use, licence, authors. A
 * card file has it as JSON; a model's file, a combination and an ensemble keep it.
 */
import { DataError, messageOf } from "../errors.ts";
import { type FileAction, readBytes } from "../files.ts";
import { nearest } from "../nearest.ts";
import { listed, quoted } from "../quoted.ts";

/** What people say of a model. */
export interface CardText {
  /** What it is called. */
  name?: string;
  /** The version of the model, such as `1.2.0`. */
  version?: string;
  /** What it is, in a few sentences. */
  description?: string;
  /** What it is to be used for, and by whom. */
  intendedUse?: string;
  /** What it is not to be used for. */
  outOfScopeUse?: string;
  /** What is known to go wrong, and for whom it was not tried. */
  limitations?: string;
  /** The licence by its SPDX identifier, such as `MIT`, or by a name of its own. */
  license?: string;
  /** Where the text of the licence is. */
  licenseLink?: string;
  /** Who has the rights, such as `2026 Example Hospital`. */
  copyright?: string;
  /** Who made it. */
  authors?: readonly string[];
  /** Where to write to. */
  contact?: string;
  /** The datasets it was trained on, by name or by identifier on the Hugging Face Hub. */
  datasets?: readonly string[];
  /** Where the datasets can be had. */
  dataSource?: string;
  /** Publications. */
  references?: readonly string[];
}

/** What a text may be: one line, several, or a list of lines. */
type Kind = "line" | "text" | "list";

/** Every key of a card file, and what it holds; the compiler holds the list against the interface. */
const KEYS: { readonly [Name in keyof Required<CardText>]: readonly [key: string, kind: Kind] } = {
  name: ["name", "line"],
  version: ["version", "line"],
  description: ["description", "text"],
  intendedUse: ["intended_use", "text"],
  outOfScopeUse: ["out_of_scope_use", "text"],
  limitations: ["limitations", "text"],
  license: ["license", "line"],
  licenseLink: ["license_link", "line"],
  copyright: ["copyright", "line"],
  authors: ["authors", "list"],
  contact: ["contact", "line"],
  datasets: ["datasets", "list"],
  dataSource: ["data_source", "line"],
  references: ["references", "list"],
};

const ENTRIES = Object.entries(KEYS) as [keyof CardText, readonly [key: string, kind: Kind]][];

/** The longest line and the longest text, in characters, and the most entries of a list. */
const [MAX_LINE, MAX_TEXT, MAX_ENTRIES] = [300, 4000, 50];

/** The most characters of all together: the JSON of a combination and of an ensemble must stay small. */
const MAX_CHARACTERS = 12_000;

/** The largest card file, in bytes. */
export const MAX_CARD_BYTES = 64 * 1024;

const HINT = "see docs/reporting.md for the keys of a card";

/**
 * Reads a card file.
 *
 * @throws {DataError} if it is missing, is no JSON object, or has a key that no card has, or a value
 * that its key does not allow
 * @throws {PermissionError} if Deno may not read it
 */
export async function readCardFile(path: string): Promise<CardText> {
  const action: FileAction = {
    ...{ what: "read the card", path, access: "read", error: DataError },
    hint: "check that the card is there and can be read",
  };
  const bytes = await readBytes(action, {
    most: MAX_CARD_BYTES,
    hint: "a card is a few kilobytes",
  });
  return decodeCardFile(bytes, path);
}

/** The same from the bytes of a whole file. */
export function decodeCardFile(bytes: Uint8Array, path: string): CardText {
  const refuse = (found: string, hint: string) =>
    new DataError(`Cannot use the card '${path}': ${found}: ${hint}`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw refuse(`it is not JSON (${quoted(messageOf(error)).slice(1, -1)})`, HINT);
  }
  try {
    return parseCardText(value);
  } catch (error) {
    throw error instanceof RangeError ? refuse(error.message, HINT) : error;
  }
}

/**
 * Reads what people say of a model from JSON, which is not trusted.
 *
 * @throws {RangeError} if it has a key that no card has, or a value that its key does not allow
 */
export function parseCardText(value: unknown): CardText {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new RangeError("a JSON object is needed");
  }
  const text: Record<string, unknown> = {};
  for (const [key, own] of Object.entries(value)) {
    const entry = ENTRIES.find(([, [known]]) => known === key);
    if (entry === undefined) throw _unknown(key);
    const [name, [, kind]] = entry;
    text[name] = _read(key, kind, own);
  }
  const { length } = JSON.stringify(text);
  if (length <= MAX_CHARACTERS) return text;
  throw new RangeError(`its texts have ${length} characters in all, allowed are ${MAX_CHARACTERS}`);
}

/**
 * The JSON object that {@linkcode parseCardText} reads.
 *
 * @throws {RangeError} if there is something that no card has
 */
export function cardTextJson(text: CardText): Record<string, unknown> {
  const unknown = Object.keys(text).find((name) => !Object.hasOwn(KEYS, name));
  if (unknown !== undefined) throw _unknown(unknown);
  const values = ENTRIES.map(([name, [key]]) => [key, text[name]] as const);
  return Object.fromEntries(values.filter(([, value]) => value !== undefined));
}

function _unknown(key: string): RangeError {
  const all = ENTRIES.map(([, [known]]) => known);
  const meant = nearest(key, all);
  const hint = meant === undefined
    ? `known are ${listed(all, all.length)}`
    : `meant is '${meant}'?`;
  return new RangeError(`no card has the key ${quoted(key)} (${hint})`);
}

function _read(key: string, kind: Kind, value: unknown): string | string[] {
  switch (kind) {
    case "line":
      if (_isLine(value)) return value.trim();
      throw new RangeError(`its ${key} must be a text of one line, at most ${MAX_LINE} characters`);
    case "text":
      if (_isText(value)) return value.trim();
      throw new RangeError(`its ${key} must be a text, at most ${MAX_TEXT} characters`);
    case "list": {
      const isList = Array.isArray(value) && value.length >= 1 && value.length <= MAX_ENTRIES &&
        value.every(_isLine);
      if (isList) return value.map((line: string) => line.trim());
      throw new RangeError(
        `its ${key} must be a list of 1 to ${MAX_ENTRIES} texts of one line, ` +
          `at most ${MAX_LINE} characters each`,
      );
    }
    default:
      return kind satisfies never;
  }
}

function _isLine(value: unknown): value is string {
  return _isText(value) && value.length <= MAX_LINE && !value.trim().includes("\n");
}

/** Text that says something; line breaks are its only controls. */
function _isText(value: unknown): value is string {
  return typeof value === "string" && value.trim() !== "" && value.length <= MAX_TEXT &&
    !/[^\P{C}\n]/u.test(value);
}
