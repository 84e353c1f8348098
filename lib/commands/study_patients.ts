/** Studies from a scanner as the patients of `predict`. */
import type { Classifier } from "../classifier/classifier.ts";
import type { ClassifierPatient } from "../classifier/predict_patients.ts";
import { DataError, messageOf } from "../errors.ts";
import type { Studies, Study } from "../imaging/studies.ts";
import type { AnswerFiles } from "./answer_files.ts";
import { remark } from "./console.ts";
import { remarkCandidates } from "./series_choice.ts";

/**
 * The studies that have all planes a classifier reads. Of the others it says what is missing, and of all
 * what is odd about the series that are read.
 *
 * @param answers where the answers are written, if they are: a study that can have none is refused too
 * @returns the patients, and how many studies are none
 */
export async function studyPatients(
  { studies, skipped }: Studies,
  { planes }: Classifier,
  answers?: AnswerFiles,
): Promise<{ patients: ClassifierPatient[]; refused: number }> {
  for (const { reason } of skipped) remark(reason);
  const patients: Study[] = [];
  for (const study of studies) {
    const missing = planes.filter((plane) => study.exams[plane] === undefined);
    for (const plane of missing) _remarkMissing(study, plane);
    if (missing.length > 0 || !await _isAnswerable(study, planes, answers)) continue;
    for (const { plane, series } of study.choices) {
      if (!planes.includes(plane)) continue;
      const { description, part, remarks } = series!.facts;
      const name = [description, part].filter((word) => word !== "").join(", ");
      remark(`Study ${study.name}, ${plane}: ${name || series!.facts.series}`);
      for (const each of remarks) remark(`  ! ${each}`);
    }
    patients.push(study);
  }
  return {
    patients: patients.map(({ name, exams }) => ({ id: name, files: exams })),
    refused: studies.length - patients.length,
  };
}

async function _isAnswerable(
  study: Study,
  planes: Classifier["planes"],
  answers?: AnswerFiles,
): Promise<boolean> {
  try {
    await answers?.add(study, planes);
    return true;
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    remark(messageOf(error));
    return false;
  }
}

function _remarkMissing({ name, choices }: Study, plane: Study["choices"][number]["plane"]): void {
  const choice = choices.find((each) => each.plane === plane);
  if (choice === undefined) {
    remark(`Study ${name} is not predicted: it has no ${plane} series that can be read`);
    return;
  }
  const candidates = choice.candidates.map(({ facts }) => facts);
  remarkCandidates(`Study ${name} is not predicted`, { plane, candidates });
}
