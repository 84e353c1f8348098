/**
 * Which three models go together: one of each plane, all of one task, and, where they were trained with
 * a tune split, all with the same.
 *
 * @module
 */
import type { Intensity } from "../data/intensity.ts";
import type { TuneSplit } from "../data/tune.ts";
import { OptionError, WeightsError } from "../errors.ts";
import { folderOf, hashFile, relativePath } from "../files.ts";
import { settleCard, type SettledCard } from "../model/card.ts";
import { loadMRNet } from "../model/create.ts";
import type { MRNet } from "../model/mrnet.ts";
import { PLANES, type Task } from "../terms.ts";
import { type ByPlane, byPlane, type CombinedMember } from "./combination.ts";

/** A model that is to be combined. */
export interface Candidate {
  /** Its file. */
  path: string;
  /** The model, on the current engine. */
  model: MRNet;
  /** What its file and its place in the order say about it. */
  card: SettledCard;
  /** How its input is prepared, where its file does not say it. */
  intensity?: Intensity;
}

/**
 * Reads three models and finds out which is of which plane: as their files say, and of those that do
 * not say it by their place, axial, coronal, sagittal.
 *
 * @param paths three files
 * @param told the task and how the input is prepared, which files of PyTorch do not say
 * @throws {OptionError} where there are not three, two are of one plane, their tasks differ or are not
 * known, or a file says that its input is prepared in another way
 * @throws {WeightsError} where a file is no model
 */
export async function loadCandidates(
  paths: readonly string[],
  told: { task?: Task; intensity?: Intensity },
): Promise<ByPlane<Candidate>> {
  if (paths.length !== PLANES.length) {
    throw new OptionError(
      `Cannot combine ${paths.length} ${paths.length === 1 ? "model" : "models"}: ` +
        "give three, of the axial, the coronal and the sagittal plane",
    );
  }
  const candidates: Candidate[] = [];
  try {
    for (const [place, path] of paths.entries()) {
      const { model, card, metadata } = await loadMRNet(path, { intensity: told.intensity });
      const intensity = metadata.intensity === undefined ? card.intensity : undefined;
      // Kept at once, so that it is freed whatever the next line says.
      candidates.push({ path, model, card: card as SettledCard, intensity });
      const plane = card.plane ?? PLANES[place];
      candidates[place].card = settleCard(card, { task: told.task, plane }, path);
    }
    _checkPlanes(candidates);
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
 * @throws {OptionError} where one has none, or two differ
 */
export function sharedTune(
  members: ByPlane<{ path: string; card: { tune?: TuneSplit } }>,
): TuneSplit {
  const all = PLANES.map((plane) => members[plane]);
  const without = all.find(({ card }) => card.tune === undefined);
  if (without !== undefined) {
    throw new OptionError(
      `Cannot combine on exams that no model was trained on: by its file '${without.path}' was ` +
        "trained without a tune split: train with --tune 0.1, or fit on other exams with " +
        "--fit_on train or --fit_on valid, at the price of figures to be believed",
    );
  }
  const [first, ...others] = all;
  const other = others.find(({ card }) => _split(card.tune!) !== _split(first.card.tune!));
  if (other === undefined) return first.card.tune!;
  throw new OptionError(
    `Cannot combine on exams that no model was trained on: '${first.path}' kept out ` +
      `${_split(first.card.tune!)} and '${other.path}' ${_split(other.card.tune!)}: ` +
      "train all three with the same --tune and --tune_seed, or give --fit_on train or valid",
  );
}

/**
 * What the file of a combination says about its models: how each is reached from the folder of that
 * file, and its hash.
 *
 * @param combination the file that will be written
 * @param paths the models
 * @throws {OptionError} where a model cannot be reached from there
 */
export async function describeMembers(
  combination: string,
  paths: ByPlane<string>,
): Promise<ByPlane<CombinedMember>> {
  const described: Partial<ByPlane<CombinedMember>> = {};
  for (const plane of PLANES) {
    const path = paths[plane];
    const what = `read the ${plane} model`;
    const sha256 = await hashFile({ what, path, access: "read", error: WeightsError });
    described[plane] = { file: relativePath(folderOf(combination), path), sha256 };
  }
  return described as ByPlane<CombinedMember>;
}

function _split({ fraction, seed }: TuneSplit): string {
  return `${fraction} of the exams by seed ${seed}`;
}

function _checkPlanes(candidates: readonly Candidate[]): void {
  for (const plane of PLANES) {
    const [one, two] = candidates.filter(({ card }) => card.plane === plane);
    if (two === undefined) continue;
    throw new OptionError(
      `Cannot combine '${one.path}' and '${two.path}': both read the ${plane} plane: ` +
        "give one model of each plane; files that do not say theirs are taken as axial, coronal, sagittal",
    );
  }
}

function _checkTasks([first, ...others]: readonly Candidate[]): void {
  const other = others.find(({ card }) => card.task !== first.card.task);
  if (other === undefined) return;
  throw new OptionError(
    `Cannot combine models of different tasks: '${first.path}' is for ${first.card.task}, ` +
      `'${other.path}' for ${other.card.task}: give three models of one task`,
  );
}
