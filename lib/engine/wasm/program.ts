/**
 * Programs for the kernels' threads: lists of calls, made once and run often.
 *
 * @module
 */
import { FIRST_KERNEL, INSTRUCTION } from "./thread.js";

/** One thread's list of calls, as the words that {@linkcode Threads.run} takes. */
export class Program {
  readonly #codes: ReadonlyMap<string, number>;
  readonly #words: number[] = [];

  /** @param names the kernels, in the order of their codes */
  constructor(names: readonly string[]) {
    this.#codes = new Map(names.map((name, index) => [name, FIRST_KERNEL + index]));
  }

  /** Calls a kernel with addresses and sizes. */
  call(name: string, ...args: number[]): void {
    const code = this.#codes.get(name);
    if (code === undefined) throw new Error(`There is no kernel '${name}'`);
    this.#words.push(code, args.length, ...args);
  }

  /** Waits for all threads. */
  barrier(): void {
    this.#words.push(INSTRUCTION.barrier, 0);
  }

  /** What `body` adds is run only where the word at this byte address has this value then. */
  onlyIf(address: number, value: number, body: () => void): void {
    const at = this.#words.push(INSTRUCTION.skipUnless, 3, address, value, 0);
    body();
    this.#words[at - 1] = this.#words.length - at;
  }

  /** The program as words. */
  words(): Int32Array {
    return Int32Array.from([...this.#words, INSTRUCTION.end]);
  }
}
