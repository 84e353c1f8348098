/** Programs for the kernels' threads: lists of calls, made once and run often. */
import { KERNEL_PARAMETERS } from "./kernel_parameters.ts";
import { FIRST_KERNEL, INSTRUCTION } from "./thread.js";

/** Kernels with the names of their parameters, in the order in which they are passed. */
export type KernelTable = Readonly<Record<string, readonly string[]>>;

/** An address or a size for each of a kernel's parameters. */
export type KernelArguments<Table extends KernelTable, Name extends keyof Table> = Readonly<
  Record<Table[Name][number], number>
>;

/** Which of several things a call is of. */
export interface Choice<Parameter extends string> {
  /** Byte address of the word that says which. */
  which: number;
  /** From one to the next. */
  bytes: number;
  /** The parameters that are addresses in it. */
  moved: readonly Parameter[];
}

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
    const parameters: readonly Table[Name][number][] = this.#kernels[name];
    this.#words.push(this.#code(name), parameters.length);
    for (const parameter of parameters) this.#words.push(args[parameter]);
  }

  /**
   * The same of one of several things that lie at equal distances; which one, a word says when it is run.
   *
   * @param args what they are of the first
   */
  callOf<Name extends string & keyof Table>(
    name: Name,
    { which, bytes, moved }: Choice<Table[Name][number]>,
    args: KernelArguments<Table, Name>,
  ): void {
    const parameters: readonly Table[Name][number][] = this.#kernels[name];
    const mask = parameters.reduce(
      (mask, parameter, index) => mask | Number(moved.includes(parameter)) << index,
      0,
    );
    const words = [this.#code(name), which, bytes, mask];
    this.#words.push(INSTRUCTION.callOf, words.length + parameters.length, ...words);
    for (const parameter of parameters) this.#words.push(args[parameter]);
  }

  #code(name: string & keyof Table): number {
    const code = this.#codes.get(name);
    if (code === undefined) throw new Error(`There is no kernel '${name}'`);
    return code;
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

  /** What `body` adds is run, and run again as long as the word at this byte address is not 0 then. */
  repeatIf(address: number, body: () => void): void {
    const start = this.#words.length;
    body();
    const words = 4;
    this.#words.push(INSTRUCTION.repeatIf, 2, address, this.#words.length + words - start);
  }

  /** The program as words. */
  words(): Int32Array {
    return Int32Array.from([...this.#words, INSTRUCTION.end]);
  }
}
