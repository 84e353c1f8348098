/**
 * A combination together with its three models, ready to read the exams of a patient.
 *
 * @module
 */
import type { Exam } from "../data/exam.ts";
import { DataError, WeightsError } from "../errors.ts";
import { folderOf, hashFile, join } from "../files.ts";
import { settleCard, type SettledCard } from "../model/card.ts";
import { type LoadedMRNet, loadMRNet } from "../model/create.ts";
import { isAddress } from "../model/model_source.ts";
import type { Prediction } from "../model/mrnet.ts";
import { type Plane, PLANES, type Task } from "../terms.ts";
import {
  type ByPlane,
  byPlane,
  type Combination,
  combinedLogit,
  type CombinedMember,
  combinedProbability,
} from "./combination.ts";
import { readCombination } from "./file.ts";

/** What the three models and their combination say about one patient. */
export interface CombinedPrediction {
  /** The combined probability of the finding, in 0–1. */
  probability: number;
  /** The combined logit: what the sigmoid made the probability of. */
  logit: number;
  /** What the model of each plane says about its own exam. */
  planes: ByPlane<Prediction>;
}

/** A model of a combination, loaded. */
export interface LoadedMember extends Pick<LoadedMRNet, "model"> {
  /** What it predicts and how its input is prepared. */
  card: SettledCard;
}

/** Three models and their combination. Their memory is held until {@linkcode CombinedMRNet.dispose}. */
export class CombinedMRNet {
  /** The weights of the planes, the operating point, and what they were found by. */
  readonly combination: Combination;
  /** The model of each plane. */
  readonly members: Readonly<ByPlane<LoadedMember>>;

  /** Puts together what was loaded; {@linkcode loadCombined} does so from a file. */
  constructor(combination: Combination, members: ByPlane<LoadedMember>) {
    this.combination = combination;
    this.members = members;
  }

  /** The finding that all its models predict. */
  get task(): Task {
    return this.members.axial.card.task;
  }

  /**
   * Reads the three exams of one patient, one after another.
   *
   * @param exams the series of each plane
   * @throws {DataError} where a plane is missing, naming it
   */
  async predict(exams: Readonly<Partial<ByPlane<Exam>>>): Promise<CombinedPrediction> {
    const all = everyPlane(exams);
    const planes: Partial<ByPlane<Prediction>> = {};
    for (const plane of PLANES) planes[plane] = await this.members[plane].model.predict(all[plane]);
    return this.combine(planes as ByPlane<Prediction>);
  }

  /** Combines what the three models said. */
  combine(planes: ByPlane<Prediction>): CombinedPrediction {
    const probabilities = byPlane((plane) => planes[plane].probability);
    return {
      probability: combinedProbability(this.combination, probabilities),
      logit: combinedLogit(this.combination, probabilities),
      planes,
    };
  }

  /** Frees the models; they are of no use afterwards. */
  dispose(): void {
    for (const plane of PLANES) this.members[plane].model.dispose();
  }
}

/**
 * Reads a combination and its three models onto the current engine; one is started where none runs.
 *
 * @param path the file that `combine` wrote; the models lie where it says, from its own folder
 * @throws {WeightsError} where the file is no combination, was fitted on a table and so has no models,
 * or a model is missing, is not the one that was combined, or is for another task or plane
 * @throws {PermissionError} where Deno may not read one of the four files
 */
export async function loadCombined(path: string): Promise<CombinedMRNet> {
  const combination = await readCombination(path);
  const { task, members } = membersOf(combination, path);
  const loaded: Partial<ByPlane<LoadedMember>> = {};
  try {
    for (const plane of PLANES) loaded[plane] = await _load(path, task, plane, members[plane]);
  } catch (error) {
    for (const member of Object.values(loaded)) member.model.dispose();
    throw error;
  }
  return new CombinedMRNet(combination, loaded as ByPlane<LoadedMember>);
}

/**
 * The models of a combination, and the finding that they predict.
 *
 * @param path the combination's file, for messages
 * @throws {WeightsError} where it has none, because it was fitted on a table
 */
export function membersOf(
  { task, members }: Combination,
  path: string,
): { task: Task; members: ByPlane<CombinedMember> } {
  if (task !== undefined && members !== undefined) return { task, members };
  throw new WeightsError(
    `Cannot use the combination '${path}' for exams: it has weights but no models, for it was fitted ` +
      "on a table: combine models with 'cli.ts combine --models AXIAL,CORONAL,SAGITTAL'",
  );
}

/**
 * The three exams of a patient, with the promise that no plane is missing.
 *
 * @param what what is being done, for messages
 * @throws {DataError} where one is missing, naming every one
 */
export function everyPlane<T>(
  exams: Readonly<Partial<ByPlane<T>>>,
  what = "combine the planes",
): ByPlane<T> {
  const missing = PLANES.filter((plane) => exams[plane] === undefined);
  if (missing.length === 0) return byPlane((plane) => exams[plane]!);
  throw new DataError(
    `Cannot ${what}: there is no ${missing.join(" and no ")} exam: ` +
      "a combination needs the axial, the coronal and the sagittal exam",
  );
}

/**
 * The path of a member's file, which is given from the folder of the combination's.
 *
 * @throws {WeightsError} if it is an address: a file says where files are, not what is to be fetched
 */
export function memberPath(combination: string, { file }: Pick<CombinedMember, "file">): string {
  if (isAddress(file)) {
    throw new WeightsError(
      `Cannot use the combination '${combination}': its model '${file}' is an address and not a ` +
        "path: put the models beside the combination, or combine again",
    );
  }
  const folder = folderOf(combination);
  return folder === "." || /^([\\/]|[A-Za-z]:[\\/])/.test(file) ? file : join(folder, file);
}

async function _load(
  path: string,
  task: Task,
  plane: Plane,
  member: CombinedMember,
): Promise<LoadedMember> {
  const file = memberPath(path, member);
  const mend = "put the model back, or combine again";
  const what = `read the ${plane} model of '${path}',`;
  const found = await hashFile({ what, path: file, access: "read", error: WeightsError, mend });
  if (found !== member.sha256) {
    throw new WeightsError(
      `Cannot use the combination '${path}': its ${plane} model '${file}' is another than the one ` +
        `that was combined (its SHA-256 is not ${member.sha256.slice(0, 12)}…): ${mend}`,
    );
  }
  const { model, card } = await loadMRNet(file, { intensity: member.intensity });
  try {
    return { model, card: settleCard(card, { task, plane }, file) };
  } catch (error) {
    model.dispose();
    throw error;
  }
}
