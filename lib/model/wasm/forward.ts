/**
 * From voxels to each slice's channel means, on this thread's share of the slices.
 *
 * @module
 */
import { type Bordered, pixels, TILES_AT_ONCE } from "./memory_map.ts";
import { minimalConvolution } from "./minimal_filtering.ts";
import { CONVOLUTIONS } from "./parameters.ts";
import { LANES, type ThreadWriter } from "./thread_writer.ts";

const [CONV1, CONV2, CONV3, CONV4, CONV5] = CONVOLUTIONS;

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
  const pool = (
    [width, channels]: [number, number],
    out: number,
    pitch: number,
    winner: number,
    size: { height: number; width: number },
  ) => {
    const shape = [size.height, size.width, channels];
    program.call("maxPool", scratch.conv, width * channels * 4, out, pitch, winner, ...shape);
  };
  const dense = ({ height, width }: Bordered, channels: number) => {
    return { height, width, pitch: width * channels * 4 };
  };

  for (const slice of slices) {
    const kept = exam.slices[slice];
    const voxels = exam.voxels + slice * pixels(image) * (float ? 4 : 1);
    const size = [image.height, image.width];
    const start = kept.image + image.inside;
    const read = [voxels, Number(float), fixed.matrix, ...size, start, image.pitch];
    program.call("readSlice", ...read);
    // One channel leaves no sums over channels for the transforms to be spread over.
    const { at, tiles } = tables.conv1;
    const places = [at, tiles, kept.image, scratch.conv, fixed.forward[0], bias(CONV1)];
    const [panels, rows, run] = [CONV1.outputs / LANES, CONV1.side, 12];
    program.call("convolve", ...places, panels, rows, image.pitch, run, rows, run, 1);
    pool([conv1.width, 64], kept.pool1 + pool1.inside, pool1.pitch, kept.winner1, pool1);
    const second = [{ x: kept.pool1, out: scratch.conv }];
    minimalConvolution(writer, "conv2", second, pool1, dense(pool1, 192), bias(CONV2));
    pool([pool1.width, 192], kept.pool2 + pool2.inside, pool2.pitch, kept.winner2, pool2);
  }
  const all = slices.map((slice) => exam.slices[slice]);
  const third = all.map((kept) => ({ x: kept.pool2, out: kept.conv3 + conv3.inside }));
  minimalConvolution(writer, "conv3", third, pool2, conv3, bias(CONV3));
  const fourth = all.map((kept) => ({ x: kept.conv3, out: kept.conv4 + conv4.inside }));
  minimalConvolution(writer, "conv4", fourth, conv3, conv4, bias(CONV4));
  const bytes = pixels(pool2) * 1024;
  const fifth = all.map((kept, index) => ({ x: kept.conv4, out: scratch.conv + index * bytes }));
  minimalConvolution(writer, "conv5", fifth, conv4, dense(conv4, 256), bias(CONV5));
  slices.forEach((slice, index) => {
    const shape = [pool5.height, pool5.width, 256];
    const from = [scratch.conv + index * bytes, pool2.width * 1024];
    const kept = exam.slices[slice];
    program.call("maxPool", ...from, kept.pool5, pool5.width * 1024, kept.winner5, ...shape);
    program.call("meanOfPixels", kept.pool5, exam.means + slice * 1024, pixels(pool5), 256);
  });
}
