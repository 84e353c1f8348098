/** Cards of models, for scripts: each function loads its code when it is first called. */
import type { CardText } from "../model/card_text.ts";
import type { ModelSource } from "../model/model_source.ts";
import type { CardHints, ModelDescription } from "./describe.ts";
import type { ModelResults } from "./results.ts";
import type { CardSection } from "./rows.ts";

/**
 * Reads what the file of a model says, and those of its members.
 *
 * @param source the path, the URL or the bytes of a model's file, or of the `.json` file of a combination
 *   or an ensemble
 * @param hints what the file leaves open
 * @throws {WeightsError} if it is none of them, or a member is missing or has changed
 * @throws {OptionError} if a hint does not exist or contradicts the file
 * @throws {PermissionError} if Deno refuses a file or the network
 *
 * @example
 * ```ts
 * import { card, createMRNet, saveMRNet } from "../../mod.ts";
 * const path = `${await Deno.makeTempDir()}/acl.safetensors`;
 * using model = await createMRNet({ weights: "none", seed: 1 });
 * await saveMRNet(model, path, { task: "acl", plane: "axial", about: { license: "MIT" } });
 * const described = await card.describeModel(path);
 * console.assert(described.task === "acl" && described.about.license === "MIT");
 * ```
 */
export async function describeModel(
  source: ModelSource,
  hints?: CardHints,
): Promise<ModelDescription> {
  const work = await import("./describe.ts");
  return await work.describeModel(source, hints);
}

/**
 * The card as lines, none of which is wider than asked for.
 *
 * @param results what evaluations of the model gave
 * @param width in columns, at least 40
 *
 * @example
 * ```ts
 * import { card, createMRNet, saveMRNet } from "../../mod.ts";
 * const path = `${await Deno.makeTempDir()}/acl.safetensors`;
 * using model = await createMRNet({ weights: "none", seed: 1 });
 * await saveMRNet(model, path, { task: "acl", plane: "axial" });
 * const lines = await card.cardLines(await card.describeModel(path));
 * console.assert(lines[0] === "ACL tear, axial plane");
 * ```
 */
export async function cardLines(
  model: ModelDescription,
  results?: readonly ModelResults[],
  width?: number,
): Promise<string[]> {
  const work = await import("./text.ts");
  return await work.cardLines(model, results, width);
}

/**
 * All sections of a card.
 *
 * @param results what evaluations of the model gave
 */
export async function cardSections(
  model: ModelDescription,
  results?: readonly ModelResults[],
): Promise<CardSection[]> {
  const work = await import("./sections.ts");
  return await work.cardSections(model, results);
}

/**
 * The card as a README with the Hub's metadata ahead of it.
 *
 * @param results what evaluations of the model gave
 *
 * @example
 * ```ts
 * import { card, createMRNet, saveMRNet } from "../../mod.ts";
 * const path = `${await Deno.makeTempDir()}/acl.safetensors`;
 * using model = await createMRNet({ weights: "none", seed: 1 });
 * await saveMRNet(model, path, { task: "acl", plane: "axial", about: { license: "MIT" } });
 * const readme = await card.cardReadme(await card.describeModel(path));
 * console.assert(readme.startsWith("---\nlicense: mit\n"));
 * ```
 */
export async function cardReadme(
  model: ModelDescription,
  results?: readonly ModelResults[],
): Promise<string> {
  const work = await import("./readme.ts");
  return await work.cardReadme(model, results);
}

/**
 * Writes a bundle: `configs/metadata.json`, `docs/README.md`, and in `models` each network as ONNX and as
 * PyTorch's weights. A model of one plane is `model.onnx` and `model.pt`, those of a combination are
 * named by their planes, the members of an ensemble are numbered.
 *
 * @param folder the bundle's; files of these names are replaced
 * @param results what evaluations of the model gave
 * @returns the paths of the files
 * @throws {OptionError} if it is a combination that was fitted on a table, which has no networks
 * @throws {WeightsError} if a model's file can no longer be read
 * @throws {OutputError} if a file cannot be written
 */
export async function writeBundle(
  model: ModelDescription,
  folder: string,
  results?: readonly ModelResults[],
): Promise<string[]> {
  const work = await import("./bundle.ts");
  return await work.writeBundle(model, folder, results);
}

/**
 * Reads results from a file.
 *
 * @param path a file with what `evaluate --json` printed
 * @throws {DataError} if it is missing, or is not that
 * @throws {PermissionError} if Deno may not read it
 */
export async function readResults(
  path: string,
): Promise<ModelResults> {
  const work = await import("./results.ts");
  return await work.readResults(path);
}

/**
 * The metadata of a bundle with the model's ONNX files.
 *
 * @param results what evaluations of the model gave
 */
export async function monaiMetadata(
  model: ModelDescription,
  results?: readonly ModelResults[],
): Promise<Record<string, unknown>> {
  const work = await import("./monai.ts");
  return work.monaiMetadata(model, results);
}

/**
 * Reads a card file; see {@linkcode CardText}.
 *
 * @throws {DataError} if it is missing, is no JSON object, or has a key that no card has, or a value
 * that its key does not allow
 * @throws {PermissionError} if Deno may not read it
 */
export async function readCardFile(path: string): Promise<CardText> {
  const work = await import("../model/card_text.ts");
  return await work.readCardFile(path);
}
