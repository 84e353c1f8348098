/** What exams from a scanner must look like for the models of a classifier. */
import type { ByPlane } from "../combine/combination.ts";
import type { Landmarks } from "../data/landmarks.ts";
import { OptionError } from "../errors.ts";
import type { Classifier } from "./classifier.ts";

/**
 * The landmarks of each plane to which exams are mapped before the classifier's models get them, so that
 * they can be imported once for good.
 *
 * @throws {OptionError} if there are none: the files of the models do not say any, or the models map
 * every exam themselves; or if models of the same plane have different ones
 */
export function landmarksToImport({ models, file }: Classifier): Partial<ByPlane<Landmarks>> {
  const refusal = (found: string, hint: string) =>
    new OptionError(`Cannot import exams as '${file}' reads them: ${found}: ${hint}`);
  const landmarks: Partial<ByPlane<Landmarks>> = {};
  for (const { card } of models) {
    const own = card.landmarks;
    if (own === undefined || card.intensity === "landmarks") continue;
    const other = landmarks[card.plane];
    if (other !== undefined && JSON.stringify(other) !== JSON.stringify(own)) {
      const found = `its models of the ${card.plane} plane have different landmarks`;
      throw refusal(found, "import without them; predict reads studies for each model by itself");
    }
    landmarks[card.plane] = own;
  }
  if (Object.keys(landmarks).length > 0) return landmarks;
  throw models.some(({ card }) => card.intensity === "landmarks")
    ? refusal("it maps every exam to its landmarks itself", "import without it")
    : refusal("it says no landmarks of its training exams", "import without it, or train it anew");
}
