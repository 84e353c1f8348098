/** A study of a PACS, read by models, with the answer as DICOM if it is to be stored. */
import type { Classifier } from "../classifier/classifier.ts";
import { type PatientOutcome, predictPatients } from "../classifier/predict_patients.ts";
import type { ExamSource } from "../data/exam_files.ts";
import { DataError } from "../errors.ts";
import type { ChooseOptions } from "../imaging/choose.ts";
import { Studies, type Study } from "../imaging/studies.ts";
import { listed } from "../quoted.ts";
import { type Plane, PLANES } from "../terms.ts";
import type { DicomWeb } from "./dicomweb.ts";
import { fetchStudyFiles } from "./fetch_study.ts";
import { type ModelAnswer, modelAnswer } from "./model_answer.ts";
import { answeredStudy } from "./source.ts";
import { structuredReport } from "./structured_report.ts";

/** Who reads, and how. */
export interface ReadStudyOptions extends ChooseOptions {
  web: DicomWeb;
  classifiers: readonly Classifier[];
  /** Store the answer in the study. */
  store: boolean;
  /** Ends the fetching and storing. */
  signal?: AbortSignal;
}

/** What models said of a study. */
export interface StudyAnswer {
  /** In the order of the classifiers. */
  answers: readonly ModelAnswer[];
  /** What is odd about it, a sentence each. */
  remarks: readonly string[];
}

/**
 * Fetches a study, has it read by each classifier, and stores the answer if that is asked for.
 *
 * @throws {DataError} if it is none that they can read
 * @throws {PacsError} if the PACS fails
 * @throws {EngineError} if the engine fails
 */
export async function readStudy(
  uid: string,
  { web, classifiers, store, signal, ...choose }: ReadStudyOptions,
): Promise<StudyAnswer> {
  const files = await fetchStudyFiles(web, uid, { series: choose.series, signal });
  using studies = await Studies.open(files, choose);
  const planes = PLANES.filter((plane) => classifiers.some((each) => each.planes.includes(plane)));
  const study = _readable(studies, planes);
  const remarks: string[] = [];
  const answers: ModelAnswer[] = [];
  const exams = _readOnce(study, planes);
  for (const classifier of classifiers) {
    const own = Object.fromEntries(classifier.planes.map((plane) => [plane, exams[plane]!]));
    for await (const outcome of predictPatients(classifier, [{ id: uid, files: own }])) {
      answers.push(_answerOf(classifier, outcome));
      if ("odd" in outcome) remarks.push(...Object.values(outcome.odd ?? {}));
    }
  }
  if (store) {
    const answered = await answeredStudy(study, planes);
    await web.store(uid, [structuredReport(answered, answers).bytes], { signal });
  }
  return { answers, remarks: [...new Set(remarks)] };
}

/** The study, if it has one series for each plane. */
function _readable({ studies, skipped }: Studies, planes: readonly Plane[]): Study {
  const [study] = studies;
  const why = skipped.length === 0
    ? ""
    : ` (${skipped.length} files are not read; the first: ${skipped[0].reason})`;
  if (study === undefined) throw new DataError(`no exam can be made of its files${why}`);
  const missing = planes.filter((plane) => study.exams[plane] === undefined);
  if (missing.length === 0) return study;
  const open = missing.find((plane) => study.choices.some((choice) => choice.plane === plane));
  if (open === undefined) throw new DataError(`it has no ${listed(missing)} series${why}`);
  throw new DataError(
    `several series could be meant for the ${open} plane: give the one to predict --study with --series, ` +
      "or name it by --series for all studies",
  );
}

/** The exams, of which each is read once, however many classifiers ask for it. */
function _readOnce({ exams }: Study, planes: readonly Plane[]): Partial<Record<Plane, ExamSource>> {
  return Object.fromEntries(planes.map((plane) => {
    const source = exams[plane]!;
    let reading: ReturnType<ExamSource["read"]> | undefined;
    return [plane, { ...source, read: () => reading ??= source.read() }];
  }));
}

function _answerOf(classifier: Classifier, outcome: PatientOutcome): ModelAnswer {
  if ("error" in outcome) throw outcome.error;
  return modelAnswer(classifier, outcome.prediction);
}
