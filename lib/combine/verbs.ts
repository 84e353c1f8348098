/** Combining the three planes, for scripts: each function loads its code when it is first called. */
import type { Combination } from "./combination.ts";
import type { CombineOptions, CombineResult, CombineTableOptions } from "./combine.ts";

/**
 * Fits the combination of three models on exams and writes its file.
 *
 * @throws {OptionError} if an option does not exist; if the models do not go together; if they share no
 * tune split and `fitOn` names no other exams; or if the name of the file does not end in `.json`
 * @throws {WeightsError} if a file is no model
 * @throws {DataError} if the exams cannot be used
 * @throws {OutputError} if the file cannot be written
 *
 * @example
 * ```ts
 * import { combineModels, phantom, train } from "../../mod.ts";
 * const home = await Deno.makeTempDir();
 * const [data, models, logs] = ["data", "models", "logs"].map((name) => `${home}/${name}`);
 * const knees = { train: 8, valid: 4, size: 64, slices: [2, 2], seed: 1 } as const;
 * await phantom.writePhantomDataset({ folder: data, ...knees });
 * const run = { task: "abnormal", epochs: 1, seed: 1, weights: "none", data, models, logs } as const;
 * const files: string[] = [];
 * for (const plane of ["axial", "coronal", "sagittal"] as const) {
 *   files.push((await train({ ...run, plane })).checkpoint!);
 * }
 * const { combination } = await combineModels({ models: files, data, fitOn: "valid" });
 * console.assert(combination.exams === 4 && combination.members?.axial.sha256.length === 64);
 * ```
 */
export async function combineModels(options: CombineOptions): Promise<CombineResult> {
  const work = await import("./combine.ts");
  return await work.combineModels(options);
}

/**
 * Fits a combination to a table of predictions; see {@linkcode readPredictions} for its form. The result
 * has weights but no models, so its file can neither evaluate nor predict.
 *
 * @param table the table's file
 * @param options the finding to name in the combination's file; the file to write, if any; and who is
 * told of odd predictions
 * @throws {DataError} if the table cannot be used
 * @throws {OptionError} if the file's name does not end in `.json`
 * @throws {OutputError} if the file cannot be written
 */
export async function combineTable(
  table: string,
  options?: CombineTableOptions,
): Promise<Combination> {
  const work = await import("./combine.ts");
  return await work.combineTable(table, options);
}
