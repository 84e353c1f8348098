/** Ensembles of models of random weights, for tests of what goes on around them. */
import { ensembleModels, type EnsembleOptions } from "../../lib/classifier/ensemble_models.ts";
import type { ModelCard } from "../../lib/model/card.ts";
import { createMRNet, saveMRNet } from "../../lib/model/create.ts";
import type { Plane } from "../../lib/terms.ts";
import type { TemporaryFolder } from "./folders.ts";

/** Writes models of one plane to `models/`, each with weights of its own. */
export async function writeSeeds(
  folder: TemporaryFolder,
  plane: Plane,
  seeds: readonly number[],
  card: Partial<ModelCard> = {},
): Promise<string[]> {
  await Deno.mkdir(folder.at("models"), { recursive: true });
  const paths: string[] = [];
  for (const seed of seeds) {
    const { intensity } = card;
    using model = await createMRNet({ weights: "none", seed, intensity });
    const path = folder.at("models", `${plane}_${seed}.safetensors`);
    await saveMRNet(model, path, { task: "acl", plane, ...card });
    paths.push(path);
  }
  return paths;
}

/** Makes an ensemble of models of one plane, in `models/ensemble_{plane}.json`. */
export async function writeEnsemble(
  folder: TemporaryFolder,
  plane: Plane = "axial",
  options: Partial<EnsembleOptions> = {},
): Promise<string> {
  const out = folder.at("models", `ensemble_${plane}.json`);
  const models = options.models ?? await writeSeeds(folder, plane, [11, 12, 13]);
  return (await ensembleModels({ out, ...options, models })).path;
}

/** Writes a table of out-of-fold predictions; exams with the finding score higher. */
export async function writeOutOfFold(folder: TemporaryFolder, more = ""): Promise<string> {
  const rows = [0.1, 0.2, 0.4, 0.6, 0.7, 0.9].map((probability, index) =>
    `00${index},${Number(index > 2)},${probability}\n`
  );
  await folder.write("out_of_fold.csv", `exam,label,probability\n${rows.join("")}${more}`);
  return folder.at("out_of_fold.csv");
}
