/**
 * MRNet's step as lists of kernel calls, one list a thread.
 *
 * All threads run the same step, each on its share: weights are packed panel by panel; forward runs on
 * every `threads`-th slice; what follows the maximum runs on every `threads`-th of the slices that won
 * one; Adam on a stretch of the parameters. They meet four times. A thread adds up gradients of its own,
 * and these are summed in the order of the threads, so a number of threads always gives the same bits.
 *
 * @module
 */
import { Program } from "../../engine/wasm/program.ts";
import {
  type Bordered,
  type ExamMap,
  type FixedMap,
  MINIMAL,
  type Minimal,
  pixels,
  type Shapes,
  TILES_AT_ONCE,
} from "./memory_map.ts";
import { CONVOLUTIONS, LINEAR, PARAMETER_FLOATS } from "./parameters.ts";

/** Where a table lies, and how many tiles it has. */
export interface Table {
  /** Byte address. */
  at: number;
  /** How many tiles. */
  tiles: number;
}

/** The tables of the convolutions, in memory; `back` are those of input gradients. */
export type Tables = Record<"conv1" | Minimal, Table>;

/** All that a program is made from. */
export interface Setting {
  names: readonly string[];
  threads: number;
  shapes: Shapes;
  fixed: FixedMap;
  exam: ExamMap;
  tables: Tables;
  /** How many slices the exam has. */
  slices: number;
  /** Whether the voxels are float32 rather than uint8. */
  float: boolean;
}

/** What a thread is to do. */
export type Work = "train" | "judge" | "pack";

const LANES = 8;
const [CONV1, CONV2, CONV3, CONV4, CONV5] = CONVOLUTIONS;

/** The program of one thread. */
export function threadProgram(setting: Setting, thread: number, work: Work): Int32Array {
  const writer = new ThreadProgram(setting, thread);
  switch (work) {
    case "train":
      writer.packForward();
      writer.packBackward();
      writer.program.barrier();
      writer.forward();
      writer.program.barrier();
      writer.clearGradient();
      writer.head(true);
      writer.backward();
      writer.program.barrier();
      writer.adam();
      break;
    case "pack":
      writer.packForward();
      break;
    case "judge":
      writer.forward();
      writer.program.barrier();
      writer.head(false);
      break;
    default:
      work satisfies never;
  }
  writer.program.barrier();
  return writer.program.words();
}

class ThreadProgram {
  readonly program: Program;
  readonly #setting: Setting;
  readonly #thread: number;

  constructor(setting: Setting, thread: number) {
    this.program = new Program(setting.names);
    this.#setting = setting;
    this.#thread = thread;
  }

  /** This thread's share of `count` things that follow one another. */
  #share(count: number): number[] {
    const { threads } = this.#setting;
    const all = Array.from({ length: count }, (_, index) => index);
    return all.filter((index) => index % threads === this.#thread);
  }

  packForward(): void {
    const { fixed: { parameters, forward } } = this.#setting;
    CONVOLUTIONS.forEach(({ order, outputs, inputs, side, weight, size }, index) => {
      const layer = (["", "conv2", "conv3", "conv4", "conv5"] as const)[index];
      const length = order === "first" ? side * 12 : side * side * inputs;
      const stored = order === "first" ? 12 * 12 : length;
      for (const panel of this.#share(outputs / LANES)) {
        const from = parameters + 4 * (weight + panel * LANES * stored);
        const to = forward[index] + 4 * panel * LANES * length;
        if (order === "first") this.program.call("packSummedPanel", from, 4 * size, to, side, side);
        if (order === "filters") this.program.call("packPanel", from, to, length);
        if (layer !== "") this.#transform(layer, panel, to, side);
      }
    });
  }

  packBackward(): void {
    const { fixed: { parameters, turned } } = this.#setting;
    const layers = [["back3", CONV3, turned.conv3], ["back4", CONV4, turned.conv4]] as const;
    for (const [name, { inputs, outputs, side, weight }, to] of layers) {
      const taps = side * side;
      for (const panel of this.#share(inputs / LANES)) {
        const from = parameters + 4 * (weight + panel * LANES * LANES);
        const at = to + 4 * panel * LANES * taps * outputs;
        this.program.call("packTurnedPanel", from, at, taps, inputs, outputs);
        this.#transform(name, panel, at, side);
      }
    }
  }

  /** Transforms the filters of one panel, which this thread has packed. */
  #transform(name: Minimal, panel: number, packed: number, side: number): void {
    const { fixed: { transformed }, exam } = this.#setting;
    const { inputs, outputs } = MINIMAL[name];
    const to = transformed[name] + panel * LANES * inputs * 4;
    const { temp } = exam.scratch[this.#thread];
    this.program.call("transformFilters", packed, to, 4 * inputs * outputs, inputs, side, temp);
  }

  /**
   * One convolution of several slices by Winograd's minimal filtering.
   *
   * @param slices where each one's input begins, its border included, and where its output begins
   * @param like the input
   * @param to height, width and bytes in a row of the output
   */
  #minimal(
    name: Minimal,
    slices: readonly { x: number; out: number }[],
    like: Bordered,
    to: { height: number; width: number; pitch: number },
    bias: number,
  ): void {
    const { fixed: { transformed }, exam, tables } = this.#setting;
    const { tilesIn, tilesOut, temp } = exam.scratch[this.#thread];
    const { inputs, outputs } = MINIMAL[name];
    const { program } = this;
    // A filter of 5×5 leaves 2×2 of a tile's 6×6, one of 3×3 leaves 4×4.
    const side = like.border === 2 ? 2 : 4;
    const across = Math.ceil(to.width / side);
    const perSlice = across * Math.ceil(to.height / side);
    const rows = like.height + 2 * like.border;
    const columns = like.width + 2 * like.border;
    const [strideIn, strideOut] = [inputs, outputs].map((each) => 4 * each * TILES_AT_ONCE);
    const filters = [transformed[name], 4 * inputs * outputs];
    for (let first = 0; first < slices.length * perSlice; first += TILES_AT_ONCE) {
      const end = Math.min(first + TILES_AT_ONCE, slices.length * perSlice);
      const parts: { slice: number; from: number; count: number; at: number }[] = [];
      for (let tile = first; tile < end;) {
        const [slice, from] = [Math.floor(tile / perSlice), tile % perSlice];
        const count = Math.min(perSlice - from, end - tile);
        parts.push({ slice, from, count, at: tile - first });
        tile += count;
      }
      for (const { slice, from, count, at } of parts) {
        const out = tilesIn + at * inputs * 4;
        const image = [slices[slice].x, rows, columns, inputs, across, from, count, side];
        program.call("transformImage", ...image, out, strideIn, temp);
      }
      const tiles = [tables[name].at, Math.ceil((end - first) / 6), tilesIn, strideIn];
      const products = [tilesOut, strideOut, outputs / LANES, inputs, inputs];
      program.call("multiplyTransformed", ...tiles, ...filters, ...products);
      for (const { slice, from, count, at } of parts) {
        const products = [tilesOut + at * outputs * 4, strideOut, bias, bias === 0 ? 0 : 1];
        const image = [slices[slice].out, to.pitch, to.height, to.width, outputs];
        program.call("transformBack", ...products, ...image, across, from, count, side, temp);
      }
    }
  }

  forward(): void {
    const { shapes: { pool2 }, slices } = this.#setting;
    const own = this.#share(slices);
    const tiles = Math.ceil(pool2.height / 4) * Math.ceil(pool2.width / 4);
    // So many slices that the 3×3 layers' tiles are multiplied by the full number at once.
    const together = Math.max(1, Math.floor(TILES_AT_ONCE / tiles));
    for (let first = 0; first < own.length; first += together) {
      this.#forwardSlices(own.slice(first, first + together));
    }
  }

  #forwardSlices(slices: number[]): void {
    const { shapes, fixed, exam, tables, float } = this.#setting;
    const { image, conv1, pool1, pool2, conv3, conv4, pool5 } = shapes;
    const scratch = exam.scratch[this.#thread];
    const { program } = this;
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
      this.#minimal("conv2", second, pool1, dense(pool1, 192), bias(CONV2));
      pool([pool1.width, 192], kept.pool2 + pool2.inside, pool2.pitch, kept.winner2, pool2);
    }
    const all = slices.map((slice) => exam.slices[slice]);
    const third = all.map((kept) => ({ x: kept.pool2, out: kept.conv3 + conv3.inside }));
    this.#minimal("conv3", third, pool2, conv3, bias(CONV3));
    const fourth = all.map((kept) => ({ x: kept.conv3, out: kept.conv4 + conv4.inside }));
    this.#minimal("conv4", fourth, conv3, conv4, bias(CONV4));
    const bytes = pixels(pool2) * 1024;
    const fifth = all.map((kept, index) => ({ x: kept.conv4, out: scratch.conv + index * bytes }));
    this.#minimal("conv5", fifth, conv4, dense(conv4, 256), bias(CONV5));
    slices.forEach((slice, index) => {
      const shape = [pool5.height, pool5.width, 256];
      const from = [scratch.conv + index * bytes, pool2.width * 1024];
      const to = [scratch.pool5, pool5.width * 1024, exam.slices[slice].winner5];
      program.call("maxPool", ...from, ...to, ...shape);
      program.call("meanOfPixels", scratch.pool5, exam.means + slice * 1024, pixels(pool5), 256);
    });
  }

  clearGradient(): void {
    const { fixed: { gradients } } = this.#setting;
    this.program.call("clear", gradients[this.#thread], PARAMETER_FLOATS * 4);
  }

  head(training: boolean): void {
    const { fixed, exam, slices, threads } = this.#setting;
    const { parameters, question, answers, winners, headGradients, gradients } = fixed;
    const { weight, bias, channels } = LINEAR;
    const thread = this.#thread;
    // The linear layer's gradient is the same on every thread; one adds it.
    const own = training && thread === 0;
    const linear = [parameters + 4 * weight, parameters + 4 * bias];
    const found = [answers[thread], winners[thread], headGradients[thread]];
    const added = own ? [gradients[0] + 4 * weight, gradients[0] + 4 * bias] : [0, 0];
    const { turns } = exam.scratch[thread];
    const all = [exam.means, slices, channels, ...linear, question, ...found, ...added];
    this.program.call("head", ...all, turns, threads);
  }

  /** Goes back through every slice, where it is this thread's turn. */
  backward(): void {
    const { exam, slices } = this.#setting;
    const { turns } = exam.scratch[this.#thread];
    for (let slice = 0; slice < slices; slice++) {
      this.program.onlyIf(turns + 4 * slice, this.#thread, () => this.#backwardSlice(slice));
    }
  }

  #backwardSlice(slice: number): void {
    const { shapes, fixed, exam } = this.#setting;
    const { image, conv1, pool1, pool2, conv3, conv4, pool5 } = shapes;
    const { program } = this;
    const thread = this.#thread;
    const scratch = exam.scratch[thread];
    const kept = exam.slices[slice];
    const { lists, counts, starts, entries } = scratch;
    const { parameters } = fixed;
    const gradient = fixed.gradients[thread];
    const [winners, head] = [fixed.winners[thread], fixed.headGradients[thread]];
    const at = (floats: number) => gradient + 4 * floats;

    // The fifth convolution: only what won the pool and the maximum over the slices.
    program.call("spreadToPixels", head, winners, slice, scratch.pool5, pixels(pool5), 256);
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
    const dPool5: [number, number, number] = [scratch.pool5, pool5.width * 1024, kept.winner5];
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
      const length = (height - 1) * rowPixels + width;
      for (let tap = 0; tap < 9; tap++) {
        const shift = Math.floor(tap / 3) * rowPixels + tap % 3;
        const a = [scratch.tiles + shift * 24, all * 24, channels / 6];
        const c = [at(layer.weight) + tap * channels * 32, 9 * channels * 32];
        program.call("addProduct", ...a, scratch.panels, ...product, ...c, length);
      }
    };
    mask(scratch.dConv4, kept.conv4, scratch.dMasked4, conv4, CONV4.bias);
    filter(kept.conv3, conv3, CONV4);
    const dConv3 = scratch.dConv3 + conv3.inside;
    this.#minimal("back4", [{ x: scratch.dMasked4, out: dConv3 }], conv4, conv3, 0);
    mask(scratch.dConv3, kept.conv3, scratch.dConv3, conv3, CONV3.bias);
    filter(kept.pool2, pool2, CONV3);
    const { height, width } = pool2;
    const to = { height, width, pitch: width * 768 };
    this.#minimal("back3", [{ x: scratch.dConv3, out: scratch.dPool2 }], conv3, to, 0);

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

  adam(): void {
    const { fixed, threads } = this.#setting;
    const { parameters, first, second, gradients, gradientBytes, adam } = fixed;
    const { size, inputs } = CONV1;
    // The first layer's three input channels share one gradient.
    const stretches = [...Array(inputs).keys()].map((input) => [input * size, size, 0]);
    stretches.push([inputs * size, PARAMETER_FLOATS - inputs * size, inputs * size]);
    for (const [start, floats, from] of stretches) {
      const vectors = floats / 4;
      const cut = (part: number) => 4 * Math.floor(vectors * part / threads);
      const skip = cut(this.#thread);
      const count = cut(this.#thread + 1) - skip;
      const moved = [parameters, first, second].map((base) => base + 4 * (start + skip));
      const gradient = gradients[0] + 4 * (from + skip);
      this.program.call("adam", ...moved, gradient, gradientBytes, threads, count, adam);
    }
  }
}
