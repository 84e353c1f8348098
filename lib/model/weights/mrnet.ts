/**
 * Which tensors an MRNet has, and how they are found in a file: under the names the original
 * PyTorch class gives them, with or without the prefixes that wrappers put in front.
 *
 * @module
 */
import {
  elementCount,
  listed,
  type NamedTensor,
  quoted,
  type StateDict,
  weightsError,
} from "./tensors.ts";

/** A tensor that a network has. */
export interface Parameter {
  /** Its name in PyTorch's state dict. */
  readonly name: string;
  /** Its sizes in PyTorch's layout: filters are `[out, in, height, width]`. */
  readonly shape: readonly number[];
}

/** Output channels, input channels and kernel size of each convolution, by its PyTorch index. */
const CONVOLUTIONS = [
  [0, 64, 3, 11],
  [3, 192, 64, 5],
  [6, 384, 192, 3],
  [8, 256, 384, 3],
  [10, 256, 256, 3],
] as const;

/** The convolutions of AlexNet under the names they have in MRNet, first to last. */
export const FEATURE_PARAMETERS: readonly Parameter[] = CONVOLUTIONS.flatMap(
  ([index, out, into, size]) => [
    { name: `pretrained_model.features.${index}.weight`, shape: [out, into, size, size] },
    { name: `pretrained_model.features.${index}.bias`, shape: [out] },
  ],
);

/**
 * The twelve parameters of MRNet, first layer to last. `classifer` is the spelling of the original
 * class; files keep it so that they load there.
 */
export const MRNET_PARAMETERS: readonly Parameter[] = [
  ...FEATURE_PARAMETERS,
  { name: "classifer.weight", shape: [2, 256] },
  { name: "classifer.bias", shape: [2] },
];

/** The classifier of torchvision's AlexNet: three linear layers that MRNet carries and never uses. */
const UNUSED = /(^|\.)classifier\.[146]\.(weight|bias)$/;

/**
 * False for the tensors of AlexNet's own classifier, 225 of the 233 MB of its file, which MRNet
 * never uses. Give it as `want` when a file is read.
 */
export function isUsedByMRNet(name: string): boolean {
  return !UNUSED.test(name);
}

/**
 * Picks the twelve parameters of MRNet out of a state dict, under their own names and in order.
 *
 * Accepted: any prefix, such as the `module.` of DataParallel; the spelling `classifier.weight`;
 * the tensors of AlexNet's own classifier, which are dropped.
 *
 * @param tensors what a file held
 * @param name the file, for messages
 * @throws {WeightsError} where tensors are missing, unexpected, wrongly shaped or not finite; all
 * of them are named in one line
 */
export function selectMRNet(tensors: StateDict, name: string): StateDict {
  const prefix = findPrefix(tensors, "pretrained_model.features.0.weight", name);
  const found = new Map<string, string>();
  for (const parameter of MRNET_PARAMETERS) {
    const key = prefix + parameter.name;
    const corrected = key.replace(/classifer(\.[a-z]+)$/, "classifier$1");
    found.set(parameter.name, tensors.has(key) ? key : corrected);
  }
  const used = new Set(found.values());
  const unexpected = [...tensors.keys()].filter((key) => !used.has(key) && isUsedByMRNet(key));
  return pick({ tensors, name, parameters: MRNET_PARAMETERS, found, unexpected });
}

/**
 * Picks the ten parameters of AlexNet's convolutions, under MRNet's names and in order, out of
 * torchvision's AlexNet or out of an MRNet. Everything else in the file is left aside.
 *
 * @param tensors what a file held
 * @param name the file, for messages
 * @throws {WeightsError} where tensors are missing, wrongly shaped or not finite
 */
export function selectFeatures(tensors: StateDict, name: string): StateDict {
  const prefix = findPrefix(tensors, "features.0.weight", name);
  const short = (long: string) => prefix + long.slice("pretrained_model.".length);
  const found = new Map(FEATURE_PARAMETERS.map(({ name }) => [name, short(name)]));
  return pick({ tensors, name, parameters: FEATURE_PARAMETERS, found, unexpected: [] });
}

/** What stands before a known name, once in the file; empty where the name is nowhere. */
function findPrefix(tensors: StateDict, known: string, name: string): string {
  const prefixes: string[] = [];
  for (const key of tensors.keys()) {
    if (key === known || key.endsWith(`.${known}`)) prefixes.push(key.slice(0, -known.length));
  }
  if (prefixes.length > 1) {
    const which = listed(prefixes.map((prefix) => quoted(prefix + known)));
    const mend = "save the one network you want in a file of its own";
    throw weightsError(name, `it holds ${prefixes.length} networks (${which})`, mend);
  }
  return prefixes[0] ?? "";
}

/** What is looked for, and where. */
interface Pick {
  tensors: StateDict;
  name: string;
  parameters: readonly Parameter[];
  /** The key in the file for each parameter's name. */
  found: Map<string, string>;
  unexpected: string[];
}

function pick({ tensors, name, parameters, found, unexpected }: Pick): StateDict {
  const picked: StateDict = new Map();
  const missing: string[] = [];
  const wrong: string[] = [];
  for (const parameter of parameters) {
    const key = found.get(parameter.name) ?? parameter.name;
    const tensor = tensors.get(key);
    if (tensor === undefined) missing.push(quoted(parameter.name));
    else if (!sameShape(tensor, parameter)) wrong.push(describe(key, tensor, parameter));
    else picked.set(parameter.name, tensor);
  }
  const what = parameters === MRNET_PARAMETERS ? "an MRNet" : "AlexNet's features";
  const faults: string[] = [];
  if (missing.length > 0) faults.push(`missing ${listed(missing)}`);
  if (unexpected.length > 0) faults.push(`unexpected ${listed(unexpected.map(quoted))}`);
  if (wrong.length > 0) faults.push(`wrong shape: ${listed(wrong)}`);
  if (faults.length > 0) {
    const found = `it does not hold ${what}: ${faults.join("; ")}`;
    const alone = tensors.has("features.0.weight") && !tensors.has("classifer.weight");
    const mend = alone && parameters === MRNET_PARAMETERS
      ? "it looks like AlexNet, which a training starts from, not like a trained MRNet"
      : "give a file of that network";
    throw weightsError(name, found, mend);
  }
  checkFinite(picked, name);
  return picked;
}

function sameShape(tensor: NamedTensor, parameter: Parameter): boolean {
  return tensor.shape.length === parameter.shape.length &&
    tensor.shape.every((size, axis) => size === parameter.shape[axis]) &&
    tensor.data.length === elementCount(parameter.shape);
}

function describe(key: string, tensor: NamedTensor, parameter: Parameter): string {
  const shape = quoted(tensor.shape.join(", ")).slice(1, -1);
  return `${quoted(key)} is [${shape}], not [${parameter.shape.join(", ")}]`;
}

function checkFinite(tensors: StateDict, file: string): void {
  for (const [name, { data }] of tensors) {
    let bad = 0;
    for (let at = 0; at < data.length; at++) if (!Number.isFinite(data[at])) bad++;
    if (bad === 0) continue;
    const found = `'${name}' holds ${bad} of ${data.length} values that are not finite`;
    throw weightsError(file, found, "the training that made it diverged, give another file");
  }
}
