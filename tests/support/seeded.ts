/**
 * Weights, exams and sketches from seeds: what tools/reference_mrnet.py makes of the same seeds, bit
 * for bit. So the reference numbers need no inputs beside them.
 */
import type { Exam, ExamSize } from "../../lib/data/exam.ts";
import { mrnetTensors } from "../../lib/model/names.ts";
import type { StateDict } from "../../lib/model/weights/tensors.ts";
import { ALEXNET } from "../../lib/network/alexnet.ts";
import type { Network } from "../../lib/network/network.ts";
import { createRandom } from "../../lib/random.ts";

/** Bounds of what a batch normalisation holds; its bias and running mean have `others`. */
const NORMALISATION: Record<string, readonly [low: number, high: number]> = {
  weight: [0.5, 1.5],
  running_var: [0.5, 2],
  others: [-0.5, 0.5],
};

/**
 * Weights for MRNet from one stream: of filters, their biases and the linear layer uniform in
 * ±1/√fan_in, of batch normalisations as {@linkcode NORMALISATION} says.
 */
export function seededState(seed: number, network: Network = ALEXNET): StateDict {
  const random = createRandom(seed);
  const state: StateDict = new Map();
  let [layer, fanIn] = ["", 0];
  for (const { name, shape } of mrnetTensors(network)) {
    const length = product(shape);
    const dot = name.lastIndexOf(".");
    if (shape.length > 1) [layer, fanIn] = [name.slice(0, dot), length / shape[0]];
    const bound = 1 / Math.sqrt(fanIn);
    const [low, high] = layer === name.slice(0, dot)
      ? [-bound, bound]
      : NORMALISATION[name.slice(dot + 1)] ?? NORMALISATION.others;
    const data = Float32Array.from({ length }, () => random.uniform(low, high));
    state.set(name, { shape: [...shape], data });
  }
  return state;
}

/** An exam of ten round blobs, which shift a little from slice to slice, and noise. */
export function seededExam(seed: number, { slices, height, width }: ExamSize): Exam {
  const random = createRandom(seed);
  const largest = Math.floor(Math.min(height, width) / 3);
  const blobs = Array.from({ length: 10 }, () => ({
    row: random.integer(height),
    column: random.integer(width),
    radius: 4 + random.integer(largest),
    brightness: 20 + random.integer(120),
  }));
  const voxels = new Uint8Array(slices * height * width);
  for (let slice = 0; slice < slices; slice++) {
    const image = new Uint32Array(height * width);
    for (const { row, column, radius, brightness } of blobs) {
      const top = row + random.integer(9) - 4;
      const left = column + random.integer(9) - 4;
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const inside = radius ** 2 - (y - top) ** 2 - (x - left) ** 2;
          if (inside > 0) image[y * width + x] += Math.floor(inside * brightness / radius ** 2);
        }
      }
    }
    const bright = image.map((value) => Math.min(value + random.integer(16), 255));
    voxels.set(bright, slice * height * width);
  }
  return { id: String(seed), slices, height, width, voxels };
}

/** What is kept of a tensor; `sketch` in tools/make_golden.py says why it suffices. */
export interface Sketch {
  /** The L2 norm. */
  norm: number;
  /** A few values at random positions. */
  samples: number[];
  /** The sum of each bucket. */
  sketch: number[];
}

/** How tensors are sketched. */
export interface SketchOptions {
  /** Seed of the first parameter; each further one's is 1 higher. */
  seed: number;
  buckets: number;
  /** How many single values are kept. */
  samples: number;
}

/**
 * The sketch of the values of one parameter.
 *
 * @param data in PyTorch's layout
 * @param index the parameter's index among those of its network
 */
export function sketch(
  data: Float32Array,
  index: number,
  { seed, buckets, samples: count }: SketchOptions,
): Sketch {
  const random = createRandom(seed + index);
  const samples = Array.from({ length: count }, () => data[random.integer(data.length)]);
  const sums = new Array<number>(Math.min(buckets, data.length)).fill(0);
  const hashed = data.length > buckets;
  let squares = 0;
  for (let i = 0; i < data.length; i++) {
    const word = random.bits();
    const value = (word >>> 6) & 1 ? -data[i] : data[i];
    sums[hashed ? word & (buckets - 1) : i] += value;
    squares += value * value;
  }
  return { norm: Math.sqrt(squares), samples, sketch: sums };
}

/** The product of all sizes. */
export function product(sizes: readonly number[]): number {
  return sizes.reduce((all, size) => all * size, 1);
}
