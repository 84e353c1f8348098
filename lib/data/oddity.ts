/**
 * Whether an exam looks like one that a model can read: its grey values and the order of its axes.
 * Nothing else detects z-scores, or slices as the last axis, and a model answers both with confidence.
 */
import type { Exam, ExamSize } from "./exam.ts";
import { type Intensity, rangeOf } from "./intensity.ts";
import { landmarksOf, NO_LANDMARKS } from "./landmarks.ts";

/** The largest grey value of MRNet's exams, whose least is 0. */
const LARGEST = 255;

/**
 * Says in one line what is odd about an exam.
 *
 * The range of grey values matters to a `raw` model only, and `landmarks` need an exam with contrast. An exam with one single value is empty, not of another
 * range. Values of uint8 cannot be out of range, so only others cost a pass over the voxels.
 *
 * @param intensity how the model prepares its input
 * @returns such as `its values go from -2.1 to 7.4, as z-scores do, where 0–255 are expected`; `undefined`
 *   if nothing is odd
 *
 * @example
 * ```ts
 * import { oddityOf } from "./oddity.ts";
 * const exam = { slices: 1, height: 64, width: 64, voxels: new Float32Array(64 * 64) };
 * exam.voxels[0] = -1.5;
 * console.assert(oddityOf(exam, "raw")!.includes("z-scores"));
 * console.assert(oddityOf(exam, "standardized") === undefined);
 * ```
 */
export function oddityOf(exam: Omit<Exam, "id">, intensity: Intensity): string | undefined {
  const found = [slicesLast(exam), _oddValues(exam.voxels, intensity)];
  return found.filter((each) => each !== undefined).join("; ") || undefined;
}

/** Says of a shape whose first two axes are as long, and the last is not, what it may be. */
export function slicesLast({ slices, height, width }: ExamSize): string | undefined {
  if (slices !== height || height === width) return undefined;
  return `its shape is (${slices}, ${height}, ${width}), so the slices may be its last axis where the ` +
    "first is expected: numpy.moveaxis(array, -1, 0) moves them";
}

/** What to do about an odd exam. */
export const ODD_HINT = "export it with slices first and grey values of 0–255";

function _oddValues(voxels: Exam["voxels"], intensity: Intensity): string | undefined {
  switch (intensity) {
    case "raw":
      return _oddRange(voxels);
    case "landmarks":
      return landmarksOf(voxels) === undefined ? NO_LANDMARKS : undefined;
    case "standardized":
      return undefined;
    default:
      return intensity satisfies never;
  }
}

function _oddRange(voxels: Exam["voxels"]): string | undefined {
  if (voxels instanceof Uint8Array) return undefined;
  const [least, largest] = rangeOf(voxels);
  if (least === largest) return undefined;
  const kind = least < 0
    ? "as z-scores do"
    : largest <= 1
    ? "as after a division by 255"
    : largest > LARGEST
    ? `as in exams of ${largest > 4095 ? 16 : 12} bits`
    : undefined;
  if (kind === undefined) return undefined;
  const shown = (value: number) => String(Number(value.toPrecision(4)));
  return `its values go from ${shown(least)} to ${
    shown(largest)
  }, ${kind}, where 0–${LARGEST} are ` +
    "expected";
}
