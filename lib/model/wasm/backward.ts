/**
 * From the channel means to the loss, and back to a gradient of all parameters.
 *
 * @module
 */
import { pixels } from "./memory_map.ts";
import { minimalConvolution } from "./minimal_filtering.ts";
import { CONVOLUTIONS, LINEAR, PARAMETER_FLOATS } from "./parameters.ts";
import { LANES, type ThreadWriter } from "./thread_writer.ts";

const [CONV1, CONV2, CONV3, CONV4, CONV5] = CONVOLUTIONS;

/** Sets this thread's gradient to zero. */
export function clearGradient(writer: ThreadWriter): void {
  const { fixed: { gradients } } = writer.setting;
  writer.program.call("clear", gradients[writer.thread], PARAMETER_FLOATS * 4);
}

/** Maximum over the slices, linear layer, loss and, in training, their gradients. */
export function head(writer: ThreadWriter, training: boolean): void {
  const { fixed, exam, slices, threads } = writer.setting;
  const { parameters, question, answers, winners, headGradients, gradients } = fixed;
  const { weight, bias, channels } = LINEAR;
  const thread = writer.thread;
  // The linear layer's gradient is the same on every thread; one adds it.
  const own = training && thread === 0;
  const linear = [parameters + 4 * weight, parameters + 4 * bias];
  const found = [answers[thread], winners[thread], headGradients[thread]];
  const added = own ? [gradients[0] + 4 * weight, gradients[0] + 4 * bias] : [0, 0];
  const { turns } = writer.scratch;
  const all = [exam.means, slices, channels, ...linear, question, ...found, ...added];
  writer.program.call("head", ...all, turns, threads);
}

/** Goes back through every slice, where it is this thread's turn. */
export function backward(writer: ThreadWriter): void {
  const { slices } = writer.setting;
  const { turns } = writer.scratch;
  for (let slice = 0; slice < slices; slice++) {
    writer.program.onlyIf(turns + 4 * slice, writer.thread, () => _backwardSlice(writer, slice));
  }
}

function _backwardSlice(writer: ThreadWriter, slice: number): void {
  const { shapes, fixed, exam } = writer.setting;
  const { image, conv1, pool1, pool2, conv3, conv4, pool5 } = shapes;
  const { program } = writer;
  const thread = writer.thread;
  const scratch = writer.scratch;
  const kept = exam.slices[slice];
  const { lists, counts, starts, entries } = scratch;
  const { parameters } = fixed;
  const gradient = fixed.gradients[thread];
  const [winners, head] = [fixed.winners[thread], fixed.headGradients[thread]];
  const at = (floats: number) => gradient + 4 * floats;

  // The fifth convolution: only what won the pool and the maximum over the slices.
  program.call("spreadToPixels", head, winners, slice, scratch.dPool5, pixels(pool5), 256);
  const list = (
    [dy, pitch, winner]: [number, number, number],
    size: { height: number; width: number },
    channels: number,
    convWidth: number,
    see: { pitch: number; step: number },
    bias: number,
  ) => {
    const shape = [size.height, size.width, channels, convWidth, see.pitch, see.step];
    program.call("listWinners", dy, pitch, winner, ...shape, lists, counts, at(bias));
    return [lists, 12 * pixels(size), counts, channels];
  };
  const dPool5: [number, number, number] = [scratch.dPool5, pool5.width * 1024, kept.winner5];
  const of5 = list(dPool5, pool5, 256, pool2.width, conv4, CONV5.bias);
  program.call("sparseFilter", ...of5, kept.conv4, conv4.pitch, 3, 24, at(CONV5.weight));
  program.call("sortByPixel", ...of5, pixels(pool2), starts, entries);
  program.call("clear", scratch.dConv4, conv4.bytes);
  const rows5 = [pool2.height, pool2.width, parameters + 4 * CONV5.weight, 3, 24];
  program.call("sparseInput", starts, entries, ...rows5, scratch.dConv4, conv4.pitch, conv4.step);

  // The fourth and the third: dense.
  const mask = (dy: number, y: number, masked: number, like: typeof conv4, bias: number) => {
    const { height, width, channels, pitch, inside, step } = like;
    const panelBytes = height * (pitch / step) * 32;
    const places = [dy + inside, y + inside, masked + inside];
    const shape = [height, width, channels, pitch];
    program.call("maskRelu", ...places, ...shape, at(bias), scratch.panels, panelBytes);
  };
  const filter = (x: number, like: typeof conv4, layer: { weight: number; outputs: number }) => {
    const { height, width, channels, pitch, bytes, step } = like;
    const all = bytes / step;
    const rowPixels = pitch / step;
    program.call("tileChannels", x, scratch.tiles, all, channels);
    const product = [height * rowPixels * 32, layer.outputs / LANES];
    const lines = [height, width, rowPixels - width];
    for (let tap = 0; tap < 9; tap++) {
      const shift = Math.floor(tap / 3) * rowPixels + tap % 3;
      const a = [scratch.tiles + shift * 24, all * 24, channels / 6];
      const c = [at(layer.weight) + tap * channels * 32, 9 * channels * 32];
      program.call("addProduct", ...a, scratch.panels, ...product, ...c, ...lines);
    }
  };
  mask(scratch.dConv4, kept.conv4, scratch.dMasked4, conv4, CONV4.bias);
  filter(kept.conv3, conv3, CONV4);
  const dConv3 = scratch.dConv3 + conv3.inside;
  minimalConvolution(writer, "back4", [{ x: scratch.dMasked4, out: dConv3 }], conv4, conv3, 0);
  mask(scratch.dConv3, kept.conv3, scratch.dConv3, conv3, CONV3.bias);
  filter(kept.pool2, pool2, CONV3);
  const { height, width } = pool2;
  const to = { height, width, pitch: width * 768 };
  minimalConvolution(writer, "back3", [{ x: scratch.dConv3, out: scratch.dPool2 }], conv3, to, 0);

  // The second: what won its pool.
  const dPool2: [number, number, number] = [scratch.dPool2, pool2.width * 768, kept.winner2];
  const of2 = list(dPool2, pool2, 192, pool1.width, pool1, CONV2.bias);
  program.call("sparseFilter", ...of2, kept.pool1, pool1.pitch, 5, 10, at(CONV2.weight));
  program.call("sortByPixel", ...of2, pixels(pool1), starts, entries);
  program.call("clear", scratch.dPool1, pool1.bytes);
  const rows2 = [pool1.height, pool1.width, parameters + 4 * CONV2.weight, 5, 10];
  program.call("sparseInput", starts, entries, ...rows2, scratch.dPool1, pool1.pitch, pool1.step);

  // The first: what won its pool, and nothing before it.
  const inner = scratch.dPool1 + pool1.inside;
  const see = { pitch: 4 * image.pitch, step: 4 * image.step };
  const from1: [number, number, number] = [inner, pool1.pitch, kept.winner1];
  const of1 = list(from1, pool1, 64, conv1.width, see, CONV1.bias);
  program.call("sparseFilterNarrow", ...of1, kept.image, image.pitch, 12, at(CONV1.weight));
}
