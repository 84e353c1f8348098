/** From voxels to each slice's channel means, on this thread's share of the slices. */
import { TILES_AT_ONCE } from "./memory_map.ts";
import { LANES } from "./parameters.ts";
import { pixels } from "./shapes.ts";
import type { ThreadWriter } from "./thread_writer.ts";
import { forwardProduct, tileOutputs, tilesOver, winogradConvolution } from "./winograd.ts";

/** Writes the forward pass. */
export function forward(writer: ThreadWriter): void {
  const { layout: { layers }, shapes, slices } = writer.setting;
  const own = writer.share(slices);
  // The layers behind the last pool but one have so few tiles that several slices' are multiplied at once.
  const small = layers.findLastIndex(({ pool }, index) => pool && index + 1 < layers.length) + 1;
  const tiles = tilesOver(shapes[small].convolved, tileOutputs(layers[small]));
  const together = Math.max(1, Math.floor(TILES_AT_ONCE / tiles));
  for (let first = 0; first < own.length; first += together) {
    const some = own.slice(first, first + together);
    for (const slice of some) {
      _readSlice(writer, slice);
      for (let index = 0; index < small; index++) _layer(writer, index, [slice]);
    }
    for (let index = small; index < layers.length; index++) _layer(writer, index, some);
  }
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

/** One layer of several slices: the convolutions, then the pools and, behind the last, the means. */
function _layer(writer: ThreadWriter, index: number, slices: number[]): void {
  const { program, scratch, setting: { layout, shapes, fixed, exam } } = writer;
  const { bias, pool } = layout.layers[index];
  const { input, convolved, output } = shapes[index];
  const kept = slices.map((slice) => exam.slices[slice]);
  const images = kept.map(({ inputs, outputs }, at) => ({
    x: inputs[index],
    out: pool ? scratch.conv + at * convolved.bytes : outputs[index] + output.inside,
  }));
  const biasAt = fixed.parameters + 4 * bias;
  if (index === 0) _firstConvolution(writer, images[0], biasAt);
  else {
    const product = forwardProduct(writer, index);
    winogradConvolution(writer, product, images, input, pool ? convolved : output, biasAt);
  }
  const { height, width, channels } = output;
  kept.forEach(({ outputs, argmax }, at) => {
    if (pool) {
      program.call("maxPool", {
        x: images[at].out,
        xPitch: convolved.pitch,
        out: outputs[index] + output.inside,
        outPitch: output.pitch,
        argmax: argmax[index],
        ...{ height, width, channels },
      });
    }
    if (index + 1 < shapes.length) return;
    program.call("meanOfPixels", {
      x: outputs[index],
      out: exam.means + slices[at] * 4 * channels,
      pixels: pixels(output),
      channels,
    });
  });
}

/** Directly: one input channel has too few products to pay for Winograd's transforms. */
function _firstConvolution(
  { program, setting: { layout, shapes, fixed, tables } }: ThreadWriter,
  { x, out }: { x: number; out: number },
  bias: number,
): void {
  const { outputs, size, run } = layout.layers[0];
  program.call("convolve", {
    table: tables.forward[0].at,
    tiles: tables.forward[0].tiles,
    ...{ x, out, weights: fixed.forward[0], bias },
    panels: outputs / LANES,
    rows: size,
    pitch: shapes[0].input.pitch,
    run,
    rowsAtOnce: size,
    block: run,
    relu: 1,
  });
}
