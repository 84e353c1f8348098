/**
 * Named weights in memory, in PyTorch's names and layouts: the form that every reader of a file
 * gives and every writer takes.
 */
import { WeightsError } from "../../errors.ts";

/** A tensor of weights, row-major; filters are `[out, in, height, width]` as in PyTorch. */
export interface NamedTensor {
  /** Its sizes, outermost first; empty for a single number. */
  shape: number[];
  /** Its values; as many as the sizes multiply to. */
  data: Float32Array;
}

/** Tensors by name, in the order of the network. */
export type StateDict = Map<string, NamedTensor>;

/** What a file of weights held. */
export interface Weights {
  /** Its floating-point tensors, as float32. */
  tensors: StateDict;
  /** What the file says about itself; empty for files of PyTorch. */
  metadata: Record<string, string>;
  /** Tensors that were wanted but are not floating point: name to type, such as `I64`. */
  skipped: Map<string, string>;
}

/** How a file of weights is read. */
export interface ReadOptions {
  /**
   * Which tensors are taken into memory, by name, shape and stored type, such as `F16`. The others
   * cost nothing, however large they are.
   *
   * @default every tensor
   */
  want?: (name: string, shape: readonly number[], type: string) => boolean;
}

/** The error for a file of weights: one line that says what was found and what to do. */
export function weightsError(name: string, found: string, hint: string): WeightsError {
  return new WeightsError(`Cannot read weights '${name}': ${found}: ${hint}`);
}

/**
 * How many values a shape holds, or `undefined` if it is no shape: a size that is negative or
 * not whole, or a product beyond 2^53.
 */
export function elementCount(shape: readonly unknown[]): number | undefined {
  let count = 1;
  for (const size of shape) {
    if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) return undefined;
    count *= size;
  }
  // A zero anywhere empties the tensor, but the sizes before it may not overflow on the way there.
  return Number.isSafeInteger(count) ? count : undefined;
}
