/** The classifiers of a service, loaded once and called by their names. */
import type { Classifier } from "../classifier/classifier.ts";
import { loadClassifiers } from "../classifier/load.ts";
import { startEngine } from "../engine/engine.ts";
import { OptionError } from "../errors.ts";
import type { ResolvedOptions } from "./options.ts";

/**
 * Starts the engine and loads the models.
 *
 * @throws {WeightsError} if one is missing, is no model, or a member of a combination is another
 *   than it was
 * @throws {OptionError} if a model's finding or plane is left open, or two have one name
 * @throws {EngineError} if the engine cannot be had
 */
export async function loadModels(
  { models, engine = "auto" }: ResolvedOptions,
): Promise<Classifier[]> {
  const named = models.filter((model) => "source" in model);
  // Whoever has loaded models has started the engine.
  if (named.length > 0) await startEngine(engine);
  const loaded = await loadClassifiers(named);
  try {
    const rest = loaded.values();
    const all = models.map((model) => "source" in model ? rest.next().value! : model);
    _checkIntensities(all);
    _checkNames(all);
    return all;
  } catch (error) {
    for (const classifier of loaded) classifier.dispose();
    throw error;
  }
}

/** What a file says of an exam is asked for once, so all that name it must ask the same. */
function _checkIntensities(classifiers: readonly Classifier[]): void {
  const known = new Map<string, string>();
  for (const { file, sha256, card: { intensity } } of classifiers.flatMap(({ models }) => models)) {
    const before = known.get(sha256) ?? intensity;
    if (before !== intensity) {
      throw new OptionError(
        `Cannot serve the model '${file}' with intensity ${intensity}: it is served with ${before} ` +
          "too: give it one intensity",
      );
    }
    known.set(sha256, intensity);
  }
}

function _checkNames(classifiers: readonly Classifier[]): void {
  const names = classifiers.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return;
  throw new OptionError(
    `Cannot serve two models of the name '${twice}': give each a name of its own`,
  );
}
