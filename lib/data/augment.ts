/** Augmentation: one random rotation, shift and flip for a whole exam, and one change of its grey values. */
import type { Random } from "../random.ts";
import * as tf from "../tf.ts";
import type { PhotometricChange } from "./photometric.ts";

/**
 * How far an exam is shifted at most: a share of the side, 0–1, or pixels, as in `"25px"`.
 */
export type Shift = number | `${number}px`;

/** What {@linkcode parseShift} takes, for messages. */
export const SHIFT_RULE = "a share of the side of 0 to 1, such as 0.11, or pixels, such as 25px";

/**
 * Reads a shift as it is written in options and files.
 *
 * @returns `undefined` if the text is not a shift
 */
export function parseShift(text: string): Shift | undefined {
  const [, digits, pixels] = /^(\d+\.?\d*|\.\d+)(px)?$/.exec(text.trim()) ?? [];
  const value = Number(digits);
  if (digits === undefined || (pixels === undefined && value > 1)) return undefined;
  return pixels === undefined ? value : `${value}px`;
}

/** Whether a value is a shift, written as {@linkcode parseShift} writes it. */
export function isShift(value: unknown): value is Shift {
  if (typeof value === "number") return value >= 0 && value <= 1;
  return typeof value === "string" && typeof parseShift(value) === "string";
}

/** How far augmentation goes. */
export interface AugmentationRange {
  /**
   * Largest rotation either way, in degrees.
   * @default 25
   */
  rotation?: number;
  /**
   * Largest shift either way, as a share of the height and of the width, or in pixels.
   * @default 0.11
   */
  shift?: Shift;
  /**
   * Probability of a horizontal flip, in 0–1.
   * @default 0.5
   */
  flip?: number;
}

/** One augmentation: the exam is rotated, then shifted, then flipped. */
export interface Augmentation {
  /** Rotation about the centre, in degrees; positive turns the x axis towards the y axis. */
  degrees: number;
  /** Shift downwards, in pixels. */
  down: number;
  /** Shift to the right, in pixels. */
  right: number;
  /** Whether left and right are swapped. */
  flip: boolean;
  /**
   * What then becomes of the grey values.
   * @default they stay
   */
  photometric?: PhotometricChange;
}

/**
 * Draws one augmentation, as the reference does for each exam of the training set.
 *
 * @param random the stream to draw from
 * @param size height and width of a slice, in pixels
 */
export function drawAugmentation(
  random: Random,
  [height, width]: readonly [number, number],
  { rotation = 25, shift = 0.11, flip = 0.5 }: AugmentationRange = {},
): Augmentation {
  const inPixels = typeof shift === "string";
  const reach = inPixels ? Number.parseFloat(shift) : shift;
  return {
    degrees: random.uniform(-rotation, rotation),
    down: random.uniform(-reach, reach) * (inPixels ? 1 : height),
    right: random.uniform(-reach, reach) * (inPixels ? 1 : width),
    flip: random.uniform() < flip,
  };
}

/** Where each pixel comes from, `[a, b, c, d, e, f]` of {@linkcode sourceOf}. */
export type SourceMatrix = readonly [
  a: number,
  b: number,
  c: number,
  d: number,
  e: number,
  f: number,
];

/**
 * Where each output pixel comes from: `x' = a·x + b·y + c`, `y' = d·x + e·y + f`.
 *
 * The three steps are composed, so that the exam is resampled, and blurred, once.
 *
 * @returns `[a, b, c, d, e, f]`
 */
export function sourceOf(
  augmentation: Augmentation | SourceMatrix,
  [height, width]: readonly [number, number],
): SourceMatrix {
  if (!("degrees" in augmentation)) return augmentation;
  const { degrees, down, right, flip } = augmentation;
  const [x0, y0] = [(width - 1) / 2, (height - 1) / 2];
  const angle = degrees * Math.PI / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  // Undone in reverse: flip, shift, and the rotation about the centre.
  const mirror = flip ? -1 : 1;
  const x = (flip ? width - 1 : 0) - right - x0;
  const y = -down - y0;
  return [
    mirror * cos,
    sin,
    cos * x + sin * y + x0,
    mirror * -sin,
    cos,
    -sin * x + cos * y + y0,
  ];
}

/** What becomes of the grey values; nothing if there is only a matrix. */
export function photometricOf(
  augmentation: Augmentation | SourceMatrix | undefined,
): PhotometricChange | undefined {
  if (augmentation === undefined || !("degrees" in augmentation)) return undefined;
  return augmentation.photometric;
}

/**
 * Resamples every slice of an exam, bilinearly; beyond the edge the edge's pixels repeat.
 *
 * @param exam `[slices, height, width]`
 * @returns the same shape
 */
export function augment(
  exam: tf.Tensor3D,
  augmentation: Augmentation | SourceMatrix,
): tf.Tensor3D {
  return tf.tidy(() => {
    const [, height, width] = exam.shape;
    const matrix = tf.tensor2d([[...sourceOf(augmentation, [height, width]), 0, 0]]);
    // The slices go in as the channels of one image: of several images TensorFlow.js 4.22 resamples
    // only the first, on WebGPU where they share a matrix and on the plain engine in any case.
    const image: tf.Tensor4D = tf.expandDims(tf.transpose(exam, [1, 2, 0]), 0);
    const resampled = tf.image.transform(image, matrix, "bilinear", "nearest");
    return tf.transpose(tf.squeeze(resampled, [0]), [2, 0, 1]);
  });
}
