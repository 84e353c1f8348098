/** Putting the results of a plan's units together: combinations, metrics, tables and a page. */
import { type ByPlane, byPlane, combinePredictions } from "../combine/combination.ts";
import { type ExamHash, hashTogether } from "../data/exam_hash.ts";
import { DataError } from "../errors.ts";
import { join, makeFolder, writeWhole } from "../files.ts";
import { commandLine } from "../invocation.ts";
import type { OperatingRule } from "../metrics/operating_rule.ts";
import { hashModelFile } from "../model/model_source.ts";
import { listed } from "../quoted.ts";
import { type Plane, PLANES, TASKS } from "../terms.ts";
import { combinePlanes, ruleAmong } from "./combined_planes.ts";
import type { DoneModel, EvaluatedSplit, LeftOutExam } from "./done_model.ts";
import { readFailure } from "./failed_file.ts";
import { type HeldOut, type PlannedMember, writeEnsembles } from "./ensembles.ts";
import { type GatheredMetrics, gatherMetrics, type Said, type SaidOf } from "./gathered.ts";
import { gatheredPage } from "./gathered_page.ts";
import { type GatheredScores, gatherScores } from "./gather_scores.ts";
import { patientsOf } from "./patients.ts";
import type { Plan, TrainPlan, TrainUnit } from "./plan.ts";
import { type OpenedPlan, openPlan, unitFolder } from "./plan_file.ts";
import { writeOutcome } from "./run_all/outcome.ts";
import type { TaskResult } from "./run_all/results.ts";
import { modelKey } from "./run_all/state.ts";
import { type DoneChunk, readUnits, type UnitResult } from "./unit_file.ts";

/** The folder of the combinations in a plan's. */
const COMBINATIONS = "combinations";

/** How many units are named in a message. */
const MAX_NAMED = 10;

/** What a plan came to. */
export type Gathered =
  | ({ kind: "score" } & GatheredScores)
  | {
    /** The nine models of three tasks and three planes. */
    kind: "all";
    /** A row for each task. */
    results: TaskResult[];
    /** The exams that could not be read and were left out. */
    leftOut: LeftOutExam[];
    /** The table as a page. */
    report: string;
    /** What is to be known about the combinations, a line each. */
    remarks: string[];
  }
  | ({
    /** Any other trainings. */
    kind: "trainings";
    /** The metrics as a page. */
    report: string;
    /** What is to be known about combinations and ensembles, a line each. */
    remarks: string[];
  } & GatheredMetrics);

/** Which units are done. */
export interface PlanStatus {
  /** The plan. */
  plan: Plan;
  /** The units, in their order, each with whether it is done, and why it failed if it did. */
  units: { index: number; id: string; done: boolean; failed?: string }[];
}

/** A unit with its result. */
interface DoneUnit {
  unit: TrainUnit;
  model: DoneModel;
}

/** As in `verbs.ts`, where it is described. */
export async function planStatus(folder: string): Promise<PlanStatus> {
  const opened = await openPlan(folder);
  const results = await readUnits(folder, opened);
  const failures = await _failures(folder, opened, results);
  const units = opened.plan.units.map(({ index, id }) => ({
    ...{ index, id, done: results[index] !== undefined },
    ...(failures.has(index) && { failed: failures.get(index) }),
  }));
  return { plan: opened.plan, units };
}

/** As in `verbs.ts`, where it is described. */
export async function gatherPlan(folder: string): Promise<Gathered> {
  const opened = await openPlan(folder);
  const { plan } = opened;
  const results = await readUnits(folder, opened);
  await _checkDone(folder, opened, results);
  if (plan.kind === "score") {
    return { kind: "score", ...await gatherScores(folder, plan, results as DoneChunk[]) };
  }
  if (_isNine(plan)) return await gatherNine(folder, plan, results as DoneModel[]);
  return await _gatherTrainings(folder, plan, _checkedUnits(folder, plan, results));
}

/**
 * The outcome of nine models that are done.
 *
 * @param models the folder of the combinations
 */
export async function gatherNine(
  folder: string,
  plan: TrainPlan,
  results: readonly DoneModel[],
  models: string = plan.shared?.models ?? join(folder, COMBINATIONS),
): Promise<Extract<Gathered, { kind: "all" }>> {
  const units = _checkedUnits(folder, plan, results);
  await makeFolder(models);
  const { data, tune, prefix, asked } = plan;
  const byKey = units.map(({ unit: { task, plane }, model }) => [modelKey(task, plane), model]);
  const outcome = await writeOutcome({
    ...{ models: Object.fromEntries(byKey), config: asked, data, tune, prefix, out: folder },
    ...{ failure: _failure(folder), combinations: models },
  });
  return { kind: "all", ...outcome };
}

/** The units with the paths of their models from here, evaluated on the same exams. */
function _checkedUnits(
  folder: string,
  { units, shared }: TrainPlan,
  results: readonly (UnitResult | undefined)[],
): DoneUnit[] {
  const done = units.map((unit) => {
    const model = results[unit.index] as DoneModel;
    if (shared !== undefined) return { unit, model };
    return {
      unit,
      model: { ...model, checkpoint: join(unitFolder(folder, unit), model.checkpoint) },
    };
  });
  _checkSameExams(folder, done);
  return done;
}

/** Why units failed, by their numbers; those that are done have not failed. */
async function _failures(
  folder: string,
  opened: OpenedPlan,
  results: readonly (UnitResult | undefined)[],
): Promise<Map<number, string>> {
  const failures = new Map<number, string>();
  for (const unit of opened.plan.units) {
    if (results[unit.index] !== undefined) continue;
    const reason = await readFailure(folder, opened, unit);
    if (reason !== undefined) failures.set(unit.index, reason);
  }
  return failures;
}

async function _checkDone(
  folder: string,
  opened: OpenedPlan,
  results: readonly (UnitResult | undefined)[],
): Promise<void> {
  const { units } = opened.plan;
  const open = units.filter(({ index }) => results[index] === undefined);
  if (open.length === 0) return;
  const failures = await _failures(folder, opened, results);
  const names = listed(
    open.map(({ index, id }) => `${index} (${id})${failures.has(index) ? ", which failed" : ""}`),
    MAX_NAMED,
  );
  // Of several reasons the first is told; `status` tells them all.
  const [reason] = failures.values();
  throw new DataError(
    `Cannot gather the plan '${folder}': ${open.length} of ${units.length} units are not ` +
      `done: ${names}${reason === undefined ? "" : ` (${reason})`}: ` +
      commandLine("unit", folder, "--index", `${open[0].index}`),
  );
}

/** Refuses results that were computed on different exams under the same name. */
function _checkSameExams(folder: string, units: readonly DoneUnit[]): void {
  for (const plane of PLANES) {
    const seen = new Map<string, { hash: string; id: string }>();
    for (const { unit, model } of units.filter((each) => each.unit.plane === plane)) {
      for (const split of ["tune", "fold", "valid"] as const) {
        for (const [at, [exam]] of (model[split] ?? []).entries()) {
          const hash = model[`${split}Exams`]?.[at];
          const key = `${split === "valid"} ${exam}`;
          const before = seen.get(key);
          if (hash === undefined) continue;
          seen.set(key, before ?? { hash, id: unit.id });
          if (before === undefined || before.hash === hash) continue;
          throw _failure(folder)(
            `the units ${before.id} and ${unit.id} were evaluated on different ${plane} exams ` +
              `'${exam}'`,
          );
        }
      }
    }
  }
}

/** Makes the error of results that do not go together. */
function _failure(folder: string): (found: string) => DataError {
  return (found) =>
    new DataError(
      `Cannot gather the plan '${folder}': ${found}: give all units the same exams, and do those ` +
        "again that had others",
    );
}

/** Whether a plan is of the nine models of three tasks and three planes. */
function _isNine({ kind, units, folds }: TrainPlan): boolean {
  return kind === "all" && folds === undefined && units.length === TASKS.length * PLANES.length;
}

async function _gatherTrainings(
  folder: string,
  plan: TrainPlan,
  units: readonly DoneUnit[],
): Promise<Gathered> {
  await makeFolder(join(folder, COMBINATIONS));
  const said = units.flatMap(({ unit, model }) => _saidOf(plan, unit, model));
  const members = units.map((unit) => _memberOf(plan, unit));
  const remarks: string[] = [];
  for (const alike of Map.groupBy(units, ({ unit }) => _suffix(unit)).values()) {
    const combined = await _combined(folder, plan, alike);
    if (combined === undefined) continue;
    said.push(...combined.said);
    members.push(combined.member);
    if (combined.remark !== undefined) remarks.push(combined.remark);
  }
  remarks.push(...(await writeEnsembles(folder, plan.prefix, members)).remarks);
  const names = plan.settings.map(({ name }) => name);
  const metrics = gatherMetrics(said, names);
  await writeWhole(join(folder, "predictions.csv"), _predictionsTable(said));
  const file = { kind: plan.kind, units: units.length, ...metrics };
  await writeWhole(join(folder, "results.json"), JSON.stringify(file, null, 2) + "\n");
  const report = join(folder, "report.html");
  const models = units.map(({ unit, model }) => ({ unit, model }));
  await writeWhole(report, gatheredPage(metrics, { plan, models }));
  return { kind: "trainings", report, remarks, ...metrics };
}

/** What units have in common whose planes can be combined. */
function _suffix({ task, setting, fold, seed }: TrainUnit): string {
  return `${task}-setting${setting}${fold === undefined ? "" : `-fold${fold}`}-seed${seed}`;
}

function _saidOf({ evaluateOn }: TrainPlan, unit: TrainUnit, model: DoneModel): Said[] {
  const { setting, task, plane, seed, fold } = unit;
  return evaluateOn.map((split) => ({
    ...{ setting, task, plane, seed, fold, split },
    predictions: (model[split] ?? []).map(([id, label, probability, logit]) =>
      ({ id, label, probability, logit }) as SaidOf
    ),
  }));
}

/** How the operating points of a unit's setting are chosen. */
function _ruleOf({ settings }: TrainPlan, { setting }: TrainUnit): OperatingRule | undefined {
  return ruleAmong(settings[setting - 1].options);
}

/** A unit's model as a member of an ensemble. */
function _memberOf(plan: TrainPlan, { unit, model }: DoneUnit): PlannedMember {
  const { setting, task, plane, seed } = unit;
  const heldOut = (model.fold ?? []).map(([id, label, probability, logit], at) =>
    ({ id, label, probability, logit, hash: model.foldExams?.[at] }) as HeldOut
  );
  const { checkpoint: file, sha256 } = model;
  return { setting, task, plane, seed, rule: _ruleOf(plan, unit), file, sha256, heldOut };
}

/** The combination of units that differ in the plane alone, and what it says; nothing without all three. */
async function _combined(
  folder: string,
  plan: TrainPlan,
  alike: readonly DoneUnit[],
): Promise<{ said: Said[]; member: PlannedMember; remark?: string } | undefined> {
  const models = new Map<Plane, DoneModel>(alike.map(({ unit, model }) => [unit.plane, model]));
  if (models.size < PLANES.length) return undefined;
  const members: ByPlane<DoneModel> = byPlane((plane) => models.get(plane)!);
  const { task, setting, seed, fold } = alike[0].unit;
  const failure = _failure(folder);
  const rule = _ruleOf(plan, alike[0].unit);
  const { combination, path, remark } = await combinePlanes({
    ...{ task, members, tune: plan.tune, rule, failure },
    name: join(folder, COMBINATIONS, `combined_${plan.prefix}_${_suffix(alike[0].unit)}.json`),
  });
  const about = { setting, task, plane: "combined" as const, seed, rule };
  const saidOf = (split: EvaluatedSplit): SaidOf[] =>
    patientsOf(members, split, failure).map(({ id, label, probabilities, logits }) => {
      const planes = byPlane((plane) => ({
        probability: probabilities[plane],
        logits: [0, logits![plane]] as [number, number],
      }));
      const { probability, logit } = combinePredictions(combination, planes);
      return { id, label, probability, logit };
    });
  const hashes = await _patientHashes(members);
  return {
    remark,
    said: plan.evaluateOn.map((split) => ({
      ...{ setting, task, plane: "combined" as const, seed, fold, split },
      predictions: saidOf(split),
    })),
    member: {
      ...{ ...about, file: path, sha256: await hashModelFile(path) },
      heldOut: saidOf("fold").map((said) => ({ ...said, hash: hashes.get(said.id) })),
    },
  };
}

/** The hashes of the patients of the fold that three models were kept out of, as far as they are known. */
async function _patientHashes(members: ByPlane<DoneModel>): Promise<Map<string, ExamHash>> {
  const planes = PLANES.map((plane) => {
    const { fold = [], foldExams = [] } = members[plane];
    return new Map(foldExams.map((hash, at) => [fold[at][0], hash]));
  });
  const patients = new Map<string, ExamHash>();
  for (const id of planes[0].keys()) {
    const hashes = planes.flatMap((plane) => plane.get(id) ?? []);
    if (hashes.length === PLANES.length) patients.set(id, await hashTogether(hashes));
  }
  return patients;
}

/** Every prediction, a row each. */
function _predictionsTable(said: readonly Said[]): string {
  const head = "setting,seed,fold,task,plane,split,exam,label,probability,logit\n";
  const rows = said.flatMap(({ setting, seed, fold, task, plane, split, predictions }) =>
    predictions.map(({ id, label, probability, logit }) =>
      [setting, seed, fold, task, plane, split, id, label, probability, logit].join() + "\n"
    )
  );
  return head + rows.join("");
}
