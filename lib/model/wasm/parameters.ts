/**
 * A network's parameters as the kernels hold them: one flat run of floats.
 *
 * The filters of a layer with a sparse gradient lie one after the other, `[out][height][width][in]`. Those
 * of a layer with a dense gradient lie in panels of eight outputs, `[out / 8][height][width][in][8]`, as
 * the products read them. The first layer's input channels are blocks, `[out][12][12]` in AlexNet: rows
 * and columns are padded to whole vectors.
 */
import { type Layer, layersOf } from "../../network/layers.ts";
import { type MaxPool, type Network, type Window } from "../../network/network.ts";
import { HEAD, NETWORK_PREFIX } from "../names.ts";
import type { Parameters } from "../parameters.ts";

/** How many output channels a panel of weights has. */
export const LANES = 8;

/** A convolution with its ReLU and the pool behind it, if there is one. */
export interface LayerLayout extends Window {
  /** Its name in the model, without `.weight` and `.bias`. */
  name: string;
  /** Input channels. */
  inputs: number;
  /** Output channels. */
  outputs: number;
  /** Behind it few gradients are not 0. */
  pool?: MaxPool;
  /** The order its filters are kept in. */
  order: "first" | "filters" | "panels";
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
  /** First to last; each reads the output of the one ahead. */
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
  const layers = layersOf(network).map((layer, index, all): LayerLayout => {
    const { convolution: { name, inputs, outputs, size, stride, padding }, pool } = layer;
    if (!_hasKernels(layer, index, all[index + 1])) {
      throw new Error(`There are no kernels for '${name}' of '${network.name}'`);
    }
    const padded = Math.ceil(size / 4) * 4;
    const [rows, run] = index === 0 ? [padded, padded] : [size, size * inputs];
    const order = index === 0 ? "first" : pool ? "filters" : "panels";
    const each = outputs * rows * run;
    const weight = reserve(index === 0 ? inputs * each : each);
    return {
      ...{ name: NETWORK_PREFIX + name, inputs, outputs, size, stride, padding, pool },
      ...{ order, rows, run, weight, floats: each, bias: reserve(outputs) },
    };
  });
  const { channels } = network;
  const linear = { weight: reserve(2 * channels), bias: reserve(2) };
  return { layers, channels, linear, floats };
}

/** Whether the kernels compute a layer, and its gradients, as this folder calls them. */
function _hasKernels(layer: Layer, index: number, next: Layer | undefined): boolean {
  const { convolution: { batchNorm, inputs, outputs, size, stride, padding }, pool } = layer;
  const inRow = layer.source === index - 1 && layer.shortcut === undefined;
  const ordinary = inRow && layer.relu && batchNorm === undefined && outputs % LANES === 0;
  if (pool && (pool.size !== 3 || pool.stride !== 2 || pool.padding !== 0)) return false;
  if (index === 0) return ordinary && pool !== undefined;
  const winograd = stride === 1 && (size === 3 || size === 5) && padding === (size - 1) / 2;
  // A dense gradient has the border of the activation, and is multiplied in tiles of six channels.
  const gradient = pool
    ? size * inputs % 32 === 0
    : next?.convolution.padding === size - 1 - padding && inputs % 6 === 0;
  return ordinary && winograd && gradient;
}

/** A model's parameters as they are on the engine, under its names. */
export async function parameterValues(
  model: Parameters,
): Promise<Map<string, Float32Array>> {
  const named = new Map<string, Float32Array>();
  for (const [name, parameter] of model) named.set(name, await parameter.data() as Float32Array);
  return named;
}

/** Copies values under the model's names, in its layouts, into `flat`. */
export function placeParameters(
  { layers, linear }: NetworkLayout,
  named: ReadonlyMap<string, Float32Array>,
  flat: Float32Array,
): void {
  for (const layer of layers) {
    const filter = named.get(`${layer.name}.weight`)!;
    _eachFilterWeight(layer, (kept, given) => flat[kept] = filter[given]);
    flat.set(named.get(`${layer.name}.bias`)!, layer.bias);
  }
  flat.set(named.get(`${HEAD}.weight`)!, linear.weight);
  flat.set(named.get(`${HEAD}.bias`)!, linear.bias);
}

/** The parameters in `flat` under the model's names, in its layouts. */
export function listParameters(
  { layers, linear, channels }: NetworkLayout,
  flat: Float32Array,
): Map<string, Float32Array> {
  const named = new Map<string, Float32Array>();
  for (const layer of layers) {
    const filter = new Float32Array(layer.size ** 2 * layer.inputs * layer.outputs);
    _eachFilterWeight(layer, (kept, given) => filter[given] = flat[kept]);
    named.set(`${layer.name}.weight`, filter);
    named.set(`${layer.name}.bias`, flat.slice(layer.bias, layer.bias + layer.outputs));
  }
  const { weight, bias } = linear;
  named.set(`${HEAD}.weight`, flat.slice(weight, weight + 2 * channels));
  named.set(`${HEAD}.bias`, flat.slice(bias, bias + 2));
  return named;
}

/** Calls back with each weight's index in the flat parameters and in `[height, width, in, out]`. */
function _eachFilterWeight(
  { size, inputs, outputs, order, rows, run, weight, floats }: LayerLayout,
  visit: (kept: number, given: number) => void,
): void {
  // From an input channel to the next, and from a column to the next.
  const [input, column] = order === "first" ? [floats, 1] : [1, inputs];
  const length = rows * run;
  let given = 0;
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      for (let channel = 0; channel < inputs; channel++) {
        const tap = y * run + x * column + channel * input;
        for (let out = 0; out < outputs; out++, given++) {
          const kept = order === "panels"
            ? (Math.floor(out / LANES) * length + tap) * LANES + out % LANES
            : out * length + tap;
          visit(weight + kept, given);
        }
      }
    }
  }
}
