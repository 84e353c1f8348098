/** A study that is answered from its files, for scripts. */
import type { Classifier } from "../classifier/classifier.ts";
import type { Exam } from "../data/exam.ts";
import { DataError } from "../errors.ts";
import type { MapKind } from "../explain/explain.ts";
import type { ChooseOptions } from "../imaging/choose.ts";
import type { GivenFile } from "../imaging/files.ts";
import { Studies, type Study } from "../imaging/studies.ts";
import { checkOptionNames, type OptionNames } from "../option_names.ts";
import type { Plane } from "../terms.ts";
import { explainedAnswer } from "./explained_answer.ts";
import type { DicomInstance } from "./instance.ts";
import { type ModelAnswer, modelAnswer } from "./model_answer.ts";
import { answeredStudy } from "./source.ts";
import { structuredReport } from "./structured_report.ts";

/** How a study is answered. */
export interface AnswerOptions extends ChooseOptions {
  /**
   * Also draw where the models looked, which takes longer.
   * @default false
   */
  pictures?: boolean;
  /**
   * Which map of each slice is drawn.
   * @default "share"
   */
  map?: MapKind;
}

/** What answering can be given. */
const OPTION_NAMES: OptionNames<AnswerOptions> = {
  series: true,
  plane: true,
  anyTilt: true,
  pictures: true,
  map: true,
};

/** The answer of a study. */
export interface DicomAnswer {
  /** What the classifier said. */
  answer: ModelAnswer;
  /** The same as a structured report. */
  report: DicomInstance;
  /** Where its models looked, a picture for each plane; none if they were not asked for. */
  pictures: DicomInstance[];
  /** The keywords of what the images say of patient and study and DICOM does not allow. */
  leftOut: readonly string[];
}

/** As in `verbs.ts`, where it is described. */
export async function answerStudy(
  classifier: Classifier,
  files: readonly (string | GivenFile)[],
  options: AnswerOptions = {},
): Promise<DicomAnswer> {
  checkOptionNames("answer a study", options, OPTION_NAMES);
  const { pictures = false, map, ...choose } = options;
  using studies = await Studies.open(files, choose);
  const study = _onlyStudy(studies);
  const { planes } = classifier;
  const answered = await answeredStudy(study, planes);
  const exams: Partial<Record<Plane, Exam>> = {};
  for (const plane of planes) exams[plane] = await study.exams[plane]!.read();
  const now = new Date();
  const common = (answer: ModelAnswer) => ({
    answer,
    report: structuredReport(answered, [answer], now),
    leftOut: answered.leftOut,
  });
  if (!pictures) {
    const answer = modelAnswer(classifier, await classifier.predict(exams));
    return { ...common(answer), pictures: [] };
  }
  const explained = await explainedAnswer(classifier, exams, answered, { map, now });
  return { ...common(explained.answer), pictures: explained.pictures };
}

function _onlyStudy({ studies, skipped }: Studies): Study {
  if (studies.length === 1) return studies[0];
  const why = studies.length > 1
    ? `they are of ${studies.length} studies: answer one after the other`
    : `no exam can be made of them${skipped.length > 0 ? `: ${skipped[0].reason}` : ""}`;
  throw new DataError(`Cannot answer a study from these files: ${why}`);
}
