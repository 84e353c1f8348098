/** Loading classifiers, and making ensembles, for scripts: each function loads its code when it is first called. */
import type { ModelSource } from "../model/model_source.ts";
import type { Classifier } from "./classifier.ts";
import type { CombinedMRNet } from "./combined.ts";
import type { EnsembleOptions, EnsembleResult } from "./ensemble_models.ts";
import type { ClassifierOptions } from "./load.ts";

/**
 * Loads a classifier onto the current engine, and starts an engine if none runs. The file's name tells a
 * model of one plane from a combination or an ensemble; without a name, the content does.
 *
 * @param source the path, the URL or the bytes of a model's file (`.safetensors`, `.pth`, `.pt`), or of
 *   the `.json` file of a combination or an ensemble; that names its members relative to its own folder
 * @throws {WeightsError} if it is none of them; or if a member of a combination or an ensemble is
 *   missing, has changed since that was made, or is for another finding or plane
 * @throws {OptionError} if an option does not exist, if the options contradict the file, or if neither
 *   says the finding or the plane
 * @throws {PermissionError} if Deno refuses a file or the network
 *
 * @example
 * ```ts
 * import { createMRNet, loadClassifier, saveMRNet } from "../../mod.ts";
 * const path = `${await Deno.makeTempDir()}/acl.safetensors`;
 * const card = { task: "acl", plane: "sagittal" } as const;
 * await saveMRNet(await createMRNet({ weights: "none", seed: 1 }), path, card);
 * using classifier = await loadClassifier(path);
 * const voxels = Uint8Array.from({ length: 2 * 64 * 64 }, (_, i) => i * 37 % 251);
 * const sagittal = { id: "0001", slices: 2, height: 64, width: 64, voxels };
 * const { probability, decision } = await classifier.predict({ sagittal });
 * console.assert(probability >= 0.5 === (decision === "positive"));
 * ```
 */
export async function loadClassifier(
  source: ModelSource,
  options?: ClassifierOptions,
): Promise<Classifier> {
  const work = await import("./load.ts");
  return await work.loadClassifier(source, options);
}

/**
 * Loads a combination; anything else is refused.
 *
 * @param path the file that `combine` wrote
 * @throws as {@linkcode loadClassifier}
 */
export async function loadCombined(path: string): Promise<CombinedMRNet> {
  const work = await import("./load.ts");
  return await work.loadCombined(path);
}

/**
 * Makes an ensemble of models and writes its file. Each member is loaded once, onto the current engine,
 * so that what cannot be used is found here.
 *
 * @throws {OptionError} if an option does not exist; if the members are fewer than two, more than 100, of
 * different findings or planes, or one is given twice or is an ensemble; or if the name of the file does
 * not end in `.json`
 * @throws {WeightsError} if a file is no model
 * @throws {DataError} if the predictions cannot be used, or by their hashes every member was trained on
 * one of the exams
 * @throws {OutputError} if the file cannot be written
 *
 * @example
 * ```ts
 * import { createMRNet, ensembleModels, loadClassifier, saveMRNet } from "../../mod.ts";
 * const folder = await Deno.makeTempDir();
 * const models = [`${folder}/1.safetensors`, `${folder}/2.safetensors`];
 * for (const [index, path] of models.entries()) {
 *   using model = await createMRNet({ weights: "none", seed: index });
 *   await saveMRNet(model, path, { task: "acl", plane: "axial" });
 * }
 * const { path } = await ensembleModels({ models, out: `${folder}/ensemble.json` });
 * using ensemble = await loadClassifier(path);
 * console.assert(ensemble.kind === "ensemble" && ensemble.models.length === 2);
 * ```
 */
export async function ensembleModels(options: EnsembleOptions): Promise<EnsembleResult> {
  const work = await import("./ensemble_models.ts");
  return await work.ensembleModels(options);
}
