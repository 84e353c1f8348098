/** `--sr` and `--sc`: the answers of studies as DICOM files. */
import type { Classifier, ClassifierPrediction } from "../classifier/classifier.ts";
import { OptionError } from "../errors.ts";
import { join, makeWritableFolder, writeWhole } from "../files.ts";
import type { Study } from "../imaging/studies.ts";
import type { DicomInstance } from "../pacs/instance.ts";
import { modelAnswer } from "../pacs/model_answer.ts";
import type { ExplainedExam } from "../pacs/secondary_capture.ts";
import { type AnsweredStudy, answeredStudy } from "../pacs/source.ts";
import { type Plane, PLANES } from "../terms.ts";
import { option, text } from "./arguments.ts";
import { remark } from "./console.ts";

/** The folders that the options name. */
export interface AnswerFolders {
  /** For reports. */
  sr?: string;
  /** For pictures. */
  sc?: string;
}

/** The two options. */
export function answerOptions() {
  return [
    option("--sr <DIR>", "write the answer of a DICOM study as a structured report", text),
    option("--sc <DIR>", "write where the model looked as DICOM pictures beside the study", text),
  ] as const;
}

/** Where answers are written to, and what is known for them meanwhile. */
export class AnswerFiles {
  readonly #folders: AnswerFolders;
  /** By the study's name. */
  readonly #studies = new Map<string, AnsweredStudy>();
  /** The exams of the patient at hand. */
  readonly #explained = new Map<Plane, ExplainedExam>();

  private constructor(folders: AnswerFolders) {
    this.#folders = folders;
  }

  /**
   * Makes the folders, before anything is computed.
   *
   * @param given the exams that are no studies
   * @returns `undefined` if no answers are asked for
   * @throws {OptionError} if there are exams that belong to no study
   * @throws {OutputError | PermissionError} if a folder cannot be written
   */
  static async make(
    folders: AnswerFolders,
    given: Partial<Record<Plane, string>> & { exams: readonly string[] },
  ): Promise<AnswerFiles | undefined> {
    const { sr, sc } = folders;
    if ((sr ?? sc) === undefined) return undefined;
    const [exam] = [...given.exams, ...PLANES.flatMap((plane) => given[plane] ?? [])];
    if (exam !== undefined) {
      throw new OptionError(
        `Cannot write the answer of '${exam}' as DICOM: it is no study with DICOM files, so there is no ` +
          "patient and no study to copy: predict it without --sr and --sc",
      );
    }
    for (const folder of [sr, sc]) if (folder !== undefined) await makeWritableFolder(folder);
    return new AnswerFiles(folders);
  }

  /**
   * Remembers whose study it is.
   *
   * @param planes those that are read
   * @throws {DataError} if it cannot have an answer
   */
  async add(study: Study, planes: readonly Plane[]): Promise<void> {
    const answered = await answeredStudy(study, planes);
    if (answered.leftOut.length > 0) {
      remark(
        `Study ${study.name}: ${
          answered.leftOut.join(", ")
        } of its images is no value that DICOM ` +
          "allows, and is left out of the answer",
      );
    }
    this.#studies.set(study.name, answered);
  }

  /** Remembers where the models of a plane looked, in the patient at hand. */
  keep(plane: Plane, explained: ExplainedExam): void {
    if (this.#folders.sc !== undefined) this.#explained.set(plane, explained);
  }

  /**
   * Writes the answer of the patient at hand. Each file is called by its SOP Instance UID, so that the
   * same answer is written over itself.
   *
   * @throws {OutputError | PermissionError} if a file cannot be written
   */
  async write(
    name: string,
    classifier: Classifier,
    prediction: ClassifierPrediction,
  ): Promise<void> {
    const study = this.#studies.get(name)!;
    const { sr, sc } = this.#folders;
    const answer = modelAnswer(classifier, prediction);
    const now = new Date();
    if (sr !== undefined) {
      const { structuredReport } = await import("../pacs/structured_report.ts");
      await _write(sr, structuredReport(study, [answer], now));
    }
    if (sc !== undefined) {
      const { secondaryCapture } = await import("../pacs/secondary_capture.ts");
      for (const [plane, explained] of this.#explained) {
        await _write(sc, secondaryCapture(study, answer, { plane, ...explained }, now));
      }
      this.#explained.clear();
    }
  }

  /** Says where they are. */
  remark(): void {
    const { sr, sc } = this.#folders;
    if (sr !== undefined) remark(`Structured reports: ${sr}`);
    if (sc !== undefined) remark(`Secondary captures: ${sc}`);
  }
}

async function _write(folder: string, { uid, bytes }: DicomInstance): Promise<void> {
  await writeWhole(join(folder, `${uid}.dcm`), bytes);
}
