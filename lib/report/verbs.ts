/** Recalibrating models, for scripts: the function loads its code when it is first called. */
import type { RecalibrateOptions, RecalibrateResult } from "./recalibrate.ts";

/**
 * Fits a recalibration of a model to exams with known labels, and keeps it in the model's file. Weights and
 * logits stay as they are; the probability, and the operating point with it, are those of the
 * recalibration from then on, wherever the file is used.
 *
 * @throws {OptionError} if an option is wrong, the model is recalibrated already, its file has no place for
 * it, or no map of the kind fits the exams, as if all have the finding
 * @throws {WeightsError} if the file is no model
 * @throws {DataError} if the exams cannot be used
 * @throws {OutputError} if the file cannot be written
 *
 * @example
 * ```ts
 * import { createMRNet, loadMRNet, phantom, recalibrate, saveMRNet } from "../../mod.ts";
 * const data = await Deno.makeTempDir();
 * const knees = { train: 2, valid: 12, size: 64, slices: [2, 2], seed: 1 } as const;
 * await phantom.writePhantomDataset({ folder: data, ...knees });
 * const file = `${data}/model.safetensors`;
 * using model = await createMRNet({ weights: "none", seed: 1 });
 * await saveMRNet(model, file, { task: "abnormal", plane: "sagittal" });
 * await recalibrate({ model: file, data, split: "valid" });
 * using loaded = await loadMRNet(file);
 * console.assert(loaded.card.recalibration?.exams === 12);
 * ```
 */
export async function recalibrate(options: RecalibrateOptions): Promise<RecalibrateResult> {
  const work = await import("./recalibrate.ts");
  return await work.recalibrate(options);
}
