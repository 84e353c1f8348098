/**
 * From voxels to each slice's channel means, on this thread's share of the slices.
 *
 * @module
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

function _forwardSlices(writer: ThreadWriter, slices: number[]): void {
  const { shapes, fixed, exam, tables, float } = writer.setting;
  const { image, conv1, pool1, pool2, conv3, conv4, pool5 } = shapes;
  const scratch = writer.scratch;
  const { program } = writer;
  const bias = (layer: { bias: number }) => fixed.parameters + 4 * layer.bias;
  // The first two pools: from the convolution's output, without a border, to inside one.
  const pool = ({ width }: Size, to: Bordered, out: number, winner: number) => {
    const { height, channels, pitch, inside } = to;
    program.call("maxPool", {
      x: scratch.conv,
      xPitch: width * channels * 4,
      out: out + inside,
      outPitch: pitch,
      winner,
      ...{ height, width: to.width, channels },
    });
  };
  const dense = ({ height, width }: Bordered, channels: number) => {
    return { height, width, pitch: width * channels * 4 };
  };

  for (const slice of slices) {
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
    // One channel leaves no sums over channels for the transforms to be spread over.
    program.call("convolve", {
      table: tables.conv1.at,
      tiles: tables.conv1.tiles,
      x: kept.image,
      out: scratch.conv,
      weights: fixed.forward[0],
      bias: bias(CONV1),
      panels: CONV1.outputs / LANES,
      rows: CONV1.side,
      pitch: image.pitch,
      run: CONV1_RUN,
      rowsAtOnce: CONV1.side,
      block: CONV1_RUN,
      relu: 1,
    });
    pool(conv1, pool1, kept.pool1, kept.winner1);
    const second = [{ x: kept.pool1, out: scratch.conv }];
    winogradConvolution(writer, "conv2", second, pool1, dense(pool1, 192), bias(CONV2));
    pool(pool1, pool2, kept.pool2, kept.winner2);
  }
  const all = slices.map((slice) => exam.slices[slice]);
  const third = all.map((kept) => ({ x: kept.pool2, out: kept.conv3 + conv3.inside }));
  winogradConvolution(writer, "conv3", third, pool2, conv3, bias(CONV3));
  const fourth = all.map((kept) => ({ x: kept.conv3, out: kept.conv4 + conv4.inside }));
  winogradConvolution(writer, "conv4", fourth, conv3, conv4, bias(CONV4));
  const bytes = pixels(pool2) * 1024;
  const fifth = all.map((kept, index) => ({ x: kept.conv4, out: scratch.conv + index * bytes }));
  winogradConvolution(writer, "conv5", fifth, conv4, dense(conv4, 256), bias(CONV5));
  slices.forEach((slice, index) => {
    const kept = exam.slices[slice];
    program.call("maxPool", {
      x: scratch.conv + index * bytes,
      xPitch: pool2.width * 1024,
      out: kept.pool5,
      outPitch: pool5.width * 1024,
      winner: kept.winner5,
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
