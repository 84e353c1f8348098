/** Examining a data set, for scripts: each function loads its code when it is first called. */
import type { DataReport, DoctorOptions } from "./doctor.ts";

/**
 * Examines a data set in MRNet's layout.
 *
 * @throws {OptionError} if an option does not exist
 * @throws {DataError} if there is no such folder, or no exam in it
 * @throws {PermissionError} if Deno may not read it
 *
 * @example
 * ```ts
 * import { examineDataset, phantom } from "../../mod.ts";
 * const folder = await Deno.makeTempDir();
 * const prevalence = { train: { abnormal: 0.5, acl: 0.5, meniscus: 0.5 } };
 * const knees = { train: 4, valid: 4, size: 64, slices: [2, 2], seed: 1 } as const;
 * await phantom.writePhantomDataset({ folder, ...knees, prevalence: { ...prevalence, valid: prevalence.train } });
 * const { exams, problems } = await examineDataset({ data: folder });
 * console.assert(exams.length === 6 && problems.every(({ level }) => level === "warning"));
 * ```
 */
export async function examineDataset(options?: DoctorOptions): Promise<DataReport> {
  const work = await import("./doctor.ts");
  return await work.examineDataset(options);
}
