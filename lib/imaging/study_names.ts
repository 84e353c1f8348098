/**
 * What the studies of a folder are called, and which labels a table gives them.
 */
import { createHash } from "node:crypto";
import { isExamId } from "../data/labels.ts";
import { commonFolders, type FoundSeries } from "./found.ts";
import type { ExamLabels } from "./label_table.ts";

/** A study and its name among exams. */
export interface NamedStudy {
  readonly id: string;
  readonly series: readonly FoundSeries[];
}

/** The labels of studies. */
export interface StudyLabels {
  /** By the names of their exams. */
  given: Map<string, ExamLabels>;
  /** What the table calls them, by the names of their exams. */
  keys: Map<string, string>;
  /** What else the table names. */
  unknown: string[];
}

/**
 * Finds the labels of studies: in a table that names their exams, their identifiers or a folder that they
 * lie in, and in what a data set brings along.
 */
export function labelsOfStudies(
  studies: readonly NamedStudy[],
  labels: ReadonlyMap<string, ExamLabels> = new Map(),
): StudyLabels {
  const given = new Map<string, ExamLabels>();
  const keys = new Map<string, string>();
  for (const { id, series } of studies) {
    const names = [id, series[0].facts.study, ...commonFolders(series)];
    const key = names.find((each) => labels.has(each));
    if (key !== undefined) keys.set(id, key);
    const own = Object.assign({}, ...series.map((each) => each.labels ?? {}));
    const known: ExamLabels = { ...own, ...key === undefined ? {} : labels.get(key) };
    if (Object.keys(known).length > 0) given.set(id, known);
  }
  const used = new Set(keys.values());
  return { given, keys, unknown: [...labels.keys()].filter((key) => !used.has(key)) };
}

/** Gives each study a name that no other has, and the same as before if it was imported. */
export class StudyNames {
  readonly #byStudy = new Map<string, string>();
  readonly #taken = new Set<string>();
  #last = 0;

  /** @param known the names of before, by the hashes of their studies */
  constructor(known: readonly { id: string; study: string }[] = []) {
    for (const { id, study } of known) {
      this.#byStudy.set(study, id);
      this.#taken.add(id);
    }
  }

  /** The name of the study of a series. */
  of({ facts, name }: FoundSeries): string {
    const study = hashNames(facts.study);
    let id = this.#byStudy.get(study);
    if (id !== undefined) return id;
    const own = name !== undefined && /^\d+$/.test(name) ? name.padStart(4, "0") : name;
    if (own !== undefined && isExamId(own) && !this.#taken.has(own)) id = own;
    while (id === undefined || this.#taken.has(id)) id = String(++this.#last).padStart(4, "0");
    this.#byStudy.set(study, id);
    this.#taken.add(id);
    return id;
  }
}

/** The first 16 digits of a hash of names, which names nobody. */
export function hashNames(...names: string[]): string {
  return createHash("sha256").update(names.join("\0")).digest("hex").slice(0, 16);
}
