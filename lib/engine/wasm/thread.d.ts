/** The words at the start of the control block. */
export const CONTROL: {
  readonly failed: 0;
  readonly arrived: 1;
  readonly phase: 2;
  readonly calls: 16;
};
/** How many words the control block has. */
export const CONTROL_WORDS: number;
/** Codes of a program's instructions that are no kernel. */
export const INSTRUCTION: {
  readonly end: 0;
  readonly barrier: 1;
  readonly skipUnless: 2;
  readonly repeatIf: 3;
  readonly callOf: 4;
};
/** The code of the first kernel; the others follow. */
export const FIRST_KERNEL: number;

/** What one thread computes with. */
export interface Thread {
  /** Shared with the other threads. */
  memory: WebAssembly.Memory;
  /** The kernels, in the order of their codes. */
  kernels: ((...args: number[]) => void)[];
  /** Byte address of the control block. */
  control: number;
  /** How many threads run the program together. */
  threads: number;
  /** How long a barrier waits while no thread ends a call, in milliseconds. */
  patience: number;
}

/** Instantiates the kernels on a memory. */
export function instantiate(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
): ((...args: number[]) => void)[];

/** The kernels' names, in the order of their codes. */
export function kernelNames(module: WebAssembly.Module): string[];

/**
 * Runs a program to its end. Where it fails, the other threads are told.
 *
 * @param program its byte address
 */
export function execute(thread: Thread, program: number): void;
