/**
 * What the models of a service say about the exams of a request.
 *
 * @module
 */
import { combinedLogit, combinedProbability } from "../combine/combination.ts";
import { byPlane } from "../combine/combination.ts";
import type { Exam } from "../data/exam.ts";
import { oddityOf } from "../data/oddity.ts";
import { explain } from "../explain/explain.ts";
import { fitted, overlay, viewOf } from "../explain/overlay.ts";
import { encodePng } from "../explain/png.ts";
import { decide } from "../model/card.ts";
import type { Prediction } from "../model/mrnet.ts";
import { type Plane, PLANES } from "../terms.ts";
import type { SentExams } from "./exams.ts";
import {
  type LoadedModel,
  operatingPointOf,
  planesOf,
  type SingleModel,
  taskOf,
} from "./models.ts";
import { Problem } from "./problem.ts";
import type { CombinedPrediction, Explained, PredictQuery, SinglePrediction } from "./schemas.ts";

/** Stands in every answer. */
export const REMARK = "Not a medical device: not for diagnosis.";

/** What an answer is asked to hold. */
export type Wanted = Pick<PredictQuery, "contributions" | "overlays">;

/** Exams and who is to read them. */
export interface Chosen {
  exams: Map<Plane, Exam>;
  models: LoadedModel[];
}

/**
 * Finds the models that can read what was sent.
 *
 * @throws {Problem} 400 where the query does not go with the body; 422 where no model reads these
 *   planes, or none has the name that is asked for
 */
export function choose(
  models: readonly LoadedModel[],
  sent: SentExams,
  { model: name, plane }: Pick<PredictQuery, "model" | "plane">,
): Chosen {
  const named = name === undefined ? models : models.filter((each) => each.name === name);
  if (named.length === 0) {
    const known = models.map(({ name }) => `'${name}'`).join(", ");
    throw new Problem(422, `There is no model of that name: ask for one of ${known}`);
  }
  const exams = _placed(named, sent, plane);
  const fitting = named.filter((each) => planesOf(each).every((plane) => exams.has(plane)));
  if (fitting.length > 0) return { exams, models: fitting };
  const sentPlanes = [...exams.keys()].join(" and ");
  const needs = named.map((each) => `'${each.name}' reads ${planesOf(each).join(", ")}`).join("; ");
  throw new Problem(422, `No model reads the ${sentPlanes} plane alone: ${needs}`);
}

/** The exams with their planes; that of an exam by itself is asked for unless there is only one. */
function _placed(
  models: readonly LoadedModel[],
  sent: SentExams,
  plane: Plane | undefined,
): Map<Plane, Exam> {
  if ("planes" in sent) {
    if (plane === undefined) return sent.planes;
    throw new Problem(400, "The query names a plane, and so does the form: leave it out there");
  }
  const read = PLANES.filter((each) => models.some((model) => planesOf(model).includes(each)));
  const only = plane ?? (read.length === 1 ? read[0] : undefined);
  if (only !== undefined) return new Map([[only, sent.alone]]);
  throw new Problem(
    422,
    `The exam's plane is not known: add ?plane= with one of ${read.join(", ")}`,
  );
}

/**
 * Reads an exam with a model, with what else is wanted of it.
 *
 * @param between waited for between two parts of the work
 */
export async function readWith(
  { model }: SingleModel,
  exam: Exam,
  { contributions = false, overlays = false }: Wanted,
  between: () => Promise<void>,
): Promise<Prediction & Explained> {
  if (!contributions && !overlays) return await model.predict(exam, { between });
  const explanation = await explain(model, exam, { between });
  const { logits, probability, bias, slices } = explanation;
  const explained: Explained = {};
  if (contributions) explained.contributions = { bias, slices: slices.map(({ share }) => share) };
  if (overlays) {
    const view = viewOf(exam, explanation);
    const size = fitted(exam, Math.max(exam.height, exam.width));
    explained.overlays = [];
    for (const [slice, { channelsWon }] of slices.entries()) {
      if (channelsWon === 0) continue;
      const png = encodePng(overlay(view, slice, size)).toBase64();
      explained.overlays.push({ slice, png });
      await between();
    }
  }
  return { logits, probability, ...explained };
}

/** What is odd about the exam of a plane for one of the models that read it; see {@linkcode oddityOf}. */
export function oddityFor({ exams, models }: Chosen, plane: Plane): string | undefined {
  const raw = models.some((model) =>
    model.kind === "single"
      ? model.card.plane === plane && model.card.intensity === "raw"
      : model.members[plane].card.intensity === "raw"
  );
  return oddityOf(exams.get(plane)!, raw ? "raw" : "standardized");
}

/** How {@linkcode predictions} has an exam read. */
export type Read = (model: SingleModel, exam: Exam) => Promise<Prediction & Explained>;

/**
 * Asks every chosen model; a member of several is asked once.
 *
 * @param read reads an exam with a model
 */
export async function predictions(
  { exams, models }: Chosen,
  read: Read,
): Promise<(SinglePrediction | CombinedPrediction)[]> {
  const said = new Map<string, Promise<Prediction & Explained>>();
  const ask = (model: SingleModel) => {
    const key = `${model.sha256} ${model.card.plane}`;
    const before = said.get(key);
    if (before !== undefined) return before;
    const asked = read(model, exams.get(model.card.plane)!);
    said.set(key, asked);
    return asked;
  };
  const answers: (SinglePrediction | CombinedPrediction)[] = [];
  for (const model of models) {
    const base = { model: model.name, task: taskOf(model), sha256: model.sha256 };
    if (model.kind === "single") {
      const answer = await ask(model);
      answers.push({
        kind: "single",
        ...base,
        plane: model.card.plane,
        ..._decided(model, answer.probability),
        ...answer,
      });
      continue;
    }
    const planes: Partial<CombinedPrediction["planes"]> = {};
    for (const plane of PLANES) {
      const { sha256 } = model.members[plane];
      planes[plane] = { sha256, ...await ask(model.members[plane]) };
    }
    const whole = planes as CombinedPrediction["planes"];
    const probabilities = byPlane((plane) => whole[plane].probability);
    const probability = combinedProbability(model.combination, probabilities);
    answers.push({
      kind: "combined",
      ...base,
      probability,
      logit: combinedLogit(model.combination, probabilities),
      ..._decided(model, probability),
      planes: whole,
    });
  }
  return answers;
}

function _decided(model: LoadedModel, probability: number) {
  const operatingPoint = operatingPointOf(model);
  const { decision, threshold } = decide(probability, { operatingPoint });
  return { decision: decision === "positive", threshold };
}
