/**
 * What WebAssembly can do in this runtime, and what the WebAssembly engine makes of it.
 *
 * | what is missing | what is done without it |
 * | --- | --- |
 * | relaxed SIMD | the same kernels, multiplying and adding in two instructions |
 * | shared memory, workers or several memories | the same kernels on one thread, the same bits as one thread elsewhere |
 * | SIMD | TensorFlow.js's kernels with this toolkit's gradients, many times slower |
 */

/** What this runtime has. */
export interface Capabilities {
  /** Vectors of four floats. */
  simd: boolean;
  /** Multiply-add in one instruction. */
  relaxedSimd: boolean;
  /** Memory that several threads see. */
  sharedMemory: boolean;
  /** A second memory beside the one that several threads see, for a thread's own numbers. */
  multiMemory: boolean;
  /** Threads beside the caller's. */
  workers: boolean;
}

/** `\0asm`, version 1. */
const MAGIC = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

/** A module of one function, which has a vector for its local variable and drops what it computes. */
function _functionOf(...body: number[]): Uint8Array<ArrayBuffer> {
  const code = [1, 1, 0x7b, ...body, 0x1a, 0x0b];
  const head = [...MAGIC, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0];
  return Uint8Array.from([...head, 10, code.length + 2, 1, code.length, ...code]);
}

const LOCAL = [0x20, 0];
/** `f32x4.add`. */
const SIMD = _functionOf(...LOCAL, ...LOCAL, 0xfd, 0xe4, 0x01);
/** `f32x4.relaxed_madd`. */
const RELAXED_SIMD = _functionOf(...LOCAL, ...LOCAL, ...LOCAL, 0xfd, 0x85, 0x02);
/** A memory that is shared. */
const SHARED_MEMORY = Uint8Array.from([...MAGIC, 5, 4, 1, 3, 1, 1]);

/** Two memories. */
const MULTI_MEMORY = Uint8Array.from([...MAGIC, 5, 5, 2, 0, 1, 0, 1]);

/** Looks at what this runtime has; takes microseconds. */
export function findCapabilities(): Capabilities {
  return {
    simd: WebAssembly.validate(SIMD),
    relaxedSimd: WebAssembly.validate(RELAXED_SIMD),
    // A web page may have the instructions and be denied the memory.
    sharedMemory: typeof SharedArrayBuffer === "function" && WebAssembly.validate(SHARED_MEMORY),
    multiMemory: WebAssembly.validate(MULTI_MEMORY),
    workers: typeof Worker === "function",
  };
}

/** More have nothing to do: slices are shared out, and an exam has 17 to 61. */
export const MAX_THREADS = 64;

/** Whether the kernels' memory is one that several threads see; one thread needs no second memory. */
export function sharesMemory(
  { sharedMemory, multiMemory }: Pick<Capabilities, "sharedMemory" | "multiMemory">,
): boolean {
  return sharedMemory && multiMemory;
}

/** How many of the threads that were asked for are used. */
export function threadsToUse(wanted: number, has: Capabilities): number {
  return has.simd && sharesMemory(has) && has.workers ? wanted : 1;
}

/** The processor as the line about the engine names it: threads, and what is missing. */
export function describeProcessor(wanted: number, has: Capabilities): string {
  const threads = threadsToUse(wanted, has);
  const missing: string[] = [];
  if (!has.simd) missing.push("no SIMD here, so TensorFlow.js's kernels");
  else {
    if (wanted > 1 && !has.sharedMemory) missing.push("no shared memory here");
    if (wanted > 1 && !has.multiMemory) missing.push("no second memory here");
    if (wanted > 1 && !has.workers) missing.push("no workers here");
    if (!has.relaxedSimd) missing.push("no relaxed SIMD here");
  }
  const count = threads === 1 ? "one thread" : `${threads} threads`;
  return ["the processor", count, ...missing].join(", ");
}
