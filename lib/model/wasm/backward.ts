/** From the channel means to the loss, and back to a gradient of all parameters. */
import {
  type BackwardStep as Step,
  directFilterGradient,
  inputGradient,
  ofSlice,
  winogradFilterGradient,
} from "./dense_gradients.ts";
import { joinedBy } from "./layer_kernels.ts";
import type { Slot } from "./scratch_map.ts";
import { pixels } from "./shapes.ts";
import type { ThreadWriter } from "./thread_writer.ts";
import { firstTrained, keepsFilters, passesGradient } from "./trained.ts";

/** Sets this thread's gradient to zero. */
export function clearGradient(writer: ThreadWriter): void {
  const { layout: { floats }, fixed: { gradients } } = writer.setting;
  writer.program.call("clear", { at: gradients[writer.thread], bytes: 4 * floats });
}

/** Maximum over the slices, linear layer, loss, and their gradients. */
export function head(writer: ThreadWriter): void {
  const { layout: { linear, channels }, fixed, exam, slices, threads } = writer.setting;
  const { parameters, stepInput, answers, argmax, headGradients, gradients } = fixed;
  const { weight, bias } = linear;
  const thread = writer.thread;
  // The linear layer's gradient is the same on every thread; one adds it.
  const adds = thread === 0;
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

/** Goes back through the slices that the head gave to this thread, a group at a time. */
export function backward(writer: ThreadWriter): void {
  const { scratch: { group, owners, slots }, thread, program, setting: { slices } } = writer;
  const [count, isFull] = [group + 4, group + 8];
  program.call("clear", { at: group, bytes: 16 });
  program.repeatIf(isFull, () => {
    program.call("nextGroup", { owners, slices, thread, most: slots.length, group });
    slots.forEach((_, index) => {
      program.onlyIf(count, index + 1, () => _backwardGroup(writer, slots.slice(0, index + 1)));
    });
  });
}

function _backwardGroup(writer: ThreadWriter, slots: readonly Slot[]): void {
  const { layout: { layers }, fixed, exam } = writer.setting;
  const { scratch, thread } = writer;
  for (const slot of slots) _spread(writer, slot);
  const gradientAt = (floats: number) => fixed.gradients[thread] + 4 * floats;
  const common = { writer, scratch, slots, kept: exam.slices[0], gradientAt };
  // What lies ahead of the first layer that is trained needs no gradient.
  const first = firstTrained(writer.setting);
  for (let index = layers.length - 1; index >= first; index--) {
    const step = { ...common, index, layer: layers[index], shape: writer.setting.shapes[index] };
    if (step.layer.order === "panels") _dense(step);
    else for (const slot of slots) _sparse(step, slot);
  }
}

/** The gradient of a slice's features, which has a border if no pool is behind the last convolution. */
function _spread({ program, scratch, thread, setting }: ThreadWriter, slot: Slot): void {
  const { output } = setting.shapes.at(-1)!;
  const { height, width, channels, border, inside, pitch } = output;
  const gradient = slot.gradients.at(-1)!;
  const out = border === 0 ? gradient : scratch.features;
  const { headGradients, argmax } = setting.fixed;
  program.call("spreadToPixels", {
    ...{ gradient: headGradients[thread], argmax: argmax[thread], which: slot.which, out },
    ...{ pixels: pixels(output), channels },
  });
  if (border === 0) return;
  const run = width * channels;
  const to = { out: gradient + inside, outPitch: pitch };
  program.call("copyImage", { ...to, x: out, pitch: 4 * run, height, run });
}

/** The gradients of a layer and of its input, from the maxima of its pool; the image needs none. */
function _sparse(step: Step, slot: Slot): void {
  const { writer: { program, setting }, index, layer, shape, scratch, kept, gradientAt } = step;
  const { order, inputs, outputs: channels, rows, weight, bias } = layer;
  const { input, convolved, output, gradient } = shape;
  const { starts, entries, lists, counts } = scratch;
  const listed = { lists, listBytes: 12 * pixels(output), counts, channels };
  const [xPitch, xStep] = [layer.stride * input.pitch, layer.stride * input.step];
  program.callOf("listMaxima", ofSlice(step, slot, "argmax"), {
    dy: slot.gradients[index] + gradient.inside,
    pitch: gradient.pitch,
    argmax: kept.argmax[index],
    ...{ height: output.height, width: output.width, channels },
    convWidth: convolved.width,
    ...{ xPitch, xStep },
    ...{ lists, counts, biasGradient: gradientAt(bias) },
  });
  const { height, width, pitch, step: pixelBytes } = input;
  // The pool's windows begin in its padding.
  const x = kept.inputs[index] - convolved.border * (xPitch + xStep);
  const filters = { x, pitch, rows, dw: gradientAt(weight) };
  const keeps = keepsFilters(setting, layer);
  if (order === "first") {
    if (keeps) return;
    program.callOf("sparseFilterNarrow", ofSlice(step, slot, "x"), { ...listed, ...filters });
    return;
  }
  // Groups of 32 numbers in a row of the filter.
  const chunks = rows * inputs / 32;
  const dx = slot.gradients[layer.source];
  if (!keeps) {
    program.callOf("sparseFilter", ofSlice(step, slot, "x"), { ...listed, ...filters, chunks });
  }
  if (!passesGradient(setting, layer)) return;
  program.call("sortByPixel", { ...listed, pixels: pixels(input), starts, entries });
  program.call("clear", { at: dx, bytes: input.bytes });
  const weights = setting.fixed.parameters + 4 * weight;
  const extent = { height, width, pitch, step: pixelBytes };
  program.call("sparseInput", { starts, entries, ...extent, weights, rows, chunks, dx });
}

/** The gradients of a layer in panels, and of its input. */
function _dense(step: Step): void {
  const { layer, slots, writer: { setting } } = step;
  const keeps = keepsFilters(setting, layer);
  for (const slot of slots) {
    if (layer.pool) _spreadMaxima(step, slot);
    else _maskRelu(step, slot);
    // What `maskRelu` copies for it is that of one slice.
    if (layer.tiling === undefined && !keeps) directFilterGradient(step, slot);
  }
  if (layer.tiling && !keeps) winogradFilterGradient(step);
  if (passesGradient(setting, layer)) inputGradient(step);
}

/** Brings a gradient back through a pool and the ReLU ahead of it, and adds the bias's. */
function _spreadMaxima(step: Step, slot: Slot): void {
  const { writer: { program }, index, layer, shape, kept, gradientAt } = step;
  const { output, gradient, convolvedGradient } = shape;
  const { height, width, channels } = output;
  const out = slot.masked[index];
  program.call("clear", { at: out, bytes: convolvedGradient.bytes });
  program.callOf("spreadMaxima", ofSlice(step, slot, "argmax"), {
    ...{ dy: slot.gradients[index] + gradient.inside, pitch: gradient.pitch },
    ...{ argmax: kept.argmax[index], height, width, channels },
    ...{ out: out + convolvedGradient.inside, outPitch: convolvedGradient.pitch },
    biasGradient: gradientAt(layer.bias),
  });
}

/**
 * Keeps a gradient where the layer's ReLU let the activation through, and adds the bias's gradient. If the
 * layer has none, the one behind the addition that reads it decides.
 */
function _maskRelu(step: Step, slot: Slot): void {
  const { writer, index, layer, shape, scratch, kept, gradientAt } = step;
  const { height, width, channels, pitch, step: pixelBytes, inside } = shape.output;
  const end = joinedBy(writer.setting.layout.layers, index) ?? index;
  writer.program.callOf("maskRelu", ofSlice(step, slot, "y"), {
    dy: slot.gradients[index] + inside,
    y: kept.outputs[end] + inside,
    masked: slot.masked[index] + inside,
    ...{ height, width, channels, pitch },
    biasGradient: gradientAt(layer.bias),
    tiled: layer.tiling ? 0 : scratch.panels,
    panelBytes: height * (pitch / pixelBytes) * 32,
  });
}
