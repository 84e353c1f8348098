/** A study of a PACS, read by models, with the answer as DICOM if it is to be stored. */
import type { Classifier, PatientExams } from "../classifier/classifier.ts";
import { oddityOf } from "../data/oddity.ts";
import { DataError } from "../errors.ts";
import type { ChooseOptions } from "../imaging/choose.ts";
import { MAX_INFLATED } from "../imaging/dicom/dataset.ts";
import { MAX_SIDE } from "../imaging/dicom/header.ts";
import type { ImagingLimits } from "../imaging/limits.ts";
import { Studies, type Study } from "../imaging/studies.ts";
import { listed } from "../quoted.ts";
import { type Plane, PLANES } from "../terms.ts";
import type { DicomWeb } from "./dicomweb.ts";
import type { EngineTurns } from "./engine_turns.ts";
import { explainedAnswer } from "./explained_answer.ts";
import { fetchStudyFiles } from "./fetch_study.ts";
import type { DicomInstance } from "./instance.ts";
import { type ModelAnswer, modelAnswer } from "./model_answer.ts";
import { answeredStudy } from "./source.ts";
import { structuredReport } from "./structured_report.ts";

/** Nobody looks at a study before it is read, so that more than any scanner makes is refused. */
const LIMITS: ImagingLimits = {
  images: 4096,
  inflatedBytes: MAX_INFLATED,
  slicePixels: MAX_SIDE ** 2,
  seriesPixels: 128 * 2 ** 20,
};

/** An engine that nobody else uses. */
const _ALONE: EngineTurns = { take: (work) => work(), between: () => Promise.resolve() };

/** Who reads, and how. */
export interface ReadStudyOptions extends ChooseOptions {
  web: DicomWeb;
  classifiers: readonly Classifier[];
  /** Store the answer in the study: a report of all models, and a picture of each model and plane. */
  store: boolean;
  /** Ends the fetching and storing. */
  signal?: AbortSignal;
  /**
   * Whose turn the engine is.
   * @default nobody else uses it
   */
  turns?: EngineTurns;
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
  { web, classifiers, store, signal, turns = _ALONE, ...choose }: ReadStudyOptions,
): Promise<StudyAnswer> {
  const { between } = turns;
  const files = await fetchStudyFiles(web, uid, { series: choose.series, signal });
  using studies = await Studies.open(files, { ...choose, limits: LIMITS, between });
  const planes = PLANES.filter((plane) => classifiers.some((each) => each.planes.includes(plane)));
  const study = _readable(studies, planes);
  const answered = store ? await answeredStudy(study, planes) : undefined;
  const exams: { -readonly [P in keyof PatientExams]: PatientExams[P] } = {};
  for (const plane of planes) exams[plane] = await study.exams[plane]!.read();
  // Before the predictions, while nothing else has the voxels.
  const remarks = _oddities(classifiers, exams);
  const answers: ModelAnswer[] = [];
  const pictures: DicomInstance[] = [];
  for (const classifier of classifiers) {
    if (answered === undefined) {
      const prediction = await turns.take(() => classifier.predict(exams, { between }));
      answers.push(modelAnswer(classifier, prediction));
      continue;
    }
    const explained = await turns.take(() =>
      explainedAnswer(classifier, exams, answered, { between })
    );
    answers.push(explained.answer);
    pictures.push(...explained.pictures);
  }
  if (answered !== undefined) {
    const files = [structuredReport(answered, answers), ...pictures].map(({ bytes }) => bytes);
    await web.store(uid, files, { signal });
  }
  return { answers, remarks };
}

/** What makes exams unlike those that the models can read. */
function _oddities(classifiers: readonly Classifier[], exams: PatientExams): string[] {
  const found = classifiers.flatMap(({ models }) =>
    models.map(({ card: { plane }, model }) => oddityOf(exams[plane]!, model.intensity))
  );
  return [...new Set(found.filter((each) => each !== undefined))];
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
