/**
 * NumPy's `.npy` files: read, written, and taken as exams.
 *
 * ```ts
 * import { npy } from "../../mod.ts";
 * const bytes = npy.encodeNpy(new Float32Array([1, 2, 3, 4]), [2, 2]);
 * const { shape, data } = npy.decodeNpy(bytes, "square.npy");
 * console.assert(shape.join() === "2,2" && data[3] === 4);
 * ```
 *
 * @module
 */
export { decodeNpy, encodeNpy, readNpy } from "./npy.ts";
export type { NpyArray, NpyData, NpyDtype, NpyHeader, NumberLayout } from "./npy.ts";
export { type Exam, examFromNpy, type ExamSize } from "./exam.ts";
