/**
 * Pictures of where a model looked: a slice with its map, all slices on a contact sheet, an animation
 * through the exam, and the files of all of them.
 *
 * ```ts
 * import { createMRNet, explain, pictures } from "../../mod.ts";
 * const voxels = Uint8Array.from({ length: 3 * 64 * 64 }, (_, i) => i * 37 % 251);
 * const exam = { id: "a", slices: 3, height: 64, width: 64, voxels };
 * using model = await createMRNet({ weights: "none", seed: 1 });
 * const explanation = await explain(model, exam);
 * const sheet = pictures.contactSheet(exam, explanation, "acl · sagittal");
 * const png = pictures.encodePng(sheet);
 * console.assert(png[1] === "P".charCodeAt(0) && sheet.width >= 64);
 * ```
 *
 * @module
 */
import type { Exam } from "../data/exam.ts";
import { animation as drawAnimation } from "./animation.ts";
import type { Explanation } from "./explain.ts";
import { overlay as drawOverlay, viewOf } from "./overlay.ts";
import type { Picture } from "./png.ts";
import type { Size } from "../network/sizes.ts";
import { contactSheet as drawContactSheet } from "./sheet.ts";

export { encodePng, type Picture } from "./png.ts";
export type { Size } from "../network/sizes.ts";
export { type ExplainedModel, type ExplanationFiles, writeExplanation } from "./write.ts";

/**
 * Draws a slice with its map. All pictures of an exam share one window and one scale.
 *
 * @param exam as it is in its file
 * @param explanation of that exam
 * @param slice counted from 0
 * @param size of the picture, in pixels
 */
export function overlay(exam: Exam, explanation: Explanation, slice: number, size: Size): Picture {
  return drawOverlay(viewOf(exam, explanation), slice, size);
}

/**
 * Draws all slices of an exam with their maps and shares.
 *
 * @param exam as it is in its file
 * @param explanation of that exam
 * @param title what is predicted, such as `acl · sagittal`
 */
export function contactSheet(exam: Exam, explanation: Explanation, title: string): Picture {
  return drawContactSheet(viewOf(exam, explanation), title);
}

/**
 * The bytes of an animated GIF through an exam, a frame a slice.
 *
 * @param exam as it is in its file
 * @param explanation of that exam
 */
export function animation(exam: Exam, explanation: Explanation): Uint8Array {
  return drawAnimation(viewOf(exam, explanation));
}
