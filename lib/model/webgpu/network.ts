/**
 * MRNet at work on the GPU: an exam is uploaded once, one list of kernels runs over it, and nothing is
 * waited for.
 *
 * Loss and logits of each pass stay in a ring on the GPU, to be read several at a time, because a read
 * takes at least ten milliseconds.
 *
 * @module
 */
import type { Exam } from "../../data/exam.ts";
import { EngineError } from "../../errors.ts";
import type { Dispatch, Gpu, Tiles } from "../../engine/webgpu/gpu.ts";
import { winnersOfPart } from "../../engine/webgpu/kernels/parts_of_exam.ts";
import type { Precision } from "../../engine/webgpu/precision.ts";
import { type StepValues, writeStep } from "../../engine/webgpu/step.ts";
import { WINNERS_BYTES } from "../../engine/webgpu/winners.ts";
import { areFeaturesFrozen } from "../frozen.ts";
import type { Parameters } from "../parameters.ts";
import { backwardPass } from "./backward.ts";
import { ExamBuffers } from "./exam_buffers.ts";
import { forwardPass, headPass, type PassParts } from "./forward.ts";
import { WebGPUParameters } from "./parameters.ts";
import { type LayerOptions, layerShapes } from "./shape.ts";

/** Slots in the ring of figures; as many passes can wait to be read. */
export const RING = 64;

/** How the network is computed. */
export interface NetworkOptions {
  /**
   * How matrix products are tiled.
   * @default what suits the adapter
   */
  tiles?: Tiles;
  /**
   * Whether Winograd's algorithm computes the 3×3 layers: fewer multiplications for more memory traffic.
   * @default with tiles in registers: on a processor it was measured to pay, on a GPU nothing was
   */
  winograd?: boolean;
  /**
   * How what the layers leave is stored.
   * @default "float32"
   */
  precision?: Precision;
  /**
   * The most slices that are computed at once; longer exams are computed in parts.
   * @default as many as the adapter can bind
   */
  slicesAtOnce?: number;
  /**
   * The names of the parameters that a step leaves as they are.
   * @default none
   */
  frozen?: ReadonlySet<string>;
}

/** The numbers of a pass over an exam. */
export type PassValues = Omit<StepValues, "slices" | "first" | "slot">;

/** Those of a pass that moves nothing, over an exam as it is. */
export const JUDGING = { source: [1, 0, 0, 0, 1, 0], stepSize: 0, correction: 1 } as const;

/** The kernels for one size of exam. */
interface Passes {
  exam: ExamBuffers;
  parts: PassParts;
  /** For each part; then the head. */
  forward: Dispatch[][];
  head: Dispatch;
  /** Compiled by the first step: judging needs none of it, nor its memory. */
  training?: Training;
}

interface Training {
  rotate180: Dispatch[];
  /** For each part; nothing where there is but one. */
  winners: Dispatch[];
  backward: Dispatch[];
  /** What begins the exam's gradient and what adds to it; nothing where there is but one part. */
  add: Dispatch[];
  adam: Dispatch[];
}

/** What a kernel takes. */
export interface KernelTime {
  label: string;
  seconds: number;
  multiplyAdds: number;
}

/** A network with its memory, until {@linkcode WebGPUNetwork.dispose}. */
export class WebGPUNetwork {
  readonly parameters: WebGPUParameters;
  readonly #gpu: Gpu;
  readonly #tiles: Tiles;
  readonly #layers: LayerOptions;
  readonly #slicesAtOnce: number | undefined;
  readonly #frozen: ReadonlySet<string>;
  readonly #winners: GPUBuffer;
  readonly #figures: GPUBuffer;
  #partWinners: GPUBuffer | undefined;
  #layOut: Dispatch[] = [];
  #passes: Passes | undefined;
  #staging = new ArrayBuffer(0);
  #slot = 0;
  /** Whether the filters' layouts are older than the parameters. */
  #stale = true;

  constructor(
    gpu: Gpu,
    parameters: Parameters,
    { tiles = gpu.tiles, winograd, precision = "float32", slicesAtOnce, frozen = new Set() }:
      NetworkOptions = {},
  ) {
    this.#frozen = frozen;
    this.#gpu = gpu;
    this.#tiles = tiles;
    this.#layers = { precision, winograd: winograd ?? tiles === "registers" };
    this.#slicesAtOnce = slicesAtOnce;
    // What is asked of the shapes here does not depend on the size of the slices.
    this.parameters = new WebGPUParameters(gpu, parameters, layerShapes(256, 256, this.#layers));
    this.#winners = gpu.buffer("winners", WINNERS_BYTES);
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC;
    this.#figures = gpu.buffer("figures", 16 * RING, usage);
  }

  /** Copies the model's parameters to the GPU. */
  async load(): Promise<void> {
    await this.parameters.load();
    this.#stale = true;
  }

  /**
   * Makes memory and kernels for an exam, unless those of the last one fit.
   *
   * @throws {EngineError} where the GPU has not the memory, or a slice is too large for it
   */
  async prepare(exam: Exam, training: boolean): Promise<void> {
    await this.#prepareForward(exam);
    if (training) this.#passes!.training ??= await this.#guarded(() => this.#prepareTraining());
  }

  /**
   * Uploads an exam that was prepared, and gives a pass over it to the GPU.
   *
   * @param training whether the pass moves the parameters
   * @returns the slot of the ring where the figures will be
   */
  run({ voxels, slices }: Exam, values: PassValues, training: boolean): number {
    const passes = this.#passes!;
    const { exam } = passes;
    const slot = this.#slot = (this.#slot + 1) % RING;
    const { headerBytes } = exam;
    const size = headerBytes + Math.ceil(voxels.byteLength / 4) * 4;
    if (this.#staging.byteLength < size) this.#staging = new ArrayBuffer(size);
    const lengths = _lengths(slices, exam.partSlices);
    writeStep(this.#staging, { ...values, slot, slices });
    // An exam in one part is its own, and its numbers are there.
    if (exam.parts > 1) {
      lengths.forEach((length, part) => {
        const first = part * exam.partSlices;
        writeStep(this.#staging, { ...values, slot, slices: length, first }, exam.headerOf(part));
      });
    }
    const bytes = new Uint8Array(voxels.buffer, voxels.byteOffset, voxels.byteLength);
    new Uint8Array(this.#staging).set(bytes, headerBytes);
    this.#gpu.upload(exam.upload, new Uint8Array(this.#staging, 0, size));
    this.#submit(passes, lengths, training);
    return slot;
  }

  /**
   * Reads the figures of all passes in the ring: a vector (loss, logit, logit, 0) each.
   *
   * @throws {EngineError} where the device failed
   */
  async figures(): Promise<Float32Array> {
    try {
      return new Float32Array(await this.#gpu.read(this.#figures, 16 * RING));
    } finally {
      // What the device reported says more than that it cannot be read.
      this.#gpu.check();
    }
  }

  /**
   * Measures the kernels of a step on the exam that was trained on last, or on as much of it as is
   * computed at once; the model moves with it.
   *
   * @param between what is run ahead of each kernel, and behind the last
   * @returns the times of the kernels, and those of what was run between them, one more; `undefined`
   *   where the adapter cannot measure
   */
  async profile(
    slices: number,
    between: readonly Dispatch[] = [],
  ): Promise<{ kernels: KernelTime[]; between: number[] } | undefined> {
    const { exam, forward, head, training } = this.#passes!;
    const { rotate180, backward, adam } = training!;
    const atOnce = Math.min(slices, exam.partSlices);
    const dispatches = [...forward[0], head, ...rotate180, ...backward, ...adam, ...this.#layOut];
    const all = dispatches.flatMap((dispatch) => [...between, dispatch]).concat(between);
    const seconds = await this.#gpu.time(all, atOnce);
    if (seconds === undefined) return undefined;
    const length = between.length + 1;
    const kernels = dispatches.map(({ label, multiplyAdds }, index) => ({
      label,
      seconds: seconds[index * length + between.length],
      multiplyAdds: multiplyAdds?.(atOnce) ?? 0,
    }));
    return { kernels, between: seconds.filter((_, index) => index % length < between.length) };
  }

  /** Frees the memory, once nothing is read from it any more. */
  dispose(): void {
    this.#passes?.exam.dispose();
    this.#passes = undefined;
    this.parameters.dispose();
    for (const buffer of [this.#winners, this.#figures, this.#partWinners]) {
      if (buffer !== undefined) this.#gpu.free(buffer);
    }
  }

  async #prepareForward({ height, width, slices, voxels }: Exam): Promise<void> {
    const type = voxels instanceof Uint8Array ? "uint8" : "float32";
    const limits = this.#passes?.exam.limits;
    const same = limits?.height === height && limits.width === width && limits.type === type;
    if (same && slices <= limits.slices) return;
    this.#passes?.exam.dispose();
    this.#passes = undefined;
    // In eights, so that an exam with one slice more seldom asks for new memory.
    const wanted = Math.ceil(Math.max(slices, same ? limits.slices : 0) / 8) * 8;
    const layers = layerShapes(height, width, this.#layers);
    const slicesAtOnce = this.#slicesAtOnce;
    const size = { height, width, type, slices: wanted, slicesAtOnce } as const;
    const exam = new ExamBuffers(this.#gpu, layers, size);
    try {
      this.#passes = await this.#guarded(() =>
        this.#plan({
          gpu: this.#gpu,
          tiles: this.#tiles,
          layers,
          parameters: this.parameters,
          exam,
          winners: this.#winners,
          figures: this.#figures,
        })
      );
    } catch (error) {
      exam.dispose();
      throw error;
    }
  }

  async #plan(parts: PassParts): Promise<Passes> {
    const { exam } = parts;
    const each = Array.from({ length: exam.parts }, (_, part) => forwardPass(parts, part));
    const layOut = this.#layOut.length === 0 ? this.parameters.layOut() : this.#layOut;
    const prepared = Promise.all([headPass(parts), layOut, ...each]);
    const [head, laidOut, ...forward] = await prepared;
    this.#layOut = laidOut;
    return { exam, parts, forward, head };
  }

  async #prepareTraining(): Promise<Training> {
    const { parts, exam } = this.#passes!;
    const { parameters } = this;
    const moved = parameters.adam(exam.step(), exam.parts, this.#frozen);
    if (areFeaturesFrozen(this.#frozen)) {
      // The head has made the gradient of all that is moved.
      return { rotate180: [], winners: [], backward: [], add: [], adam: await moved };
    }
    const inParts = exam.parts > 1;
    const winners = inParts
      ? this.#partWinners ??= this.#gpu.buffer("winners of a part", WINNERS_BYTES)
      : this.#winners;
    const winnersOf = (part: number) => {
      const buffers = { step: exam.step(part), all: this.#winners, winners };
      return this.#gpu.prepare(winnersOfPart(), buffers);
    };
    const prepared = Promise.all([
      parameters.rotate180(),
      Promise.all(Array.from({ length: inParts ? exam.parts : 0 }, (_, part) => winnersOf(part))),
      backwardPass({ ...parts, winners }),
      Promise.all(inParts ? [parameters.add(true), parameters.add(false)] : []),
      moved,
    ]);
    const [rotate180, ofParts, backward, add, adam] = await prepared;
    return { rotate180, winners: ofParts, backward, add, adam };
  }

  #submit({ forward, head, training }: Passes, lengths: readonly number[], train: boolean): void {
    const gpu = this.#gpu;
    const first = this.#stale ? this.#layOut : [];
    this.#stale = false;
    const last = lengths.length - 1;
    for (let part = 0; part < last; part++) {
      gpu.run([...(part === 0 ? first : []), ...forward[part]], lengths[part]);
    }
    const start = [...(last === 0 ? first : []), ...forward[last], head];
    if (!train) return gpu.run(start, lengths[last]);
    const { rotate180, winners, backward, add, adam } = training!;
    const end = [...adam, ...this.#layOut];
    if (winners.length === 0) {
      return gpu.run([...start, ...rotate180, ...backward, ...end], lengths[last]);
    }
    const [begin, more] = add;
    gpu.run([...start, ...rotate180, winners[last], ...backward, begin], lengths[last]);
    // What the layers left of the earlier parts is gone, so it is computed once more.
    for (let part = last - 1; part >= 0; part--) {
      gpu.run([...forward[part], winners[part], ...backward, more], lengths[part]);
    }
    gpu.run(end, lengths[last]);
  }

  /**
   * Makes buffers; says so in one line where the GPU has no memory left.
   *
   * @param make makes all of them before it waits for anything: error scopes are the device's, and one
   *   held open meanwhile would catch what other networks do
   */
  async #guarded<T>(make: () => Promise<T>): Promise<T> {
    const { device } = this.#gpu;
    device.pushErrorScope("out-of-memory");
    const made = make();
    const caught = device.popErrorScope();
    // What was caught explains what was thrown.
    await made.catch(() => {});
    const error = await caught;
    if (error !== null) {
      throw new EngineError(
        `Cannot compute an exam on this GPU: its memory is full: ${error.message}: ` +
          "close other programs that use it, or use --backend wasm",
      );
    }
    return await made;
  }
}

/** How many slices each part of an exam has. */
function _lengths(slices: number, most: number): number[] {
  const parts = Math.ceil(slices / most);
  return Array.from({ length: parts }, (_, part) => Math.min(most, slices - part * most));
}
