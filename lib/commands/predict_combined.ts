/**
 * `cli.ts predict --model combined.json`: what a combination says about patients.
 *
 * @module
 */
import { readCombination } from "../combine/file.ts";
import { type CombinedMRNet, loadCombined, memberPath, membersOf } from "../combine/loaded.ts";
import {
  groupByPatient,
  type PatientFiles,
  patientOf,
  type PatientOutcome,
  type PlanePredictor,
  predictPatients,
} from "../combine/patients.ts";
import { examFileOf, planeOfPath } from "../data/exam_files.ts";
import { describeEngine, startEngine } from "../engine/engine.ts";
import { messageOf } from "../errors.ts";
import type { MapKind } from "../explain/explain.ts";
import { explainFiles } from "../explain/explain_files.ts";
import { join, makeWritableFolder } from "../files.ts";
import { decide } from "../model/card.ts";
import { thresholdText } from "../page/format.ts";
import { checkToldOfCombination } from "../report/judgeable.ts";
import { type Plane, PLANES } from "../terms.ts";
import { UsageError } from "./arguments.ts";
import { oddRemark, print, remark } from "./console.ts";
import { checkModelFiles } from "./models_there.ts";
import type { GivenModel } from "./model_options.ts";

/** The files of one patient, where they are given one by one. */
export type GivenPlanes = Partial<Record<Plane, string>>;

/** What `predict` was asked for beside the exams. */
export interface GivenPrediction extends GivenModel, GivenPlanes {
  json: boolean;
  cam?: string;
  map?: MapKind;
}

/**
 * Predicts patients with a combination; `exit` is told the exit code.
 *
 * @param exams files in folders called by their planes; none where the planes are given one by one
 */
export async function predictCombined(
  exams: readonly string[],
  given: GivenPrediction,
  exit: (code: number) => void,
): Promise<void> {
  _checkArguments(exams, given);
  const { model: file, cam, json } = given;
  await checkModelFiles([file]);
  // A file that is no combination, or has no models, needs no planes.
  membersOf(await readCombination(file), file);
  const patients = _patients(exams, given);
  for (const plane of PLANES) {
    const path = given[plane];
    const named = path === undefined ? undefined : planeOfPath(path);
    if (named === undefined || named === plane) continue;
    remark(`--${plane} '${path}' is ${named} by its name: look whether that is the right file`);
  }
  if (cam !== undefined) {
    for (const plane of PLANES) await makeWritableFolder(join(cam, plane));
  }
  const engine = await startEngine(given.backend, { threads: given.threads });
  const combined = await loadCombined(file);
  try {
    checkToldOfCombination(file, combined, given);
    const { operatingPoint } = combined.combination;
    remark(`Engine: ${describeEngine(engine)}`);
    remark(
      `Positive from ${
        thresholdText(operatingPoint.threshold)
      } on: the combination's operating point, chosen on ` +
        `its ${operatingPoint.exams} exams`,
    );
    const predict = cam === undefined ? undefined : _explaining(combined, given);
    const write = json ? _json : _line;
    let predicted = 0;
    for await (const outcome of predictPatients(combined, patients, predict)) {
      if ("error" in outcome) {
        remark(messageOf(outcome.error));
        exit(1);
      } else {
        for (const [plane, odd] of Object.entries(outcome.odd ?? {})) {
          remark(oddRemark(outcome.files[plane as Plane], odd));
        }
        print(write(outcome, combined));
        predicted++;
      }
    }
    if (cam !== undefined && predicted > 0) remark(`Pictures: ${cam}`);
  } finally {
    combined.dispose();
  }
}

function _checkArguments(exams: readonly string[], given: GivenPlanes): void {
  const named = PLANES.find((plane) => given[plane] !== undefined);
  if (named === undefined && exams.length === 0) {
    throw new UsageError("the following arguments are required: EXAM");
  }
  if (named !== undefined && exams.length > 0) {
    throw new UsageError(`argument EXAM: not allowed with argument --${named}`);
  }
}

function _patients(exams: readonly string[], given: GivenPlanes): PatientFiles[] {
  if (exams.length > 0) return groupByPatient(exams);
  const named = PLANES.filter((plane) => given[plane] !== undefined);
  const ids = new Set(named.map((plane) => examFileOf(given[plane]!).id));
  return [patientOf([...ids].join("+"), given)];
}

/** Predicts and writes where the model of each plane looked, to a folder called by the plane. */
function _explaining(
  { members, combination }: CombinedMRNet,
  { model, cam, map }: GivenPrediction,
): PlanePredictor {
  return (plane, paths) => {
    const { model: network, card } = members[plane];
    const member = combination.members![plane];
    return explainFiles(network, paths, {
      folder: join(cam!, plane),
      model: { ...card, file: memberPath(model, member), sha256: member.sha256 },
      map,
    });
  };
}

type Predicted = Extract<PatientOutcome, { prediction: unknown }>;

function _line({ id, prediction }: Predicted, { task, combination }: CombinedMRNet): string {
  const { probability, planes } = prediction;
  const { decision, threshold } = decide(probability, combination);
  return [
    id,
    `${task} combined`,
    `probability ${probability.toFixed(4)}`,
    PLANES.map((plane) => `${plane} ${planes[plane].probability.toFixed(4)}`).join(" "),
    `${decision} (from ${thresholdText(threshold)})`,
  ].join("  ");
}

/**
 * A patient as `--json` prints it: the keys of one exam, and what the model of each plane says. A
 * combination has one sum and not two outputs: `logits` are 0 and that sum, whose difference is the
 * log-odds and whose second the sigmoid makes the probability of, as with a model.
 */
function _json(
  { id, files, prediction, odd }: Predicted,
  { task, combination }: CombinedMRNet,
): string {
  const { probability, logit, planes } = prediction;
  return JSON.stringify({
    exam: id,
    task,
    plane: "combined",
    probability,
    logits: [0, logit],
    ...decide(probability, combination),
    threshold_from: "model",
    planes: Object.fromEntries(
      PLANES.map((plane) => [
        plane,
        { file: files[plane], ...planes[plane], odd: odd?.[plane] },
      ]),
    ),
  });
}
