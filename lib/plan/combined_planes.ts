/** The combination of the three planes' models of a plan, fitted on the tune split. */
import { type ByPlane, byPlane, type Combination } from "../combine/combination.ts";
import { keepCombination } from "../combine/file.ts";
import { fitPlanes } from "../combine/fit.ts";
import { describeMembers } from "../combine/members.ts";
import { patientHashes } from "../combine/patient_hashes.ts";
import type { TuneSplit } from "../data/tune.ts";
import {
  type OperatingRule,
  parseOperatingRule,
  thresholdOrYouden,
} from "../metrics/operating_rule.ts";
import { madeNow } from "../model/made_by.ts";
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
  /**
   * How the operating point is chosen; if no threshold does what the rule asks for, by Youden's index.
   * @default "youden"
   */
  rule?: OperatingRule;
  /** The file of the combination. */
  name: string;
  /** Makes the error if the models were not evaluated on the same exams. */
  failure: (found: string) => Error;
}

/**
 * Fits a combination and writes its file beside those of other models.
 *
 * @returns the combination, the path of its file, and a remark if its rule chose no operating point
 */
export async function combinePlanes(
  { task, members, tune, rule = "youden", name, failure }: CombinedOf,
): Promise<{ combination: Combination; path: string; remark?: string }> {
  const files = byPlane((plane) => ({ ...members[plane], file: members[plane].checkpoint }));
  const { fit, combined } = fitPlanes(patientsOf(members, "tune", failure), "tune");
  const { unreached, ...chosen } = thresholdOrYouden(...combined, rule);
  const combination = {
    ...{ ...fit, operatingPoint: { ...chosen, exams: "tune" as const } },
    ...await _fitExams(members),
    task,
    tune,
    members: describeMembers(name, files),
    ...madeNow(),
  };
  const path = await keepCombination(name, combination);
  if (unreached === undefined) return { combination, path };
  return { combination, path, remark: unreachedRemark(`the combination of ${task}`, unreached) };
}

/** The rule of operating points among the options of a training, as files have them. */
export function ruleAmong({ operating_point: rule }: Readonly<Record<string, unknown>>) {
  return typeof rule === "string" ? parseOperatingRule(rule) : undefined;
}

/** What is said if no threshold did what a rule asks for. */
export function unreachedRemark(whose: string, unreached: string): string {
  return `${unreached}: the operating point of ${whose} was chosen by Youden’s index`;
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
