/** `--sr`, `--sc` and `--store`: the answers of studies as DICOM files, and in the PACS they came from. */
import type { Classifier, ClassifierPrediction } from "../classifier/classifier.ts";
import { OptionError } from "../errors.ts";
import { join, makeWritableFolder, writeWhole } from "../files.ts";
import type { Study } from "../imaging/studies.ts";
import type { DicomWeb } from "../pacs/dicomweb.ts";
import type { DicomInstance } from "../pacs/instance.ts";
import { modelAnswer } from "../pacs/model_answer.ts";
import type { ExplainedExam } from "../pacs/secondary_capture.ts";
import { type AnsweredStudy, answeredStudy } from "../pacs/source.ts";
import { type Plane, PLANES } from "../terms.ts";
import { option, text } from "./arguments.ts";
import { remark } from "./console.ts";

/** Where answers go to. */
export interface AnswerTargets {
  /** For reports. */
  sr?: string;
  /** For pictures. */
  sc?: string;
  /** The PACS that both are stored in. */
  pacs?: DicomWeb;
}

/** The options that name folders. */
export function answerOptions() {
  return [
    option("--sr <DIR>", "write the answer of a DICOM study as a structured report", text),
    option("--sc <DIR>", "write where the model looked as DICOM pictures beside the study", text),
  ] as const;
}

/** Where answers are written to, and what is known for them meanwhile. */
export class AnswerFiles {
  readonly #targets: AnswerTargets;
  /** By the study's name. */
  readonly #studies = new Map<string, AnsweredStudy>();
  /** The exams of the patient at hand. */
  readonly #explained = new Map<Plane, ExplainedExam>();

  private constructor(targets: AnswerTargets) {
    this.#targets = targets;
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
    targets: AnswerTargets,
    given: Partial<Record<Plane, string>> & { exams: readonly string[] },
  ): Promise<AnswerFiles | undefined> {
    const { sr, sc, pacs } = targets;
    if ((sr ?? sc ?? pacs) === undefined) return undefined;
    const [exam] = [...given.exams, ...PLANES.flatMap((plane) => given[plane] ?? [])];
    if (exam !== undefined) {
      throw new OptionError(
        `Cannot write the answer of '${exam}' as DICOM: it is no study with DICOM files, so there is no ` +
          "patient and no study to copy: predict it without --sr and --sc",
      );
    }
    for (const folder of [sr, sc]) if (folder !== undefined) await makeWritableFolder(folder);
    return new AnswerFiles(targets);
  }

  /**
   * Remembers whose study it is.
   *
   * @param planes those that are read
   * @throws {DataError} if it cannot have an answer
   */
  async add(study: Study, planes: readonly Plane[]): Promise<void> {
    const answered = await answeredStudy(study, planes);
    const leftOut = answered.leftOut.join(", ");
    if (leftOut !== "") {
      remark(`Study ${study.name}: the answer leaves out what DICOM does not allow: ${leftOut}`);
    }
    this.#studies.set(study.name, answered);
  }

  /** Remembers where the models of a plane looked, in the patient at hand. */
  keep(plane: Plane, explained: ExplainedExam): void {
    const { sc, pacs } = this.#targets;
    if ((sc ?? pacs) !== undefined) this.#explained.set(plane, explained);
  }

  /**
   * Writes the answer of the patient at hand. Each file is called by its SOP Instance UID, so that the
   * same answer is written over itself.
   *
   * @throws {OutputError | PermissionError} if a file cannot be written
   * @throws {PacsError} if the PACS does not take it
   */
  async write(
    name: string,
    classifier: Classifier,
    prediction: ClassifierPrediction,
  ): Promise<void> {
    const study = this.#studies.get(name)!;
    const { sr, sc, pacs } = this.#targets;
    const answer = modelAnswer(classifier, prediction);
    const now = new Date();
    const stored: DicomInstance[] = [];
    if ((sr ?? pacs) !== undefined) {
      const { structuredReport } = await import("../pacs/structured_report.ts");
      const report = structuredReport(study, [answer], now);
      if (sr !== undefined) await _write(sr, report);
      stored.push(report);
    }
    if ((sc ?? pacs) !== undefined) {
      const { secondaryCapture } = await import("../pacs/secondary_capture.ts");
      for (const [plane, explained] of this.#explained) {
        const capture = secondaryCapture(study, answer, { plane, ...explained }, now);
        if (sc !== undefined) await _write(sc, capture);
        stored.push(capture);
      }
      this.#explained.clear();
    }
    await pacs?.store(study.uid, stored.map(({ bytes }) => bytes));
  }

  /** Says where they are. */
  remark(): void {
    const { sr, sc, pacs } = this.#targets;
    if (sr !== undefined) remark(`Structured reports: ${sr}`);
    if (sc !== undefined) remark(`Secondary captures: ${sc}`);
    if (pacs !== undefined) remark(`Stored: ${pacs.server.url}`);
  }
}

async function _write(folder: string, { uid, bytes }: DicomInstance): Promise<void> {
  await writeWhole(join(folder, `${uid}.dcm`), bytes);
}
