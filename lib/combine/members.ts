/**
 * The three models of a combination: one of each plane, all for the same task, and, if they were
 * trained with a tune split, all with the same one.
 */
import type { Intensity } from "../data/intensity.ts";
import { isSameTune, type TuneSplit } from "../data/tune.ts";
import { OptionError } from "../errors.ts";
import { baseName, folderOf, relativePath } from "../files.ts";
import { openModelSource } from "../model/model_source.ts";
import { loadPlaneModel, type PlaneModel } from "../model/plane_model.ts";
import { PLANES, type Task } from "../terms.ts";
import { isPrefix } from "../train/checkpoint.ts";
import { type ByPlane, byPlane, type CombinedMember, commonTune } from "./combination.ts";
import { LONGEST_PATH } from "./file.ts";

/**
 * Reads three models and finds the plane of each. The files say it; if they do not, the order is axial,
 * coronal, sagittal.
 *
 * @param paths three files
 * @param told the task and how the input is prepared, which files of PyTorch do not say
 * @throws {OptionError} if there are not three; if two are of one plane or are the same file; if their
 * tasks differ or are unknown; or if a file contradicts `told`
 * @throws {WeightsError} if a file is no model
 */
export async function loadCandidates(
  paths: readonly string[],
  told: { task?: Task; intensity?: Intensity },
): Promise<ByPlane<PlaneModel>> {
  if (paths.length !== PLANES.length) {
    throw new OptionError(
      `Cannot combine ${paths.length} ${paths.length === 1 ? "model" : "models"}: ` +
        "give three, of the axial, the coronal and the sagittal plane",
    );
  }
  const candidates: PlaneModel[] = [];
  try {
    for (const [index, path] of paths.entries()) {
      using source = await openModelSource(path);
      candidates.push(await loadPlaneModel(source, { ...told, fallbackPlane: PLANES[index] }));
    }
    _checkPlanes(candidates);
    _checkFiles(candidates);
    _checkTasks(candidates);
  } catch (error) {
    for (const { model } of candidates) model.dispose();
    throw error;
  }
  return byPlane((plane) => candidates.find(({ card }) => card.plane === plane)!);
}

/**
 * The tune split that three models share.
 *
 * @throws {OptionError} if one has none, or two differ
 */
export function sharedTune(
  members: ByPlane<{ file: string; card: { tune?: TuneSplit } }>,
): TuneSplit {
  const tune = commonTune(members);
  if (tune !== undefined) return tune;
  const all = PLANES.map((plane) => members[plane]);
  const without = all.find(({ card }) => card.tune === undefined);
  if (without !== undefined) {
    throw new OptionError(
      `Cannot combine on exams that no model was trained on: by its file '${without.file}' was ` +
        "trained without a tune split: train with --tune 0.1, or fit on other exams with " +
        "--fit_on train or --fit_on valid, at the price of metrics to be believed",
    );
  }
  const [first, ...others] = all;
  const other = others.find(({ card }) => !isSameTune(card.tune, first.card.tune))!;
  throw new OptionError(
    `Cannot combine on exams that no model was trained on: '${first.file}' kept out ` +
      `${_split(first.card.tune!)} and '${other.file}' ${_split(other.card.tune!)}: ` +
      "train all three with the same --tune and --tune_seed, or give --fit_on train or valid",
  );
}

/**
 * The prefix that three models share, for the name of their combination. There is none if they differ in
 * it, or if it cannot be part of a file's name, since a file may say anything.
 */
export function commonPrefix(members: ByPlane<Pick<PlaneModel, "metadata">>): string | undefined {
  const { prefix } = members.axial.metadata;
  const same = PLANES.every((plane) => members[plane].metadata.prefix === prefix);
  return same && prefix !== undefined && isPrefix(prefix) ? prefix : undefined;
}

/**
 * The models as a combination's file names them: the path of each, relative to the folder of that file,
 * and its hash.
 *
 * @param combination the file that will be written
 * @param models the file of each and its hash
 * @throws {OptionError} if a model cannot be reached from there
 */
export function describeMembers(
  combination: string,
  models: ByPlane<{ file: string; sha256: string }>,
): ByPlane<CombinedMember> {
  return byPlane((plane) => {
    const { file, sha256 } = models[plane];
    return { file: memberPath(combination, file), sha256 };
  });
}

/**
 * The path of a model as the file that names it has it: relative to the folder of that file.
 *
 * @param owner the file that will be written
 * @param path the model
 * @throws {OptionError} if the model cannot be reached from there
 */
export function memberPath(owner: string, path: string): string {
  const file = relativePath(folderOf(owner), path);
  if (file.length <= LONGEST_PATH) return file;
  throw new OptionError(
    `Cannot name the model '${path}' in '${owner}': its path from there has ${file.length} ` +
      `characters, allowed are ${LONGEST_PATH}: write '${baseName(owner)}' beside its models`,
  );
}

function _split({ fraction, seed }: TuneSplit): string {
  return `${fraction} of the exams by seed ${seed}`;
}

function _checkPlanes(candidates: readonly PlaneModel[]): void {
  for (const plane of PLANES) {
    const [one, two] = candidates.filter(({ card }) => card.plane === plane);
    if (two === undefined) continue;
    throw new OptionError(
      `Cannot combine '${one.file}' and '${two.file}': both read the ${plane} plane: ` +
        "give one model of each plane; files that do not say theirs are taken as axial, coronal, sagittal",
    );
  }
}

/** Files of PyTorch do not say their planes, so one may be given three times. */
function _checkFiles(candidates: readonly PlaneModel[]): void {
  for (const [index, one] of candidates.entries()) {
    const two = candidates.slice(index + 1).find(({ sha256 }) => sha256 === one.sha256);
    if (two === undefined) continue;
    throw new OptionError(
      `Cannot combine '${one.file}' as the ${one.card.plane} and '${two.file}' as the ` +
        `${two.card.plane} model: they are the same file (SHA-256 ${one.sha256.slice(0, 12)}…): ` +
        "give one model of each plane",
    );
  }
}

function _checkTasks([first, ...others]: readonly PlaneModel[]): void {
  const other = others.find(({ card }) => card.task !== first.card.task);
  if (other === undefined) return;
  throw new OptionError(
    `Cannot combine models of different tasks: '${first.file}' is for ${first.card.task}, ` +
      `'${other.file}' for ${other.card.task}: give three models of one task`,
  );
}
