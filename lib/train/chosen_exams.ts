/**
 * Which exams a run chooses its model by, for the model's file.
 *
 * @module
 */
import type { Dataset } from "../data/dataset.ts";
import { type ExamHash, hashExam } from "../data/exam_hash.ts";
import { DataError } from "../errors.ts";

/** Takes the hash of each exam of a dataset when it is first read. */
export class ChosenExams {
  readonly #dataset: Dataset;
  readonly #hashes = new Map<number, Promise<ExamHash>>();

  constructor(dataset: Dataset) {
    this.#dataset = dataset;
  }

  /** The same exams, to be read through this. */
  get dataset(): Dataset {
    return { ...this.#dataset, read: (index) => this.#read(index) };
  }

  /**
   * The hashes in the order of the label file. A run that goes on in the middle of a validation has not
   * read its beginning: these exams are read now.
   *
   * @param leftOut the names of the exams that nothing was chosen by
   */
  async hashes(leftOut: ReadonlySet<string>): Promise<ExamHash[]> {
    const hashes: ExamHash[] = [];
    for (const [index, { id }] of this.#dataset.labels.entries()) {
      if (leftOut.has(id)) continue;
      try {
        if (!this.#hashes.has(index)) await this.#read(index);
        hashes.push(await this.#hashes.get(index)!);
      } catch (error) {
        // It can no longer be read, so nobody else will read it either.
        if (!(error instanceof DataError)) throw error;
      }
    }
    return hashes;
  }

  async #read(index: number) {
    const exam = await this.#dataset.read(index);
    if (!this.#hashes.has(index)) this.#hashes.set(index, hashExam(exam));
    return exam;
  }
}
