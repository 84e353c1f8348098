/** Made-up knee exams, for scripts: each function loads its code when it is first called. */
import type { PhantomDatasetOptions, PhantomDatasetSummary } from "./dataset.ts";

/**
 * Renders and writes a made-up dataset: `{train,valid}/{axial,coronal,sagittal}/0000.npy`, uint8
 * `[slices, size, size]`, and `{train,valid}-{abnormal,acl,meniscus}.csv`. Training exams are
 * numbered from 0000, validation exams follow on, as in MRNet.
 *
 * An exam looks the same whatever the size of the set, but for its findings, which are dealt out
 * over all exams of its split. The label files are written last: a folder without them is unfinished.
 * Called again with the same options it goes on there, and makes no exam a second time.
 *
 * @param options what to write, and where
 * @param onExam called after each exam with the number done and the number of all
 * @throws {OptionError} if an option is out of range
 * @throws {OutputError} if the folder holds a dataset already or the beginning of another one, or cannot
 *   be written
 * @throws {PermissionError} if Deno may not write there
 */
export async function writePhantomDataset(
  options: PhantomDatasetOptions,
  onExam?: (done: number, total: number) => void,
): Promise<PhantomDatasetSummary> {
  const work = await import("./dataset.ts");
  return await work.writePhantomDataset(options, onExam);
}
