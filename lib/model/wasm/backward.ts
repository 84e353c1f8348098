/**
 * From the channel means to the loss, and back to a gradient of all parameters.
 */
import { type Bordered, pixels, type Scratch, type Size, type SliceMap } from "./memory_map.ts";
import { winogradConvolution } from "./winograd.ts";
import { type Convolution, CONVOLUTIONS, LINEAR, PARAMETER_FLOATS } from "./parameters.ts";
import { LANES, type ThreadWriter } from "./thread_writer.ts";

const [CONV1, CONV2, CONV3, CONV4, CONV5] = CONVOLUTIONS;

/** Sets this thread's gradient to zero. */
export function clearGradient(writer: ThreadWriter): void {
  const { fixed: { gradients } } = writer.setting;
  writer.program.call("clear", { at: gradients[writer.thread], bytes: PARAMETER_FLOATS * 4 });
}

/** Maximum over the slices, linear layer, loss and, in training, their gradients. */
export function head(writer: ThreadWriter, training: boolean): void {
  const { fixed, exam, slices, threads } = writer.setting;
  const { parameters, stepInput, answers, argmax, headGradients, gradients } = fixed;
  const { weight, bias, channels } = LINEAR;
  const thread = writer.thread;
  // The linear layer's gradient is the same on every thread; one adds it.
  const adds = training && thread === 0;
  writer.program.call("head", {
    means: exam.means,
    slices,
    channels,
    weights: parameters + 4 * weight,
    bias: parameters + 4 * bias,
    stepInput,
    answer: answers[thread],
    argmax: argmax[thread],
    gradient: headGradients[thread],
    weightGradient: adds ? gradients[0] + 4 * weight : 0,
    biasGradient: adds ? gradients[0] + 4 * bias : 0,
    owners: writer.scratch.owners,
    threads,
  });
}

/** Goes back through the slices that the head gave to this thread. */
export function backward(writer: ThreadWriter): void {
  const { slices } = writer.setting;
  const { owners } = writer.scratch;
  for (let slice = 0; slice < slices; slice++) {
    writer.program.onlyIf(owners + 4 * slice, writer.thread, () => _backwardSlice(writer, slice));
  }
}

/** The backward pass over one slice, on one thread. */
interface Slice {
  writer: ThreadWriter;
  /** What was kept of it in the forward pass. */
  kept: SliceMap;
  scratch: Scratch;
  /** The address of a parameter's gradient, by the parameter's first index in floats. */
  gradientAt: (floats: number) => number;
}

function _backwardSlice(writer: ThreadWriter, index: number): void {
  const { shapes, fixed, exam } = writer.setting;
  const { pool1, pool2, conv3, conv4, pool5 } = shapes;
  const { program, scratch, thread } = writer;
  const kept = exam.slices[index];
  const gradientAt = (floats: number) => fixed.gradients[thread] + 4 * floats;
  const slice = { writer, kept, scratch, gradientAt };

  // The fifth convolution: only maxima of the pool, in the channels that selected this slice.
  program.call("spreadToPixels", {
    gradient: fixed.headGradients[thread],
    argmax: fixed.argmax[thread],
    slice: index,
    out: scratch.dPool5,
    pixels: pixels(pool5),
    channels: 256,
  });
  _sparse(slice, {
    ...{ layer: CONV5, pooled: pool5, dy: scratch.dPool5, argmax: kept.argmax5 },
    ...{ input: conv4, x: kept.conv4, dx: scratch.dConv4 },
  });

  // The fourth and the third: dense.
  const fourth = { dy: scratch.dConv4, y: kept.conv4, masked: scratch.dMasked4 };
  _maskRelu(slice, CONV4, { ...fourth, output: conv4 });
  _filterGradient(slice, CONV4, { x: kept.conv3, input: conv3 });
  const dConv3 = scratch.dConv3 + conv3.inside;
  winogradConvolution(writer, "back4", [{ x: scratch.dMasked4, out: dConv3 }], conv4, conv3, 0);
  const third = { dy: scratch.dConv3, y: kept.conv3, masked: scratch.dConv3 };
  _maskRelu(slice, CONV3, { ...third, output: conv3 });
  _filterGradient(slice, CONV3, { x: kept.pool2, input: pool2 });
  const to = { height: pool2.height, width: pool2.width, pitch: pool2.width * 768 };
  winogradConvolution(writer, "back3", [{ x: scratch.dConv3, out: scratch.dPool2 }], conv3, to, 0);

  // The second: only maxima of its pool.
  _sparse(slice, {
    ...{ layer: CONV2, pooled: pool2, dy: scratch.dPool2, argmax: kept.argmax2 },
    ...{ input: pool1, x: kept.pool1, dx: scratch.dPool1 },
  });
  _firstLayer(slice);
}

/** A convolution behind which a pool lets few gradients through; its input has its own size. */
interface SparseLayer {
  layer: Convolution;
  /** The pool's output, without a border. */
  pooled: Size;
  /** Address of its gradient. */
  dy: number;
  /** Address of each window's argmax. */
  argmax: number;
  /** The convolution's input, its address and that of its gradient. */
  input: Bordered;
  x: number;
  dx: number;
}

/** The gradients of a convolution and of its input, from the maxima of the pool behind it. */
function _sparse(slice: Slice, { layer, pooled, dy, argmax, input, x, dx }: SparseLayer): void {
  const { writer: { program, setting }, scratch: { starts, entries }, gradientAt } = slice;
  const { outputs: channels, side: rows, inputs } = layer;
  const { height, width, pitch, step } = input;
  // Groups of 32 numbers in a row of the filter.
  const chunks = rows * inputs / 32;
  const listed = _listMaxima(slice, layer, {
    ...{ dy, pitch: pooled.width * channels * 4, argmax, pooled, convWidth: width },
    ...{ xPitch: pitch, xStep: step },
  });
  const dw = gradientAt(layer.weight);
  program.call("sparseFilter", { ...listed, x, pitch, rows, chunks, dw });
  program.call("sortByPixel", { ...listed, pixels: pixels(input), starts, entries });
  program.call("clear", { at: dx, bytes: input.bytes });
  const weights = setting.fixed.parameters + 4 * layer.weight;
  const extent = { height, width, pitch, step };
  program.call("sparseInput", { starts, entries, ...extent, weights, rows, chunks, dx });
}

/** The gradient of the first convolution, from the maxima of its pool; its input needs none. */
function _firstLayer(slice: Slice): void {
  const { writer: { program, setting }, kept, scratch, gradientAt } = slice;
  const { image, conv1, pool1 } = setting.shapes;
  const listed = _listMaxima(slice, CONV1, {
    dy: scratch.dPool1 + pool1.inside,
    pitch: pool1.pitch,
    argmax: kept.argmax1,
    pooled: pool1,
    convWidth: conv1.width,
    xPitch: 4 * image.pitch,
    xStep: 4 * image.step,
  });
  program.call("sparseFilterNarrow", {
    ...listed,
    x: kept.image,
    pitch: image.pitch,
    rows: 12,
    dw: gradientAt(CONV1.weight),
  });
}

/** What `listMaxima` reads. */
interface Pooled {
  dy: number;
  pitch: number;
  argmax: number;
  pooled: Size;
  convWidth: number;
  xPitch: number;
  xStep: number;
}

/** Lists the maxima of a layer's pool by channel, and adds the bias's gradient. */
function _listMaxima(
  { writer, scratch: { lists, counts }, gradientAt }: Slice,
  { outputs: channels, bias }: Convolution,
  { pooled, ...given }: Pooled,
) {
  writer.program.call("listMaxima", {
    ...given,
    ...{ height: pooled.height, width: pooled.width, channels },
    ...{ lists, counts, biasGradient: gradientAt(bias) },
  });
  return { lists, listBytes: 12 * pixels(pooled), counts, channels };
}

/** Keeps a gradient where the layer's ReLU let the activation through, and adds the bias's gradient. */
function _maskRelu(
  { writer, scratch, gradientAt }: Slice,
  { bias }: Convolution,
  { dy, y, masked, output }: { dy: number; y: number; masked: number; output: Bordered },
): void {
  const { height, width, channels, pitch, step, inside } = output;
  writer.program.call("maskRelu", {
    ...{ dy: dy + inside, y: y + inside, masked: masked + inside },
    ...{ height, width, channels, pitch },
    biasGradient: gradientAt(bias),
    tiled: scratch.panels,
    panelBytes: height * (pitch / step) * 32,
  });
}

/** The gradient of a 3×3 layer's filters, from the gradient that `_maskRelu` wrote in panels. */
function _filterGradient(
  { writer: { program }, scratch, gradientAt }: Slice,
  { weight, outputs }: Convolution,
  { x, input }: { x: number; input: Bordered },
): void {
  const { height, width, channels, pitch, bytes, step } = input;
  const all = bytes / step;
  const rowPixels = pitch / step;
  program.call("tileChannels", { x, out: scratch.tiles, pixels: all, channels });
  for (let tap = 0; tap < 9; tap++) {
    const shift = Math.floor(tap / 3) * rowPixels + tap % 3;
    program.call("addProduct", {
      a: scratch.tiles + shift * 24,
      aStride: all * 24,
      tiles: channels / 6,
      b: scratch.panels,
      bStride: height * rowPixels * 32,
      panels: outputs / LANES,
      c: gradientAt(weight) + tap * channels * 32,
      cStride: 9 * channels * 32,
      lines: height,
      length: width,
      skip: rowPixels - width,
    });
  }
}
