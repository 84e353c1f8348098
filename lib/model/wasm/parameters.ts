/**
 * A network's parameters as the kernels hold them: one flat run of floats.
 *
 * The filters of a layer with a sparse gradient lie one after the other, `[out][height][width][in]`. Those
 * of a layer with a dense gradient lie in panels of eight outputs, `[out / 8][height][width][in][8]`, as
 * the products read them. The first layer's input channels are blocks, `[out][12][12]` in AlexNet: rows
 * and columns are padded to whole vectors.
 */
import { MRNET_SIDE } from "../../data/exam.ts";
import { layersOf } from "../../network/layers.ts";
import { IMAGE, type MaxPool, type Network, type Window } from "../../network/network.ts";
import { windowsAlong } from "../../network/sizes.ts";
import { HEAD, NETWORK_PREFIX } from "../names.ts";
import { asReadOf, type Parameters } from "../parameters.ts";
import { howComputed, type LayerKernels } from "./layer_kernels.ts";

/** How many output channels a panel of weights has. */
export const LANES = 8;

/** Rows and columns that the kernels keep of each of the first layer's filters. */
const FIRST_SIDE = 12;

/** The batch normalisation behind a convolution; its bias is the layer's. */
export interface BatchNormLayout {
  /** Its name in the model, without `.weight` and what else it holds. */
  name: string;
  /** Where its weights begin, in floats. */
  weight: number;
}

/** A convolution and what is computed of its output. */
export interface LayerLayout extends Window, LayerKernels {
  /** Its name in the model, without `.weight` and `.bias`. */
  name: string;
  /** The index of the layer whose output it reads, or `IMAGE`. */
  source: number;
  /** The index of the layer whose output is added ahead of the ReLU. */
  shortcut?: number;
  /** Whether values below 0 become 0. */
  relu: boolean;
  /** Input channels. */
  inputs: number;
  /** Output channels. */
  outputs: number;
  /** Behind it few gradients are not 0. */
  pool?: MaxPool;
  batchNorm?: BatchNormLayout;
  /** How many rows of a filter are kept, and floats in a row. */
  rows: number;
  run: number;
  /** Where its weights begin, in floats. */
  weight: number;
  /** How many floats its weights take, of one input channel in the first layer. */
  floats: number;
  /** Where its biases begin, in floats. */
  bias: number;
}

/** A network as the kernels compute it. */
export interface NetworkLayout {
  /** In the order in which they are computed. */
  layers: readonly LayerLayout[];
  /** Inputs of the linear layer. */
  channels: number;
  /** Where the linear layer begins, in floats: weights `[2][channels]`, biases `[2]`. */
  linear: { weight: number; bias: number };
  /** How many floats the parameters take. */
  floats: number;
}

/**
 * Lays out a network's parameters.
 *
 * @throws {Error} if there are no kernels for one of its layers
 */
export function layOutNetwork(network: Network): NetworkLayout {
  let floats = 0;
  // Every block starts at a multiple of four.
  const reserve = (count: number) => {
    const at = floats;
    floats += Math.ceil(count / 4) * 4;
    return at;
  };
  const lengths: number[] = [];
  const layers = layersOf(network).map((layer, index, all): LayerLayout => {
    const { convolution, source, shortcut, relu, pool } = layer;
    const length = windowsAlong(source === IMAGE ? MRNET_SIDE : lengths[source], convolution);
    lengths.push(pool ? windowsAlong(length, pool) : length);
    const { name, inputs, outputs, size, stride, padding, batchNorm } = convolution;
    const kernels = howComputed(all, index, length);
    if (kernels === undefined) {
      throw new Error(`There are no kernels for '${name}' of '${network.name}'`);
    }
    const { order } = kernels;
    const [rows, run] = order === "first" ? [FIRST_SIDE, FIRST_SIDE] : [size, size * inputs];
    const each = outputs * rows * run;
    const weight = reserve(order === "first" ? inputs * each : each);
    return {
      ...{ name: NETWORK_PREFIX + name, inputs, outputs, size, stride, padding },
      ...{ source, shortcut, relu, pool, ...kernels },
      batchNorm: batchNorm === undefined
        ? undefined
        : { name: NETWORK_PREFIX + batchNorm, weight: reserve(outputs) },
      ...{ rows, run, weight, floats: each, bias: reserve(outputs) },
    };
  });
  const { channels } = network;
  const linear = { weight: reserve(2 * channels), bias: reserve(2) };
  return { layers, channels, linear, floats };
}

/** The parameters of a layer that are vectors, under the model's names, and where they begin. */
export function vectorsOf({ name, batchNorm, bias }: LayerLayout): [name: string, at: number][] {
  if (batchNorm === undefined) return [[`${name}.bias`, bias]];
  return [[`${batchNorm.name}.weight`, batchNorm.weight], [`${batchNorm.name}.bias`, bias]];
}

/** A model's parameters under its names, and how its filters lie in them; not to be changed. */
export async function parameterValues(
  parameters: Parameters,
): Promise<{ values: ReadonlyMap<string, Float32Array>; order: FilterOrder }> {
  const asRead = asReadOf(parameters);
  if (asRead !== undefined) {
    const values = new Map(Array.from(asRead, ([name, { data }]) => [name, data]));
    return { values, order: "OIHW" };
  }
  const values = new Map<string, Float32Array>();
  for (const [name, variable] of parameters) values.set(name, await variable.data<"float32">());
  return { values, order: "HWIO" };
}

/** How filters lie outside of the kernels' memory: as in PyTorch, or as in TensorFlow.js. */
export type FilterOrder = "OIHW" | "HWIO";

/** Copies values under the model's names into `flat`. */
export function placeParameters(
  { layers, linear }: NetworkLayout,
  named: ReadonlyMap<string, Float32Array>,
  flat: Float32Array,
  from: FilterOrder = "OIHW",
): void {
  for (const layer of layers) {
    const filter = named.get(`${layer.name}.weight`)!;
    _eachRun(layer, from, (kept, keptStep, given, givenStep, count) => {
      _copyRun(filter, given, givenStep, flat, kept, keptStep, count);
    });
    for (const [name, at] of vectorsOf(layer)) flat.set(named.get(name)!, at);
  }
  flat.set(named.get(`${HEAD}.weight`)!, linear.weight);
  flat.set(named.get(`${HEAD}.bias`)!, linear.bias);
}

/** The parameters in `flat` under the model's names. */
export function listParameters(
  { layers, linear, channels }: NetworkLayout,
  flat: Float32Array,
  to: FilterOrder = "OIHW",
): Map<string, Float32Array> {
  const named = new Map<string, Float32Array>();
  for (const layer of layers) {
    const filter = new Float32Array(layer.size ** 2 * layer.inputs * layer.outputs);
    _eachRun(layer, to, (kept, keptStep, given, givenStep, count) => {
      _copyRun(flat, kept, keptStep, filter, given, givenStep, count);
    });
    named.set(`${layer.name}.weight`, filter);
    for (const [name, at] of vectorsOf(layer)) named.set(name, flat.slice(at, at + layer.outputs));
  }
  const { weight, bias } = linear;
  named.set(`${HEAD}.weight`, flat.slice(weight, weight + 2 * channels));
  named.set(`${HEAD}.bias`, flat.slice(bias, bias + 2));
  return named;
}

/** Copies so many weights. It is called often and does little, so that it is soon compiled. */
function _copyRun(
  source: Float32Array,
  from: number,
  fromStep: number,
  target: Float32Array,
  to: number,
  toStep: number,
  count: number,
): void {
  for (const end = from + count * fromStep; from < end; from += fromStep, to += toStep) {
    target[to] = source[from];
  }
}

/**
 * Calls back with the weights of each tap of each output's filter, one for each input channel: the first in the
 * flat parameters and from one to the next, the same in the given order, and their number. The taps of one
 * output follow one another, so that what is read and written lies together.
 */
function _eachRun(
  { size, inputs, outputs, order, rows, run, weight, floats }: LayerLayout,
  given: FilterOrder,
  visit: (kept: number, keptStep: number, given: number, givenStep: number, count: number) => void,
): void {
  // From an input channel to the next, and from a column to the next.
  const [input, column] = order === "first" ? [floats, 1] : [1, inputs];
  const lanes = order === "panels" ? LANES : 1;
  const length = rows * run;
  // The same where it is given, from a tap to the next and from an output channel to the next.
  const [inner, tap, next] = given === "HWIO"
    ? [outputs, inputs * outputs, 1]
    : [size ** 2, 1, inputs * size ** 2];
  for (let out = 0; out < outputs; out++) {
    const filter = weight + (out - out % lanes) * length + out % lanes;
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        const kept = filter + (y * run + x * column) * lanes;
        visit(kept, input * lanes, out * next + (y * size + x) * tap, inner, inputs);
      }
    }
  }
}
