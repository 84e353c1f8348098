/** Exams from the bytes of `.npy` files that were sent. */
import { checkExamHeader, type Exam, examFromNpy, type ExamSize } from "../data/exam.ts";
import { decodeNpy } from "../data/npy.ts";
import { DataError, messageOf } from "../errors.ts";
import type { ExamGeometry } from "../imaging/exam_geometry.ts";
import type { Plane } from "../terms.ts";
import type { ServeLimits } from "./options.ts";
import { Problem } from "./problem.ts";
import type { StudySeries } from "./schemas.ts";

/** How large an exam may be. */
export type ExamLimits = Pick<ServeLimits, "slicePixels" | "voxels">;

/** The exams of a request. */
export type SentExams =
  /** One that was sent by itself has no plane yet. */
  | { alone: Exam }
  | {
    planes: Map<Plane, Exam>;
    /** If they are of a study: the series of each plane. */
    series?: ReadonlyMap<Plane, StudySeries>;
    /** If they are of a study: where the pixels of each plane lie, as far as that is known. */
    geometries?: ReadonlyMap<Plane, ExamGeometry>;
    /** If they are of a study: its files that could not be read, and why. */
    skipped?: readonly string[];
  };

/**
 * Checks an exam's size before it is decoded.
 *
 * @param name what it is called in messages
 * @throws {DataError} if a slice has more pixels than it may, or the exam more voxels
 */
export function checkExamLimits(
  { slices, height, width }: ExamSize,
  name: string,
  { slicePixels, voxels }: ExamLimits,
): void {
  const size = `${slices} ${slices === 1 ? "slice" : "slices"} of ${height}x${width} pixels`;
  const refusal = (found: string, most: number) =>
    new DataError(
      `Cannot use '${name}' as an exam: it has ${size}, ${found}: at most ${most} are taken`,
    );
  if (height * width > slicePixels) throw refusal(`${height * width} pixels a slice`, slicePixels);
  const all = slices * height * width;
  if (all > voxels) throw refusal(`${all} voxels`, voxels);
}

/**
 * An exam from the bytes of its file.
 *
 * @param name what it is called in messages
 * @throws {Problem} 422 if it is no exam, or larger than it may be
 */
export function decodeExam(bytes: Uint8Array, name: string, limits: ExamLimits): Exam {
  try {
    const array = decodeNpy(bytes, name, (header) => {
      checkExamLimits(checkExamHeader(header, name), name, limits);
    });
    return examFromNpy(array, name, name);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new Problem(422, messageOf(error));
  }
}
