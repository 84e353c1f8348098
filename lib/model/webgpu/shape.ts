/**
 * MRNet's layers for one size of slice, as the kernels want them.
 */
import { type Grid, grid } from "../../engine/webgpu/grid.ts";
import { type Precision } from "../../engine/webgpu/precision.ts";
import { poolOf } from "../../engine/webgpu/kernels/mean_pool.ts";
import { LAYERS } from "../layers.ts";
import { MRNET_PARAMETERS } from "../weights/mrnet.ts";

/** A convolution with its ReLU and, if there is one, the pool behind it. */
export interface LayerShape {
  /** Its name in PyTorch's state dict. */
  name: string;
  /** What it is called in messages and timings, such as `conv1`. */
  label: string;
  /** Rows and columns of the filter. */
  size: number;
  stride: number;
  padding: number;
  /** Input channels of the filter; the first layer's three are computed as one. */
  filterChannels: number;
  /** Numbers in a row of the filter that is computed with. */
  filterRow: number;
  /** Its input, with the border that it wants. */
  input: Grid;
  /** Its output, with the border that the next layer wants if no pool comes between. */
  output: Grid;
  /** The output of the pool behind it, with the border that the next layer wants. */
  pooled?: Grid;
  /** Whether Winograd's algorithm computes it and its input gradient. */
  winograd: boolean;
}

/** How the layers are computed. */
export interface LayerOptions {
  /** How the activations are stored; gradients are in single precision in any case. */
  precision: Precision;
  /** Whether Winograd's algorithm computes the layers that it can. */
  winograd: boolean;
}

/** The layers for slices of this size, first to last; the last one's pool is left to the head. */
export function layerShapes(
  height: number,
  width: number,
  { precision, winograd }: LayerOptions,
): LayerShape[] {
  const half = precision === "half";
  const shapes: LayerShape[] = [];
  let input = _image(height, width, LAYERS[0].padding);
  LAYERS.forEach(({ name, stride, padding, pool }, index) => {
    const { shape } = MRNET_PARAMETERS.find((each) => each.name === `${name}.weight`)!;
    const [channels, filterChannels, size] = shape;
    const along = (length: number) => Math.floor((length + 2 * padding - size) / stride) + 1;
    const next = LAYERS[index + 1]?.padding ?? 0;
    const border = pool ? 0 : next;
    const output = { ...grid(along(input.height), along(input.width), channels, border), half };
    const { height, width } = poolOf(output);
    const pooled = pool && index + 1 < LAYERS.length
      ? { ...grid(height, width, channels, next), half }
      : undefined;
    const filterRow = Math.ceil(size * input.channels / 4) * 4;
    const label = `conv${index + 1}`;
    shapes.push({
      name,
      label,
      size,
      stride,
      padding,
      filterChannels,
      filterRow,
      input,
      output,
      pooled,
      winograd: winograd && size === 3 && stride === 1,
    });
    input = pooled ?? output;
  });
  return shapes;
}

/** The gradient of a layer's output: with the border that its input gradient, if any, wants. */
export function gradientGrid(layers: readonly LayerShape[], index: number): Grid {
  const { size, padding, output } = layers[index];
  const border = index === 0 ? 0 : size - 1 - padding;
  return grid(output.height, output.width, output.channels, border);
}

/** One grey channel, with columns in whole vectors. */
function _image(height: number, width: number, border: number): Grid {
  const image = grid(height, width, 1, border);
  return { ...image, columns: Math.ceil(image.columns / 4) * 4 };
}
