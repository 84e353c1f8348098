/** MRNet in the kernels' memory: takes a model's parameters, runs the programs over exams. */
import type { Exam } from "../../data/exam.ts";
import type { Affine } from "../../data/intensity.ts";
import type { PhotometricValues } from "../../data/photometric.ts";
import { EngineError } from "../../errors.ts";
import type { Features } from "../features.ts";
import type { Threads } from "../../engine/wasm/threads.ts";
import { type NetworkState, ParameterWatch } from "../parameters.ts";
import { statisticsInOrder } from "./batch_norm.ts";
import { Arena } from "./arena.ts";
import type { FixedMap } from "./memory_map.ts";
import { NetworkMemory } from "./network_memory.ts";
import { type NetworkLayout, parameterValues, placeParameters } from "./parameters.ts";
import { photometricBytes, writePhotometric } from "./photometric.ts";
import { frozenLayers, type ProgramName, threadProgram } from "./programs.ts";
import type { Setting } from "./thread_writer.ts";

/** What a program is given besides the exam's voxels. */
export interface StepInput {
  /** 1 if the finding is present; a step needs it. */
  label?: number;
  /** What the two outputs count in the loss; a step needs it. */
  weights?: readonly [number, number];
  /**
   * Where each pixel comes from, `[a, b, c, d, e, f]`.
   * @default without resampling
   */
  matrix?: readonly number[];
  /** What is done to each voxel. */
  affine: Affine;
  /**
   * What becomes of the grey values; it takes the place of `affine`.
   * @default they stay
   */
  photometric?: PhotometricValues;
}

/** Runs MRNet's programs. */
export class NetworkPrograms implements Disposable {
  readonly #threads: Threads;
  readonly #memory: NetworkMemory;
  readonly #start: number;
  readonly #fixed: FixedMap;
  readonly #frozen: ReadonlySet<string>;
  readonly #watch = new ParameterWatch();
  /** Whether the weights in the products' order are those of the parameters: of layers that a step changes. */
  #packed = false;
  /** The same of the others. */
  #frozenPacked = false;
  #disposed = false;

  /**
   * @param threads what computes
   * @param memory what it shares with other networks on the same threads
   * @param frozen the names of the parameters that a step leaves as they are
   * @throws {EngineError} if there is not so much memory
   */
  constructor(
    threads: Threads,
    memory: NetworkMemory = new NetworkMemory(threads, true),
    frozen: ReadonlySet<string> = new Set(),
  ) {
    this.#frozen = frozen;
    this.#threads = threads;
    this.#memory = memory;
    const { start, fixed } = memory.claim();
    this.#start = start;
    this.#fixed = fixed;
  }

  /** Lets another network have the memory of this one, which is of no use afterwards. */
  [Symbol.dispose](): void {
    if (!this.#disposed) this.#memory.release(this.#start);
    this.#disposed = true;
  }

  /** What it computes, and how its parameters lie. */
  get layout(): NetworkLayout {
    return this.#memory.layout;
  }

  /** The parameters; the view is good until the next exam. */
  get parameters(): Float32Array {
    return this.#floats(this.#fixed.parameters, this.layout.floats);
  }

  /** Adam's two moments of the parameters, in the same order; good until the next exam. */
  get moments(): { first: Float32Array; second: Float32Array } {
    const { first, second } = this.#fixed;
    return {
      first: this.#floats(first, this.layout.floats),
      second: this.#floats(second, this.layout.floats),
    };
  }

  /** Takes a model's parameters and statistics, if they are others than before. */
  follow({ parameters, statistics }: NetworkState): Promise<void> {
    return this.#watch.update(parameters, async () => {
      const { values, order } = await parameterValues(parameters);
      // Nothing is awaited from here on: an exam that is under way computes with the old or the new.
      placeParameters(this.layout, values, this.parameters, order);
      this.setStatistics(statistics);
      this.#packed = this.#frozenPacked = false;
    });
  }

  /** Takes the running statistics of the batch normalisations, by their names in the model. */
  setStatistics(statistics: NetworkState["statistics"]): void {
    for (const { index, values } of statisticsInOrder(this.layout, statistics)) {
      this.#floats(this.#fixed.statistics[index], values.length).set(values);
    }
  }

  /** The settings of the next step, as the kernel `adam` takes them. */
  setAdam(settings: readonly number[]): void {
    this.#floats(this.#fixed.adam, 8).set(settings);
  }

  /**
   * Runs one exam through.
   *
   * @returns of a step loss and the two logits
   */
  run(program: "train" | "evaluate", exam: Exam, input: StepInput): number[] {
    const { label, weights, matrix, photometric, affine } = input;
    const { stepInput, answers, matrix: matrixAt } = this.#fixed;
    if (this.#disposed) {
      throw new EngineError(
        `Cannot read exam '${exam.id}': its model was disposed of meanwhile: wait for what it reads`,
      );
    }
    const setting = this.#settingOf(exam);
    this.#pack(program, setting);
    const addresses = this.#written(program, setting);
    this.#copyVoxels(exam);
    const change = photometric && this.#writePhotometric(photometric, exam);
    const { scale, offset } = photometric?.before ?? affine;
    const { buffer } = this.#threads;
    if (weights) new Float64Array(buffer, stepInput, 3).set([label!, ...weights]);
    this.#floats(matrixAt, 6).set(matrix ?? []);
    new Int32Array(buffer, matrixAt + 24, 1)[0] = matrix === undefined ? 0 : 1;
    this.#floats(matrixAt + 28, 2).set([scale, offset]);
    new Int32Array(buffer, matrixAt + 36, 1)[0] = change ?? 0;
    this.#threads.run(addresses);
    return [...new Float64Array(buffer, answers[0], 3)];
  }

  /**
   * The channels' means of the exam that was run last, `[slices, channels]`; the view is good until the
   * next exam.
   *
   * @param slices how many that exam has
   */
  means(slices: number): Float32Array {
    return this.#floats(this.#memory.laid!.exam.means, slices * this.layout.channels);
  }

  /**
   * The features of the exam that was run last, copied: `[slices, height, width, channels]`.
   *
   * @param slices how many that exam has
   */
  features(slices: number): Features {
    const { exam, shapes } = this.#memory.laid!;
    const { height, width, channels, inside, pitch } = shapes.at(-1)!.output;
    const run = width * channels;
    const values = new Float32Array(slices * height * run);
    for (let row = 0; row < slices * height; row++) {
      const [slice, y] = [Math.floor(row / height), row % height];
      const at = exam.slices[slice].outputs.at(-1)! + inside + y * pitch;
      values.set(this.#floats(at, run), row * run);
    }
    return { slices, height, width, channels, values };
  }

  #floats(at: number, count: number): Float32Array {
    return new Float32Array(this.#threads.buffer, at, count);
  }

  /** What programs for an exam are made from; memory is laid out for it unless it fits. */
  #settingOf({ slices, height, width, voxels }: Exam): Setting {
    const float = voxels instanceof Float32Array;
    const { layout, training } = this.#memory;
    const extent = { slices, height, width, voxelBytes: float ? 4 : 1 };
    const { shapes, exam, tables } = this.#memory.layOut(extent);
    const [threads, fixed, frozen] = [this.#threads.count, this.#fixed, this.#frozen];
    return { threads, layout, shapes, fixed, frozen, exam, tables, slices, float, training };
  }

  /** The addresses of a program, which is written unless it is there. */
  #written(name: ProgramName, setting: Setting): number[] {
    const { slices, float } = setting;
    // Other networks have other addresses; packing knows no exam.
    const wanted = name === "pack" || name === "packFrozen" ? [] : [slices, float];
    const key = [this.#start, ...this.#frozen, name, ...wanted].join(" ");
    const write = (thread: number) => threadProgram(setting, thread, name);
    return this.#memory.laid!.programs.take(key, this.#threads, write);
  }

  /** Puts the weights in the products' order that are not: a step does this with those that it changes. */
  #pack(program: "train" | "evaluate", setting: Setting): void {
    const { some, all } = frozenLayers(setting);
    if (some && !this.#frozenPacked) this.#threads.run(this.#written("packFrozen", setting));
    this.#frozenPacked = true;
    if (program === "evaluate" && !all && !this.#packed) {
      this.#threads.run(this.#written("pack", setting));
    }
    this.#packed = program === "evaluate";
  }

  #copyVoxels({ voxels }: Exam): void {
    const { buffer } = this.#threads;
    const { exam } = this.#memory.laid!;
    const copy = voxels instanceof Float32Array
      ? new Float32Array(buffer, exam.voxels, voxels.length)
      : new Uint8Array(buffer, exam.voxels, voxels.length);
    copy.set(voxels);
  }

  /**
   * Writes a change of grey values behind the programs. Few trainings have one, so that no other needs
   * the memory.
   *
   * @returns its address
   */
  #writePhotometric(values: PhotometricValues, { height, width }: Exam): number {
    const { exam: { voxels }, programs } = this.#memory.laid!;
    const at = new Arena(programs.end).take(photometricBytes([height, width]));
    this.#threads.reserve(at + photometricBytes([height, width]));
    writePhotometric(this.#threads.buffer, at, { values, voxels, size: [height, width] });
    return at;
  }
}
