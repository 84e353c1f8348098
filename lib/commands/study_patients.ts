/** Studies from a scanner as the patients of `predict`. */
import type { Classifier } from "../classifier/classifier.ts";
import type { ClassifierPatient } from "../classifier/predict_patients.ts";
import type { Studies, Study } from "../imaging/studies.ts";
import { remark } from "./console.ts";
import { remarkCandidates } from "./series_choice.ts";

/**
 * The studies that have all planes a classifier reads. Of the others it says what is missing, and of all
 * what is odd about the series that are read.
 *
 * @returns the patients, and how many studies are none
 */
export function studyPatients(
  { studies, skipped }: Studies,
  { planes }: Classifier,
): { patients: ClassifierPatient[]; refused: number } {
  for (const { reason } of skipped) remark(reason);
  const patients = studies.filter((study) => {
    const missing = planes.filter((plane) => study.exams[plane] === undefined);
    for (const plane of missing) _remarkMissing(study, plane);
    if (missing.length > 0) return false;
    for (const { plane, series } of study.choices) {
      if (!planes.includes(plane)) continue;
      const { description, part, remarks } = series!.facts;
      const name = [description, part].filter((word) => word !== "").join(", ");
      remark(`Study ${study.name}, ${plane}: ${name || series!.facts.series}`);
      for (const each of remarks) remark(`  ! ${each}`);
    }
    return true;
  });
  return {
    patients: patients.map(({ name, exams }) => ({ id: name, files: exams })),
    refused: studies.length - patients.length,
  };
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
