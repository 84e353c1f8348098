/** Where a model looked, for scripts: each function loads its code when it is first called. */
import type { Exam } from "../data/exam.ts";
import type { ExamInput } from "../data/exam_files.ts";
import type { MRNet } from "../model/mrnet.ts";
import type { ExplainOptions, Explanation } from "./explain.ts";
import type { ExplainFilesOptions, FileExplanation } from "./explain_files.ts";

/**
 * Reads one exam and explains its second logit, which is the finding's.
 *
 * The sums are made in double precision from the features that the engine computed, and differ from
 * its logit by the rounding of float32.
 *
 * @throws {OptionError} if there is no option of a name that is given
 * @throws {EngineError} if the engine fails
 *
 * @example
 * ```ts
 * import { createMRNet, explain } from "../../mod.ts";
 * const voxels = Uint8Array.from({ length: 3 * 64 * 64 }, (_, i) => i * 37 % 251);
 * const exam = { id: "a", slices: 3, height: 64, width: 64, voxels };
 * using model = await createMRNet({ weights: "none", seed: 1 });
 * const { bias, slices, logits } = await explain(model, exam);
 * const sum = slices.reduce((sum, { share }) => sum + share, bias);
 * console.assert(Math.abs(sum - logits[1]) < 1e-5 * Math.abs(logits[1]));
 * ```
 */
export async function explain(
  model: MRNet,
  exam: Exam,
  options?: ExplainOptions,
): Promise<Explanation> {
  const work = await import("./explain.ts");
  return await work.explain(model, exam, options);
}

/**
 * Predicts exams from their files, in order, and writes for each where the model looked. An exam that
 * cannot be read yields its error, and the others go on.
 *
 * @param paths `.npy` files of any slice count and size that an exam can have, or other sources
 * @throws {OptionError} if an option does not exist, or two files have the same name and would write
 * the same pictures
 * @throws {OutputError} if a picture cannot be written
 * @throws {EngineError} if the engine fails
 *
 * @example
 * ```ts
 * import { createMRNet, explainFiles, npy } from "../../mod.ts";
 * const folder = await Deno.makeTempDir();
 * const voxels = Uint8Array.from({ length: 2 * 64 * 64 }, (_, i) => i * 37 % 251);
 * await Deno.writeFile(`${folder}/0001.npy`, npy.encodeNpy(voxels, [2, 64, 64]));
 * using network = await createMRNet({ weights: "none", seed: 1 });
 * const model = { task: "acl", plane: "axial", intensity: "raw", file: "a.pth", sha256: "" } as const;
 * for await (const { files } of explainFiles(network, [`${folder}/0001.npy`], { folder, model })) {
 *   console.assert(files?.animation === `${folder}/0001.gif`);
 * }
 * ```
 */
export async function* explainFiles(
  network: MRNet,
  paths: readonly ExamInput[],
  options: ExplainFilesOptions,
): AsyncGenerator<FileExplanation> {
  const work = await import("./explain_files.ts");
  yield* work.explainFiles(network, paths, options);
}
