/** A PACS, for scripts: each function loads its code when it is first called. */
import type { Classifier } from "../classifier/classifier.ts";
import type { GivenFile } from "../imaging/files.ts";
import type { AnswerOptions, DicomAnswer } from "./answer_study.ts";
import type { FetchOptions } from "./fetch_study.ts";
import type { StoreOptions } from "./store.ts";
import type { WatchOptions } from "./watch_pacs.ts";

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

/**
 * Asks a PACS for new studies of knees again and again, and has models read each once: until a signal
 * fires. What is done is kept in a folder, so that a watch that was killed goes on where it was; a study is
 * marked when its answer was given, and stored if it is to be. The same answer has the same identifiers, so
 * that the PACS has it once.
 *
 * The engine must be started, and the classifiers loaded.
 *
 * ```ts ignore
 * import { loadClassifier, pacs, startEngine } from "../../mod.ts";
 * await startEngine("auto");
 * using classifier = await loadClassifier("models/combined_mrnet_acl.json");
 * await pacs.watch({
 *   ...{ url: "https://pacs.example.org/dicom-web", credentials: "user:password" },
 *   ...{ classifiers: [classifier], folder: "watch", store: true, signal: AbortSignal.timeout(3.6e6) },
 *   onAnswer: (study, { answers }) => console.log(study, answers[0].probability),
 * });
 * ```
 *
 * @throws {OptionError} if an option cannot be used, or another process has the folder
 * @throws {DataError} if the folder's file is no watch's
 * @throws {OutputError} if the folder cannot be written
 * @throws {EngineError} if the engine fails
 * @throws {PermissionError} if Deno may not reach the PACS, or read and write in the folder
 */
export async function watch(options: WatchOptions): Promise<void> {
  const work = await import("./watch_pacs.ts");
  await work.watchPacs(options);
}

/**
 * Predicts a study and gives the answer as DICOM objects that can be stored beside it: a structured report
 * by template 1500, and if they are asked for, pictures of where the models looked. They are for research:
 * each says that it is not for diagnosis.
 *
 * Patient and study are copied from the images. The identifiers follow from the study, the images, the
 * model's file and the toolkit's version: the same answer has the same ones.
 *
 * ```ts ignore
 * import { loadClassifier, pacs } from "../../mod.ts";
 * using classifier = await loadClassifier("models/combined_mrnet_acl.json");
 * const { answer, report } = await pacs.answerStudy(classifier, ["export"]);
 * console.log(answer.probability, answer.decision);
 * await Deno.writeFile(`${report.uid}.dcm`, report.bytes);
 * ```
 *
 * @param files of one study: paths of DICOM files, folders or zip archives, or their bytes
 * @throws {OptionError} if there is no option of a name that is given
 * @throws {DataError} if they are not one study of DICOM files, a plane is missing or several series could
 *   be meant, or an exam cannot be read
 * @throws {PermissionError} if Deno may not read one
 * @throws {EngineError} if the engine fails
 */
export async function answerStudy(
  classifier: Classifier,
  files: readonly (string | GivenFile)[],
  options?: AnswerOptions,
): Promise<DicomAnswer> {
  const work = await import("./answer_study.ts");
  return await work.answerStudy(classifier, files, options);
}
