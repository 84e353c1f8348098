/**
 * Photometric augmentation: grey values of a whole exam changed at random, each change drawn once an
 * exam. Names are those of torchvision, MONAI and TorchIO.
 *
 * Each grey value `x` becomes a share of the exam's own range, `u = (x − least) / (largest − least)`. With
 * `clamp` to 0–1, the steps are, in this order:
 *
 * 1. brightness `b` and contrast `c`: `u ← clamp(b·(m + c·(u − m)))`, where `m` is the exam's mean
 *    (torchvision's `ColorJitter`);
 * 2. gamma: `u ← u^γ` (MONAI's `RandAdjustContrast`, TorchIO's `RandomGamma`);
 * 3. bias field: `u ← u·exp(Σ k·xⁱ·yʲ)` over `i + j ≤ 3`, where `x` and `y` are −1 to 1 from edge to edge
 *    of a slice (TorchIO's `RandomBiasField`; K. Van Leemput et al., IEEE Trans. Med. Imaging 18, 1999);
 * 4. noise: `u ← clamp(u + σ·n)`, where `n` is normal and another one in each voxel (MONAI's
 *    `RandGaussianNoise`).
 *
 * The grey value is then `least + u·(largest − least)`. All of it follows the rotation, the shift and the
 * flip, and comes before the model's own scale and offset.
 */
import { DataError } from "../errors.ts";
import type { Random } from "../random.ts";
import * as tf from "../tf.ts";
import type { Exam } from "./exam.ts";
import { type Affine, fitsSinglePrecision, rangeOf } from "./intensity.ts";

/** How far grey values are changed; 0 is not at all. */
export interface PhotometricRange {
  /**
   * The brightness is multiplied by a number uniform in 1 ± this, 0–1.
   * @default 0
   */
  brightness?: number;
  /**
   * The contrast is multiplied by a number uniform in 1 ± this, 0–1.
   * @default 0
   */
  contrast?: number;
  /**
   * The exponent is `exp` of a number uniform in ± this, 0–2.
   * @default 0
   */
  logGamma?: number;
  /**
   * The standard deviation of the noise is uniform from 0 to this, in shares of the exam's range, 0–1.
   * @default 0
   */
  noiseStd?: number;
  /**
   * Each coefficient of the bias field is uniform in ± this, 0–1.
   * @default 0
   */
  biasField?: number;
}

/** One change of the grey values, the same for every slice of an exam. */
export interface PhotometricChange {
  /** What the brightness is multiplied by. */
  brightness: number;
  /** What the contrast is multiplied by. */
  contrast: number;
  /** The exponent. */
  gamma: number;
  /** The standard deviation of the noise, in shares of the exam's range. */
  noiseStd: number;
  /** What the noise of each voxel follows from, 32 bits. */
  noiseSeed: number;
  /** The ten coefficients of the bias field, in the order of {@linkcode biasField}. */
  coefficients: readonly number[];
}

/** A change as the engines compute it on an exam. */
export interface PhotometricValues
  extends Pick<PhotometricChange, "gamma" | "noiseStd" | "noiseSeed" | "coefficients"> {
  /** From a grey value to a share of the range, brightness and contrast included. */
  before: Affine;
  /** From a share of the range to the network's input. */
  after: Affine;
}

/** The highest power in the bias field. */
const ORDER = 3;
/** How many coefficients it has. */
const COEFFICIENTS = (ORDER + 1) * (ORDER + 2) / 2;

/**
 * Draws one change. The draws are the same in number whatever the range, so one option does not change
 * what another draws.
 *
 * @param random the stream to draw from
 * @returns nothing if no grey value can change
 */
export function drawPhotometric(
  random: Random,
  { brightness = 0, contrast = 0, logGamma = 0, noiseStd = 0, biasField = 0 }: PhotometricRange,
): PhotometricChange | undefined {
  if (Math.max(brightness, contrast, logGamma, noiseStd, biasField) === 0) return undefined;
  return {
    brightness: random.uniform(1 - brightness, 1 + brightness),
    contrast: random.uniform(1 - contrast, 1 + contrast),
    gamma: Math.exp(random.uniform(-logGamma, logGamma)),
    noiseStd: random.uniform(0, noiseStd),
    noiseSeed: random.bits(),
    coefficients: Array.from(
      { length: COEFFICIENTS },
      () => random.uniform(-biasField, biasField),
    ),
  };
}

/**
 * What an engine needs to change an exam.
 *
 * @param affine what the model does to each grey value
 * @throws {DataError} if the exam's range does not fit into single precision
 */
export function photometricValues(
  { id, voxels }: Pick<Exam, "id" | "voxels">,
  { brightness, contrast, ...rest }: PhotometricChange,
  affine: Affine,
): PhotometricValues {
  const [least, largest] = rangeOf(voxels);
  const range = largest - least;
  const share = range > 0 ? 1 / range : 0;
  const mean = contrast === 1 ? 0 : (_meanOf(voxels) - least) * share;
  const scale = brightness * contrast * share;
  const before = { scale, offset: brightness * mean * (1 - contrast) - least * scale };
  const after = { scale: range * affine.scale, offset: least * affine.scale + affine.offset };
  if (fitsSinglePrecision(before) && fitsSinglePrecision(after)) return { before, after, ...rest };
  throw new DataError(
    `Cannot change the grey values of exam '${id}' at random: they go from ${least} to ${largest}, ` +
      "which do not fit into single precision: export it with other units",
  );
}

/**
 * A bias field's factor at each pixel of a slice.
 *
 * @param coefficients those of `1, y, y², y³, x, xy, xy², x², x²y, x³`
 * @returns `[height, width]`
 */
export function biasField(
  coefficients: readonly number[],
  [height, width]: readonly [number, number],
): Float32Array {
  const [c0, c1, c2, c3, c4, c5, c6, c7, c8, c9] = coefficients;
  const factors = new Float32Array(height * width);
  let at = 0;
  for (let row = 0; row < height; row++) {
    const y = 2 * row / (height - 1) - 1;
    // As a polynomial of x alone.
    const [p0, p1, p2] = [c0 + y * (c1 + y * (c2 + y * c3)), c4 + y * (c5 + y * c6), c7 + y * c8];
    for (let column = 0; column < width; column++) {
      const x = 2 * column / (width - 1) - 1;
      factors[at++] = Math.exp(p0 + x * (p1 + x * (p2 + x * c9)));
    }
  }
  return factors;
}

/**
 * Normal noise, which follows from the seed and the index of a voxel, so that every engine and every
 * thread has the same. The random bits are those of the hash `pcg2d` (M. Jarzynski and M. Olano, Hash
 * functions for GPU rendering, JCGT 9(3), 2020); two uniform numbers become a normal one as Box and
 * Muller (1958) have it.
 *
 * @param count how many, from index 0
 */
export function gaussianNoise(seed: number, count: number): Float32Array {
  const noise = new Float32Array(count);
  for (let index = 0; index < count; index++) {
    const [first, second] = _hash(index, seed);
    const radius = Math.sqrt(-2 * Math.log(((first >>> 8) + 1) / 2 ** 24));
    noise[index] = radius * Math.cos(2 * Math.PI * (second >>> 8) / 2 ** 24);
  }
  return noise;
}

/**
 * Changes the grey values of an exam: the plain reference for the engines' kernels.
 *
 * @param exam `[slices, height, width]`, as in its file
 * @returns the network's input, of the same shape
 */
export function changeGreyValues(
  exam: tf.Tensor3D,
  { before, after, gamma, noiseStd, noiseSeed, coefficients }: PhotometricValues,
): tf.Tensor3D {
  return tf.tidy(() => {
    const [slices, height, width] = exam.shape;
    const field = tf.tensor3d(biasField(coefficients, [height, width]), [1, height, width]);
    const noise = tf.tensor3d(gaussianNoise(noiseSeed, slices * height * width), exam.shape);
    const share = tf.clipByValue(tf.add(tf.mul(exam, before.scale), before.offset), 0, 1);
    const uneven = tf.mul(tf.pow(share, gamma), field);
    const changed = tf.clipByValue(tf.add(uneven, tf.mul(noise, noiseStd)), 0, 1);
    return tf.add(tf.mul(changed, after.scale), after.offset);
  });
}

function _meanOf(voxels: Exam["voxels"]): number {
  let sum = 0;
  for (let at = 0; at < voxels.length; at++) sum += voxels[at];
  return sum / voxels.length;
}

/** Two words of random bits from two numbers: `pcg2d`. */
function _hash(x: number, y: number): [number, number] {
  const step = (value: number) => (Math.imul(value, 1664525) + 1013904223) | 0;
  let [a, b] = [step(x), step(y)];
  for (let round = 0; round < 2; round++) {
    a = (a + Math.imul(b, 1664525)) | 0;
    b = (b + Math.imul(a, 1664525)) | 0;
    a ^= a >>> 16;
    b ^= b >>> 16;
  }
  return [a >>> 0, b >>> 0];
}
