/**
 * Which network a file holds, decided by all of its names and shapes before any value is read.
 *
 * MRNet has been written several times. The convolutions of a network of torchvision and a linear layer
 * of as many inputs as they have channels are the same everywhere, their names and the number of outputs
 * are not:
 *
 * | names | outputs | whose |
 * | --- | --- | --- |
 * | `pretrained_model.features.N`, `classifer` | 2, or 1 | the reference's class and its descendants |
 * | `pretrained_model.conv1` …, `classifer` | 2, or 1 | this toolkit's with a ResNet |
 * | `model.features.N`, `classifier` | 1 | the authors' release |
 * | `alexnet.N`, `fc`; `features.N`, `classifier` or `fc` | 1 | other public implementations |
 *
 * Wrappers put names of their own anywhere in between. A tensor that neither belongs to the network nor is
 * known to stand outside of it makes the file another network.
 */
import type { Network } from "../../network/network.ts";
import { NETWORK_NAMES, networkOf } from "../../network/networks.ts";
import type { Parameter } from "../../network/parameters.ts";
import { featureTensors, HEAD as REFERENCE_HEAD, NETWORK_PREFIX } from "../names.ts";
import { isFloatType } from "./floats.ts";
import { listed, quoted } from "../../quoted.ts";
import { elementCount, weightsError } from "./tensors.ts";

/** A network as files have it. */
interface Trunk {
  network: Network;
  /** The module of torchvision's network that holds the convolutions; empty if there is none. */
  module: string;
  /** What the convolutions hold, by the names within the module. */
  tensors: readonly Parameter[];
}

/** The networks that are looked for; where none is found, the first is what is missing. */
const TRUNKS: readonly Trunk[] = NETWORK_NAMES.map((name) => {
  const network = networkOf(name);
  const module = network.modules.features;
  const tensors = featureTensors(network).map(({ name, shape }) => ({
    name: name.slice((NETWORK_PREFIX + module).length),
    shape,
  }));
  return { network, module, tensors };
});

/** A tensor of a file, not read yet. */
export interface TensorInfo {
  /** Its sizes. */
  shape: readonly number[];
  /** Its stored type, such as `F32`. */
  type: string;
}

/** What a file holds. */
export interface Recognized {
  /** An MRNet, a network of torchvision without anything behind it, or something else. */
  kind: "mrnet" | "backbone" | "other";
  /** The network that it is, or that it looks most like. */
  network: Network;
  /** What the convolutions hold: name in the file, as far as it is there, and what is expected. */
  features: FileParameter[];
  /** The linear layer's weight and bias; their shapes tell whether it has one output or two. */
  head: FileParameter[];
  /** Names in the file that belong to no such network. */
  unexpected: string[];
  /** The network's own classifier, by the names in the file; no MRNet uses it. */
  ownClassifier: string[];
  /** True for a linear layer of two outputs under names that do not say what the two mean. */
  ambiguous: boolean;
}

/** A parameter of a network as a file has it. */
export interface FileParameter extends Parameter {
  /** Its key in the file; none if it is missing. */
  key?: string;
}

/** The classes of ImageNet: the outputs of the last layer of a network's own classifier. */
export const IMAGENET_CLASSES = 1000;

/** What wrappers put between names: DataParallel, torch.compile, FSDP, activation checkpoints. */
const WRAPPERS: ReadonlySet<string> = new Set([
  "module",
  "_orig_mod",
  "_fsdp_wrapped_module",
  "_checkpoint_wrapped_module",
  "_forward_module",
]);

/** Names of linear layers, in the order in which they are looked for. */
const HEAD_NAMES = [REFERENCE_HEAD, "classifier", "fc"] as const;
const HEAD = /^(?<root>(?:.*\.)?)(?<name>classifer|classifier|fc)(?:\.\d+)?$/;

/** Tensors of the loss, such as its weights, which a saved module may carry along. */
const LOSS = /^(?:.*_)?(?:criterion|criteria|loss|losses)(?:_.*)?$/i;
const LOSS_WEIGHTS = /^(?:pos_weight|class_weights?|loss_weights?)$/;

/**
 * Finds out what a file holds.
 *
 * @param tensors everything that is in it
 * @param file its name, for messages
 * @throws {WeightsError} if it holds several networks
 */
export function recognize(tensors: ReadonlyMap<string, TensorInfo>, file: string): Recognized {
  const names = _plainNames(tensors, file);
  for (const name of names.keys()) if (belongsToLoss(name)) names.delete(name);
  const info = (name: string) => tensors.get(names.get(name) ?? "");
  const { trunk, at } = _findTrunk(names, tensors, file);
  const { network } = trunk;
  const inFile = (prefix: string, parameters: readonly Parameter[]): FileParameter[] =>
    parameters.map(({ name, shape }) => ({
      name: prefix + name,
      shape,
      key: names.get(prefix + name),
    }));
  const features = inFile(at, trunk.tensors);
  // Only a whole network has a classifier of its own; AlexNet's `features` alone has none.
  const own = at.endsWith(trunk.module)
    ? at.slice(0, at.length - trunk.module.length) + network.modules.classifier
    : undefined;
  const { layer, outputs, fits } = _findHead(names, info, { trunk, at, own });
  const head = inFile(`${layer}.`, [
    { name: "weight", shape: [outputs, network.channels] },
    { name: "bias", shape: [outputs] },
  ]);
  // If MRNet's linear layer replaced it, the layers behind that one are not the network's any more.
  const unusedPrefix = own !== undefined && `${layer}.`.startsWith(own) ? undefined : own;
  const used = new Set([...features, ...head].map(({ key }) => key));
  const [unexpected, ownClassifier]: [string[], string[]] = [[], []];
  for (const [name, key] of names) {
    if (used.has(key) || _isCounter(tensors.get(key)!)) continue;
    const unused = unusedPrefix !== undefined && name.startsWith(unusedPrefix) &&
      !_couldBeHead(tensors.get(key)!, network);
    (unused ? ownClassifier : unexpected).push(key);
  }
  const ambiguous = fits && outputs === 2 && !_isReference(trunk, at, layer);
  const whole = unexpected.length === 0 &&
    features.every(({ key, shape }) => key !== undefined && _same(tensors.get(key)!.shape, shape));
  const bare = head.every(({ key }) => key === undefined) && !_isReferenceTrunk(trunk, at);
  const kind = !whole ? "other" : fits && !ambiguous ? "mrnet" : bare ? "backbone" : "other";
  return { kind, network, features, head, unexpected, ownClassifier, ambiguous };
}

/** A tensor's name without what wrappers put into it. */
export function withoutWrappers(key: string): string {
  const words = key.split(".");
  const last = words.pop()!;
  return [...words.filter((word) => !WRAPPERS.has(word)), last].join(".");
}

/** The keys of a file by their names without wrappers. */
function _plainNames(tensors: ReadonlyMap<string, TensorInfo>, file: string): Map<string, string> {
  const names = new Map<string, string>();
  for (const key of tensors.keys()) {
    const name = withoutWrappers(key);
    const other = names.get(name);
    if (other !== undefined) throw _several([other, key], file);
    names.set(name, key);
  }
  return names;
}

/** A network in a file, and what stands before the names within its module. */
interface Found {
  trunk: Trunk;
  at: string;
}

/** The network of a file; where none is found, AlexNet under the reference's names. */
function _findTrunk(
  names: ReadonlyMap<string, string>,
  tensors: ReadonlyMap<string, TensorInfo>,
  file: string,
): Found {
  const found = TRUNKS.flatMap((trunk) => {
    const { module, tensors: [first, ...others] } = trunk;
    return [...names].flatMap(([name, key]) => {
      if (name !== first.name && !name.endsWith(`.${first.name}`)) return [];
      const at = name.slice(0, -first.name.length);
      const named = module !== "" && (at === module || at.endsWith(`.${module}`));
      const fits = _same(tensors.get(key)!.shape, first.shape);
      // ResNet's first names stand for the first layer of each block too, and for other networks.
      const begins = module !== "" || others.some(({ name }) => names.has(at + name));
      return named || fits && begins ? [{ trunk, at, name }] : [];
    });
  });
  const each = new Set(found.map(({ name }) => name));
  if (each.size > 1) throw _several([...each].map((name) => names.get(name)!), file);
  // Networks that begin alike: that whose names are there, with few others beside them.
  const apart = ({ trunk: { tensors: held }, at }: Found) =>
    held.length - 2 * held.filter(({ name }) => names.has(at + name)).length;
  found.sort((one, other) => apart(one) - apart(other));
  return found[0] ?? { trunk: TRUNKS[0], at: NETWORK_PREFIX + TRUNKS[0].module };
}

function _several(keys: string[], file: string): Error {
  const found = `it holds ${keys.length} networks (${listed(keys.map(quoted))})`;
  return weightsError(file, found, "save the one network you want in a file of its own");
}

/** The linear layer, or where it would be and how many outputs it would have. */
interface Head {
  layer: string;
  outputs: 1 | 2;
  fits: boolean;
}

function _findHead(
  names: ReadonlyMap<string, string>,
  info: (name: string) => TensorInfo | undefined,
  { trunk, at, own }: Found & { own: string | undefined },
): Head {
  const { channels } = trunk.network;
  const candidates: (Head & { rank: number })[] = [];
  for (const name of names.keys()) {
    const layer = name.replace(/\.(?:weight|bias)$/, "");
    const match = layer === name ? null : HEAD.exec(layer);
    // The linear layer and the convolutions belong to one module, the latter maybe to one inside it.
    if (match === null || !at.startsWith(match.groups!.root)) continue;
    const [weight, bias] = [info(`${layer}.weight`), info(`${layer}.bias`)];
    const outputs = ([1, 2] as const).find((count) =>
      weight !== undefined && _same(weight.shape, [count, channels]) &&
      bias !== undefined && _same(bias.shape, [count])
    );
    const inner = own !== undefined && name.startsWith(own);
    // A layer of the network's own classifier counts only if MRNet's linear layer replaced it.
    if (inner && outputs === undefined) continue;
    const rank = (outputs === undefined ? 8 : 0) + (inner ? 4 : 0) +
      HEAD_NAMES.indexOf(match.groups!.name as typeof HEAD_NAMES[number]);
    const expected = outputs ?? (_isReference(trunk, at, layer) ? 2 : 1);
    candidates.push({ layer, outputs: expected, fits: outputs !== undefined, rank });
  }
  candidates.sort((a, b) => a.rank - b.rank);
  if (candidates.length > 0) return candidates[0];
  const reference = NETWORK_PREFIX + trunk.module;
  const root = at.endsWith(reference) ? at.slice(0, -reference.length) : "";
  return { layer: root + REFERENCE_HEAD, outputs: 2, fits: false };
}

/** Whether the names are those of the reference's class, whose second output is the finding's. */
function _isReference({ module }: Trunk, at: string, layer: string): boolean {
  const root = layer.replace(/classifi?er$/, "");
  return root !== layer && at === root + NETWORK_PREFIX + module;
}

function _isReferenceTrunk({ module }: Trunk, at: string): boolean {
  return at.endsWith(NETWORK_PREFIX + module);
}

/** Whether a tensor belongs to the loss that a network was trained by, not to the network. */
export function belongsToLoss(name: string): boolean {
  const words = name.split(".");
  return LOSS_WEIGHTS.test(words.pop()!) || words.some((word) => LOSS.test(word));
}

/** Whether a tensor is a counter, such as one of batches or of averaged models. */
function _isCounter({ shape, type }: TensorInfo): boolean {
  return !isFloatType(type) && elementCount(shape) === 1;
}

/** Whether a layer could follow the maximum over the slices, as none of ImageNet's classifiers do. */
function _couldBeHead({ shape }: TensorInfo, { channels }: Network): boolean {
  return shape.length === 2 && shape[1] === channels && shape[0] !== IMAGENET_CLASSES;
}

function _same(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}
