/** Predicting, for scripts: each function loads its code when it is first called. */
import type { ExamInput } from "../data/exam_files.ts";
import type { FilePrediction } from "../model/file_prediction.ts";
import type { MRNet } from "../model/mrnet.ts";

/**
 * Predicts exams from their files, in order, on all threads of the engine and reading ahead. One that
 * cannot be read is given as its error, and the others go on.
 *
 * @param paths `.npy` files of any slice count and size that an exam can have, or other sources
 * @throws {EngineError} if the engine fails
 *
 * @example
 * ```ts
 * import { createMRNet, npy, predictFiles } from "../../mod.ts";
 * const path = `${await Deno.makeTempDir()}/0001.npy`;
 * await Deno.writeFile(path, npy.encodeNpy(new Uint8Array(2 * 64 * 64), [2, 64, 64]));
 * using model = await createMRNet({ weights: "none", seed: 1 });
 * for await (const { id, ...outcome } of predictFiles(model, [path])) {
 *   console.assert(id === "0001" && "prediction" in outcome);
 * }
 * ```
 */
export async function* predictFiles(
  model: MRNet,
  paths: readonly ExamInput[],
): AsyncGenerator<FilePrediction> {
  const work = await import("./predict.ts");
  yield* work.predictFiles(model, paths);
}
