/**
 * One look at the training exams before a model is trained on them: the landmarks of their grey values,
 * and what is odd about them.
 */
import { DataError } from "../errors.ts";
import { listed } from "../quoted.ts";
import { type Dataset, readableExams } from "./dataset.ts";
import { hashExam } from "./exam_hash.ts";
import type { Intensity } from "./intensity.ts";
import { type Landmarks, landmarksOf, meanLandmarks, NO_LANDMARKS } from "./landmarks.ts";
import { type CommonFacts, ExamTally, MAX_NAMED, type Oddity } from "./tally.ts";

export type { Landmarks };

/**
 * At most so many exams are looked at, evenly taken from all. The landmarks of MRNet's 1,130 training
 * exams are known well from as many, and all would take longer than a run may take to begin.
 */
export const MAX_SURVEYED = 256;

/** What training exams look like. */
export interface ExamChecks extends CommonFacts {
  /** How many training exams there are. */
  total: number;
  /** How many of these show the finding. */
  positives: number;
  /** What is odd about those that were looked at. */
  oddities: Oddity[];
}

/** What came of a look at the training exams. */
export interface ExamSurvey {
  /** The landmarks of their grey values; none if no exam has any. */
  landmarks?: Landmarks;
  /** What they look like. */
  checks: ExamChecks;
}

/** How the exams will be used. */
export interface SurveyOptions {
  /** How the model prepares its input. */
  intensity: Intensity;
  /** The exams that the model is chosen on, of which the names alone are looked at. */
  valid?: Pick<Dataset, "labels">;
  /** The exams that lie beside those to train on and have no label. */
  unlabelled?: readonly string[];
}

/**
 * Looks at training exams, each of them once. Those that cannot be read are counted and left out.
 *
 * @throws {DataError} if the model's input is to be mapped to landmarks, and no exam has any
 */
export async function surveyExams(
  dataset: Dataset,
  { intensity, valid, unlabelled = [] }: SurveyOptions,
): Promise<ExamSurvey> {
  const { labels } = dataset;
  const tally = new ExamTally(intensity);
  const found: number[][] = [];
  const unreadable: string[] = [];
  const copies = new Map<string, string[]>();
  let type: Landmarks["type"] = "uint8";
  for await (const { exam } of readableExams(_sample(dataset), (id) => unreadable.push(id))) {
    const hashing = hashExam(exam);
    tally.add(exam);
    if (!(exam.voxels instanceof Uint8Array)) type = "float32";
    const own = landmarksOf(exam.voxels);
    if (own !== undefined) found.push(own);
    const hash = await hashing;
    copies.set(hash, [...copies.get(hash) ?? [], exam.id]);
  }
  // A model that does the mapping itself may choose the scale; others take exams as their files are.
  const landmarks = meanLandmarks(found, { type, stretch: intensity === "landmarks" });
  if (intensity === "landmarks" && landmarks === undefined) throw _noLandmarks(tally.exams);
  const oddities = [
    ...tally.oddities(),
    ..._odd("warning", unreadable, "cannot be read"),
    ...[...copies.values()].filter((ids) => ids.length > 1)
      .flatMap((ids) => _odd("warning", ids, "the same pixels")),
    ..._odd("warning", unlabelled, "no label"),
    ..._odd("warning", _inBoth(labels, valid?.labels ?? []), "in both splits by their names"),
  ];
  const positives = labels.filter(({ label }) => label === 1).length;
  return { landmarks, checks: { ...tally.facts(), total: labels.length, positives, oddities } };
}

/**
 * The landmarks of training exams, for a model that is made by a script: see {@linkcode createMRNet}.
 * Of more than 256 exams, 256 are read.
 *
 * @param intensity how the model will prepare its input
 * @throws {DataError} if no exam has landmarks, as if each is of one single value
 *
 * @example
 * ```ts
 * import { createMRNet, learnLandmarks, openDataset, phantom } from "../../mod.ts";
 * const data = await Deno.makeTempDir();
 * const knees = { train: 4, valid: 2, size: 64, slices: [2, 3], seed: 1 } as const;
 * await phantom.writePhantomDataset({ folder: data, ...knees });
 * const train = await openDataset({ data, split: "train", task: "acl", plane: "sagittal" });
 * const landmarks = await learnLandmarks(train, "landmarks");
 * using model = await createMRNet({ weights: "none", intensity: "landmarks", landmarks });
 * console.assert(landmarks.values.at(-1) === 255 && model.landmarks === landmarks);
 * ```
 */
export async function learnLandmarks(dataset: Dataset, intensity: Intensity): Promise<Landmarks> {
  const { landmarks, checks } = await surveyExams(dataset, { intensity });
  if (landmarks === undefined) throw _noLandmarks(checks.exams);
  return landmarks;
}

/** Some of the exams that are not known to be unreadable, evenly taken. */
function _sample({ labels, unreadable, read }: Dataset): Dataset {
  const readable = [...labels.keys()].filter((index) => !unreadable?.has(labels[index].id));
  const count = Math.min(readable.length, MAX_SURVEYED);
  const taken = Array.from(
    { length: count },
    (_, at) => readable[Math.floor(at * readable.length / count)],
  );
  return { labels: taken.map((index) => labels[index]), read: (at) => read(taken[at]) };
}

function _noLandmarks(exams: number): DataError {
  return new DataError(
    `Cannot learn the landmarks of the training exams: of each of the ${exams} that were read, ` +
      `${NO_LANDMARKS}: look at the exams with the command doctor`,
  );
}

/** The names that are in both lists. */
function _inBoth(...lists: Dataset["labels"][]): string[] {
  const [one, other] = lists.map((labels) => new Set(labels.map(({ id }) => id)));
  return [...one.intersection(other)].sort();
}

function _odd(level: Oddity["level"], ids: readonly string[], what: string): Oddity[] {
  return ids.length === 0 ? [] : [{ level, found: `${listed(ids, MAX_NAMED)}: ${what}` }];
}
