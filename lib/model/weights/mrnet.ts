/**
 * The tensors of an MRNet under the names and in the form that this toolkit computes with, picked
 * out of a file of any lineage.
 */
import { ALEXNET } from "../../network/alexnet.ts";
import type { Network } from "../../network/network.ts";
import type { Parameter } from "../../network/parameters.ts";
import { featureTensors, HEAD, mrnetParameters, mrnetTensors } from "../names.ts";
import { NETWORK_NAMES, type NetworkName, networkOf } from "../../network/networks.ts";
import { isFloatType } from "./floats.ts";
import { absoluteSums, checkMagnitude } from "./magnitude.ts";
import { type FileParameter, recognize, type Recognized, type TensorInfo } from "./lineage.ts";
import { listed, quoted, shortened } from "../../quoted.ts";
import { elementCount, type StateDict, weightsError } from "./tensors.ts";

/** The twelve parameters of the MRNet of the paper, first layer to last. */
export const MRNET_PARAMETERS: readonly Parameter[] = mrnetParameters(ALEXNET);

/** Where in a file the tensors of a network are. */
export interface Selection {
  network: Network;
  /** For each tensor's name its key in the file. */
  keys: ReadonlyMap<string, string>;
}

/**
 * Where a file holds the parameters and statistics of an MRNet.
 *
 * @param tensors everything that is in the file
 * @param file its name, for messages
 * @throws {WeightsError} if tensors are missing, unexpected, wrongly shaped or no floating point
 * numbers; all of them are named in one line
 */
export function locateMRNet(tensors: ReadonlyMap<string, TensorInfo>, file: string): Selection {
  const recognized = recognize(tensors, file);
  const { kind, network } = recognized;
  const parameters = [...recognized.features, ...recognized.head];
  _checkTypes(parameters, tensors, file);
  const faults = [..._faults(parameters, tensors, recognized.unexpected)];
  if (faults.length > 0) {
    const hint = kind === "backbone"
      ? `it looks like ${network.title}, which a training starts from, not like a trained MRNet`
      : "give a file of that network";
    throw weightsError(file, `it does not hold an MRNet: ${faults.join("; ")}`, hint);
  }
  if (recognized.ambiguous) throw _ambiguous(recognized, file);
  return _selection(network, mrnetTensors(network), parameters);
}

/**
 * Where a file holds what the convolutions of a network have, be it torchvision's or an MRNet's.
 *
 * @throws {WeightsError} if tensors are missing, wrongly shaped or no floating point numbers
 */
export function locateFeatures(tensors: ReadonlyMap<string, TensorInfo>, file: string): Selection {
  const { features, network } = recognize(tensors, file);
  _checkTypes(features, tensors, file);
  const faults = [..._faults(features, tensors, [])];
  if (faults.length > 0) {
    const found = `it does not hold ${network.title}'s features: ${faults.join("; ")}`;
    throw weightsError(file, found, "give a file of that network");
  }
  return _selection(network, featureTensors(network), features);
}

/**
 * The located tensors under MRNet's names and in order. A linear layer of one output gets a first output
 * of zero before it. The probability, the sigmoid of the second output, stays the same.
 *
 * @param tensors at least those of the selection
 * @param file for messages
 * @throws {WeightsError} if values are not finite, or too large to compute with
 */
export function take({ network, keys }: Selection, tensors: StateDict, file: string): StateDict {
  const taken: StateDict = new Map();
  const sums = new Map<string, Float64Array>();
  for (const [name, key] of keys) {
    const tensor = tensors.get(key)!;
    const ofOutputs = absoluteSums(tensor.data, tensor.shape[0]);
    if (!ofOutputs.every(Number.isFinite)) throw _notFinite(tensor.data, name, file);
    _checkVariance(tensor.data, name, file);
    const single = name.startsWith(`${HEAD}.`) && tensor.shape[0] === 1;
    taken.set(name, single ? _withZeroOutput(tensor) : tensor);
    if (!single) sums.set(name, ofOutputs);
  }
  checkMagnitude(network, taken, file, sums);
  return taken;
}

/**
 * Picks the tensors of an MRNet out of a state dict, under their own names and in order.
 *
 * @param tensors what a file held; names are understood as in {@linkcode recognize}
 * @param name the file, for messages
 * @throws {WeightsError} if tensors are missing, unexpected, wrongly shaped or not finite; all
 * of them are named in one line
 */
export function selectMRNet(tensors: StateDict, name: string): StateDict {
  return take(locateMRNet(_infoOf(tensors), name), tensors, name);
}

/** What was read from a file and belongs to nobody else. */
const handedOver = new WeakSet<StateDict>();

/**
 * Hands a state dict over to the model that is made of it: {@linkcode ownState} gives it back without a
 * check or a copy.
 *
 * @param state as {@linkcode take} gives it; nobody else may use it
 */
export function handOver(state: StateDict): StateDict {
  handedOver.add(state);
  return state;
}

/**
 * The tensors of an MRNet, as {@linkcode selectMRNet} picks them, for the caller to keep: a copy, unless they
 * were handed over.
 *
 * @throws {WeightsError} as {@linkcode selectMRNet}
 */
export function ownState(tensors: StateDict, name: string): StateDict {
  if (handedOver.delete(tensors)) return tensors;
  const selected = selectMRNet(tensors, name);
  return new Map(
    Array.from(
      selected,
      ([key, { shape, data }]) => [key, { shape: [...shape], data: data.slice() }],
    ),
  );
}

/** The network of tensors that {@linkcode selectMRNet} has picked. */
export function networkOfState(state: StateDict): NetworkName {
  return NETWORK_NAMES.find((name) => {
    const [first, ...others] = mrnetTensors(networkOf(name));
    return others.length + 1 === state.size && state.has(first.name);
  })!;
}

/**
 * Picks what the convolutions of a network have, under MRNet's names and in order, out of torchvision's
 * network or out of an MRNet. Everything else in the file is left aside.
 *
 * @param tensors what a file held
 * @param name the file, for messages
 * @throws {WeightsError} if tensors are missing, wrongly shaped or not finite
 */
export function selectFeatures(tensors: StateDict, name: string): StateDict {
  return take(locateFeatures(_infoOf(tensors), name), tensors, name);
}

function _infoOf(tensors: StateDict): Map<string, TensorInfo> {
  return new Map(
    Array.from(tensors, ([name, { shape, data }]) => {
      const fits = elementCount(shape) === data.length;
      return [name, { shape: fits ? shape : [data.length], type: "F32" }];
    }),
  );
}

function _selection(
  network: Network,
  names: readonly Parameter[],
  parameters: readonly FileParameter[],
): Selection {
  return { network, keys: new Map(names.map(({ name }, index) => [name, parameters[index].key!])) };
}

/** What keeps the parameters from being those of a network, each kind of fault in one clause. */
function* _faults(
  parameters: readonly FileParameter[],
  tensors: ReadonlyMap<string, TensorInfo>,
  unexpected: readonly string[],
): Iterable<string> {
  const [missing, wrong]: string[][] = [[], []];
  for (const { name, shape, key } of parameters) {
    if (key === undefined) {
      missing.push(quoted(name));
      continue;
    }
    const found = tensors.get(key)!;
    if (String(found.shape) !== String(shape)) {
      const sizes = quoted(found.shape.join(", ")).slice(1, -1);
      wrong.push(`${quoted(key)} is [${sizes}], not [${shape.join(", ")}]`);
    }
  }
  if (missing.length > 0) yield `missing ${listed(missing)}`;
  if (unexpected.length > 0) yield `unexpected ${listed(unexpected.map(quoted))}`;
  if (wrong.length > 0) yield `wrong shape: ${listed(wrong)}`;
}

/** Tells a parameter that has another type from one that is missing. */
function _checkTypes(
  parameters: readonly FileParameter[],
  tensors: ReadonlyMap<string, TensorInfo>,
  file: string,
): void {
  for (const { key } of parameters) {
    const type = key === undefined ? undefined : tensors.get(key)!.type;
    if (type === undefined || isFloatType(type)) continue;
    const found = `${quoted(key!)} has the type ${shortened(type, 20)}`;
    throw weightsError(file, found, "save the network in float32, float16, bfloat16 or float64");
  }
}

/** Two outputs may be those of a softmax, or two findings': their names alone do not say. */
function _ambiguous({ head: [weight] }: Recognized, file: string): Error {
  const found =
    `${quoted(weight.key!)} has two outputs, and only in a file with the names of the ` +
    "reference's class is the second known to be the finding's";
  const hint =
    "if it is, save it as pretrained_model.features.N and classifer; else with the one " +
    "output whose sigmoid is the probability";
  return weightsError(file, found, hint);
}

function _withZeroOutput({ shape, data }: { shape: number[]; data: Float32Array }) {
  const both = new Float32Array(2 * data.length);
  both.set(data, data.length);
  return { shape: [2, ...shape.slice(1)], data: both };
}

/** A running variance below 0 has no deviation. */
function _checkVariance(data: Float32Array, name: string, file: string): void {
  if (!name.endsWith(".running_var") || data.every((variance) => variance >= 0)) return;
  throw weightsError(file, `'${name}' holds values below 0`, "it is damaged, give another file");
}

function _notFinite(data: Float32Array, name: string, file: string): Error {
  const bad = data.reduce((count, value) => Number.isFinite(value) ? count : count + 1, 0);
  const found = `'${name}' holds ${bad} of ${data.length} values that are not finite`;
  return weightsError(file, found, "the training that made it diverged, give another file");
}
