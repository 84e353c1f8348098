/**
 * One chunk of an archive: its exams are predicted, and their table is written whole. Until then each row
 * is kept in a partial table, by which a chunk that was stopped or killed goes on.
 */
import { loadClassifier } from "../classifier/load.ts";
import { readManifest } from "../classifier/manifest.ts";
import { scoreExams, scoreHeader, scoreLine } from "../classifier/score_exams.ts";
import { startEngine } from "../engine/engine.ts";
import { join, sha256Of, writeWhole } from "../files.ts";
import { changedManifest } from "./inputs.ts";
import type { ScorePlan, ScoreUnit } from "./plan.ts";
import { isPredicted, PartialTable } from "./partial_table.ts";
import { unitFolder } from "./plan_file.ts";
import type { UnitHooks } from "./train_unit.ts";
import type { DoneChunk } from "./unit_file.ts";

/** A chunk, and the plan that it is of: plain values alone, so that a worker can be given it. */
export interface ChunkOfPlan {
  /** The plan's folder. */
  folder: string;
  /** The plan. */
  plan: ScorePlan;
  /** The SHA-256 of the plan's file. */
  sha256: string;
  /** The chunk. */
  unit: ScoreUnit;
}

/**
 * Predicts the exams of a chunk, or those that are left.
 *
 * @param folder the plan's
 * @returns nothing if the signal ended it
 * @throws {DataError} if the manifest is not the one of the plan
 */
export async function scoreUnit(
  { folder, plan, sha256: planHash, unit }: ChunkOfPlan,
  { signal, onEvaluated }: Pick<UnitHooks, "signal" | "onEvaluated">,
): Promise<DoneChunk | undefined> {
  await startEngine(plan.engine, { threads: plan.threads });
  using classifier = await loadClassifier(plan.model.file);
  const { exams, sha256 } = await readManifest(plan.manifest.file, classifier.planes);
  if (sha256 !== plan.manifest.sha256) throw changedManifest(folder, plan);
  const chunk = exams.slice(unit.first, unit.first + unit.count);
  using partial = await PartialTable.open(folder, unit, {
    ...{ plan: planHash, ids: chunk.map(({ id }) => id) },
    header: scoreLine(scoreHeader(classifier)),
  });
  const { rows: before } = partial;
  const onRow = (row: string) => partial.append(row);
  const scored = await scoreExams(classifier, chunk, {
    ...{ signal, onExam: onEvaluated, before, onRow },
  });
  if (scored === undefined) return undefined;
  const predictions = `predictions-${unit.index}.csv`;
  await writeWhole(join(unitFolder(folder, unit), predictions), scored.table);
  return {
    predictions,
    sha256: await sha256Of(new TextEncoder().encode(scored.table)),
    exams: chunk.length,
    unreadable: scored.unreadable.length + before.filter((row) => !isPredicted(row)).length,
  };
}
