/**
 * MRNet on the GPU. An exam is uploaded once, one list of kernels runs over it, and the caller does not
 * wait for it.
 *
 * A read takes at least ten milliseconds. So loss and logits of each pass stay in a ring on the GPU and
 * are read several at a time.
 */
import type { Exam } from "../../data/exam.ts";
import { EngineError } from "../../errors.ts";
import type { Dispatch, Gpu, Tiles } from "../../engine/webgpu/gpu.ts";
import { selectedOfChunk } from "../../engine/webgpu/kernels/exam_chunks.ts";
import { imageBytes, type Precision } from "../../engine/webgpu/precision.ts";
import { type StepValues, writeStep } from "../../engine/webgpu/step.ts";
import { selectedBytes } from "../../engine/webgpu/selected_slices.ts";
import { trainedConvolutions } from "../frozen.ts";
import type { NetworkState } from "../parameters.ts";
import { type Features, joinFeatures } from "../features.ts";
import { backwardPass } from "./backward.ts";
import { ExamBuffers } from "./exam_buffers.ts";
import { featuresFrom } from "./features.ts";
import { forwardPass, headPass, inputPass, type PassContext } from "./forward.ts";
import { WebGPUParameters } from "./parameters.ts";
import { type LayerOptions, layerShapes } from "./shape.ts";

/** Slots in the ring of results; as many passes can wait to be read. */
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
   * @default true with tiles in registers, where it was measured to be faster; on a GPU it was not measured
   */
  winograd?: boolean;
  /**
   * How the activations are stored.
   * @default "float32"
   */
  precision?: Precision;
  /**
   * The most slices that are computed at once; longer exams are computed in chunks.
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

/** What a pass is for, beside the logits: nothing else where nothing is said. */
export interface PassOptions {
  /** Whether it moves the parameters. */
  training?: boolean;
  /** Whether the features are read. */
  features?: boolean;
}

/** The kernels for one size of exam. */
interface Passes {
  exam: ExamBuffers;
  context: PassContext;
  /** The dispatches of each chunk; the head follows. */
  forward: Dispatch[][];
  head: Dispatch;
  /** The first dispatch of each chunk with grey values changed; compiled by the first such step. */
  photometric?: Dispatch[];
  /** Compiled by the first step of training: evaluation needs neither it nor its memory. */
  training?: Training;
}

interface Training {
  rotate180: Dispatch[];
  /** What finds each chunk's selected slices; empty if there is only one chunk. */
  selected: Dispatch[];
  backward: Dispatch[];
  /** What begins the exam's gradient and what adds to it; empty if there is only one chunk. */
  add: Dispatch[];
  adam: Dispatch[];
}

/** How long a kernel takes. */
export interface KernelTime {
  label: string;
  seconds: number;
  multiplyAdds: number;
}

/** A network with its memory, until {@linkcode NetworkPasses.dispose}. */
export class NetworkPasses {
  readonly parameters: WebGPUParameters;
  readonly #gpu: Gpu;
  readonly #model: NetworkState;
  readonly #tiles: Tiles;
  readonly #layers: LayerOptions;
  readonly #slicesAtOnce: number | undefined;
  readonly #frozen: ReadonlySet<string>;
  readonly #selected: GPUBuffer;
  readonly #results: GPUBuffer;
  #chunkSelected: GPUBuffer | undefined;
  #layOut: Dispatch[] = [];
  #passes: Passes | undefined;
  #staging = new ArrayBuffer(0);
  #slot = 0;
  /** Whether the filters' layouts are older than the parameters. */
  #stale = true;

  constructor(
    gpu: Gpu,
    model: NetworkState,
    { tiles = gpu.tiles, winograd, precision = "float32", slicesAtOnce, frozen = new Set() }:
      NetworkOptions = {},
  ) {
    const { title, channels } = model.network;
    // The head has a thread a channel.
    const most = gpu.device.limits.maxComputeInvocationsPerWorkgroup;
    if (channels > most) {
      throw new EngineError(
        `Cannot compute ${title} on this GPU: it has ${channels} channels, and a workgroup has ` +
          `${most} threads: use --backend wasm`,
      );
    }
    this.#frozen = frozen;
    this.#gpu = gpu;
    this.#tiles = tiles;
    this.#layers = { precision, winograd: winograd ?? tiles === "registers" };
    this.#slicesAtOnce = slicesAtOnce;
    // What is read of the shapes here does not depend on the size of the slices.
    this.#model = model;
    const anySize = layerShapes(model.network, { height: 256, width: 256 }, this.#layers);
    this.parameters = new WebGPUParameters(gpu, model, anySize);
    this.#selected = gpu.buffer("selected", selectedBytes(channels));
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC;
    this.#results = gpu.buffer("results", 16 * RING, usage);
  }

  /** Copies the model's parameters to the GPU. */
  async load(): Promise<void> {
    await this.parameters.load();
    this.#stale = true;
  }

  /**
   * Makes memory and kernels for an exam, unless those of the last one fit.
   *
   * @param photometric whether the pass changes grey values
   * @throws {EngineError} if the GPU has not the memory, or a slice is too large for it
   */
  async prepare(exam: Exam, training: boolean, photometric: boolean = false): Promise<void> {
    await this.#prepareForward(exam);
    const passes = this.#passes!;
    if (photometric) {
      passes.photometric ??= await Promise.all(
        passes.forward.map((_, chunk) => inputPass(passes.context, chunk, true)),
      );
    }
    if (training) this.#passes!.training ??= await this.#guarded(() => this.#prepareTraining());
  }

  /**
   * Uploads an exam that was prepared, and gives a pass over it to the GPU.
   *
   * @returns the slot of the ring where the results will be, and the features if they are wanted
   */
  run(
    { voxels, slices }: Exam,
    values: PassValues,
    { training = false, features = false }: PassOptions = {},
  ): { slot: number; features: Promise<Features> | undefined } {
    const passes = this.#passes!;
    const { exam } = passes;
    const slot = this.#slot = (this.#slot + 1) % RING;
    const { headerBytes } = exam;
    const size = headerBytes + Math.ceil(voxels.byteLength / 4) * 4;
    if (this.#staging.byteLength < size) this.#staging = new ArrayBuffer(size);
    const lengths = _lengths(slices, exam.chunkSlices);
    writeStep(this.#staging, { ...values, slot, slices });
    // The numbers of an exam in one chunk are there already.
    if (exam.chunks > 1) {
      lengths.forEach((length, chunk) => {
        const first = chunk * exam.chunkSlices;
        writeStep(this.#staging, { ...values, slot, slices: length, first }, exam.headerOf(chunk));
      });
    }
    const bytes = new Uint8Array(voxels.buffer, voxels.byteOffset, voxels.byteLength);
    new Uint8Array(this.#staging).set(bytes, headerBytes);
    this.#gpu.upload(exam.upload, new Uint8Array(this.#staging, 0, size));
    const changed = values.photometric && passes.photometric!;
    const forward = passes.forward.map((chunk, index) =>
      changed === undefined ? chunk : [changed[index], ...chunk.slice(1)]
    );
    const last = passes.context.layers.at(-1)!;
    const chunks: Promise<Features>[] = [];
    this.#submit({ ...passes, forward }, lengths, training, (length) => {
      if (!features) return;
      const bytes = length * imageBytes(last.output);
      const stored = this.#gpu.read(exam.lastOutput, bytes);
      chunks.push(stored.then((read) => featuresFrom(last, read, length)));
    });
    return { slot, features: features ? Promise.all(chunks).then(joinFeatures) : undefined };
  }

  /**
   * Reads the results of all passes in the ring: a vector (loss, logit, logit, 0) each.
   *
   * @throws {EngineError} if the device failed
   */
  async results(): Promise<Float32Array> {
    try {
      return new Float32Array(await this.#gpu.read(this.#results, 16 * RING));
    } finally {
      // The device's own report says more than a failed read.
      this.#gpu.check();
    }
  }

  /**
   * Measures the kernels of a step on the exam that was trained on last, or on one chunk of it. The
   * parameters change as in a step.
   *
   * @param between what is run ahead of each kernel, and behind the last
   * @returns the times of the kernels, and those of what was run between them, one more; `undefined`
   *   if the adapter cannot measure
   */
  async profile(
    slices: number,
    between: readonly Dispatch[] = [],
  ): Promise<{ kernels: KernelTime[]; between: number[] } | undefined> {
    const { exam, forward, head, training } = this.#passes!;
    const { rotate180, backward, adam } = training!;
    const atOnce = Math.min(slices, exam.chunkSlices);
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

  /** Frees the memory; to be called when no read is under way. */
  dispose(): void {
    this.#passes?.exam.dispose();
    this.#passes = undefined;
    this.parameters.dispose();
    for (const buffer of [this.#selected, this.#results, this.#chunkSelected]) {
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
    // A multiple of 8, so that an exam with one slice more seldom asks for new memory.
    const wanted = Math.ceil(Math.max(slices, same ? limits.slices : 0) / 8) * 8;
    const layers = layerShapes(this.#model.network, { height, width }, this.#layers);
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
          selected: this.#selected,
          results: this.#results,
        })
      );
    } catch (error) {
      exam.dispose();
      throw error;
    }
  }

  async #plan(context: PassContext): Promise<Passes> {
    const { exam } = context;
    const each = Array.from({ length: exam.chunks }, (_, chunk) => forwardPass(context, chunk));
    const layOut = this.#layOut.length === 0 ? this.parameters.layOut() : this.#layOut;
    const prepared = Promise.all([headPass(context), layOut, ...each]);
    const [head, laidOut, ...forward] = await prepared;
    this.#layOut = laidOut;
    return { exam, context, forward, head };
  }

  async #prepareTraining(): Promise<Training> {
    const { context, exam } = this.#passes!;
    const { parameters } = this;
    const { channels } = this.#model.network;
    const trained = trainedConvolutions(this.#frozen, this.#model.network);
    const moved = parameters.adam(exam.step(), exam.chunks, this.#frozen);
    if (!trained.includes(true)) {
      // The head has made the gradient of all that is moved.
      return { rotate180: [], selected: [], backward: [], add: [], adam: await moved };
    }
    const chunked = exam.chunks > 1;
    const selected = chunked
      ? this.#chunkSelected ??= this.#gpu.buffer(
        "selected slices of a chunk",
        selectedBytes(channels),
      )
      : this.#selected;
    const selectedOf = (chunk: number) => {
      const buffers = { step: exam.step(chunk), all: this.#selected, selected };
      return this.#gpu.prepare(selectedOfChunk(channels), buffers);
    };
    const prepared = Promise.all([
      parameters.rotate180(),
      Promise.all(
        Array.from({ length: chunked ? exam.chunks : 0 }, (_, chunk) => selectedOf(chunk)),
      ),
      backwardPass({ ...context, selected }, trained),
      Promise.all(chunked ? [parameters.add(true), parameters.add(false)] : []),
      moved,
    ]);
    const [rotate180, selectedOfChunks, backward, add, adam] = await prepared;
    return { rotate180, selected: selectedOfChunks, backward, add, adam };
  }

  /** @param computed called with the slices of a chunk behind its forward pass, unless it trains */
  #submit(
    { forward, head, training }: Passes,
    lengths: readonly number[],
    train: boolean,
    computed: (slices: number) => void,
  ): void {
    const gpu = this.#gpu;
    const first = this.#stale ? this.#layOut : [];
    this.#stale = false;
    const last = lengths.length - 1;
    for (let chunk = 0; chunk < last; chunk++) {
      gpu.run([...(chunk === 0 ? first : []), ...forward[chunk]], lengths[chunk]);
      computed(lengths[chunk]);
    }
    const start = [...(last === 0 ? first : []), ...forward[last], head];
    if (!train) {
      gpu.run(start, lengths[last]);
      return computed(lengths[last]);
    }
    const { rotate180, selected, backward, add, adam } = training!;
    const end = [...adam, ...this.#layOut];
    if (selected.length === 0) {
      return gpu.run([...start, ...rotate180, ...backward, ...end], lengths[last]);
    }
    const [begin, more] = add;
    gpu.run([...start, ...rotate180, selected[last], ...backward, begin], lengths[last]);
    // The activations of the earlier chunks were overwritten, so they are computed once more.
    for (let chunk = last - 1; chunk >= 0; chunk--) {
      gpu.run([...forward[chunk], selected[chunk], ...backward, more], lengths[chunk]);
    }
    gpu.run(end, lengths[last]);
  }

  /**
   * Makes buffers, and throws an error of one line if the GPU has no memory left.
   *
   * @param make makes all of them before it waits for anything. An error scope belongs to the device: if
   *   it stayed open meanwhile, it would catch the errors of other networks
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

/** How many slices each chunk of an exam has. */
function _lengths(slices: number, most: number): number[] {
  const chunks = Math.ceil(slices / most);
  return Array.from({ length: chunks }, (_, chunk) => Math.min(most, slices - chunk * most));
}
