/**
 * Reads a file of weights, whatever its form: safetensors or one of PyTorch's. The content decides;
 * a name that says something else is an error, because somebody will trust the name later.
 *
 * @module
 */
import { pytorchForm, readPytorchFrom } from "./pytorch.ts";
import { isFloatType } from "./floats.ts";
import {
  FEATURE_PARAMETERS,
  isUsedByMRNet,
  MRNET_PARAMETERS,
  type Parameter,
  selectFeatures,
  selectMRNet,
} from "./mrnet.ts";
import { looksLikeSafetensors } from "./safetensors_header.ts";
import { readSafetensorsFrom } from "./safetensors.ts";
import { openSource, type Source } from "./source.ts";
import {
  elementCount,
  type ReadOptions,
  type StateDict,
  type Weights,
  weightsError,
} from "./tensors.ts";

/** The form of a file of weights. */
export type WeightsFormat = "safetensors" | "pytorch-zip" | "pytorch-legacy";

/** What a file of weights held, and its form. */
export interface ReadWeights extends Weights {
  /** The form of the file. */
  format: WeightsFormat;
}

/** What a file with an MRNet held: its weights alone. */
export interface MRNetWeights {
  /** The parameters, under MRNet's names and in order. */
  tensors: StateDict;
  /** What the file says about itself; empty for files of PyTorch. */
  metadata: Record<string, string>;
}

/**
 * Reads a file of weights, or a source that is open already.
 *
 * @throws {WeightsError} where it is missing, damaged, of no known form, or not what its name says
 * @throws {PermissionError} where Deno may not read it
 */
export async function readWeights(
  from: string | Source,
  options: ReadOptions = {},
): Promise<ReadWeights> {
  if (typeof from !== "string") return _readWeights(from, options);
  using source = await openSource(from);
  return _readWeights(source, options);
}

function _readWeights(source: Source, options: ReadOptions): ReadWeights {
  const format = formatOf(source);
  const weights = format === "safetensors"
    ? readSafetensorsFrom(source, options)
    : readPytorchFrom(source, options);
  return { ...weights, format };
}

/**
 * Reads the twelve parameters of an MRNet, from a checkpoint of this toolkit or of the original
 * PyTorch code.
 *
 * @throws {WeightsError} where the file cannot be read or holds another network
 */
export async function readMRNet(from: string | Source): Promise<MRNetWeights> {
  const { tensors, name, metadata } = await readNetwork(from, MRNET_PARAMETERS, isUsedByMRNet);
  return { tensors: selectMRNet(tensors, name), metadata };
}

/**
 * Reads the ten parameters of AlexNet's convolutions, under MRNet's names, from torchvision's
 * AlexNet or from an MRNet.
 *
 * @throws {WeightsError} where the file cannot be read or holds another network
 */
export async function readFeatures(path: string): Promise<MRNetWeights> {
  const isFeature = (name: string) => /(^|\.)features\.\d+\.(weight|bias)$/.test(name);
  const { tensors, name, metadata } = await readNetwork(path, FEATURE_PARAMETERS, isFeature);
  return { tensors: selectFeatures(tensors, name), metadata };
}

/**
 * Reads of a file what a network may have: tensors of its shapes, no more of them than two networks
 * have. All others with a name that counts are given by name and shape alone, for messages.
 */
async function readNetwork(
  from: string | Source,
  parameters: readonly Parameter[],
  counts: (name: string) => boolean,
): Promise<MRNetWeights & { name: string }> {
  const name = typeof from === "string" ? from : from.name;
  const shapes = new Set(parameters.map(({ shape }) => shape.join()));
  let room = 2 * parameters.reduce((sum, { shape }) => sum + elementCount(shape)!, 0);
  const others: StateDict = new Map();
  const { tensors, metadata, skipped } = await readWeights(from, {
    want(name, shape, type) {
      if (!counts(name)) return false;
      if (!isFloatType(type)) return true;
      if (shapes.has(shape.join()) && (room -= elementCount(shape)!) >= 0) return true;
      others.set(name, { shape: [...shape], data: new Float32Array(0) });
      return false;
    },
  });
  checkTypes(skipped, name);
  return { tensors: new Map([...tensors, ...others]), metadata, name };
}

/** Tells a parameter that has another type from one that is missing. */
function checkTypes(skipped: Map<string, string>, path: string): void {
  for (const [name, type] of skipped) {
    const known = MRNET_PARAMETERS.some((parameter) =>
      `pretrained_model.${name}`.endsWith(parameter.name) || name.endsWith(parameter.name)
    );
    if (!known) continue;
    const found = `'${name}' has the type ${type}`;
    throw weightsError(path, found, "save the network in float32, float16, bfloat16 or float64");
  }
}

/** The form of a file by its content, held against its name. */
function formatOf(source: Source): WeightsFormat {
  const extension = /\.([a-z0-9]+)$/i.exec(source.name)?.[1].toLowerCase();
  const pytorch = pytorchForm(source);
  if (pytorch === undefined && extension === "safetensors") return "safetensors";
  if (pytorch === undefined && looksLikeSafetensors(source)) {
    if (extension === "pth" || extension === "pt") {
      throw weightsError(
        source.name,
        "it is not what its name says, but a safetensors file",
        "rename it to end in .safetensors",
      );
    }
    return "safetensors";
  }
  if (pytorch === undefined) {
    throw weightsError(source.name, describe(source), "give a .pth, .pt or .safetensors file");
  }
  if (extension === "safetensors") {
    throw weightsError(
      source.name,
      "it is not what its name says, but a PyTorch file or another zip archive",
      "rename it to end in .pth",
    );
  }
  return pytorch === "zip" ? "pytorch-zip" : "pytorch-legacy";
}

/** What a file without weights seems to be. */
function describe(source: Source): string {
  if (source.size === 0) return "it is empty";
  const start = new TextDecoder().decode(source.read(0, Math.min(source.size, 200)));
  if (start.startsWith("version https://git-lfs")) {
    return "it is a pointer of Git LFS, the weights themselves were not fetched (git lfs pull)";
  }
  if (/^\s*<(!doctype|html)/i.test(start)) return "it is a web page, not the file behind it";
  if (start.startsWith("\uFFFDHDF")) return "it is an HDF5 file";
  return "it is neither a PyTorch file nor a safetensors file";
}
