/**
 * Whose memory is where, if several networks compute on the same threads. Each has its own parameters.
 * Behind these lies the memory for an exam, which all of them share.
 */
import { FIRST_FREE, type Threads } from "../../engine/wasm/threads.ts";
import { ALEXNET } from "../../network/alexnet.ts";
import type { Network } from "../../network/network.ts";
import { Arena } from "./arena.ts";
import { type ExamMap, type FixedMap, mapExam, mapFixed } from "./memory_map.ts";
import { layOutNetwork, type NetworkLayout } from "./parameters.ts";
import { ProgramStore } from "./program_store.ts";
import { type LayerShape, shapesOf } from "./shapes.ts";
import { layTables, type Tables, tilesOf } from "./tables.ts";

/** An exam size that memory is laid out for. */
export interface Laid {
  shapes: LayerShape[];
  exam: ExamMap;
  tables: Tables;
  /** What was written for exams of this size. */
  programs: ProgramStore;
  end: number;
  height: number;
  width: number;
  capacity: number;
  voxelBytes: number;
}

/** An exam's size, as far as memory depends on it. */
export interface ExamExtent {
  slices: number;
  height: number;
  width: number;
  voxelBytes: number;
}

/** The memory of networks on the same threads. */
export class NetworkMemory {
  /** What the networks are: all are alike. */
  readonly layout: NetworkLayout;
  /** Whether there is room for gradients; without it networks can only predict. */
  readonly training: boolean;
  readonly #threads: Threads;
  /** Where the networks' own memory ends. */
  #fixedEnd = FIRST_FREE;
  /** What networks have given back: all need the same. */
  readonly #free: number[] = [];
  #laid: Laid | undefined;
  /** The end of the largest exam so far. */
  #end = FIRST_FREE;

  /**
   * Nothing is taken yet.
   *
   * @throws {Error} if there are no kernels for one of the network's layers
   */
  constructor(threads: Threads, training: boolean, network: Network = ALEXNET) {
    this.#threads = threads;
    this.training = training;
    this.layout = layOutNetwork(network);
  }

  /** For which exams memory is laid out. */
  get laid(): Laid | undefined {
    return this.#laid;
  }

  /** How many bytes the exam that was laid out last takes. */
  get examBytes(): number {
    return this.#laid === undefined ? 0 : this.#laid.end - this.#fixedEnd;
  }

  /** How many bytes exams have taken at the most: WebAssembly's memory does not shrink. */
  get heldBytes(): number {
    return Math.max(0, this.#end - this.#fixedEnd);
  }

  /**
   * Takes a network's own memory, as {@linkcode mapFixed} lays it out.
   *
   * @returns its address and what lies where in it
   * @throws {EngineError} if there is not so much
   */
  claim(): { start: number; fixed: FixedMap } {
    const start = this.#free.pop() ?? this.#fixedEnd;
    const used = start < this.#end;
    const arena = new Arena(start);
    const fixed = mapFixed(arena, this.layout, this.#threads.count, this.training);
    if (start === this.#fixedEnd) {
      this.#threads.reserve(arena.end);
      this.#fixedEnd = arena.end;
      // It lies where exams were.
      this.#laid = undefined;
    }
    // Moments begin at zero; memory that nobody has used is zero and not resident yet.
    if (used) new Uint8Array(this.#threads.buffer, start, arena.end - start).fill(0);
    return { start, fixed };
  }

  /** Gives it back. */
  release(start: number): void {
    this.#free.push(start);
  }

  /**
   * Lays memory out for an exam, unless there is room for it.
   *
   * @throws {EngineError} if there is not so much
   */
  layOut(wanted: ExamExtent): Laid {
    const { slices, height, width } = wanted;
    const before = this.#laid;
    const alike = before?.height === height && before.width === width;
    if (alike && before.capacity >= slices && before.voxelBytes >= wanted.voxelBytes) return before;
    const capacity = Math.max(slices, alike ? before.capacity : 0);
    const voxelBytes = Math.max(wanted.voxelBytes, alike ? before.voxelBytes : 0);
    const { training, layout } = this;
    const shapes = shapesOf(layout.layers, { height, width });
    const arena = new Arena(this.#fixedEnd);
    const written: [at: number, table: Int32Array][] = [];
    const tables = layTables(layout.layers, shapes, (table) => {
      const at = arena.take(table.byteLength);
      written.push([at, table]);
      return { at, tiles: tilesOf(table) };
    });
    const threads = this.#threads.count;
    const exam = mapExam(arena, layout, shapes, { threads, capacity, voxelBytes, training });
    this.#laid = undefined;
    const { byteLength } = this.#threads.buffer;
    this.#threads.reserve(arena.end);
    // The borders are never written, and have to be zero; memory that is taken anew is.
    const used = Math.min(byteLength, arena.end);
    if (used > this.#fixedEnd) {
      new Uint8Array(this.#threads.buffer, this.#fixedEnd, used - this.#fixedEnd).fill(0);
    }
    this.#end = Math.max(this.#end, arena.end);
    for (const [at, table] of written) {
      new Int32Array(this.#threads.buffer, at, table.length).set(table);
    }
    const sizes = { height, width, capacity, voxelBytes };
    const programs = new ProgramStore(arena.end);
    this.#laid = { shapes, exam, tables, programs, end: arena.end, ...sizes };
    return this.#laid;
  }
}
