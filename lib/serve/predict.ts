/** What the models of a service say about the exams of a request. */
import type { Classifier, Conclusion } from "../classifier/classifier.ts";
import { byPlane } from "../combine/combination.ts";
import type { Exam } from "../data/exam.ts";
import { oddityOf } from "../data/oddity.ts";
import { explain, type Explanation } from "../explain/explain.ts";
import { fitted, overlay, viewOf } from "../explain/overlay.ts";
import { encodePng } from "../explain/png.ts";
import type { Prediction } from "../model/mrnet.ts";
import type { PlaneModel } from "../model/plane_model.ts";
import { type Plane, PLANES } from "../terms.ts";
import type { SentExams } from "./exams.ts";
import { Problem } from "./problem.ts";
import type { Explained, PredictAnswer, PredictQuery } from "./schemas.ts";

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

/** What a model says about an exam, or several models of a plane together; explained where asked. */
export type Reading = Prediction | Explanation;

/**
 * Reads an exam with a model, and explains what it says if the query asks for what that shows.
 *
 * @param between awaited between two chunks of the work
 */
export async function readWith(
  { model }: PlaneModel,
  exam: Exam,
  { contributions = false, overlays = false }: Wanted,
  between: () => Promise<void>,
): Promise<Reading> {
  return contributions || overlays
    ? await explain(model, exam, { between })
    : await model.predict(exam, { between });
}

/**
 * What an answer holds of a reading: what the query asks for.
 *
 * @param between awaited between two pictures
 */
export async function told(
  reading: Reading,
  exam: Exam,
  { contributions = false, overlays = false }: Wanted,
  between: () => Promise<void>,
): Promise<Prediction & Explained> {
  const { logits, probability } = reading;
  if (!("slices" in reading)) return { logits, probability };
  const { bias, slices } = reading;
  const explained: Explained = {};
  if (contributions) explained.contributions = { bias, slices: slices.map(({ share }) => share) };
  if (overlays) {
    const view = viewOf(exam, reading);
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

/** How {@linkcode predictions} has exams read, and what it tells of that. */
export interface Reader {
  /** Reads an exam with a model. */
  read(model: PlaneModel, exam: Exam): Promise<Reading>;
  /** What is told of a plane; `key` says by which models it was read. */
  tell(reading: Reading, exam: Exam, key: string): Promise<Prediction & Explained> | Prediction;
}

/**
 * What tells the reading of a plane from those by other models: `axial/12ab…`, the SHA-256 of the model
 * that reads the plane or, if they are several, of the file that names them.
 */
export function readingKey({ sha256, models }: Classifier, plane: Plane): string {
  const own = models.filter(({ card }) => card.plane === plane);
  return `${plane}/${own.length === 1 ? own[0].sha256 : sha256}`;
}

/** An answer of one of the kinds. */
type Answer = PredictAnswer["predictions"][number];

/**
 * Asks every chosen model; a member of several is asked once, and its plane told once.
 *
 * @param reader how they are asked
 */
export async function predictions({ exams, models }: Chosen, reader: Reader): Promise<Answer[]> {
  const said = new Map<string, Promise<Reading>>();
  const ask = (model: PlaneModel) =>
    _once(said, `${model.card.plane}/${model.sha256}`, () => {
      return reader.read(model, exams.get(model.card.plane)!);
    });
  const told = new Map<string, Promise<Prediction & Explained>>();
  const answers: Answer[] = [];
  for (const classifier of models) {
    const readings: Reading[] = [];
    for (const model of classifier.models) readings.push(await ask(model));
    const concluded = readings.every((reading) => "slices" in reading)
      ? classifier.explanationFrom(readings)
      : classifier.predictionFrom(readings);
    const planes: _ToldPlanes = {};
    for (const plane of classifier.planes) {
      const key = readingKey(classifier, plane);
      planes[plane] = await _once(told, key, async () => {
        return await reader.tell(concluded.planes[plane]!, exams.get(plane)!, key);
      });
    }
    answers.push(_answer(classifier, concluded, planes));
  }
  return answers;
}

/** What is told of the planes of a classifier. */
type _ToldPlanes = Partial<Record<Plane, Prediction & Explained>>;

/** A value that is made when it is first asked for. */
function _once<T>(made: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const before = made.get(key);
  if (before !== undefined) return before;
  const value = make();
  made.set(key, value);
  return value;
}

/** What a classifier says, with what is told of its planes. */
function _answer(
  { kind, name: model, task, sha256, models, card: { plane } }: Classifier,
  { probability, logit, threshold, ...concluded }: Conclusion,
  planes: _ToldPlanes,
): Answer {
  const decision = concluded.decision === "positive";
  const about = { model, task, sha256, decision, threshold };
  if (kind === "ensemble") return { kind, ...about, plane, probability, logit, planes };
  if (plane !== "combined") return { kind: "single", ...about, plane, ...planes[plane]! };
  const members = byPlane((plane) => {
    const { sha256 } = models.find(({ card }) => card.plane === plane)!;
    return { sha256, ...planes[plane]! };
  });
  return { kind: "combined", ...about, probability, logit, planes: members };
}
