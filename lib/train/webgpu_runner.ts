/**
 * A step on the GPU in kernels of our own: one upload, one list of dispatches, and no waiting.
 *
 * Loss and logits of each step stay in a ring on the GPU and are read several at a time while the next
 * steps compute, because a read takes at least ten milliseconds. Therefore the figures of an exam come
 * a few steps after the step: {@linkcode Runner.lag} says how many may be under way.
 *
 * @module
 */
import { type Augmentation, sourceOf } from "../data/augment.ts";
import type { LabelledExam } from "../data/dataset.ts";
import type { Exam } from "../data/exam.ts";
import { EngineError } from "../errors.ts";
import type { Dispatch, Gpu, Tiles } from "../engine/webgpu/gpu.ts";
import { HEADER_BYTES, type StepValues, writeStep } from "../engine/webgpu/step.ts";
import { WINNERS_BYTES } from "../engine/webgpu/winners.ts";
import { type MRNet, sigmoid } from "../model/mrnet.ts";
import { backwardPass } from "../model/webgpu/backward.ts";
import { ExamBuffers } from "../model/webgpu/exam_buffers.ts";
import { forwardPass, type PassParts } from "../model/webgpu/forward.ts";
import { GpuParameters } from "../model/webgpu/parameters.ts";
import { type LayerShape, layerShapes } from "../model/webgpu/shape.ts";
import { ADAM_DEFAULTS, type AdamOptions } from "./adam.ts";
import type { ExamFigures, Runner } from "./runner.ts";

/** Places in the ring of figures; as many steps can wait to be read. */
const RING = 64;

/** The dispatches for one size of exam. */
interface Passes {
  exam: ExamBuffers;
  parts: PassParts;
  fold: Dispatch[];
  forward: Dispatch[];
  /** Compiled by the first step: judging needs none of it, nor its memory. */
  training?: Dispatch[];
}

/** A step that was given to the GPU and whose figures were not read yet. */
interface Open {
  slot: number;
  resolve(figures: ExamFigures): void;
  reject(error: unknown): void;
}

/** Settings beside the optimizer's. */
export interface WebGPURunnerOptions extends AdamOptions {
  /**
   * How matrix products are tiled.
   * @default what suits the adapter
   */
  tiles?: Tiles;
}

/** What a kernel takes. */
export interface KernelTime {
  label: string;
  seconds: number;
  multiplyAdds: number;
}

/** Runs a model in WGSL kernels. */
export class WebGPURunner implements Runner {
  readonly lag = 8;
  learningRate: number;
  readonly #gpu: Gpu;
  readonly #tiles: Tiles;
  readonly #optimizer: Required<AdamOptions>;
  readonly #parameters: GpuParameters;
  readonly #winners: GPUBuffer;
  readonly #figures: GPUBuffer;
  #passes: Passes | undefined;
  #staging = new ArrayBuffer(0);
  /** The end of the queue of calls: steps are computed in the order they were asked for. */
  #turn: Promise<unknown> = Promise.resolve();
  #open: Open[] = [];
  #reading: Promise<void> | undefined;
  #steps = 0;
  #slot = 0;
  /** Whether the folded filters are older than the parameters. */
  #stale = true;
  #disposed = false;
  /** Whether the model's own parameters are older than the GPU's. */
  #moved = false;

  private constructor(gpu: Gpu, model: MRNet, { tiles, ...options }: WebGPURunnerOptions) {
    this.#gpu = gpu;
    this.#tiles = tiles ?? gpu.tiles;
    this.#optimizer = { ...ADAM_DEFAULTS, ...options };
    this.learningRate = this.#optimizer.learningRate;
    // What is asked of the shapes here does not depend on the size of the slices.
    this.#parameters = new GpuParameters(gpu, model, layerShapes(256, 256));
    this.#winners = gpu.buffer("winners", WINNERS_BYTES);
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC;
    this.#figures = gpu.buffer("figures", 16 * RING, usage);
  }

  /** Makes a runner that starts from the model's parameters. */
  static async create(
    gpu: Gpu,
    model: MRNet,
    options: WebGPURunnerOptions = {},
  ): Promise<WebGPURunner> {
    const runner = new WebGPURunner(gpu, model, options);
    await runner.#parameters.load();
    return runner;
  }

  train(
    labelled: LabelledExam,
    positiveWeight: number,
    augmentation?: Augmentation,
  ): Promise<ExamFigures> {
    // The rate is that of the call, whenever its turn comes.
    const { learningRate } = this;
    return this.#inTurn(async () => {
      const passes = await this.#passesFor(labelled.exam);
      const { parts, exam } = passes;
      passes.training ??= await this.#guarded(async () => {
        const turn = await parts.parameters.turn(parts.layers);
        const backward = await backwardPass(parts);
        return [...turn, ...backward, await parts.parameters.adam(exam.step), ...passes.fold];
      });
      this.#steps++;
      const { beta1, beta2 } = this.#optimizer;
      const figures = this.#start(passes, labelled, {
        positiveWeight,
        source: augmentation && sourceOf(augmentation, [exam.limits.height, exam.limits.width]),
        stepSize: learningRate / (1 - beta1 ** this.#steps),
        correction: Math.sqrt(1 - beta2 ** this.#steps),
      }, passes.training);
      this.#moved = true;
      return figures;
    });
  }

  judge(labelled: LabelledExam, positiveWeight: number): Promise<ExamFigures> {
    return this.#inTurn(async () => {
      const passes = await this.#passesFor(labelled.exam);
      return this.#start(passes, labelled, { positiveWeight }, []);
    });
  }

  sync(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#moved) await this.#parameters.store();
      this.#moved = false;
      return { done: Promise.resolve() };
    });
  }

  /**
   * Measures the kernels of a step on the exam that was trained on last; the model moves with it.
   *
   * @returns for each its seconds and multiply-adds, 0 where it has few; `undefined` where the adapter
   *   cannot measure
   */
  async profile(slices: number): Promise<KernelTime[] | undefined> {
    const { forward, training } = this.#passes!;
    const dispatches = [...forward, ...training!];
    const seconds = await this.#gpu.time(dispatches, slices);
    return seconds?.map((each, index) => {
      const { label, multiplyAdds } = dispatches[index];
      return { label, seconds: each, multiplyAdds: multiplyAdds?.(slices) ?? 0 };
    });
  }

  /** Frees the buffers once the call that has its turn is through; those behind it fail. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#turn = this.#turn.then(async () => {
      // Steps that nobody waits for any more are read all the same, from a buffer that is still there.
      await this.#reading;
      this.#passes?.exam.dispose();
      this.#parameters.dispose();
      this.#gpu.free(this.#winners);
      this.#gpu.free(this.#figures);
    });
  }

  /**
   * Runs calls one after the other. A call has had its turn once it was given to the GPU; its `done`
   * comes later.
   */
  #inTurn<T>(call: () => Promise<{ done: Promise<T> }>): Promise<T> {
    const given = this.#turn.then(() => {
      if (this.#disposed) {
        throw new EngineError("Cannot compute with a runner that was disposed of");
      }
      return call();
    });
    this.#turn = given.catch(() => {});
    const done = given.then(({ done }) => done);
    // Whoever asked hears of a failure; steps behind a failed one may have nobody left to listen.
    done.catch(() => {});
    return done;
  }

  /** The dispatches for an exam: those of the last one where it fits. */
  async #passesFor({ height, width, slices, voxels }: Exam): Promise<Passes> {
    // Whoever does not wait for figures is held up here, before the ring overflows.
    while (this.#open.length >= RING) await this.#reading;
    const type = voxels instanceof Uint8Array ? "uint8" : "float32";
    const limits = this.#passes?.exam.limits;
    const same = limits?.height === height && limits.width === width && limits.type === type;
    if (same && slices <= limits.slices) return this.#passes!;
    this.#passes?.exam.dispose();
    this.#passes = undefined;
    // In eights, so that an exam with one slice more seldom asks for new memory.
    const wanted = Math.ceil(Math.max(slices, same ? limits.slices : 0) / 8) * 8;
    const layers = layerShapes(height, width);
    const exam = new ExamBuffers(this.#gpu, layers, { height, width, type, slices: wanted });
    try {
      return this.#passes = await this.#guarded(() => this.#plan(layers, exam));
    } catch (error) {
      exam.dispose();
      throw error;
    }
  }

  async #plan(layers: readonly LayerShape[], exam: ExamBuffers): Promise<Passes> {
    const parts: PassParts = {
      gpu: this.#gpu,
      tiles: this.#tiles,
      layers,
      parameters: this.#parameters,
      exam,
      winners: this.#winners,
      figures: this.#figures,
    };
    const fold = await this.#parameters.fold(layers);
    return { exam, parts, fold, forward: await forwardPass(parts) };
  }

  /** Makes buffers; says so in one line where the GPU has no memory left. */
  async #guarded<T>(make: () => Promise<T>): Promise<T> {
    const { device } = this.#gpu;
    device.pushErrorScope("out-of-memory");
    const made = make();
    // The scope is closed in any case, and what it caught explains what was thrown.
    await made.catch(() => {});
    const error = await device.popErrorScope();
    if (error !== null) {
      throw new EngineError(
        `Cannot compute an exam on this GPU: its memory is full: ${error.message}: ` +
          "close other programs that use it, or use --backend wasm",
      );
    }
    return await made;
  }

  /** Uploads an exam, gives its pass to the GPU and says when its figures are there. */
  #start(
    { exam, fold, forward }: Passes,
    { exam: { voxels, slices }, label }: LabelledExam,
    values: Partial<StepValues> & { positiveWeight: number },
    training: readonly Dispatch[],
  ): { done: Promise<ExamFigures> } {
    const slot = this.#slot = (this.#slot + 1) % RING;
    const size = HEADER_BYTES + Math.ceil(voxels.byteLength / 4) * 4;
    if (this.#staging.byteLength < size) this.#staging = new ArrayBuffer(size);
    const { learningRate: _, ...constants } = this.#optimizer;
    writeStep(this.#staging, {
      ...constants,
      slices,
      slot,
      label,
      stepSize: 0,
      correction: 1,
      ...values,
      source: values.source ?? [1, 0, 0, 0, 1, 0],
    });
    new Uint8Array(this.#staging).set(
      new Uint8Array(voxels.buffer, voxels.byteOffset, voxels.byteLength),
      HEADER_BYTES,
    );
    this.#gpu.upload(exam.upload, new Uint8Array(this.#staging, 0, size));
    const first = this.#stale ? fold : [];
    this.#stale = false;
    this.#gpu.run([...first, ...forward, ...training], slices);
    const { promise: done, resolve, reject } = Promise.withResolvers<ExamFigures>();
    this.#open.push({ slot, resolve, reject });
    this.#reading ??= this.#read();
    return { done };
  }

  /** Reads the figures of all open steps, again and again until none is open. */
  async #read(): Promise<void> {
    while (this.#open.length > 0) {
      const open = this.#open;
      this.#open = [];
      try {
        const figures = new Float32Array(await this.#gpu.read(this.#figures, 16 * RING));
        this.#gpu.check();
        for (const { slot, resolve } of open) {
          const [loss, absent, present] = figures.subarray(4 * slot, 4 * slot + 3);
          resolve({ loss, logits: [absent, present], probability: sigmoid(present) });
        }
      } catch (error) {
        for (const { reject } of open) reject(this.#failure(error));
      }
    }
    this.#reading = undefined;
  }

  /** Why a read failed: what the device reported, if it did. */
  #failure(error: unknown): unknown {
    try {
      this.#gpu.check();
      return error;
    } catch (reported) {
      return reported;
    }
  }
}
