/**
 * MRNet's parameters as the kernels hold them: one flat run of floats.
 *
 * The filters of a layer with a sparse gradient lie one after the other, `[out][height][width][in]`. Those
 * of a layer with a dense gradient lie in panels of eight outputs, `[out / 8][height][width][in][8]`, as
 * the products read them. The first layer's three input channels are three blocks, `[out][12][12]`: its
 * rows and columns of 11 are padded to 12.
 */
import type { Parameters } from "../parameters.ts";

/** Which order a layer's filters are in. */
type Order = "first" | "filters" | "panels";

/** A convolution of AlexNet. */
export interface Convolution {
  /** Its name in the model, without `.weight` and `.bias`. */
  name: string;
  /** Output channels. */
  outputs: number;
  /** Input channels. */
  inputs: number;
  /** Height and width of the filter. */
  side: number;
  /** The order its filters are kept in. */
  order: Order;
  /** Where its weights begin, in floats. */
  weight: number;
  /** How many floats its weights take, of one input channel in the first layer. */
  size: number;
  /** Where its biases begin, in floats. */
  bias: number;
}

/** Side of the first layer's filters once padded. */
const PADDED = 12;
const LANES = 8;

let total = 0;
/** Reserves floats; every block starts at a multiple of four. */
function reserve(floats: number): number {
  const at = total;
  total += Math.ceil(floats / 4) * 4;
  return at;
}

function convolution(
  index: number,
  outputs: number,
  inputs: number,
  side: number,
  order: Order,
): Convolution {
  const size = order === "first" ? outputs * PADDED ** 2 : outputs * inputs * side ** 2;
  const weight = reserve(order === "first" ? inputs * size : size);
  const bias = reserve(outputs);
  const name = `pretrained_model.features.${index}`;
  return { name, outputs, inputs, side, order, weight, size, bias };
}

/** The five convolutions, first to last. */
export const CONVOLUTIONS = [
  convolution(0, 64, 3, 11, "first"),
  convolution(3, 192, 64, 5, "filters"),
  convolution(6, 384, 192, 3, "panels"),
  convolution(8, 256, 384, 3, "panels"),
  convolution(10, 256, 256, 3, "filters"),
] as const;

/** Where the linear layer begins, in floats: weights `[2][256]`, biases `[2]`. */
export const LINEAR = { channels: 256, weight: reserve(512), bias: reserve(2) };

/** How many floats the parameters take. */
export const PARAMETER_FLOATS = total;

/** Copies a model's parameters into `flat`, which must stay valid while they come from the engine. */
export async function readParameters(
  model: Parameters,
  flat: Float32Array,
): Promise<void> {
  placeParameters(await parameterValues(model), flat);
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
  named: ReadonlyMap<string, Float32Array>,
  flat: Float32Array,
): void {
  for (const layer of CONVOLUTIONS) {
    const filter = named.get(`${layer.name}.weight`)!;
    _eachFilterWeight(layer, (kept, given) => flat[kept] = filter[given]);
    flat.set(named.get(`${layer.name}.bias`)!, layer.bias);
  }
  flat.set(named.get("classifer.weight")!, LINEAR.weight);
  flat.set(named.get("classifer.bias")!, LINEAR.bias);
}

/** The parameters in `flat` under the model's names, in its layouts. */
export function listParameters(flat: Float32Array): Map<string, Float32Array> {
  const named = new Map<string, Float32Array>();
  for (const layer of CONVOLUTIONS) {
    const filter = new Float32Array(layer.side ** 2 * layer.inputs * layer.outputs);
    _eachFilterWeight(layer, (kept, given) => filter[given] = flat[kept]);
    named.set(`${layer.name}.weight`, filter);
    named.set(`${layer.name}.bias`, flat.slice(layer.bias, layer.bias + layer.outputs));
  }
  const { weight, bias } = LINEAR;
  named.set("classifer.weight", flat.slice(weight, weight + 2 * LINEAR.channels));
  named.set("classifer.bias", flat.slice(bias, bias + 2));
  return named;
}

/** Calls back with each weight's index in the flat parameters and in `[height, width, in, out]`. */
function _eachFilterWeight(
  { side, inputs, outputs, weight, size, order }: Convolution,
  visit: (kept: number, given: number) => void,
): void {
  let given = 0;
  const length = side * side * inputs;
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      for (let input = 0; input < inputs; input++) {
        const tap = (row * side + column) * inputs + input;
        for (let output = 0; output < outputs; output++, given++) {
          switch (order) {
            case "first":
              visit(
                weight + input * size + (output * PADDED + row) * PADDED + column,
                given,
              );
              break;
            case "filters":
              visit(weight + output * length + tap, given);
              break;
            case "panels":
              visit(
                weight + (Math.floor(output / LANES) * length + tap) * LANES + output % LANES,
                given,
              );
              break;
            default:
              order satisfies never;
          }
        }
      }
    }
  }
}
