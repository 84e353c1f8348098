/** From voxels to each slice's channel means, on this thread's share of the slices. */
import { LANES, type LayerLayout } from "./parameters.ts";
import { type Bordered, type LayerShape, pixels } from "./shapes.ts";
import type { ThreadWriter } from "./thread_writer.ts";
import { tilesOver } from "./tiling.ts";
import { forwardProduct, winogradConvolution } from "./winograd.ts";

/** Writes the forward pass. */
export function forward(writer: ThreadWriter): void {
  const { layout: { layers }, shapes, slices } = writer.setting;
  _layers(writer, slicesTogether(layers, shapes), writer.share(slices), layers.length);
}

/**
 * How many slices are multiplied together in each layer. The deeper ones have so few tiles that those of
 * several slices go together; ahead of a pool but the last there is room for one slice.
 */
export function slicesTogether(
  layers: readonly LayerLayout[],
  shapes: readonly LayerShape[],
): number[] {
  const small = layers.findLastIndex(({ pool }, index) => pool && index + 1 < layers.length) + 1;
  let most = 1;
  return layers.map((layer, index) => {
    const { tiling } = layer;
    if (index >= small && tiling) {
      const tiles = tilesOver(shapes[index].convolved, tiling);
      most = Math.max(most, Math.floor(tiling.atOnce / tiles));
    }
    return most;
  });
}

/** The first `end` layers of some slices: those with as many slices together follow one another. */
function _layers(writer: ThreadWriter, together: number[], slices: number[], end: number): void {
  if (end === 0) {
    for (const slice of slices) _readSlice(writer, slice);
    return;
  }
  const most = together[end - 1];
  const start = together.indexOf(most);
  for (const some of evenGroups(slices, most)) {
    _layers(writer, together, some, start);
    for (let index = start; index < end; index++) _layer(writer, index, some);
  }
}

/** Slices that are multiplied together: as few groups as there can be, as even as can be. */
export function evenGroups<T>(all: readonly T[], most: number): T[][] {
  const count = Math.ceil(all.length / most);
  const startOf = (group: number) => Math.floor(all.length * group / count);
  return Array.from({ length: count }, (_, group) => all.slice(startOf(group), startOf(group + 1)));
}

function _readSlice({ program, setting }: ThreadWriter, slice: number): void {
  const { shapes: [{ input: { height, width, inside, pitch } }], fixed, exam, float } = setting;
  program.call("readSlice", {
    voxels: exam.voxels + slice * height * width * (float ? 4 : 1),
    float: Number(float),
    matrix: fixed.matrix,
    ...{ height, width, pitch },
    out: exam.slices[slice].inputs[0] + inside,
  });
}

/** One layer of several slices: the convolutions and what follows them, behind the last the means. */
function _layer(writer: ThreadWriter, index: number, slices: number[]): void {
  const { scratch, setting: { layout: { layers }, shapes, exam } } = writer;
  const { pool, shortcut, tiling } = layers[index];
  const { input, convolved, output } = shapes[index];
  const kept = slices.map((slice) => exam.slices[slice]);
  const images = kept.map(({ inputs, outputs }, at) => ({
    x: inputs[index],
    out: pool
      ? scratch.conv + at * convolved.bytes + convolved.inside
      : outputs[index] + output.inside,
  }));
  if (tiling) {
    const product = forwardProduct(writer, index);
    winogradConvolution(writer, product, images, input, pool ? convolved : output);
  } else for (const image of images) _convolution(writer, index, image);
  if (shortcut !== undefined) {
    for (const { outputs } of kept) _addShortcut(writer, index, shortcut, outputs);
  }
  const { height, width, channels } = output;
  kept.forEach(({ outputs, argmax }, at) => {
    if (pool) {
      writer.program.call("maxPool", {
        x: images[at].out - convolved.inside,
        xPitch: convolved.pitch,
        out: outputs[index] + output.inside,
        outPitch: output.pitch,
        argmax: argmax[index],
        ...{ height, width, channels },
      });
    }
    if (index + 1 === shapes.length) _mean(writer, outputs[index], output, slices[at]);
  });
}

/** Directly: one input channel, or a stride, has too few products to pay for Winograd's transforms. */
function _convolution(
  { program, setting: { layout: { layers }, shapes, fixed, tables } }: ThreadWriter,
  index: number,
  { x, out }: { x: number; out: number },
): void {
  const { inputs, outputs, size, padding, run, relu, shortcut } = layers[index];
  const { input } = shapes[index];
  const { at, tiles } = tables.forward[index]!;
  program.call("convolve", {
    ...{ table: at, tiles },
    ...{ x: x + (input.border - padding) * (input.pitch + input.step), out },
    ...{ weights: fixed.forward[index], bias: fixed.biases[index] },
    panels: outputs / LANES,
    rows: size,
    pitch: input.pitch,
    run,
    ...blocksOf(size, run, inputs),
    relu: Number(relu && shortcut === undefined),
  });
}

/** The most floats of weights in a panel that stay in the first cache while they are multiplied. */
const MAX_BLOCK = 576;

/** How much of a filter `convolve` multiplies at once. */
export function blocksOf(
  rows: number,
  run: number,
  pixel: number,
): { rowsAtOnce: number; block: number } {
  if (rows * run <= MAX_BLOCK) return { rowsAtOnce: rows, block: run };
  return { rowsAtOnce: 1, block: run <= MAX_BLOCK ? run : pixel };
}

function _addShortcut(
  { program, setting: { layout, shapes } }: ThreadWriter,
  index: number,
  shortcut: number,
  outputs: readonly number[],
): void {
  const [to, from] = [shapes[index].output, shapes[shortcut].output];
  program.call("addImage", {
    out: outputs[index] + to.inside,
    outPitch: to.pitch,
    x: outputs[shortcut] + from.inside,
    pitch: from.pitch,
    height: to.height,
    run: to.width * to.channels,
    relu: Number(layout.layers[index].relu),
  });
}

/** The channels' means of a slice's features, which are copied from within their border first. */
function _mean(
  { program, scratch, setting: { exam } }: ThreadWriter,
  output: number,
  image: Bordered,
  slice: number,
): void {
  const { height, width, channels, border, inside, pitch } = image;
  const run = width * channels;
  const x = border === 0 ? output : scratch.features;
  if (border > 0) {
    const from = { x: output + inside, pitch };
    program.call("copyImage", { out: x, outPitch: 4 * run, ...from, height, run });
  }
  const out = exam.means + slice * 4 * channels;
  program.call("meanOfPixels", { x, out, pixels: pixels(image), channels });
}
