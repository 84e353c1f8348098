/** Programs for the kernels' threads: lists of calls, made once and run often. */
import { KERNEL_PARAMETERS } from "./kernel_parameters.ts";
import { FIRST_KERNEL, INSTRUCTION } from "./thread.js";

/** Kernels with the names of their parameters, in the order in which they are passed. */
export type KernelTable = Readonly<Record<string, readonly string[]>>;

/** An address or a size for each of a kernel's parameters. */
export type KernelArguments<Table extends KernelTable, Name extends keyof Table> = Readonly<
  Record<Table[Name][number], number>
>;

/** One thread's list of calls, as the words that {@linkcode Threads.run} takes. */
export class Program<Table extends KernelTable = typeof KERNEL_PARAMETERS> {
  readonly #kernels: Table;
  readonly #codes: ReadonlyMap<string, number>;
  readonly #words: number[] = [];

  /** @param kernels all that the threads have, and no others */
  constructor(kernels: Table = KERNEL_PARAMETERS as KernelTable as Table) {
    this.#kernels = kernels;
    // As the threads number them.
    const names = Object.keys(kernels).sort();
    this.#codes = new Map(names.map((name, index) => [name, FIRST_KERNEL + index]));
  }

  /** Calls a kernel with addresses and sizes. */
  call<Name extends string & keyof Table>(name: Name, args: KernelArguments<Table, Name>): void {
    const code = this.#codes.get(name);
    if (code === undefined) throw new Error(`There is no kernel '${name}'`);
    const parameters: readonly Table[Name][number][] = this.#kernels[name];
    this.#words.push(code, parameters.length);
    for (const parameter of parameters) this.#words.push(args[parameter]);
  }

  /** Waits for all threads. */
  barrier(): void {
    this.#words.push(INSTRUCTION.barrier, 0);
  }

  /** What `body` adds is run only if the word at this byte address has this value then. */
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
