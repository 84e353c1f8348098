/**
 * Three models of random weights and their combination, for tests of what goes on around them.
 */
import { byPlane, type Combination } from "../../lib/combine/combination.ts";
import { writeCombination } from "../../lib/combine/file.ts";
import { WeightsError } from "../../lib/errors.ts";
import { hashFile } from "../../lib/files.ts";
import type { ModelCard } from "../../lib/model/card.ts";
import { cardMetadata } from "../../lib/model/card_metadata.ts";
import { createMRNet, writeMRNet } from "../../lib/model/create.ts";
import { type Label, type Plane, PLANES, SPLITS, type Task } from "../../lib/terms.ts";
import { examBytes, type TemporaryFolder, voxels } from "./folders.ts";

/** The name of a plane's model, in the folder `models`. */
export function memberName(plane: Plane): string {
  return `model_${plane}.safetensors`;
}

/**
 * Writes a model of random weights to `models/`, for acl unless the card says otherwise.
 *
 * @param said what its metadata say beside the card
 */
export async function writeMember(
  folder: TemporaryFolder,
  plane: Plane,
  card: Partial<ModelCard> = {},
  name = memberName(plane),
  said: Record<string, string> = {},
): Promise<string> {
  const model = await createMRNet({ weights: "none", seed: 1 + PLANES.indexOf(plane) });
  try {
    await Deno.mkdir(folder.at("models"), { recursive: true });
    const all: ModelCard = { task: "acl", plane, intensity: "raw", ...card };
    await writeMRNet(model, folder.at("models", name), { ...cardMetadata(all), ...said });
    return folder.at("models", name);
  } finally {
    model.dispose();
  }
}

/** A combination of three such models, in `models/combined.json`. */
export async function writeCombined(
  folder: TemporaryFolder,
  change: Partial<Combination> = {},
): Promise<{ path: string; combination: Combination }> {
  const paths = new Map<Plane, string>();
  for (const plane of PLANES) paths.set(plane, await writeMember(folder, plane));
  const sums = new Map<Plane, string>();
  for (const [plane, path] of paths) {
    sums.set(
      plane,
      await hashFile({ what: "read", path, access: "read", error: WeightsError }),
    );
  }
  const combination: Combination = {
    task: "acl",
    coefficients: { axial: 1.5, coronal: -0.25, sagittal: 2 },
    intercept: -1.75,
    members: byPlane((plane) => ({ file: memberName(plane), sha256: sums.get(plane)! })),
    fitOn: "tune",
    tune: { fraction: 0.1, seed: 0 },
    exams: 10,
    positives: 4,
    auc: 0.75,
    operatingPoint: { threshold: 0.5, rule: "youden", exams: "tune" },
    ...change,
  };
  const path = folder.at("models", "combined.json");
  await writeCombination(path, combination);
  return { path, combination };
}

/**
 * Writes a dataset with all three planes for acl: exams of two slices of 64×64, every other one with
 * the finding and brighter.
 */
export async function writePlanes(
  folder: TemporaryFolder,
  counts: { train: number; valid: number },
  tasks: readonly Task[] = ["acl"],
): Promise<void> {
  let next = 0;
  for (const split of SPLITS) {
    const ids = Array.from({ length: counts[split] }, () => String(next++).padStart(4, "0"));
    const labels = ids.map((id, index) => `${id},${index % 2}\n`).join("");
    for (const task of tasks) await folder.write(`data/${split}-${task}.csv`, labels);
    for (const [index, id] of ids.entries()) {
      for (const plane of PLANES) {
        const data = voxels((index % 2) as Label, 2 * 64 * 64);
        // No two exams are alike.
        for (let i = 0; i < data.length; i += 2 + PLANES.indexOf(plane)) data[i] += index % 40;
        data[1] += SPLITS.indexOf(split);
        await folder.write(`data/${split}/${plane}/${id}.npy`, examBytes(data));
      }
    }
  }
}
