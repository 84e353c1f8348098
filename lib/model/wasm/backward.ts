/** From the channel means to the loss, and back to a gradient of all parameters. */
import type { Scratch, SliceMap } from "./memory_map.ts";
import { LANES, type LayerLayout } from "./parameters.ts";
import { type LayerShape, pixels } from "./shapes.ts";
import type { ThreadWriter } from "./thread_writer.ts";
import { gradientProduct, winogradConvolution } from "./winograd.ts";

/** Sets this thread's gradient to zero. */
export function clearGradient(writer: ThreadWriter): void {
  const { layout: { floats }, fixed: { gradients } } = writer.setting;
  writer.program.call("clear", { at: gradients[writer.thread], bytes: 4 * floats });
}

/** Maximum over the slices, linear layer, loss and, in training, their gradients. */
export function head(writer: ThreadWriter, training: boolean): void {
  const { layout: { linear, channels }, fixed, exam, slices, threads } = writer.setting;
  const { parameters, stepInput, answers, argmax, headGradients, gradients } = fixed;
  const { weight, bias } = linear;
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

/** The backward pass of one layer over one slice, on one thread. */
interface Step {
  writer: ThreadWriter;
  /** The layer's. */
  index: number;
  layer: LayerLayout;
  shape: LayerShape;
  scratch: Scratch;
  /** What was kept of the slice in the forward pass. */
  kept: SliceMap;
  /** The address of a parameter's gradient, by the parameter's first index in floats. */
  gradientAt: (floats: number) => number;
}

function _backwardSlice(writer: ThreadWriter, slice: number): void {
  const { layout: { layers }, shapes, fixed, exam } = writer.setting;
  const { program, scratch, thread } = writer;
  const { output } = shapes.at(-1)!;
  program.call("spreadToPixels", {
    gradient: fixed.headGradients[thread],
    argmax: fixed.argmax[thread],
    slice,
    out: scratch.gradients.at(-1)!,
    pixels: pixels(output),
    channels: output.channels,
  });
  const gradientAt = (floats: number) => fixed.gradients[thread] + 4 * floats;
  const common = { writer, scratch, kept: exam.slices[slice], gradientAt };
  for (let index = layers.length - 1; index >= 0; index--) {
    const step = { ...common, index, layer: layers[index], shape: shapes[index] };
    if (step.layer.order === "panels") _dense(step);
    else _sparse(step);
  }
}

/** The gradients of a layer and of its input, from the maxima of its pool; the image needs none. */
function _sparse(step: Step): void {
  const { writer: { program, setting }, index, layer, shape, scratch, kept, gradientAt } = step;
  const { order, inputs, outputs: channels, rows, weight, bias } = layer;
  const { input, convolved, output, gradient } = shape;
  const { starts, entries, lists, counts } = scratch;
  const listed = { lists, listBytes: 12 * pixels(output), counts, channels };
  program.call("listMaxima", {
    dy: scratch.gradients[index] + gradient.inside,
    pitch: gradient.pitch,
    argmax: kept.argmax[index],
    ...{ height: output.height, width: output.width, channels },
    convWidth: convolved.width,
    xPitch: layer.stride * input.pitch,
    xStep: layer.stride * input.step,
    ...{ lists, counts, biasGradient: gradientAt(bias) },
  });
  const { height, width, pitch, step: pixelBytes } = input;
  const filters = { x: kept.inputs[index], pitch, rows, dw: gradientAt(weight) };
  if (order === "first") {
    program.call("sparseFilterNarrow", { ...listed, ...filters });
    return;
  }
  // Groups of 32 numbers in a row of the filter.
  const chunks = rows * inputs / 32;
  const dx = scratch.gradients[index - 1];
  program.call("sparseFilter", { ...listed, ...filters, chunks });
  program.call("sortByPixel", { ...listed, pixels: pixels(input), starts, entries });
  program.call("clear", { at: dx, bytes: input.bytes });
  const weights = setting.fixed.parameters + 4 * weight;
  const extent = { height, width, pitch, step: pixelBytes };
  program.call("sparseInput", { starts, entries, ...extent, weights, rows, chunks, dx });
}

/** The gradients of a layer without a pool, and of its input. */
function _dense(step: Step): void {
  const { writer, index, shape, scratch } = step;
  _maskRelu(step);
  _filterGradient(step);
  const masked = scratch.masked[index];
  const { gradient } = writer.setting.shapes[index - 1];
  const images = [{ x: masked, out: scratch.gradients[index - 1] + gradient.inside }];
  const product = gradientProduct(writer, index);
  winogradConvolution(writer, product, images, shape.output, gradient, 0);
}

/** Keeps a gradient where the layer's ReLU let the activation through, and adds the bias's gradient. */
function _maskRelu({ writer, index, layer, shape, scratch, kept, gradientAt }: Step): void {
  const { height, width, channels, pitch, step, inside } = shape.output;
  writer.program.call("maskRelu", {
    dy: scratch.gradients[index] + inside,
    y: kept.outputs[index] + inside,
    masked: scratch.masked[index] + inside,
    ...{ height, width, channels, pitch },
    biasGradient: gradientAt(layer.bias),
    tiled: scratch.panels,
    panelBytes: height * (pitch / step) * 32,
  });
}

/** The gradient of a layer's filters, from the gradient that `_maskRelu` wrote in panels. */
function _filterGradient({ writer, index, layer, shape, scratch, kept, gradientAt }: Step): void {
  const { weight, outputs, size } = layer;
  const { height, width, channels, pitch, bytes, step } = shape.input;
  const all = bytes / step;
  const rowPixels = pitch / step;
  const x = kept.inputs[index];
  writer.program.call("tileChannels", { x, out: scratch.tiles, pixels: all, channels });
  for (let tap = 0; tap < size ** 2; tap++) {
    const shift = Math.floor(tap / size) * rowPixels + tap % size;
    writer.program.call("addProduct", {
      a: scratch.tiles + shift * 24,
      aStride: all * 24,
      tiles: channels / 6,
      b: scratch.panels,
      bStride: height * rowPixels * 32,
      panels: outputs / LANES,
      c: gradientAt(weight) + tap * channels * 32,
      cStride: size ** 2 * channels * 32,
      lines: height,
      length: width,
      skip: rowPixels - width,
    });
  }
}
