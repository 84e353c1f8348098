/**
 * From voxels to each slice's channel means, on this thread's share of the slices.
 */
import { type Bordered, pixels, type Size, TILES_AT_ONCE } from "./memory_map.ts";
import { winogradConvolution } from "./winograd.ts";
import { CONVOLUTIONS } from "./parameters.ts";
import { LANES, type ThreadWriter } from "./thread_writer.ts";

const [CONV1, CONV2, CONV3, CONV4, CONV5] = CONVOLUTIONS;

/** Numbers in a row of the first layer's filters, padded to whole vectors. */
const CONV1_RUN = 12;

/** Writes the forward pass. */
export function forward(writer: ThreadWriter): void {
  const { shapes: { pool2 }, slices } = writer.setting;
  const own = writer.share(slices);
  const tiles = Math.ceil(pool2.height / 4) * Math.ceil(pool2.width / 4);
  // So many slices that the 3×3 layers' tiles are multiplied by the full number at once.
  const together = Math.max(1, Math.floor(TILES_AT_ONCE / tiles));
  for (let first = 0; first < own.length; first += together) {
    _forwardSlices(writer, own.slice(first, first + together));
  }
}

/** Every layer of slices whose 3×3 convolutions are multiplied together. */
function _forwardSlices(writer: ThreadWriter, slices: number[]): void {
  for (const slice of slices) _firstLayers(writer, slice);
  _lastLayers(writer, slices);
}

/** The voxels of one slice, the first two convolutions and their pools. */
function _firstLayers(writer: ThreadWriter, slice: number): void {
  const { shapes, fixed, exam, tables, float } = writer.setting;
  const { image, conv1, pool1, pool2 } = shapes;
  const { program, scratch } = writer;
  const kept = exam.slices[slice];
  program.call("readSlice", {
    voxels: exam.voxels + slice * pixels(image) * (float ? 4 : 1),
    float: Number(float),
    matrix: fixed.matrix,
    height: image.height,
    width: image.width,
    out: kept.image + image.inside,
    pitch: image.pitch,
  });
  // Directly: one input channel has too few products to pay for Winograd's transforms.
  program.call("convolve", {
    table: tables.conv1.at,
    tiles: tables.conv1.tiles,
    x: kept.image,
    out: scratch.conv,
    weights: fixed.forward[0],
    bias: _bias(writer, CONV1),
    panels: CONV1.outputs / LANES,
    rows: CONV1.side,
    pitch: image.pitch,
    run: CONV1_RUN,
    rowsAtOnce: CONV1.side,
    block: CONV1_RUN,
    relu: 1,
  });
  _poolInside(writer, conv1, { to: pool1, out: kept.pool1, argmax: kept.argmax1 });
  const second = [{ x: kept.pool1, out: scratch.conv }];
  const bias = _bias(writer, CONV2);
  winogradConvolution(writer, "conv2", second, pool1, _dense(pool1, 192), bias);
  _poolInside(writer, pool1, { to: pool2, out: kept.pool2, argmax: kept.argmax2 });
}

/** The 3×3 convolutions of several slices together, then the last pool and the means of each. */
function _lastLayers(writer: ThreadWriter, slices: number[]): void {
  const { shapes: { pool2, conv3, conv4, pool5 }, exam } = writer.setting;
  const { program, scratch } = writer;
  const all = slices.map((slice) => exam.slices[slice]);
  const third = all.map((kept) => ({ x: kept.pool2, out: kept.conv3 + conv3.inside }));
  winogradConvolution(writer, "conv3", third, pool2, conv3, _bias(writer, CONV3));
  const fourth = all.map((kept) => ({ x: kept.conv3, out: kept.conv4 + conv4.inside }));
  winogradConvolution(writer, "conv4", fourth, conv3, conv4, _bias(writer, CONV4));
  const bytes = pixels(pool2) * 1024;
  const fifth = all.map((kept, index) => ({ x: kept.conv4, out: scratch.conv + index * bytes }));
  winogradConvolution(writer, "conv5", fifth, conv4, _dense(conv4, 256), _bias(writer, CONV5));
  slices.forEach((slice, index) => {
    const kept = exam.slices[slice];
    program.call("maxPool", {
      x: scratch.conv + index * bytes,
      xPitch: pool2.width * 1024,
      out: kept.pool5,
      outPitch: pool5.width * 1024,
      argmax: kept.argmax5,
      height: pool5.height,
      width: pool5.width,
      channels: 256,
    });
    program.call("meanOfPixels", {
      x: kept.pool5,
      out: exam.means + slice * 1024,
      pixels: pixels(pool5),
      channels: 256,
    });
  });
}

/** One of the first two pools: from the convolution's output, without a border, to inside one. */
function _poolInside(
  { program, scratch }: ThreadWriter,
  { width }: Size,
  { to, out, argmax }: { to: Bordered; out: number; argmax: number },
): void {
  const { height, channels, pitch, inside } = to;
  program.call("maxPool", {
    x: scratch.conv,
    xPitch: width * channels * 4,
    out: out + inside,
    outPitch: pitch,
    argmax,
    ...{ height, width: to.width, channels },
  });
}

/** An output of the same height and width without a border. */
function _dense({ height, width }: Bordered, channels: number) {
  return { height, width, pitch: width * channels * 4 };
}

/** Address of a layer's bias. */
function _bias({ setting: { fixed } }: ThreadWriter, { bias }: { bias: number }): number {
  return fixed.parameters + 4 * bias;
}
