/**
 * Exams that are being sent to browsers: each is in memory once, however many clients look at it.
 */
import type { Exam } from "../../data/exam.ts";
import { Budget } from "../body.ts";
import { Problem } from "../problem.ts";

/** An exam with the number of those who use it. */
interface _Shared {
  exam: Promise<Exam>;
  users: number;
}

/** Exams in use, by key. */
export class SharedExams {
  readonly #exams = new Map<string, _Shared>();
  readonly #budget: Budget;
  /** Exams are read one after the other, so that each is counted before the next one takes memory. */
  #reading: Promise<unknown> = Promise.resolve();

  /** @param bytes how many bytes all of them may take together */
  constructor(bytes: number) {
    this.#budget = new Budget(bytes);
  }

  /**
   * Takes an exam, which is read if nobody has it yet.
   *
   * @returns the exam, and what is to be called once when it is needed no more
   * @throws {Problem} 503 if too many are in use
   * @throws what `read` throws
   */
  async take(key: string, read: () => Promise<Exam>): Promise<[Exam, () => void]> {
    let shared = this.#exams.get(key);
    if (shared === undefined) {
      shared = { exam: this.#read(read), users: 0 };
      this.#exams.set(key, shared);
    }
    const taken = shared;
    taken.users++;
    try {
      const exam = await taken.exam;
      return [exam, () => {
        if (this.#leave(key, taken)) this.#budget.give(exam.voxels.byteLength);
      }];
    } catch (error) {
      this.#leave(key, taken);
      throw error;
    }
  }

  /** One user fewer; whether that was the last. */
  #leave(key: string, shared: _Shared): boolean {
    if (--shared.users > 0) return false;
    this.#exams.delete(key);
    return true;
  }

  #read(read: () => Promise<Exam>): Promise<Exam> {
    const exam = this.#reading.then(async () => {
      const exam = await read();
      if (this.#budget.take(exam.voxels.byteLength)) return exam;
      throw new Problem(503, "Too many exams are on their way to others: try later", {
        "retry-after": "5",
      });
    });
    this.#reading = exam.catch(() => {});
    return exam;
  }
}
