/**
 * Histogram standardisation: an exam's grey values are mapped so that landmarks of its histogram come
 * to lie where those of the training exams lie on average.
 *
 * Sources: L. G. Nyúl, J. K. Udupa, On standardizing the MR image intensity scale, Magnetic Resonance
 * in Medicine 42(6), 1999, 1072–1081; L. G. Nyúl, J. K. Udupa, X. Zhang, New variants of a method of
 * MRI scale standardization, IEEE Transactions on Medical Imaging 19(2), 2000, 143–150. The landmarks
 * are those of the second paper's variant L4: the two ends of the histogram, and the deciles of the
 * foreground, which is what is brighter than the mean.
 */
import { DataError, messageOf, OptionError } from "../errors.ts";
import type { Exam } from "./exam.ts";
import { percentile, type Sorted } from "./percentile.ts";

/**
 * The percentiles of all voxels that are the first and the last landmark. An exam from a scanner is
 * cut off at the same two, so that its file has the same landmarks as the scanner's own values.
 */
export const END_PERCENTILES = [0.5, 99.7] as const;

/** The percentiles of the foreground that are the landmarks between them. */
const DECILES = [10, 20, 30, 40, 50, 60, 70, 80, 90] as const;

/** The percentiles of all landmarks, in their order: the ends of all voxels, the others of the foreground. */
export const LANDMARK_PERCENTILES: readonly number[] = [
  END_PERCENTILES[0],
  ...DECILES,
  END_PERCENTILES[1],
];

/** The kinds of voxels that exams have. */
const VOXEL_TYPES = ["uint8", "float32"] as const;

/** The landmarks that training exams have on average: the scale that exams are mapped to. */
export interface Landmarks {
  /** Which percentiles they are: {@linkcode LANDMARK_PERCENTILES}. */
  readonly percentiles: readonly number[];
  /** The grey value of each landmark, never falling. */
  readonly values: readonly number[];
  /** The type of the exams' voxels. If it is uint8, mapped exams are rounded and cut off at 0 and 255. */
  readonly type: "uint8" | "float32";
  /** How many exams they were learnt from. */
  readonly exams: number;
}

/**
 * The landmarks of one exam, in its own grey values: two percentiles of all voxels, and between them
 * the deciles of the foreground. The foreground are the voxels above the mean. The mean is that of the
 * values cut off at the two ends, so a few very bright voxels do not move it.
 *
 * @returns eleven numbers, never falling; `undefined` if both ends are the same, as in an exam of one
 * single value
 *
 * @example
 * ```ts
 * import { landmarksOf } from "./landmarks.ts";
 * const landmarks = landmarksOf(Uint8Array.from({ length: 201 }, (_, i) => i))!;
 * console.assert(landmarks[0] === 1 && landmarks[5] === 150.5 && landmarks.length === 11);
 * ```
 */
export function landmarksOf(values: Exam["voxels"]): number[] | undefined {
  const all = values instanceof Uint8Array ? _counted(values) : _sorted(values);
  const [low, high] = END_PERCENTILES.map((percent) => percentile(all, percent));
  if (!(high > low)) return undefined;
  const background = all.countUpTo(all.sumWithin(low, high) / all.length);
  const foreground: Sorted = {
    length: all.length - background,
    at: (index) => all.at(background + index),
  };
  const deciles = DECILES.map((percent) => Math.min(percentile(foreground, percent), high));
  return [low, ...deciles, high];
}

/** How the landmarks of exams become a scale. */
export interface ScaleOptions {
  /** The type of the exams' voxels. */
  type: Landmarks["type"];
  /**
   * Stretch each exam first, so that its own first landmark is 0 and its last 255. Otherwise the exams
   * are taken to have a scale in common, which is to be kept.
   */
  stretch: boolean;
}

/**
 * The scale of training exams: the mean of their landmarks.
 *
 * @param exams what {@linkcode landmarksOf} gave for each
 * @returns `undefined` if there are none
 */
export function meanLandmarks(
  exams: readonly (readonly number[])[],
  { type, stretch }: ScaleOptions,
): Landmarks | undefined {
  if (exams.length === 0) return undefined;
  const mapped = stretch ? exams.map(_stretched) : exams;
  const values = LANDMARK_PERCENTILES.map((_, index) =>
    mapped.reduce((sum, own) => sum + own[index], 0) / mapped.length
  );
  return {
    percentiles: LANDMARK_PERCENTILES,
    values,
    type: stretch ? "uint8" : type,
    exams: exams.length,
  };
}

/**
 * Maps an exam's grey values to a scale: piecewise linear between landmarks, and beyond the ends as in
 * the first and the last piece.
 *
 * @param what the action and the exam, for messages
 * @throws {DataError} if the exam has no landmarks
 *
 * @example
 * ```ts
 * import { landmarksOf, mapToLandmarks, meanLandmarks } from "./landmarks.ts";
 * const voxels = Uint8Array.from({ length: 201 }, (_, i) => i);
 * const scale = meanLandmarks([landmarksOf(voxels)!], { type: "uint8", stretch: false })!;
 * const brighter = Float32Array.from(voxels, (value) => 7 * value + 1000);
 * console.assert(String(mapToLandmarks(brighter, scale, "map")) === String(voxels));
 * ```
 */
export function mapToLandmarks(
  values: Exam["voxels"],
  scale: Landmarks,
  what: string,
): Exam["voxels"] {
  const own = landmarksOf(values);
  if (own === undefined) {
    throw new DataError(`Cannot ${what}: ${NO_LANDMARKS}: ${NO_LANDMARKS_HINT}`);
  }
  const map = _mapping(own, scale.values);
  // A clamped array rounds half to even and cuts off at 0 and 255.
  const mapped = scale.type === "uint8"
    ? new Uint8ClampedArray(values.length)
    : new Float32Array(values.length);
  if (values instanceof Uint8Array) {
    const table = Float64Array.from({ length: 256 }, (_, value) => map(value));
    for (let at = 0; at < values.length; at++) mapped[at] = table[values[at]];
  } else {
    for (let at = 0; at < values.length; at++) mapped[at] = map(values[at]);
  }
  return mapped instanceof Float32Array ? mapped : new Uint8Array(mapped.buffer);
}

/** Why an exam has no landmarks. */
export const NO_LANDMARKS =
  `the ${END_PERCENTILES[0]}th and the ${END_PERCENTILES[1]}th percentile of its grey values are ` +
  "the same, so its histogram has no landmarks";

const NO_LANDMARKS_HINT = "export it again, or leave it out";

/**
 * Reads landmarks from a JSON object, which is not trusted.
 *
 * @throws {RangeError} if it is none
 */
export function parseLandmarks(
  { percentiles, values, type, exams }: Record<string, unknown>,
): Landmarks {
  if (String(percentiles) !== String(LANDMARK_PERCENTILES)) {
    throw new RangeError(`the percentiles ${LANDMARK_PERCENTILES.join(", ")} are needed`);
  }
  const isRising = Array.isArray(values) && values.length === LANDMARK_PERCENTILES.length &&
    values.every((value, at) => Number.isFinite(value) && (at === 0 || value >= values[at - 1])) &&
    values.at(-1) > values[0];
  if (!isRising) {
    throw new RangeError(`${LANDMARK_PERCENTILES.length} values that rise are needed`);
  }
  if (!VOXEL_TYPES.includes(type as Landmarks["type"])) {
    throw new RangeError(`the type must be one of ${VOXEL_TYPES.join(", ")}`);
  }
  if (!(Number.isSafeInteger(exams) && (exams as number) > 0)) {
    throw new RangeError("the number of exams must be 1 or more");
  }
  return {
    percentiles: LANDMARK_PERCENTILES,
    values: values as number[],
    type: type as Landmarks["type"],
    exams: exams as number,
  };
}

/**
 * Refuses landmarks of a script that are none.
 *
 * @param what the action, for messages
 * @throws {OptionError} if they are not eleven values that rise, of exams of a type
 */
export function checkLandmarks(landmarks: Landmarks, what: string): void {
  try {
    parseLandmarks({ ...landmarks });
  } catch (error) {
    const hint = "give those of learnLandmarks, or of a model";
    throw new OptionError(`Cannot ${what} with these landmarks: ${messageOf(error)}: ${hint}`);
  }
}

function _stretched(own: readonly number[]): number[] {
  const [low, high] = [own[0], own.at(-1)!];
  return own.map((value) => (value - low) * 255 / (high - low));
}

/** The function that is linear from landmark to landmark. Where two are the same it has no piece. */
function _mapping(from: readonly number[], to: readonly number[]): (value: number) => number {
  const last = from.length - 1;
  const slopes = from.slice(1).map((next, at) => {
    const width = next - from[at];
    return width > 0 ? (to[at + 1] - to[at]) / width : 0;
  });
  // What lies at each landmark; the same as `to` unless pieces are missing.
  const lies = [to[0]];
  slopes.forEach((slope, at) => lies.push(lies[at] + slope * (from[at + 1] - from[at])));
  return (value) => {
    let piece = 0;
    while (piece < last - 1 && value > from[piece + 1]) piece++;
    return lies[piece] + slopes[piece] * (value - from[piece]);
  };
}

/** Values in ascending order, with what is asked of them here. */
interface Ordered extends Sorted {
  /** How many values are no larger than this one. */
  countUpTo(value: number): number;
  /** The sum of all values, those beyond the ends counted as the ends. */
  sumWithin(low: number, high: number): number;
}

function _counted(values: Uint8Array): Ordered {
  const counts = new Uint32Array(256);
  for (let at = 0; at < values.length; at++) counts[values[at]]++;
  /** How many values are no larger than each. */
  const upTo = new Uint32Array(256);
  counts.reduce((sum, count, value) => upTo[value] = sum + count, 0);
  return {
    length: values.length,
    at: (index) => upTo.findIndex((count) => count > index),
    countUpTo: (value) => upTo[Math.floor(value)],
    sumWithin: (low, high) =>
      counts.reduce((sum, count, value) => sum + count * Math.min(Math.max(value, low), high), 0),
  };
}

function _sorted(values: Float32Array): Ordered {
  const sorted = _sortedFloats(values);
  return {
    length: sorted.length,
    at: (index) => sorted[index],
    countUpTo(value) {
      let [from, to] = [0, sorted.length];
      while (from < to) {
        const middle = (from + to) >>> 1;
        if (sorted[middle] <= value) from = middle + 1;
        else to = middle;
      }
      return from;
    },
    sumWithin(low, high) {
      let sum = 0;
      for (let at = 0; at < sorted.length; at++) sum += Math.min(Math.max(sorted[at], low), high);
      return sum;
    },
  };
}

/** A sorted copy. V8 sorts whole numbers six times as fast as real ones, so their bits are sorted. */
function _sortedFloats(values: Float32Array): Float32Array {
  const bits = new Int32Array(values.slice().buffer);
  // The bits of negative numbers grow as the numbers fall. Twice this changes nothing.
  const turn = () => {
    for (let at = 0; at < bits.length; at++) if (bits[at] < 0) bits[at] ^= 0x7fffffff;
  };
  turn();
  bits.sort();
  turn();
  return new Float32Array(bits.buffer);
}
