/** The exams that a run trains and chooses its model on, as the model's file describes them. */
import type { Dataset } from "../data/dataset.ts";
import { type ExamHash, hashExam } from "../data/exam_hash.ts";
import { countNames, describeLabels, type ExamSet } from "../data/exam_set.ts";
import { DataError } from "../errors.ts";

/** What a model's file says of exams. */
export interface DescribedExams {
  /** A hash of each exam, in the order of the label file. */
  hashes: ExamHash[];
  /** The exams in numbers. */
  set: ExamSet;
}

/** Hashes each exam of a dataset when it is first read. */
export class HashedExams {
  readonly #dataset: Dataset;
  readonly #hashes = new Map<number, Promise<ExamHash>>();
  /** The slices and the size of each exam that was read. */
  readonly #shapes = new Map<number, { slices: number; size: string }>();

  constructor(dataset: Dataset) {
    this.#dataset = dataset;
  }

  /** The same dataset; exams that are read through it are hashed. */
  get dataset(): Dataset {
    return { ...this.#dataset, read: (index) => this.#read(index) };
  }

  /**
   * The exams as they are known. A run that was resumed in the middle of an epoch may not have read all
   * of them: they are read now.
   *
   * @param leftOut the names of exams that were left out
   */
  async describe(leftOut: ReadonlySet<string>): Promise<DescribedExams> {
    const hashes: ExamHash[] = [];
    const shapes: { slices: number; size: string }[] = [];
    for (const [index, { id }] of this.#dataset.labels.entries()) {
      if (leftOut.has(id)) continue;
      try {
        if (!this.#hashes.has(index)) await this.#read(index);
        hashes.push(await this.#hashes.get(index)!);
        shapes.push(this.#shapes.get(index)!);
      } catch (error) {
        // The exam can no longer be read, so its hash would never be compared.
        if (!(error instanceof DataError)) throw error;
      }
    }
    const set = await describeLabels(this.#dataset.labels);
    if (shapes.length > 0) {
      const slices = shapes.map(({ slices }) => slices).sort((a, b) => a - b);
      set.slices = [slices[0], slices.at(-1)!];
      set.sizes = countNames(shapes.map(({ size }) => size));
    }
    return { hashes, set };
  }

  async #read(index: number) {
    const exam = await this.#dataset.read(index);
    if (!this.#hashes.has(index)) {
      this.#hashes.set(index, hashExam(exam));
      this.#shapes.set(index, { slices: exam.slices, size: `${exam.height}×${exam.width}` });
    }
    return exam;
  }
}

/** The hash of each exam of a dataset that can be read. */
export async function hashesOf(dataset: Dataset): Promise<ExamHash[]> {
  return (await new HashedExams(dataset).describe(new Set())).hashes;
}
