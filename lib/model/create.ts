/**
 * Models made anew and models read from files.
 *
 * @module
 */
import { ensureEngine } from "../engine/engine.ts";
import { writeWhole } from "../files.ts";
import { drawSeed } from "../random.ts";
import { initialClassifier, initialWeights } from "./initialise.ts";
import { MRNet } from "./mrnet.ts";
import { fetchImageNetWeights } from "./weights/imagenet.ts";
import { readFeatures, readMRNet, readWeights } from "./weights/read.ts";
import { encodeSafetensors } from "./weights/safetensors.ts";
import type { StateDict } from "./weights/tensors.ts";

/** What a new model starts from. */
export interface CreateOptions {
  /**
   * `imagenet`: AlexNet as torchvision trained it on ImageNet, fetched once and kept; `none`: random
   * weights; a URL: a copy of that file elsewhere, whose name carries its hash as torchvision's does;
   * anything else: a `.pth`, `.pt` or `.safetensors` file of an MRNet or of an AlexNet. Where the
   * weights are an AlexNet's, the linear layer is drawn at random.
   *
   * @default "imagenet"
   */
  weights?: string;
  /** Where random weights start; drawn at random where it is left out. */
  seed?: number;
  /**
   * The folder in which the ImageNet weights are kept.
   * @default "models"
   */
  models?: string;
  /** Called while the ImageNet weights are fetched, with the bytes so far and in all. */
  onProgress?: (received: number, total: number | undefined) => void;
  /** Ends the fetching. */
  signal?: AbortSignal;
}

/**
 * Makes a model to train, on the current engine; one is started where none runs.
 *
 * @throws {WeightsError} where the weights cannot be fetched or read
 * @throws {PermissionError} where Deno refuses the file or the network
 *
 * @example
 * ```ts
 * import { createMRNet } from "../../mod.ts";
 * const model = await createMRNet({ weights: "none", seed: 1 });
 * console.assert(model.parameters.size === 12);
 * ```
 */
export async function createMRNet(options: CreateOptions = {}): Promise<MRNet> {
  const { weights = "imagenet", seed = drawSeed(), models = "models" } = options;
  const state = await _startingWeights(weights, seed, { ...options, models });
  await ensureEngine();
  return new MRNet(state);
}

/** A model from a file, and what the file says about it. */
export interface LoadedMRNet {
  /** The model, on the current engine. */
  model: MRNet;
  /** How it was made, as the training run wrote it; empty for files of PyTorch. */
  metadata: Record<string, string>;
}

/**
 * Reads a trained model: a checkpoint of this toolkit, or of the original PyTorch script.
 *
 * @param path a `.safetensors`, `.pth` or `.pt` file
 * @throws {WeightsError} where it is no MRNet
 *
 * @example
 * ```ts
 * import { createMRNet, loadMRNet, saveMRNet } from "../../mod.ts";
 * const path = `${await Deno.makeTempDir()}/model.safetensors`;
 * await saveMRNet(await createMRNet({ weights: "none", seed: 1 }), path, { task: "acl" });
 * const { model, metadata } = await loadMRNet(path);
 * console.assert(model.parameters.size === 12 && metadata.task === "acl");
 * ```
 */
export async function loadMRNet(path: string): Promise<LoadedMRNet> {
  const { tensors, metadata } = await readMRNet(path);
  await ensureEngine();
  return { model: new MRNet(tensors), metadata };
}

/**
 * Writes a model as safetensors, in PyTorch's names and layout; Python's `safetensors` package reads
 * it into a PyTorch MRNet as it is.
 *
 * @param model what is written
 * @param path the file; one that is there is replaced once the new one is whole
 * @param metadata what the file should say about the model, as text
 * @throws {OutputError} where it cannot be written
 */
export async function saveMRNet(
  model: MRNet,
  path: string,
  metadata: Record<string, string> = {},
): Promise<void> {
  const parts = encodeSafetensors(await model.stateDict(), { format: "pt", ...metadata });
  await writeWhole(path, parts);
}

async function _startingWeights(
  weights: string,
  seed: number,
  { models, onProgress, signal }: CreateOptions & { models: string },
): Promise<StateDict> {
  if (weights === "none") return initialWeights(seed);
  const url = /^https?:/.test(weights) ? weights : undefined;
  const path = weights === "imagenet" || url !== undefined
    ? await fetchImageNetWeights({ folder: models, url, onProgress, signal })
    : weights;
  if (!await _isAlexNet(path)) return (await readMRNet(path)).tensors;
  return new Map([...(await readFeatures(path)).tensors, ...initialClassifier(seed)]);
}

/** Whether a file holds an AlexNet rather than an MRNet, which wraps one; no tensor is loaded. */
async function _isAlexNet(path: string): Promise<boolean> {
  const names: string[] = [];
  await readWeights(path, {
    want(name) {
      names.push(name);
      return false;
    },
  });
  return names.some((name) => /(^|\.)features\.0\.weight$/.test(name)) &&
    !names.some((name) => name.includes("pretrained_model."));
}
