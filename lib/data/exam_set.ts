/**
 * A set of exams as a model's card describes it: counts, sizes and hashes, but no names.
 */
import { sha256Of } from "../files.ts";
import { formatLabels, type LabelledId } from "./labels.ts";

/** Something that exams have, and how many have it. */
export interface NamedCount {
  /** What it is, such as `256×256`. */
  name: string;
  /** How many exams have it. */
  exams: number;
}

/** What a card says of a set of exams. */
export interface ExamSet {
  /** How many exams the label file names. */
  exams: number;
  /** How many of them have the finding. */
  positives: number;
  /** The SHA-256 of the ids in alphabetical order, a line each. */
  ids: string;
  /** The SHA-256 of the lines `id,label` in the order of the label file. */
  labels: string;
  /** The fewest and the most slices. */
  slices?: readonly [number, number];
  /** The heights and widths of slices in pixels, as in `256×256`. */
  sizes?: readonly NamedCount[];
  /** The sequences that imported exams were taken with, as in `SE TR 3000 TE 31`. */
  sequences?: readonly NamedCount[];
  /** The scanners that imported exams were taken with. */
  scanners?: readonly NamedCount[];
}

/** The lists of a set, which have an entry for each thing that exams have. */
const LISTS = ["sizes", "sequences", "scanners"] as const;

/** The most entries of a list; a card is small. */
const MAX_ENTRIES = 8;

/** The longest name of an entry, in characters. */
const MAX_NAME = 80;

/** The entry of all that have no entry of their own. */
const OTHERS = "others";

/** Counts and hashes of labelled exams. */
export async function describeLabels(labels: readonly LabelledId[]): Promise<ExamSet> {
  const hash = (text: string) => sha256Of(new TextEncoder().encode(text));
  const ids = labels.map(({ id }) => `${id}\n`).sort();
  return {
    exams: labels.length,
    positives: labels.filter(({ label }) => label === 1).length,
    ids: await hash(ids.join("")),
    labels: await hash(formatLabels(labels)),
  };
}

/**
 * How many exams have what, the most frequent first. Of more than eight the last is `others`.
 *
 * @param names what each exam has; empty ones are not known and do not count
 */
export function countNames(names: Iterable<string>): NamedCount[] {
  const counts = new Map<string, number>();
  for (const name of names) {
    const short = name.replace(/\p{C}/gu, " ").trim().slice(0, MAX_NAME);
    if (short !== "") counts.set(short, (counts.get(short) ?? 0) + 1);
  }
  const all = [...counts].map(([name, exams]) => ({ name, exams }))
    .sort((a, b) => b.exams - a.exams || (a.name < b.name ? -1 : 1));
  if (all.length <= MAX_ENTRIES) return all;
  const others = all.splice(MAX_ENTRIES - 1).reduce((sum, { exams }) => sum + exams, 0);
  return [...all, { name: OTHERS, exams: others }];
}

/** The share of exams that have the finding, in 0–1. */
export function prevalence({ exams, positives }: Pick<ExamSet, "exams" | "positives">): number {
  return positives / exams;
}

/**
 * Reads a set of exams from a JSON object, which is not trusted.
 *
 * @throws {RangeError} if it is none
 */
export function parseExamSet(value: Record<string, unknown>): ExamSet {
  const { exams, positives, ids, labels, slices } = value;
  if (!_isCount(exams) || !_isCount(positives, 0) || positives > exams) {
    throw new RangeError("numbers of exams and of positives among them are needed");
  }
  if (!_isHash(ids) || !_isHash(labels)) {
    throw new RangeError("hashes of ids and labels are needed, 64 hexadecimal digits each");
  }
  const set: ExamSet = { exams, positives, ids, labels };
  if (slices !== undefined) set.slices = _slices(slices);
  for (const list of LISTS) {
    if (value[list] !== undefined) set[list] = _counts(value[list], list);
  }
  return set;
}

function _slices(value: unknown): [number, number] {
  const [least, most, ...rest] = Array.isArray(value) ? value as unknown[] : [];
  if (_isCount(least) && _isCount(most) && least <= most && rest.length === 0) return [least, most];
  throw new RangeError("the fewest and the most slices are needed");
}

function _counts(value: unknown, list: string): NamedCount[] {
  const entries = Array.isArray(value) ? value as Partial<NamedCount>[] : [];
  const isSound = entries.length >= 1 && entries.length <= MAX_ENTRIES &&
    entries.every((entry) =>
      typeof entry?.name === "string" && entry.name !== "" && entry.name.length <= MAX_NAME &&
      !/\p{C}/u.test(entry.name) && _isCount(entry.exams)
    );
  if (!isSound) throw new RangeError(`the ${list} must be 1 to ${MAX_ENTRIES} names with counts`);
  return entries.map(({ name, exams }) => ({ name: name!, exams: exams! }));
}

function _isCount(value: unknown, least = 1): value is number {
  return Number.isSafeInteger(value) && (value as number) >= least;
}

function _isHash(value: unknown): value is string {
  return typeof value === "string" && /^[0-9a-f]{64}$/.test(value);
}
