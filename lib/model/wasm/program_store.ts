/** The programs that were written for exams of one height and width. */
import type { Threads } from "../../engine/wasm/threads.ts";
import { Arena } from "./arena.ts";

/**
 * What kept programs may take, in bytes. A step on 24 slices takes 0.04 MB a thread in AlexNet and 0.5 MB in
 * ResNet-18; the exams of a dataset have some 45 numbers of slices.
 */
const MAX_BYTES = 16 * 1024 * 1024;

/** Keeps the programs behind an exam's memory: to write one anew takes longer than a small kernel. */
export class ProgramStore {
  readonly #start: number;
  readonly #written = new Map<string, number[]>();
  #end: number;

  /** @param start the first byte behind the exam's memory */
  constructor(start: number) {
    this.#start = start;
    this.#end = start;
  }

  /** The first byte behind the programs. */
  get end(): number {
    return this.#end;
  }

  /**
   * The addresses of a program, one a thread. It is written if it was not, and all others are given up if
   * they have become too many.
   *
   * @param key what the program depends on beside the exam's memory
   * @param words the program of a thread
   * @throws {EngineError} if there is not so much memory
   */
  take(key: string, threads: Threads, words: (thread: number) => Int32Array): number[] {
    const kept = this.#written.get(key);
    if (kept !== undefined) return kept;
    if (this.#end - this.#start > MAX_BYTES) {
      this.#written.clear();
      this.#end = this.#start;
    }
    const arena = new Arena(this.#end);
    const programs = Array.from({ length: threads.count }, (_, thread) => {
      const program = words(thread);
      return { at: arena.take(program.byteLength), program };
    });
    threads.reserve(arena.end);
    for (const { at, program } of programs) {
      new Int32Array(threads.buffer, at, program.length).set(program);
    }
    const addresses = programs.map(({ at }) => at);
    this.#written.set(key, addresses);
    this.#end = arena.end;
    return addresses;
  }
}
