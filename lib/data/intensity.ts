/**
 * How the grey values of an exam become the network's input.
 *
 * Most ways are affine, the same for all voxels of an exam, so an engine needs two numbers an exam.
 * Landmarks map an exam to another one before an engine gets it.
 */
import { DataError } from "../errors.ts";
import type { Exam } from "./exam.ts";
import { type Landmarks, mapToLandmarks } from "./landmarks.ts";

/** The ways that a user can tell of a model whose file says none. */
export const TOLD_INTENSITIES = ["raw", "standardized"] as const satisfies readonly Intensity[];
/** The ways: as in the file, each exam stretched and standardised, or mapped to landmarks. */
export const INTENSITIES = [
  ...TOLD_INTENSITIES,
  "landmarks",
] as const satisfies readonly Intensity[];
/**
 * `raw`: the values as they are in the file, as the reference recipe has them. `standardized`: each
 * exam is stretched to 0–255 by its own least and largest value, then {@linkcode MRNET_MEAN} is taken off
 * and the rest divided by {@linkcode MRNET_STANDARD_DEVIATION}. The authors' code cuts the middle 224×224
 * pixels out first and stretches those; here the whole slice is stretched and used. `landmarks`: the
 * histogram of each exam is mapped to the {@linkcode Landmarks} of the training exams, as bytes.
 */
export type Intensity = "raw" | "standardized" | "landmarks";

/** How a model's input is prepared. */
export interface Preparation {
  /** The way. */
  readonly intensity: Intensity;
  /**
   * What the exams it was trained on look like. If the way is `landmarks`, they are never missing, and
   * every exam is mapped to them; otherwise those from a scanner are.
   */
  readonly landmarks?: Landmarks;
}

/**
 * Mean and standard deviation as the code that Bien et al. (2018) gave out has them: two constants. It
 * does not say what they were computed from.
 */
export const MRNET_MEAN = 58.09;
/** See {@linkcode MRNET_MEAN}. */
export const MRNET_STANDARD_DEVIATION = 49.73;

/** What is done to each voxel: `value · scale + offset`. */
export interface Affine {
  scale: number;
  offset: number;
}

/** The two numbers that change nothing. */
export const UNCHANGED: Affine = { scale: 1, offset: 0 };

/** The least normal number of single precision: engines may treat smaller ones as 0. */
const MIN_NORMAL = 2 ** -126;

/**
 * An exam as the engines get it: mapped to a model's landmarks if every exam is, or if it is from a
 * scanner and the model knows what it should look like; otherwise the exam itself.
 *
 * @throws {DataError} if it is to be mapped and has no landmarks of its own
 */
export function preparedExam(exam: Exam, { intensity, landmarks }: Preparation): Exam {
  const isMapped = intensity === "landmarks" || exam.isScanned;
  if (!isMapped || landmarks === undefined) return exam;
  return {
    ...exam,
    voxels: mapToLandmarks(exam.voxels, landmarks, `map exam '${exam.id}' to a model's landmarks`),
  };
}

/**
 * The two numbers for one exam. An exam of one single value is stretched to 0 throughout.
 *
 * @throws {DataError} if they do not fit into single precision, which the engines compute in: the exam's
 *   values lie too close together, or too far apart
 */
export function affineOf(
  { id = "in memory", voxels }: Pick<Exam, "voxels"> & Partial<Pick<Exam, "id">>,
  intensity: Intensity,
): Affine {
  switch (intensity) {
    case "raw":
    case "landmarks":
      return UNCHANGED;
    case "standardized": {
      const [least, largest] = rangeOf(voxels);
      const stretch = largest > least ? 255 / (largest - least) : 0;
      const scale = stretch / MRNET_STANDARD_DEVIATION;
      const offset = (-least * stretch - MRNET_MEAN) / MRNET_STANDARD_DEVIATION;
      if (fitsSinglePrecision({ scale, offset })) return { scale, offset };
      throw new DataError(
        `Cannot standardize exam '${id}': its values go from ${least} to ${largest}, which cannot ` +
          "be stretched to 0–255 in single precision: export it with other units",
      );
    }
    default:
      return intensity satisfies never;
  }
}

/** Whether single precision, which the engines compute in, can hold the two numbers. */
export function fitsSinglePrecision({ scale, offset }: Affine): boolean {
  const fits = Number.isFinite(Math.fround(scale)) && Number.isFinite(Math.fround(offset));
  return fits && (scale === 0 || scale >= MIN_NORMAL);
}

/** The least and the largest value. */
export function rangeOf(voxels: Exam["voxels"]): [least: number, largest: number] {
  const bytes = voxels instanceof Uint8Array;
  let least = Infinity;
  let largest = -Infinity;
  for (let at = 0; at < voxels.length; at++) {
    const value = voxels[at];
    if (value >= least && value <= largest) continue;
    least = Math.min(least, value);
    largest = Math.max(largest, value);
    // Bytes go no further, and most exams of MRNet have both ends.
    if (bytes && least === 0 && largest === 255) break;
  }
  return [least, largest];
}
