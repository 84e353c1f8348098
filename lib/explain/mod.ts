/**
 * Pictures of where a model looked: a slice with its map, all slices on a contact sheet, an animation
 * through the exam, and the files of all of them. What encodes files is loaded when it is first needed.
 *
 * ```ts
 * import { createMRNet, explain, pictures } from "../../mod.ts";
 * const voxels = Uint8Array.from({ length: 3 * 64 * 64 }, (_, i) => i * 37 % 251);
 * const exam = { id: "a", slices: 3, height: 64, width: 64, voxels };
 * using model = await createMRNet({ weights: "none", seed: 1 });
 * const explanation = await explain(model, exam);
 * const sheet = pictures.contactSheet(exam, explanation, "acl · sagittal");
 * const png = await pictures.encodePng(sheet);
 * console.assert(png[1] === "P".charCodeAt(0) && sheet.width >= 64);
 * ```
 *
 * @module
 */
import type { Exam } from "../data/exam.ts";
import type { Explanation } from "./explain.ts";
import { overlay as drawOverlay, viewOf } from "./overlay.ts";
import type { Picture } from "./png.ts";
import type { Size } from "../network/sizes.ts";
import { contactSheet as drawContactSheet } from "./sheet.ts";
import type { ExplainedModel, ExplanationFiles } from "./write.ts";

export type { Picture } from "./png.ts";
export type { Size } from "../network/sizes.ts";
export type { ExplainedModel, ExplanationFiles };

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
export async function animation(exam: Exam, explanation: Explanation): Promise<Uint8Array> {
  const work = await import("./animation.ts");
  return work.animation(viewOf(exam, explanation));
}

/**
 * The bytes of a PNG file, 8 bits a channel.
 *
 * @param text what the file says about itself, under PNG's keywords such as `Title`; Latin letters
 */
export async function encodePng(
  picture: Picture,
  text?: Readonly<Record<string, string>>,
): Promise<Uint8Array> {
  const work = await import("./png.ts");
  return work.encodePng(picture, text);
}

/**
 * Writes an exam's explanation into a folder, which is made if it is missing:
 *
 * - `{exam}_slice_{nn}.png`: the slice with its map, for each slice with a share (of the classic maps
 *   for each slice); `nn` counts from 0
 * - `{exam}_sheet.png`: all slices with their shares
 * - `{exam}.gif`: through the exam
 * - `{exam}_contributions.json`: what each slice and each channel adds to the logit
 *
 * Pictures of slices are removed if an earlier explanation of an exam of this name wrote them and this one
 * does not.
 *
 * @throws {OutputError} if a file cannot be written
 * @throws {PermissionError} if Deno may not read or write the folder
 *
 * @example
 * ```ts
 * import { createMRNet, explain, pictures } from "../../mod.ts";
 * const voxels = Uint8Array.from({ length: 3 * 64 * 64 }, (_, i) => i * 37 % 251);
 * const exam = { id: "0001", slices: 3, height: 64, width: 64, voxels };
 * using network = await createMRNet({ weights: "none", seed: 1 });
 * const explanation = await explain(network, exam);
 * const model = { task: "acl", plane: "axial", intensity: "raw", file: "a.pth", sha256: "" } as const;
 * const folder = await Deno.makeTempDir();
 * const { sheet } = await pictures.writeExplanation(folder, exam, explanation, model);
 * console.assert(sheet.endsWith("/0001_sheet.png") && (await Deno.stat(sheet)).isFile);
 * ```
 */
export async function writeExplanation(
  folder: string,
  exam: Exam,
  explanation: Explanation,
  model: ExplainedModel,
): Promise<ExplanationFiles> {
  const work = await import("./write.ts");
  return await work.writeExplanation(folder, exam, explanation, model);
}
