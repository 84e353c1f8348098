/**
 * The WebAssembly kernels one by one, on a memory of their own.
 */
import assert from "node:assert/strict";
import { findCapabilities } from "../../lib/engine/wasm/capabilities.ts";
import { KERNEL_PARAMETERS } from "../../lib/engine/wasm/kernel_parameters.ts";
import { loadKernels } from "../../lib/engine/wasm/kernels.js";
import { instantiate, kernelNames } from "../../lib/engine/wasm/thread.js";
import { createRandom } from "../../lib/random.ts";

const kernels = await loadKernels(findCapabilities());
const memory = new WebAssembly.Memory({ initial: 256, maximum: 65536, shared: true });
const names = kernelNames(kernels);
const functions = instantiate(kernels, memory);
let next = 65536;

/** Numbers in the kernels' memory. */
export interface Block<T extends Float32Array | Int32Array | Uint8Array> {
  /** Byte address. */
  at: number;
  /** The numbers themselves. */
  view: T;
}

function allocate(bytes: number): number {
  const at = next;
  // Between two blocks there is a gap that no kernel may touch.
  next = Math.ceil((at + bytes + 64) / 64) * 64;
  assert.ok(next <= memory.buffer.byteLength, "the tests' memory is full");
  return at;
}

/** Frees all blocks. */
export function freeAll(): void {
  new Uint8Array(memory.buffer).fill(0, 65536, next);
  next = 65536;
}

/** Puts floats into memory, or makes room for a number of them. */
export function floats(values: number | ArrayLike<number>): Block<Float32Array> {
  const length = typeof values === "number" ? values : values.length;
  const at = allocate(4 * length);
  const view = new Float32Array(memory.buffer, at, length);
  if (typeof values !== "number") view.set(values);
  return { at, view };
}

/** The same for whole numbers. */
export function ints(values: number | ArrayLike<number>): Block<Int32Array> {
  const length = typeof values === "number" ? values : values.length;
  const at = allocate(4 * length);
  const view = new Int32Array(memory.buffer, at, length);
  if (typeof values !== "number") view.set(values);
  return { at, view };
}

/** The same for bytes. */
export function bytes(values: number | ArrayLike<number>): Block<Uint8Array> {
  const length = typeof values === "number" ? values : values.length;
  const at = allocate(length);
  const view = new Uint8Array(memory.buffer, at, length);
  if (typeof values !== "number") view.set(values);
  return { at, view };
}

/** Calls a kernel with its arguments in the order of its parameters. */
export function callKernel(name: keyof typeof KERNEL_PARAMETERS, ...args: number[]): void {
  assert.equal(args.length, KERNEL_PARAMETERS[name].length, `${name} has other parameters`);
  functions[names.indexOf(name)](...args);
}

/** Random numbers in -1 to 1; with `levels`, so few different ones that many are equal. */
export function noise(count: number, seed: number, levels?: number): Float32Array {
  const random = createRandom(seed, "kernels");
  return Float32Array.from({ length: count }, () => {
    const value = random.uniform(-1, 1);
    return levels === undefined ? value : Math.round(value * levels) / levels;
  });
}

/** Asserts that two runs of numbers are equal, but for a share of the largest of them. */
export function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  share = 1e-6,
): void {
  assert.equal(actual.length, expected.length);
  let scale = 0;
  for (let i = 0; i < expected.length; i++) scale = Math.max(scale, Math.abs(expected[i]));
  for (let i = 0; i < expected.length; i++) {
    const off = Math.abs(actual[i] - expected[i]);
    assert.ok(off <= share * scale, `at ${i}: ${actual[i]} instead of ${expected[i]}`);
  }
}

/** A test that leaves no block behind. */
export function kernelTest(name: string, body: () => void): void {
  Deno.test(name, () => {
    try {
      body();
    } finally {
      freeAll();
    }
  });
}

/** Filters `[out][length]` to panels `[out / 8][length][8]`. */
export function panelsOf(filters: Float32Array, length: number): Float32Array {
  const panels = new Float32Array(filters.length);
  for (let i = 0; i < filters.length; i++) {
    const [output, k] = [Math.floor(i / length), i % length];
    panels[(Math.floor(output / 8) * length + k) * 8 + output % 8] = filters[i];
  }
  return panels;
}
