/**
 * Every reader of this toolkit that takes a file on trust from somebody else, with small valid files
 * to damage and a check of what it answers.
 */
import type { FuzzReader } from "./case.ts";
import { cardReaders } from "./card_readers.ts";
import { classifierReaders } from "./classifier_readers.ts";
import { dataReaders } from "./data_readers.ts";
import { imagingReaders } from "./imaging_readers.ts";
import { pacsReaders } from "./pacs_readers.ts";
import { planReaders } from "./plan_readers.ts";
import { resultReaders } from "./result_readers.ts";
import { runReaders } from "./run_readers.ts";
import { weightsReaders } from "./weights_readers.ts";

/** All readers, by name. */
export async function fuzzReaders(): Promise<Map<string, FuzzReader>> {
  const all = [
    ...dataReaders(),
    ...weightsReaders(),
    ...await runReaders(),
    ...resultReaders(),
    ...imagingReaders(),
    ...cardReaders(),
    ...classifierReaders(),
    ...planReaders(),
    ...pacsReaders(),
  ];
  return new Map(all.map((reader) => [reader.name, reader]));
}
