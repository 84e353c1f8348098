/** The sizes of a network's activations and gradients, as they lie in the kernels' memory. */
import { IMAGE } from "../../network/network.ts";
import { type Size, windowsOver } from "../../network/sizes.ts";
import { readersOf } from "./layer_kernels.ts";
import type { LayerLayout } from "./parameters.ts";

/** A channels-last image with a border of zeros around it. */
export interface Bordered extends Size {
  /** Floats in a pixel. */
  channels: number;
  /** Width of the border in pixels. */
  border: number;
  /** Bytes in a pixel. */
  step: number;
  /** Bytes in a row, the border included. */
  pitch: number;
  /** From the first byte to the first pixel within the border. */
  inside: number;
  /** Bytes in all. */
  bytes: number;
}

/** The sizes of a layer. */
export interface LayerShape {
  /** Its input, with the border that its windows reach into. */
  input: Bordered;
  /** The output of its convolution, with the border of the pool behind it. */
  convolved: Bordered;
  /** Its output, behind the pool if there is one: what other layers read. */
  output: Bordered;
  /** The gradient of its output. */
  gradient: Bordered;
  /** That of its convolution's, of a layer in panels, with the border that the input's gradient reaches into. */
  convolvedGradient: Bordered;
}

function bordered({ height, width }: Size, channels: number, border: number): Bordered {
  const step = channels * 4;
  const pitch = (width + 2 * border) * step;
  const inside = border * (pitch + step);
  const bytes = (height + 2 * border) * pitch;
  return { height, width, channels, border, step, pitch, inside, bytes };
}

/** The sizes of every layer for slices of this size. */
export function shapesOf(layers: readonly LayerLayout[], slice: Size): LayerShape[] {
  const shapes: LayerShape[] = [];
  layers.forEach((layer, index) => {
    const { source, pool, outputs, border } = layer;
    // The input channels of the first layer are equal and computed as one.
    const input = source === IMAGE ? bordered(slice, 1, layer.padding) : shapes[source].output;
    const convolved = bordered(windowsOver(input, layer), outputs, pool?.padding ?? 0);
    const size = pool ? windowsOver(convolved, pool) : convolved;
    const output = bordered(size, outputs, border);
    // A layer without a pool needs the border to go further back, and a sparse gradient adds to it.
    const kept = !pool || readersOf(layers, index).some((reader) => _isSparse(layers[reader]));
    const gradient = kept ? output : bordered(size, outputs, 0);
    const convolvedGradient = pool ? bordered(convolved, outputs, (layer.size - 1) / 2) : output;
    shapes.push({ input, convolved, output, gradient, convolvedGradient });
  });
  return shapes;
}

/** Whether the gradient of a layer's input is a sum over lists, which covers the border too. */
function _isSparse({ order }: LayerLayout): boolean {
  return order === "filters";
}

/** Pixels of an image. */
export function pixels({ height, width }: Size): number {
  return height * width;
}

/** How many values an image has within its border. */
export function valuesOf(image: Bordered): number {
  return pixels(image) * image.channels;
}
