/**
 * Many trainings as numbered units: folds, seeds, sweeps, and the scoring of an archive. A plan is a
 * folder; its units are done one by one, on one machine or on several that share the folder, and are
 * then gathered.
 *
 * ```ts ignore
 * import { plan } from "../../mod.ts";
 * await plan.makePlan({ kind: "folds", folds: 5, seeds: 5, out: "plans/five" });
 * ```
 *
 * @module
 */
export { gatherPlan, makePlan, planStatus, runUnit, runUnits, submitPlan } from "./verbs.ts";
export { workOnQueue } from "./verbs.ts";
export type { MadePlan } from "./make_plan.ts";
export type { PlanOptions, ScorePlanOptions, TrainPlanOptions } from "./options.ts";
export type {
  Plan,
  PlannedSetting,
  ScorePlan,
  ScoreUnit,
  SettingValue,
  TrainPlan,
  TrainPlanKind,
  TrainUnit,
} from "./plan.ts";
export { parsePlan, readPlan } from "./plan_file.ts";
export type { UnitOptions, UnitOutcome } from "./unit.ts";
export type { UnitsOptions, UnitsOutcome } from "./units.ts";
export type { UnitHooks } from "./train_unit.ts";
export type { SubmitOutcome } from "./submit.ts";
export type { Submission, SubmitEngineName, SubmitOptions } from "./engines/engine.ts";
export type { WorkOptions, WorkOutcome } from "./engines/queue_work.ts";
export type { QueuedUnit, QueuedUnitEnd } from "./engines/queue_work.ts";
export type { Gathered, PlanStatus } from "./gather.ts";
export type { GatheredScores } from "./gather_scores.ts";
export type {
  GatheredAuc,
  GatheredExams,
  GatheredMetrics,
  GatheredPlane,
  GatheredSubject,
  SeedSpread,
  SettingComparison,
} from "./gathered.ts";
export { dealFolds, type FoldOptions, readPatients } from "./folds.ts";
export { type FoldRow, formatFolds, parseFolds, readFolds } from "../data/folds.ts";
export { parseSweep, readSweep, type SweepSetting } from "./sweep.ts";
export type { PlainRunOptions } from "./train_unit.ts";
export type { EvaluatedSplit } from "./done_model.ts";
export { type Manifest, parseManifest, readManifest } from "../classifier/manifest.ts";
