/** The combination of the three planes' models of a plan, fitted on the tune split. */
import { type ByPlane, byPlane, type Combination } from "../combine/combination.ts";
import { keepCombination } from "../combine/file.ts";
import { fitCombination } from "../combine/fit.ts";
import { describeMembers } from "../combine/members.ts";
import { patientHashes } from "../combine/patient_hashes.ts";
import type { TuneSplit } from "../data/tune.ts";
import { PLANES, type Task } from "../terms.ts";
import type { DoneModel } from "./done_model.ts";
import { patientsOf } from "./patients.ts";

/** What a combination is made of. */
export interface CombinedOf {
  /** The finding. */
  task: Task;
  /** The models; `checkpoint` leads to the file of each from here. */
  members: ByPlane<DoneModel>;
  /** The tune split. */
  tune: TuneSplit;
  /** The file of the combination. */
  name: string;
  /** Makes the error if the models were not evaluated on the same exams. */
  failure: (found: string) => Error;
}

/**
 * Fits a combination and writes its file beside those of other models.
 *
 * @returns the combination, and the path of its file
 */
export async function combinePlanes(
  { task, members, tune, name, failure }: CombinedOf,
): Promise<{ combination: Combination; path: string }> {
  const files = byPlane((plane) => ({ ...members[plane], file: members[plane].checkpoint }));
  const combination = {
    ...fitCombination(patientsOf(members, "tune", failure), "tune"),
    ...await _fitExams(members),
    task,
    tune,
    members: describeMembers(name, files),
  };
  return { combination, path: await keepCombination(name, combination) };
}

/** The hashes of the patients that a combination is fitted on, if the models have them. */
async function _fitExams(members: ByPlane<DoneModel>): Promise<Pick<Combination, "fitExams">> {
  if (PLANES.some((plane) => members[plane].tuneExams === undefined)) return {};
  const planes = byPlane((plane) => {
    const { tune, tuneExams } = members[plane];
    return new Map(tune.map(([id], at) => [id, tuneExams![at]]));
  });
  return { fitExams: await patientHashes(planes) };
}
