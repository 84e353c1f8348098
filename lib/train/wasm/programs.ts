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
import { type ExamMap, type FixedMap, pixels, type Shapes } from "./memory_map.ts";
import { CONVOLUTIONS, LINEAR, PARAMETER_FLOATS } from "./parameters.ts";

/** Where a table lies, and how many tiles it has. */
export interface Table {
  /** Byte address. */
  at: number;
  /** How many tiles. */
  tiles: number;
}

/** The tables of the convolutions, in memory; `back` are those of input gradients. */
export type Tables = Record<
  "conv1" | "conv2" | "conv3" | "conv4" | "conv5" | "back4" | "back3",
  Table
>;

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
      if (order === "panels") return;
      const length = order === "first" ? side * 12 : side * side * inputs;
      const stored = order === "first" ? 12 * 12 : length;
      for (const panel of this.#share(outputs / LANES)) {
        const from = parameters + 4 * (weight + panel * LANES * stored);
        const to = forward[index] + 4 * panel * LANES * length;
        if (order === "first") this.program.call("packSummedPanel", from, 4 * size, to, side, side);
        else this.program.call("packPanel", from, to, length);
      }
    });
  }

  packBackward(): void {
    const { fixed: { parameters, turned } } = this.#setting;
    for (const [layer, to] of [[CONV3, turned.conv3], [CONV4, turned.conv4]] as const) {
      const { inputs, outputs, side, weight } = layer;
      const taps = side * side;
      for (const panel of this.#share(inputs / LANES)) {
        const from = parameters + 4 * (weight + panel * LANES * LANES);
        const at = to + 4 * panel * LANES * taps * outputs;
        this.program.call("packTurnedPanel", from, at, taps, inputs, outputs);
      }
    }
  }

  forward(): void {
    for (const slice of this.#share(this.#setting.slices)) this.#forwardSlice(slice);
  }

  #forwardSlice(slice: number): void {
    const { shapes, fixed, exam, tables, float } = this.#setting;
    const { image, conv1, pool1, pool2, conv3, conv4, pool5 } = shapes;
    const scratch = exam.scratch[this.#thread];
    const kept = exam.slices[slice];
    const { program } = this;
    const { matrix, forward, parameters } = fixed;
    const bias = (layer: { bias: number }) => parameters + 4 * layer.bias;
    const voxels = exam.voxels + slice * pixels(image) * (float ? 4 : 1);
    const { height, width } = image;
    const start = kept.image + image.inside;
    program.call("readSlice", voxels, Number(float), matrix, height, width, start, image.pitch);

    const convolve = (
      { at, tiles }: Table,
      x: number,
      out: number,
      index: number,
      pitch: number,
      [rowsAtOnce, block]: readonly [number, number],
    ) => {
      const layer = CONVOLUTIONS[index];
      const { outputs, inputs, side, order } = layer;
      const run = order === "first" ? 12 : side * inputs;
      const [weights, panels] = [forward[index], outputs / LANES];
      const runs = [panels, side, pitch, run, rowsAtOnce, block];
      program.call("convolve", at, tiles, x, out, weights, bias(layer), ...runs, 1);
    };
    // Blocks of 320 to 768 floats of eight channels: 10 to 24 kB, within a first cache of 32.
    convolve(tables.conv1, kept.image, scratch.conv, 0, image.pitch, [11, 12]);
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
    pool([conv1.width, 64], kept.pool1 + pool1.inside, pool1.pitch, kept.winner1, pool1);
    convolve(tables.conv2, kept.pool1, scratch.conv, 1, pool1.pitch, [1, 320]);
    pool([pool1.width, 192], kept.pool2 + pool2.inside, pool2.pitch, kept.winner2, pool2);
    convolve(tables.conv3, kept.pool2, kept.conv3 + conv3.inside, 2, pool2.pitch, [1, 576]);
    convolve(tables.conv4, kept.conv3, kept.conv4 + conv4.inside, 3, conv3.pitch, [1, 576]);
    convolve(tables.conv5, kept.conv4, scratch.conv, 4, conv4.pitch, [1, 768]);
    pool([pool2.width, 256], scratch.pool5, pool5.width * 1024, kept.winner5, pool5);
    program.call("meanOfPixels", scratch.pool5, exam.means + slice * 1024, pixels(pool5), 256);
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
    const { shapes, fixed, exam, tables } = this.#setting;
    const { image, conv1, pool1, pool2, conv3, conv4, pool5 } = shapes;
    const { program } = this;
    const thread = this.#thread;
    const scratch = exam.scratch[thread];
    const kept = exam.slices[slice];
    const { lists, counts, starts, entries } = scratch;
    const { parameters, turned } = fixed;
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
    const input = (
      { at, tiles }: Table,
      dy: number,
      like: typeof conv4,
      weights: number,
      out: number,
      channels: number,
    ) => {
      const run = 3 * like.channels;
      const runs = [channels / LANES, 3, like.pitch, run, 1, run > 768 ? run / 2 : run];
      program.call("convolve", at, tiles, dy, out, weights, 0, ...runs, 0);
    };
    mask(scratch.dConv4, kept.conv4, scratch.dMasked4, conv4, CONV4.bias);
    filter(kept.conv3, conv3, CONV4);
    const dConv3 = scratch.dConv3 + conv3.inside;
    input(tables.back4, scratch.dMasked4, conv4, turned.conv4, dConv3, 384);
    mask(scratch.dConv3, kept.conv3, scratch.dConv3, conv3, CONV3.bias);
    filter(kept.pool2, pool2, CONV3);
    input(tables.back3, scratch.dConv3, conv3, turned.conv3, scratch.dPool2, 192);

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
