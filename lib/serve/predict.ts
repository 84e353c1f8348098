/** What the models of a service say about the exams of a request. */
import type { Classifier } from "../classifier/classifier.ts";
import { byPlane } from "../combine/combination.ts";
import type { Exam } from "../data/exam.ts";
import { oddityOf } from "../data/oddity.ts";
import { explain } from "../explain/explain.ts";
import { fitted, overlay, viewOf } from "../explain/overlay.ts";
import { encodePng } from "../explain/png.ts";
import type { Prediction } from "../model/mrnet.ts";
import type { PlaneModel } from "../model/plane_model.ts";
import { type Plane, PLANES } from "../terms.ts";
import type { SentExams } from "./exams.ts";
import { Problem } from "./problem.ts";
import type {
  CombinedPrediction,
  Explained,
  PredictAnswer,
  PredictQuery,
  SinglePrediction,
} from "./schemas.ts";

/** Stands in every answer. */
export const REMARK = "Not a medical device: not for diagnosis.";

/** What an answer is to hold. */
export type Wanted = Pick<PredictQuery, "contributions" | "overlays">;

/** Exams and who is to read them. */
export interface Chosen {
  exams: Map<Plane, Exam>;
  models: readonly Classifier[];
}

/**
 * The models that a query asks.
 *
 * @throws {Problem} 422 if none has the name
 */
export function asked(
  models: readonly Classifier[],
  { model: name }: Pick<PredictQuery, "model">,
): readonly Classifier[] {
  if (name === undefined) return models;
  const named = models.filter((each) => each.name === name);
  if (named.length > 0) return named;
  const known = models.map(({ name }) => `'${name}'`).join(", ");
  throw new Problem(422, `There is no model of that name: ask for one of ${known}`);
}

/**
 * Finds the models that can read what was sent.
 *
 * @param models those that are asked
 * @throws {Problem} 400 if the query does not go with the body; 422 if no model reads these planes
 */
export function choose(
  models: readonly Classifier[],
  sent: SentExams,
  { plane }: Pick<PredictQuery, "plane">,
): Chosen {
  const exams = _byPlane(models, sent, plane);
  const fitting = models.filter((each) => each.planes.every((plane) => exams.has(plane)));
  if (fitting.length > 0) return { exams, models: fitting };
  const sentPlanes = [...exams.keys()].join(" and ");
  const needs = models.map((each) => `'${each.name}' reads ${each.planes.join(", ")}`).join("; ");
  throw new Problem(422, `No model reads the ${sentPlanes} plane alone: ${needs}`);
}

/**
 * The exams with their planes. A single exam needs the query's plane, unless the models read only one
 * plane.
 */
function _byPlane(
  models: readonly Classifier[],
  sent: SentExams,
  plane: Plane | undefined,
): Map<Plane, Exam> {
  if ("planes" in sent) {
    if (plane === undefined || sent.series !== undefined) return sent.planes;
    throw new Problem(400, "The query names a plane, and so does the form: leave it out there");
  }
  const read = PLANES.filter((each) => models.some((model) => model.planes.includes(each)));
  const only = plane ?? (read.length === 1 ? read[0] : undefined);
  if (only !== undefined) return new Map([[only, sent.alone]]);
  throw new Problem(
    422,
    `The exam's plane is not known: add ?plane= with one of ${read.join(", ")}`,
  );
}

/**
 * Reads an exam with a model, and adds what else the query asks for.
 *
 * @param between awaited between two chunks of the work
 */
export async function readWith(
  { model }: PlaneModel,
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
    for (const [slice, { channelsSelected }] of slices.entries()) {
      if (channelsSelected === 0) continue;
      const png = encodePng(overlay(view, slice, size)).toBase64();
      explained.overlays.push({ slice, png });
      await between();
    }
  }
  return { logits, probability, ...explained };
}

/** What is odd about the exam of a plane for one of the models that read it; see {@linkcode oddityOf}. */
export function oddityFor({ exams, models }: Chosen, plane: Plane): string | undefined {
  const raw = models.flatMap(({ models }) => models)
    .some(({ card }) => card.plane === plane && card.intensity === "raw");
  return oddityOf(exams.get(plane)!, raw ? "raw" : "standardized");
}

/** What an answer says of the exams that it is about. */
export function examsOf(
  chosen: Chosen,
  sent: SentExams,
): Pick<PredictAnswer, "exams" | "skipped"> {
  const { series, skipped } = "planes" in sent ? sent : {};
  const exams = [...chosen.exams].map(([plane, { slices, height, width }]) => {
    const odd = oddityFor(chosen, plane);
    return [plane, { slices, height, width, odd, series: series?.get(plane) }];
  });
  return {
    exams: Object.fromEntries(exams),
    skipped: skipped === undefined || skipped.length === 0 ? undefined : [...skipped],
  };
}

/** How {@linkcode predictions} has an exam read. */
export type Read = (model: PlaneModel, exam: Exam) => Promise<Prediction & Explained>;

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
  const ask = (model: PlaneModel) => {
    const key = `${model.sha256} ${model.card.plane}`;
    const before = said.get(key);
    if (before !== undefined) return before;
    const asked = read(model, exams.get(model.card.plane)!);
    said.set(key, asked);
    return asked;
  };
  const answers: (SinglePrediction | CombinedPrediction)[] = [];
  for (const classifier of models) {
    const answered: (Prediction & Explained)[] = [];
    for (const model of classifier.models) answered.push(await ask(model));
    answers.push(_answer(classifier, answered));
  }
  return answers;
}

/** What a classifier says, from the answers of its models. */
function _answer(
  classifier: Classifier,
  answered: readonly (Prediction & Explained)[],
): SinglePrediction | CombinedPrediction {
  const { name: model, task, sha256, models, card: { plane } } = classifier;
  const { probability, logit, threshold, ...concluded } = classifier.conclude(answered);
  const decision = concluded.decision === "positive";
  if (plane !== "combined") {
    const [answer] = answered;
    return { kind: "single", model, task, sha256, plane, decision, threshold, ...answer };
  }
  const planes = byPlane((plane) => {
    const index = models.findIndex(({ card }) => card.plane === plane);
    return { sha256: models[index].sha256, ...answered[index] };
  });
  const said = { probability, logit, decision, threshold, planes };
  return { kind: "combined", model, task, sha256, ...said };
}
