/** The gradients of a layer's filters and of its input, if its output has a gradient everywhere. */
import { blocksOf } from "./forward.ts";
import { addersOf, readersOf } from "./layer_kernels.ts";
import type { Choice } from "../../engine/wasm/program.ts";
import type { SliceMap } from "./memory_map.ts";
import type { Scratch, Slot } from "./scratch_map.ts";
import { classFilters } from "./pack.ts";
import { LANES, type LayerLayout } from "./parameters.ts";
import type { Bordered, LayerShape } from "./shapes.ts";
import { pixelClasses, seesAll } from "./strided.ts";
import type { ThreadWriter } from "./thread_writer.ts";
import { filterProductStride, gradientTilingOf, productStride, tilesOver } from "./tiling.ts";
import { gradientProduct, tileRuns, transformTiles, winogradConvolution } from "./winograd.ts";

/** The backward pass of one layer over a group of slices, on one thread. */
export interface BackwardStep {
  writer: ThreadWriter;
  /** The layer's. */
  index: number;
  layer: LayerLayout;
  shape: LayerShape;
  scratch: Scratch;
  /** The slices' gradients. */
  slots: readonly Slot[];
  /** What was kept of the exam's first slice in the forward pass; that of others lies at equal distances. */
  kept: SliceMap;
  /** The address of a parameter's gradient, by the parameter's first index in floats. */
  gradientAt: (floats: number) => number;
}

/** A layer's input in tiles, as many pixels in a row as the output's gradient has. */
interface TiledInput {
  /** How many tiles of six and of four channels a pixel has. */
  sixes: number;
  fours: number;
  /** Pixels in all. */
  pixels: number;
}

/** Which slice a call is of, and what of its arguments lies in what was kept of that. */
export function ofSlice<Parameter extends string>(
  { writer }: Pick<BackwardStep, "writer">,
  { which }: Slot,
  moved: Parameter,
): Choice<Parameter> {
  return { which, bytes: writer.setting.exam.sliceBytes, moved: [moved] };
}

/**
 * The gradient of a layer's filters by Winograd's algorithm, from the gradient of its output that
 * `maskRelu` or `spreadMaxima` wrote; see `kernels/filter_gradient.ts`.
 */
export function winogradFilterGradient(step: BackwardStep): void {
  const { writer, layer, shape: { input, convolvedGradient }, scratch, slots } = step;
  const { inputs, outputs, weight } = layer;
  const { height, width, pitch, inside } = convolvedGradient;
  const tiling = gradientTilingOf(layer);
  const { side, atOnce } = tiling;
  const across = Math.ceil(width / tiling.outputs);
  const [imageStride, gradientStride] = [inputs, outputs].map((each) =>
    productStride(atOnce, each)
  );
  const perSlice = tilesOver(convolvedGradient, tiling);
  for (const { tiles, runs } of tileRuns(slots.length, perSlice, atOnce)) {
    for (const run of runs) {
      const slot = slots[run.slice];
      const of = ofSlice(step, slot, "x");
      transformTiles(
        writer,
        tiling,
        { x: step.kept.inputs[step.index], like: input, across },
        run,
        of,
      );
      writer.program.call(`transformGradient${side}`, {
        ...{ x: slot.masked[step.index] + inside, pitch, rows: height, columns: width },
        ...{ channels: outputs, across, from: run.from, count: run.count },
        ...{ out: scratch.tilesOut + run.at * 4 * LANES, stride: gradientStride },
        ...{ room: atOnce, temp: scratch.temp },
      });
    }
    writer.program.call(`addFilterGradient${side}`, {
      ...{ image: scratch.tilesIn, imageStride, ..._channelGroups(inputs) },
      ...{ gradient: scratch.tilesOut, gradientStride, panels: outputs / LANES },
      ...{ room: atOnce, tiles, dw: step.gradientAt(weight) },
      ...{ temp: scratch.products, tempStride: filterProductStride(inputs) },
    });
  }
}

/** How many sixes of channels there are, and how many fours where six do not come out even. */
function _channelGroups(channels: number): { sixes: number; fours: number } {
  const fours = channels % 3;
  return { sixes: (channels - 4 * fours) / 6, fours };
}

/** The gradient of a layer's filters as a product over the pixels of one slice. */
export function directFilterGradient(step: BackwardStep, slot: Slot): void {
  const { layer: { size, stride, inputs, padding }, shape: { input, output }, kept, index } = step;
  const { program } = step.writer;
  const { height, width } = output;
  const rowPixels = output.pitch / output.step;
  const start = kept.inputs[index] + (input.border - padding) * (input.pitch + input.step);
  const { sixes, fours } = _channelGroups(inputs);
  const tiles = step.scratch.tiles;
  const from = { pitch: stride * input.pitch, step: stride * input.step, out: tiles };
  if (stride === 1) {
    const rows = height + size - 1;
    const tiled = { sixes, fours, pixels: rows * rowPixels };
    if (fours === 0 && input.pitch / input.step === rowPixels && input.border === padding) {
      const { channels } = input;
      program.callOf("tileChannels", ofSlice(step, slot, "x"), {
        x: start,
        out: tiles,
        pixels: tiled.pixels,
        channels,
      });
    } else {
      const columns = width + size - 1;
      const extent = { height: rows, width: columns, rowPixels, sixes, fours };
      program.callOf("tilePixels", ofSlice(step, slot, "x"), { x: start, ...from, ...extent });
    }
    for (let tap = 0; tap < size ** 2; tap++) {
      _addProducts(step, tap, Math.floor(tap / size) * rowPixels + tap % size, tiled);
    }
    return;
  }
  for (let tap = 0; tap < size ** 2; tap++) {
    const x = start + Math.floor(tap / size) * input.pitch + tap % size * input.step;
    program.callOf("tilePixels", ofSlice(step, slot, "x"), {
      x,
      ...from,
      height,
      width,
      rowPixels,
      sixes,
      fours,
    });
    _addProducts(step, tap, 0, { sixes, fours, pixels: height * rowPixels });
  }
}

/**
 * Adds the products of the tiles and the panels to the gradient of one tap of the filters.
 *
 * @param shift pixels from the first tile to the one that the first output sees through the tap
 */
function _addProducts(
  { writer: { program }, layer, shape, scratch, gradientAt }: BackwardStep,
  tap: number,
  shift: number,
  { sixes, fours, pixels }: TiledInput,
): void {
  const { weight, outputs, inputs, size } = layer;
  const { height, width, pitch, step } = shape.output;
  const rowPixels = pitch / step;
  const common = {
    b: scratch.panels,
    bStride: height * rowPixels * 32,
    panels: outputs / LANES,
    cStride: size ** 2 * inputs * 32,
    lines: height,
    length: width,
    skip: rowPixels - width,
  };
  const c = gradientAt(weight) + tap * inputs * 32;
  if (sixes > 0) {
    const a = scratch.tiles + shift * 24;
    program.call("addProduct", { a, aStride: pixels * 24, tiles: sixes, c, ...common });
  }
  if (fours > 0) {
    const a = scratch.tiles + sixes * pixels * 24 + shift * 16;
    const rest = c + sixes * 6 * 32;
    program.call("addNarrowProduct", { a, aStride: pixels * 16, tiles: fours, c: rest, ...common });
  }
}

/**
 * The gradient of a layer's input. If several layers read or add that, the first of them, which comes last
 * here, adds the others' shares to its own.
 */
export function inputGradient(step: BackwardStep): void {
  const { writer, index, shape, layer: { source, tiling }, slots } = step;
  const { layout: { layers }, shapes } = writer.setting;
  const readers = readersOf(layers, source);
  const { gradient } = shapes[source];
  const isFirst = readers[0] === index;
  const outOf = ({ gradients, shares }: Slot) => isFirst ? gradients[source] : shares[index];
  if (tiling) {
    const images = slots.map((slot) => ({
      x: slot.masked[index],
      out: outOf(slot) + gradient.inside,
    }));
    const product = gradientProduct(writer, index);
    winogradConvolution(writer, product, images, shape.convolvedGradient, gradient);
  } else for (const slot of slots) _inputGradientByClasses(step, slot, outOf(slot), gradient);
  if (!isFirst) return;
  for (const { gradients, masked, shares } of slots) {
    const add = (x: number, image: Bordered) =>
      writer.program.call("addImage", {
        ...{ out: gradients[source] + gradient.inside, outPitch: gradient.pitch },
        ...{ x: x + image.inside, pitch: image.pitch },
        ...{ height: gradient.height, run: gradient.width * gradient.channels, relu: 0 },
      });
    for (const reader of readers.slice(1)) add(shares[reader], gradient);
    for (const adder of addersOf(layers, source)) add(masked[adder], shapes[adder].output);
  }
}

function _inputGradientByClasses(
  step: BackwardStep,
  slot: Slot,
  dx: number,
  gradient: Bordered,
): void {
  const { writer, index, layer, shape: { input, output } } = step;
  const { program, setting: { tables } } = writer;
  if (!seesAll(layer)) program.call("clear", { at: dx, bytes: gradient.bytes });
  pixelClasses(layer, input).forEach(({ rows, columns, tapsAhead }, at) => {
    const table = tables.classes[index][at];
    const run = columns.taps.length * layer.outputs;
    const first = rows.output * output.pitch + columns.output * output.step;
    const to = rows.first * gradient.pitch + columns.first * gradient.step;
    program.call("convolve", {
      ...{ table: table.at, tiles: table.tiles },
      x: slot.masked[index] + output.inside + first,
      out: dx + gradient.inside + to,
      ...{ weights: classFilters(writer, index, tapsAhead), bias: 0 },
      panels: layer.inputs / LANES,
      rows: rows.taps.length,
      pitch: output.pitch,
      run,
      ...blocksOf(rows.taps.length, run, layer.outputs),
      relu: 0,
    });
  });
}
