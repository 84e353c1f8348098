/**
 * MRNet in the kernels' memory: parameters in, exams through, parameters out.
 *
 * @module
 */
import type { Exam } from "../../data/exam.ts";
import type { Affine } from "../../data/intensity.ts";
import { CHANNELS, type Features } from "../features.ts";
import { FIRST_FREE, type Threads } from "../../engine/wasm/threads.ts";
import {
  Arena,
  type ExamMap,
  type FixedMap,
  mapExam,
  mapFixed,
  MINIMAL,
  type Minimal,
  type Shapes,
  shapesOf,
  TILES_AT_ONCE,
} from "./memory_map.ts";
import { PARAMETER_FLOATS } from "./parameters.ts";
import { threadProgram, type Work } from "./programs.ts";
import { pixelTable, tilesOf } from "./tables.ts";
import type { Setting, Table, Tables } from "./thread_writer.ts";

/** What is asked about an exam. */
export interface Question {
  /** 1 where the finding is present. */
  label: number;
  /** What the two outputs count in the loss. */
  weights: readonly [number, number];
  /** Where each pixel comes from, `[a, b, c, d, e, f]`; as it is where it is left out. */
  matrix?: readonly number[];
  /** What is done to each voxel. */
  affine: Affine;
}

/** An exam size that memory is laid out for. */
interface Laid {
  shapes: Shapes;
  exam: ExamMap;
  tables: Tables;
  end: number;
  height: number;
  width: number;
  capacity: number;
  voxelBytes: number;
}

/** Runs MRNet's programs. */
export class MRNetThreads {
  readonly #threads: Threads;
  readonly #fixed: FixedMap;
  readonly #fixedEnd: number;
  #laid: Laid | undefined;
  /** The programs' addresses, and what they are for. */
  #programs: { key: string; at: Record<Work, number[]> } | undefined;

  constructor(threads: Threads) {
    this.#threads = threads;
    const arena = new Arena(FIRST_FREE);
    this.#fixed = mapFixed(arena, threads.count);
    this.#fixedEnd = arena.end;
    threads.reserve(arena.end);
  }

  /** The parameters; the view is good until the next exam. */
  get parameters(): Float32Array {
    return this.#floats(this.#fixed.parameters, PARAMETER_FLOATS);
  }

  /** Adam's two moments of the parameters, in the same order; good until the next exam. */
  get moments(): { first: Float32Array; second: Float32Array } {
    const { first, second } = this.#fixed;
    return {
      first: this.#floats(first, PARAMETER_FLOATS),
      second: this.#floats(second, PARAMETER_FLOATS),
    };
  }

  /** The settings of the next step, as the kernel `adam` takes them. */
  setAdam(settings: readonly number[]): void {
    this.#floats(this.#fixed.adam, 8).set(settings);
  }

  /**
   * Runs one exam through.
   *
   * @returns loss and the two logits
   */
  run(work: Work, exam: Exam, { label, weights, matrix, affine }: Question): number[] {
    const { question, answers, matrix: matrixAt } = this.#fixed;
    const programs = this.#prepare(exam);
    const { buffer } = this.#threads;
    new Float64Array(buffer, question, 3).set([label, ...weights]);
    this.#floats(matrixAt, 6).set(matrix ?? []);
    new Int32Array(buffer, matrixAt + 24, 1)[0] = matrix === undefined ? 0 : 1;
    this.#floats(matrixAt + 28, 2).set([affine.scale, affine.offset]);
    this.#threads.run(programs[work]);
    return [...new Float64Array(buffer, answers[0], 3)];
  }

  /**
   * The channels' means of the exam that was run last, `[slices, 256]`; the view is good until the
   * next exam.
   *
   * @param slices how many that exam has
   */
  means(slices: number): Float32Array {
    return this.#floats(this.#laid!.exam.means, slices * CHANNELS);
  }

  /**
   * The features of the exam that was run last, copied: `[slices, height, width, 256]`.
   *
   * @param slices how many that exam has
   */
  features(slices: number): Features {
    const { exam, shapes: { pool5: { height, width } } } = this.#laid!;
    const length = height * width * CHANNELS;
    const values = new Float32Array(slices * length);
    for (let slice = 0; slice < slices; slice++) {
      values.set(this.#floats(exam.slices[slice].pool5, length), slice * length);
    }
    return { slices, height, width, values };
  }

  #floats(at: number, count: number): Float32Array {
    return new Float32Array(this.#threads.buffer, at, count);
  }

  /** Lays memory out for an exam where it does not fit yet, and copies it in. */
  #prepare({ slices, height, width, voxels }: Exam): Record<Work, number[]> {
    const float = voxels instanceof Float32Array;
    const laid = this.#layOut({ slices, height, width, voxelBytes: float ? 4 : 1 });
    const { shapes, exam, tables } = laid;
    const key = `${slices} ${float}`;
    if (this.#programs?.key !== key) {
      const { names, count } = this.#threads;
      const fixed = this.#fixed;
      const base = { names, threads: count, shapes, fixed, exam, tables, slices, float };
      this.#programs = { key, at: this.#write(base, laid.end) };
    }
    const { buffer } = this.#threads;
    const copy = float
      ? new Float32Array(buffer, exam.voxels, voxels.length)
      : new Uint8Array(buffer, exam.voxels, voxels.length);
    copy.set(voxels);
    return this.#programs.at;
  }

  #layOut(wanted: { slices: number; height: number; width: number; voxelBytes: number }): Laid {
    const { slices, height, width } = wanted;
    const before = this.#laid;
    const alike = before?.height === height && before.width === width;
    if (alike && before.capacity >= slices && before.voxelBytes >= wanted.voxelBytes) return before;
    const capacity = Math.max(slices, alike ? before.capacity : 0);
    const voxelBytes = Math.max(wanted.voxelBytes, alike ? before.voxelBytes : 0);
    const shapes = shapesOf({ height, width });
    const arena = new Arena(this.#fixedEnd);
    const words = tableWords(shapes);
    const places = Object.entries(words).map(([name, each]) => {
      return [name, arena.take(each.byteLength), each] as const;
    });
    const threads = this.#threads.count;
    const exam = mapExam(arena, shapes, { threads, capacity, voxelBytes });
    this.#programs = undefined;
    this.#laid = undefined;
    this.#threads.reserve(arena.end);
    // The borders are never written, and have to be zero.
    new Uint8Array(this.#threads.buffer, this.#fixedEnd, arena.end - this.#fixedEnd).fill(0);
    const tables: Partial<Record<string, Table>> = {};
    for (const [name, at, each] of places) {
      new Int32Array(this.#threads.buffer, at, each.length).set(each);
      tables[name] = { at, tiles: tilesOf(each) };
    }
    const sizes = { height, width, capacity, voxelBytes };
    this.#laid = { shapes, exam, tables: tables as Tables, end: arena.end, ...sizes };
    return this.#laid;
  }

  /** Writes all programs of all threads behind the exam's memory. */
  #write(setting: Setting, start: number): Record<Work, number[]> {
    const arena = new Arena(start);
    const written: [number, Int32Array][] = [];
    const at = { train: [], judge: [], pack: [] } as Record<Work, number[]>;
    for (const work of ["train", "judge", "pack"] as const) {
      for (let thread = 0; thread < setting.threads; thread++) {
        const words = threadProgram(setting, thread, work);
        const address = arena.take(words.byteLength);
        written.push([address, words]);
        at[work].push(address);
      }
    }
    this.#threads.reserve(arena.end);
    for (const [address, words] of written) {
      new Int32Array(this.#threads.buffer, address, words.length).set(words);
    }
    return at;
  }
}

/** The tables of all convolutions. */
function tableWords(shapes: Shapes): Record<keyof Tables, Int32Array> {
  const { image, conv1 } = shapes;
  const dense = (width: number, channels: number) => {
    return { pitch: width * channels * 4, step: channels * 4 };
  };
  const strided = { pitch: 4 * image.pitch, step: 4 * image.step };
  const tiles = { height: 1, width: TILES_AT_ONCE };
  const minimal = Object.entries(MINIMAL).map(([name, { inputs, outputs }]) => {
    return [name, pixelTable(tiles, dense(1, inputs), dense(1, outputs))] as const;
  });
  return {
    conv1: pixelTable(conv1, strided, dense(conv1.width, 64)),
    ...Object.fromEntries(minimal) as Record<Minimal, Int32Array>,
  };
}
