/** A plan of scoring an archive: its exams in chunks. */
import { loadClassifier } from "../classifier/load.ts";
import { readManifest } from "../classifier/manifest.ts";
import { OptionError } from "../errors.ts";
import { hashScoringModel } from "./inputs.ts";
import { CHUNK, type ScorePlanOptions } from "./options.ts";
import type { Plan, ScorePlan } from "./plan.ts";

const MAX_CHUNK = 100_000;

/**
 * Plans the chunks of an archive.
 *
 * @param before the plan that is there already
 * @throws {OptionError} if a chunk would have no exam or too many
 * @throws {DataError} if the manifest is none, or lacks a plane that the model reads
 * @throws {WeightsError} if the model is none
 */
export async function scorePlan(
  options: ScorePlanOptions,
  before: Plan | undefined,
): Promise<ScorePlan> {
  const { manifest: file, model, chunk = CHUNK, engine = "auto" } = options;
  if (!(Number.isSafeInteger(chunk) && chunk >= 1 && chunk <= MAX_CHUNK)) {
    throw new OptionError(
      `Cannot score chunks of ${chunk} exams: give a whole number of 1 to ${MAX_CHUNK}`,
    );
  }
  const earlier = before?.asked.threads;
  const threads = options.threads ??
    (typeof earlier === "number" ? earlier : Math.min(navigator.hardwareConcurrency, 16));
  using classifier = await loadClassifier(model);
  const { exams, sha256 } = await readManifest(file, classifier.planes);
  const count = exams.length;
  const units = Array.from({ length: Math.ceil(count / chunk) }, (_, index) => ({
    index,
    id: `chunk-${String(index + 1).padStart(4, "0")}`,
    first: index * chunk,
    count: Math.min(chunk, count - index * chunk),
  }));
  const hash = await hashScoringModel(model);
  const asked = {
    ...{ kind: "score", manifest: file, manifest_sha256: sha256, exams: count },
    ...{ model, model_sha256: hash, chunk, engine, threads },
  };
  return {
    ...{ kind: "score", asked, manifest: { file, sha256, exams: count } },
    ...{ model: { file: model, sha256: hash }, engine, threads, units },
  };
}
