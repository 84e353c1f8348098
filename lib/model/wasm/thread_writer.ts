/** What the phases of a step have in common when they are written as a thread's program. */
import { Program } from "../../engine/wasm/program.ts";
import type { ExamMap, FixedMap } from "./memory_map.ts";
import type { Scratch } from "./scratch_map.ts";
import type { NetworkLayout } from "./parameters.ts";
import type { LayerShape } from "./shapes.ts";
import type { Tables } from "./tables.ts";

/** All that a program is made from. */
export interface Setting {
  threads: number;
  layout: NetworkLayout;
  /** One a layer. */
  shapes: readonly LayerShape[];
  fixed: FixedMap;
  exam: ExamMap;
  tables: Tables;
  /** How many slices the exam has. */
  slices: number;
  /** Whether the voxels are float32 rather than uint8. */
  float: boolean;
  /** Whether there is memory for gradients. */
  training: boolean;
  /** The names of the parameters that a step leaves as they are. */
  frozen: ReadonlySet<string>;
}

/** One thread's program while it is written. */
export class ThreadWriter {
  /** What is written. */
  readonly program: Program;
  /** What it is made from. */
  readonly setting: Setting;
  /** Which thread it is for. */
  readonly thread: number;

  constructor(setting: Setting, thread: number) {
    this.program = new Program();
    this.setting = setting;
    this.thread = thread;
  }

  /** What this thread computes in. */
  get scratch(): Scratch {
    return this.setting.exam.scratch[this.thread];
  }

  /** This thread's share of `count` things that follow one another. */
  share(count: number): number[] {
    const { threads } = this.setting;
    const all = Array.from({ length: count }, (_, index) => index);
    return all.filter((index) => index % threads === this.thread);
  }
}
