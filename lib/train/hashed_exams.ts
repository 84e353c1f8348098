/** The hashes of the exams that a run trains and chooses its model on, for the model's file. */
import type { Dataset } from "../data/dataset.ts";
import { type ExamHash, hashExam } from "../data/exam_hash.ts";
import { DataError } from "../errors.ts";

/** Hashes each exam of a dataset when it is first read. */
export class HashedExams {
  readonly #dataset: Dataset;
  readonly #hashes = new Map<number, Promise<ExamHash>>();

  constructor(dataset: Dataset) {
    this.#dataset = dataset;
  }

  /** The same dataset; exams that are read through it are hashed. */
  get dataset(): Dataset {
    return { ...this.#dataset, read: (index) => this.#read(index) };
  }

  /**
   * The hashes in the order of the label file. A run that was resumed in the middle of an epoch may not
   * have read all exams: they are read now.
   *
   * @param leftOut the names of exams that were left out
   */
  async hashes(leftOut: ReadonlySet<string>): Promise<ExamHash[]> {
    const hashes: ExamHash[] = [];
    for (const [index, { id }] of this.#dataset.labels.entries()) {
      if (leftOut.has(id)) continue;
      try {
        if (!this.#hashes.has(index)) await this.#read(index);
        hashes.push(await this.#hashes.get(index)!);
      } catch (error) {
        // The exam can no longer be read, so its hash would never be compared.
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
