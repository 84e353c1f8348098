/** One chunk of an archive: its exams are predicted, and their table is written whole. */
import { loadClassifier } from "../classifier/load.ts";
import { readManifest } from "../classifier/manifest.ts";
import { scoreExams } from "../classifier/score_exams.ts";
import { startEngine } from "../engine/engine.ts";
import { join, sha256Of, writeWhole } from "../files.ts";
import { changedManifest } from "./inputs.ts";
import type { ScorePlan, ScoreUnit } from "./plan.ts";
import { unitFolder } from "./plan_file.ts";
import type { UnitHooks } from "./train_unit.ts";
import type { DoneChunk } from "./unit_file.ts";

/**
 * Predicts the exams of a chunk.
 *
 * @param folder the plan's
 * @returns nothing if the signal ended it; no prediction is written then
 * @throws {DataError} if the manifest is not the one of the plan
 */
export async function scoreUnit(
  folder: string,
  plan: ScorePlan,
  unit: ScoreUnit,
  { signal, onEvaluated }: Pick<UnitHooks, "signal" | "onEvaluated">,
): Promise<DoneChunk | undefined> {
  await startEngine(plan.engine, { threads: plan.threads });
  using classifier = await loadClassifier(plan.model.file);
  const { exams, sha256 } = await readManifest(plan.manifest.file, classifier.planes);
  if (sha256 !== plan.manifest.sha256) throw changedManifest(folder, plan);
  const chunk = exams.slice(unit.first, unit.first + unit.count);
  const scored = await scoreExams(classifier, chunk, { signal, onExam: onEvaluated });
  if (scored === undefined) return undefined;
  const predictions = `predictions-${unit.index}.csv`;
  await writeWhole(join(unitFolder(folder, unit), predictions), scored.table);
  return {
    predictions,
    sha256: await sha256Of(new TextEncoder().encode(scored.table)),
    exams: chunk.length,
    unreadable: scored.unreadable.length,
  };
}
