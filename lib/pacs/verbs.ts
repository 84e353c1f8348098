/** A PACS, for scripts: each function loads its code when it is first called. */
import type { GivenFile } from "../imaging/files.ts";
import type { FetchOptions } from "./fetch_study.ts";
import type { StoreOptions } from "./store.ts";

/**
 * Fetches the MR series of a study into memory, from a PACS with DICOMweb (QIDO-RS and WADO-RS): DICOM
 * files in the transfer syntax that they are stored in. `importExams` and `inspectPaths` take them as they
 * are.
 *
 * ```ts ignore
 * import { importExams, pacs } from "../../mod.ts";
 * const server = { url: "https://pacs.example.org/dicom-web", credentials: "user:password" };
 * const files = await pacs.fetchStudy("1.2.840.113619.2.5", server);
 * await importExams({ paths: files, out: "data/mine" });
 * ```
 *
 * @param study its Study Instance UID
 * @throws {OptionError} if an option cannot be used
 * @throws {PacsError} if the PACS cannot be reached, refuses, has no such study, or sends another one, or
 *   less or more than it should
 * @throws {PermissionError} if Deno may not reach it
 */
export async function fetchStudy(study: string, options: FetchOptions): Promise<GivenFile[]> {
  const work = await import("./fetch_study.ts");
  return await work.fetchStudy(study, options);
}

/**
 * Stores DICOM files in a study of a PACS with DICOMweb (STOW-RS).
 *
 * @param study the Study Instance UID that each of the files has
 * @param files all bytes of each
 * @throws {OptionError} if an option cannot be used
 * @throws {PacsError} if the PACS cannot be reached, or refuses any of them
 * @throws {PermissionError} if Deno may not reach it
 */
export async function storeInstances(
  study: string,
  files: readonly Uint8Array[],
  options: StoreOptions,
): Promise<void> {
  const work = await import("./store.ts");
  return await work.storeInstances(study, files, options);
}
