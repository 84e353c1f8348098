/**
 * Reads a file of weights in any form: safetensors or one of PyTorch's. The content decides the form. A
 * name that says another form is an error, because somebody will trust the name later.
 */
import type { Network } from "../../network/network.ts";
import { pytorchForm } from "./torch/form.ts";
import { recognize, type Recognized, type TensorInfo } from "./lineage.ts";
import { locateFeatures, locateMRNet, type Selection, take } from "./mrnet.ts";
import { quoted } from "../../quoted.ts";
import { looksLikeSafetensors } from "./safetensors_header.ts";
import { readSafetensorsFrom } from "./safetensors.ts";
import { openSource, type Source } from "./source.ts";
import { type ReadOptions, type StateDict, type Weights, weightsError } from "./tensors.ts";

/** The form of a file of weights. */
export type WeightsFormat = "safetensors" | "pytorch-zip" | "pytorch-legacy";

/** What a file of weights held, and its form. */
export interface ReadWeights extends Weights {
  /** The form of the file. */
  format: WeightsFormat;
}

/** What a file with an MRNet held: its weights alone. */
export interface MRNetWeights {
  /** The network. */
  network: Network;
  /** Parameters and statistics, under MRNet's names and in order. */
  tensors: StateDict;
  /** What the file says about itself; empty for files of PyTorch. */
  metadata: Record<string, string>;
}

/**
 * Reads weights from a source.
 *
 * @throws {WeightsError} if they are damaged, of no known form, or not what the source's name says
 */
export async function readWeightsFrom(
  source: Source,
  options: ReadOptions = {},
): Promise<ReadWeights> {
  const format = formatOf(source);
  if (format === "safetensors") return { ...readSafetensorsFrom(source, options), format };
  // It unpacks archives, for which Deno's module takes longer to load than all of safetensors.
  const { readPytorchFrom } = await import("./torch/read.ts");
  return { ...readPytorchFrom(source, options), format };
}

/**
 * Reads the parameters and statistics of an MRNet, from a checkpoint of this toolkit or of PyTorch code of any
 * lineage that {@linkcode recognize} knows. A linear layer of one output becomes two.
 *
 * @throws {WeightsError} if the file cannot be read or holds another network
 */
export async function readMRNet(from: string | Source): Promise<MRNetWeights> {
  return await _withSource(from, (source) => _readLocated(source, locateMRNet));
}

/**
 * Reads what the convolutions of a network have, under MRNet's names, from torchvision's network or from
 * an MRNet.
 *
 * @throws {WeightsError} if the file cannot be read or holds another network
 */
export async function readFeatures(from: string | Source): Promise<MRNetWeights> {
  return await _withSource(from, (source) => _readLocated(source, locateFeatures));
}

/**
 * Which MRNet a file holds, and what it says of itself; no values are read.
 *
 * @throws {WeightsError} if the file cannot be read or holds another network
 */
export async function identifyMRNet(
  from: string | Source,
): Promise<Pick<MRNetWeights, "network" | "metadata">> {
  return await _withSource(from, async (source) => {
    const { tensors, metadata } = await _listTensors(source);
    return { network: locateMRNet(tensors, source.name).network, metadata };
  });
}

/**
 * Which network a file holds, by its names and shapes; no values are read.
 *
 * @throws {WeightsError} if the file cannot be read or holds several networks
 */
export async function identifyNetwork(
  from: string | Source,
): Promise<Recognized & { tensors: ReadonlyMap<string, TensorInfo> }> {
  return await _withSource(from, async (source) => {
    const { tensors } = await _listTensors(source);
    return { ...recognize(tensors, source.name), tensors };
  });
}

async function _withSource<T>(
  from: string | Source,
  use: (source: Source) => Promise<T>,
): Promise<T> {
  if (typeof from !== "string") return await use(from);
  using source = await openSource(from);
  return await use(source);
}

/** Everything that is in a file, by name, shape and type, and what it says of itself. */
async function _listTensors(
  source: Source,
): Promise<{ tensors: Map<string, TensorInfo>; metadata: Record<string, string> }> {
  const tensors = new Map<string, TensorInfo>();
  const { metadata } = await readWeightsFrom(source, {
    want(name, shape, type) {
      tensors.set(name, { shape: [...shape], type });
      return false;
    },
  });
  return { tensors, metadata };
}

/** First finds out where a network is, then reads nothing but that. */
async function _readLocated(
  source: Source,
  locate: (tensors: Map<string, TensorInfo>, file: string) => Selection,
): Promise<MRNetWeights> {
  const selection = locate((await _listTensors(source)).tensors, source.name);
  const keys = new Set(selection.keys.values());
  const { tensors, metadata } = await readWeightsFrom(source, {
    want: (name) => keys.has(name),
  });
  const { network } = selection;
  if (metadata.network !== undefined && metadata.network !== network.name) {
    const found = `it says that its network is ${
      quoted(metadata.network)
    }, and holds ${network.title}`;
    throw weightsError(source.name, found, "its metadata or its tensors are another file's");
  }
  return { network, tensors: take(selection, tensors, source.name), metadata };
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
