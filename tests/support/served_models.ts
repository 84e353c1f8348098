/**
 * Small models in files, as a service reads them.
 */
import { byPlane } from "../../lib/combine/combination.ts";
import { formatCombination } from "../../lib/combine/file.ts";
import { startEngine } from "../../lib/engine/engine.ts";
import type { ModelCard } from "../../lib/model/card.ts";
import { initialWeights } from "../../lib/model/initialise.ts";
import { saveMRNet } from "../../lib/model/create.ts";
import { MRNet } from "../../lib/model/mrnet.ts";
import { PLANES } from "../../lib/terms.ts";
import { TemporaryFolder } from "./folders.ts";

/** Writes a model with random weights and what its file says of it. */
export async function writeModel(
  path: string,
  seed: number,
  card: Partial<ModelCard> = { task: "acl", plane: "sagittal" },
): Promise<void> {
  await startEngine("wasm");
  const model = new MRNet(initialWeights(seed));
  await saveMRNet(model, path, card);
  model.dispose();
}

let bytes: Promise<Uint8Array<ArrayBuffer>> | undefined;

/** The file of a model that reads the sagittal plane for torn ligaments. */
export function modelBytes(): Promise<Uint8Array<ArrayBuffer>> {
  return bytes ??= _makeBytes();
}

async function _makeBytes(): Promise<Uint8Array<ArrayBuffer>> {
  await using folder = await TemporaryFolder.make();
  await writeModel(folder.at("model.safetensors"), 1);
  return await Deno.readFile(folder.at("model.safetensors"));
}

/** Writes `axial.safetensors`, `coronal.safetensors`, `sagittal.safetensors` and `combined.json`. */
export async function writeCombinedModels(folder: TemporaryFolder): Promise<void> {
  for (const [index, plane] of PLANES.entries()) {
    await writeModel(folder.at(`${plane}.safetensors`), index + 1, { task: "acl", plane });
  }
  const hashes = await Promise.all(
    PLANES.map(async (plane) => {
      const bytes = await Deno.readFile(folder.at(`${plane}.safetensors`));
      return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
    }),
  );
  const members = byPlane((plane) => ({
    file: `${plane}.safetensors`,
    sha256: hashes[PLANES.indexOf(plane)],
  }));
  await folder.write(
    "combined.json",
    formatCombination({
      task: "acl",
      coefficients: { axial: 1, coronal: 2, sagittal: 3 },
      intercept: -3,
      members,
      fitOn: "valid",
      exams: 10,
      positives: 4,
      auc: 0.75,
      operatingPoint: { threshold: 0.4, rule: "youden", exams: "valid" },
    }),
  );
}
