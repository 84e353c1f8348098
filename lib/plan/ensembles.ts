/** The ensembles of a plan's trainings: of the models of all folds and seeds that were trained alike. */
import { type Ensemble, MAX_MEMBERS } from "../classifier/ensemble.ts";
import { outOfFoldOf, type OutOfFoldPrediction } from "../classifier/out_of_fold.ts";
import { unreachedRemark } from "./combined_planes.ts";
import { memberPath } from "../combine/members.ts";
import type { ExamHash } from "../data/exam_hash.ts";
import { join, makeFolder, writeWhole } from "../files.ts";
import { type OperatingRule, thresholdOrYouden } from "../metrics/operating_rule.ts";
import { madeNow } from "../model/made_by.ts";
import type { Task } from "../terms.ts";
import { type GatheredPlane, meanLogits, type SaidOf } from "./gathered.ts";

/** The folder of the ensembles in a plan's. */
const ENSEMBLES = "ensembles";

/** A model, or a combination, that may be a member. */
export interface PlannedMember {
  /** Its file. */
  file: string;
  /** The SHA-256 of the file. */
  sha256: string;
  /** The setting, counted from 1. */
  setting: number;
  /** The finding. */
  task: Task;
  /** The plane. */
  plane: GatheredPlane;
  /** The seed. */
  seed: number;
  /** How operating points are chosen; if left out, by Youden's index. */
  rule?: OperatingRule;
  /** What it said about the exams of the fold that was kept out; empty if the plan has no folds. */
  heldOut: readonly HeldOut[];
}

/** A prediction for an exam that the model was not trained on. */
export type HeldOut = SaidOf & { hash?: ExamHash };

/**
 * Writes an ensemble of all models that differ in fold and seed alone, for each setting, finding and plane
 * that has several. With folds it has an operating point: each exam's prediction is the mean logit of the
 * models, one a seed, that its fold was kept out of.
 *
 * @param folder the plan's
 * @param prefix stands in the files' names
 * @returns the files, and a remark for each that has too many members, or whose rule chose no
 * operating point
 * @throws {OutputError} if one cannot be written
 */
export async function writeEnsembles(
  folder: string,
  prefix: string,
  members: readonly PlannedMember[],
): Promise<{ written: string[]; remarks: string[] }> {
  const written: string[] = [];
  const remarks: string[] = [];
  const name = ({ task, plane, setting }: PlannedMember) =>
    `ensemble_${prefix}_${task}-${plane}-setting${setting}.json`;
  for (const [file, alike] of Map.groupBy(members, name)) {
    if (alike.length < 2) continue;
    const [{ task, plane }] = alike;
    if (alike.length > MAX_MEMBERS) {
      remarks.push(
        `There is no ensemble '${file}': it would have ${alike.length} members, and ${MAX_MEMBERS} are ` +
          "allowed: make one of fewer models with 'cli.ts ensemble', or plan fewer folds or seeds",
      );
      continue;
    }
    const path = join(folder, ENSEMBLES, file);
    const { outOfFold, unreached } = _outOfFold(alike);
    if (unreached !== undefined) {
      remarks.push(unreachedRemark(`the ensemble of ${task} ${plane}`, unreached));
    }
    const ensemble: Ensemble = {
      ...{ task, plane },
      members: alike.map(({ file, sha256 }) => ({ file: memberPath(path, file), sha256 })),
      ...(outOfFold && { outOfFold }),
      ...madeNow(),
    };
    await makeFolder(join(folder, ENSEMBLES));
    // What checks and writes the file is loaded for ensembles alone.
    const { formatEnsemble } = await import("../classifier/ensemble_file.ts");
    await writeWhole(path, formatEnsemble(ensemble));
    written.push(path);
  }
  return { written, remarks };
}

/** What the out-of-fold predictions say; nothing without folds, or if all have the same label. */
function _outOfFold(
  members: readonly PlannedMember[],
): Pick<Ensemble, "outOfFold"> & { unreached?: string } {
  const bySeed = [...Map.groupBy(members, ({ seed }) => seed).values()];
  const hashes = new Map(
    members.flatMap(({ heldOut }) => heldOut.map(({ id, hash }) => [id, hash])),
  );
  const mean = meanLogits(bySeed.map((alike) => alike.flatMap(({ heldOut }) => heldOut)));
  const said = mean.map(({ id, label, probability, logit }): OutOfFoldPrediction => {
    const hash = hashes.get(id);
    return { id, label, probability, logit, ...(hash !== undefined && { hash }) };
  });
  const labels = said.map(({ label }) => label);
  if (new Set(labels).size < 2) return {};
  const { rule = "youden" } = members[0];
  const chosen = thresholdOrYouden(labels, said.map(({ probability }) => probability), rule);
  return { outOfFold: outOfFoldOf(said, chosen.rule), unreached: chosen.unreached };
}
