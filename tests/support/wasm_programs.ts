/**
 * The programs that a network writes for the processor's kernels, as hashes: whatever changes a call, an
 * address or their order changes them. Run as a script it prints the hashes of today's code:
 *
 *     deno run -A tests/support/wasm_programs.ts > tests/golden/wasm_programs.json
 */
import { createHash } from "node:crypto";
import type { Exam } from "../../lib/data/exam.ts";
import { KERNEL_PARAMETERS } from "../../lib/engine/wasm/kernel_parameters.ts";
import { FIRST_KERNEL, INSTRUCTION } from "../../lib/engine/wasm/thread.js";
import { FIRST_FREE, type Threads } from "../../lib/engine/wasm/threads.ts";
import { NetworkPrograms } from "../../lib/model/wasm/network_programs.ts";
import { NetworkMemory } from "../../lib/model/wasm/network_memory.ts";

/** An exam's size, and how a network of these threads computes it. */
interface Case {
  threads: number;
  slices: number;
  height: number;
  width: number;
  /** Whether the voxels are float32 rather than uint8. */
  float?: boolean;
  /** Whether the network only predicts. */
  predicting?: boolean;
  frozen?: string[];
}

const FEATURES = [0, 3, 6, 8, 10].flatMap((index) =>
  ["weight", "bias"].map((what) => `pretrained_model.features.${index}.${what}`)
);

/** Sizes with tiles that fit and that do not, and slices that are divided evenly and unevenly. */
const SIZES = [
  { slices: 1, height: 256, width: 256 },
  { slices: 7, height: 256, width: 256 },
  { slices: 20, height: 64, width: 64 },
  { slices: 4, height: 224, width: 240, float: true },
  { slices: 3, height: 97, width: 512 },
];

const CASES: readonly Case[] = [
  ...[1, 2, 3].flatMap((threads) => SIZES.map((size) => ({ threads, ...size }))),
  ...SIZES.map((size) => ({ threads: 1, predicting: true, ...size })),
  ...[[], ["weight"], ["weight", "bias"]].flatMap((head) => {
    const frozen = head.map((what) => `classifer.${what}`);
    return [FEATURES, FEATURES.slice(0, 3), [FEATURES[9]], FEATURES.slice(1, 2)].map((
      features,
    ) => ({
      threads: 2,
      ...SIZES[2],
      frozen: [...features, ...frozen],
    }));
  }),
];

/** The hash of each program of each thread, and of whatever else the network writes into memory. */
export function programHashes(): Record<string, Record<string, string>> {
  return Object.fromEntries(CASES.map((each) => [JSON.stringify(each), _hashesOf(each)]));
}

function _hashesOf({ threads: count, frozen, predicting = false, float, ...size }: Case) {
  const threads = new RecordingThreads(count);
  const like = threads as unknown as Threads;
  const memory = new NetworkMemory(like, !predicting);
  // The second of two networks does not begin at the first free address.
  new NetworkPrograms(like, memory);
  const network = new NetworkPrograms(like, memory, new Set(frozen));
  const voxels = size.slices * size.height * size.width;
  const exam: Exam = {
    id: "empty",
    ...size,
    voxels: float ? new Float32Array(voxels) : new Uint8Array(voxels),
  };
  const input = {
    label: 1,
    weights: [1, 2.5] as const,
    matrix: [1, 0.5, 2, 0.25, 1, 3],
    affine: { scale: 2, offset: -1 },
  };
  // The second time what is packed once is packed.
  const names = predicting ? ["evaluate"] as const : ["train", "evaluate", "train"] as const;
  const hashes: Record<string, string> = {};
  for (const [at, name] of names.entries()) {
    threads.runs = [];
    network.run(name, exam, input);
    threads.runs.forEach((programs, run) =>
      programs.forEach((program, thread) =>
        hashes[`${at} ${name} ${run} ${thread}`] = _hash(program)
      )
    );
  }
  hashes.memory = _hash(threads.memory());
  return hashes;
}

const INSTRUCTIONS = Object.fromEntries(
  Object.entries(INSTRUCTION).map(([name, code]) => [code, name]),
);

/** Stands in for the threads: it lists what a program calls instead of calling it. */
export class RecordingThreads {
  /** Each run's programs, one a thread: a line for each call. */
  runs: string[][] = [];
  /** The addresses of the last run's programs. */
  addresses: readonly number[] = [];
  readonly buffer = new ArrayBuffer(FIRST_FREE, { maxByteLength: 2 ** 31 });
  readonly #kernels = Object.keys(KERNEL_PARAMETERS).sort();
  readonly #written: Int32Array[] = [];

  constructor(readonly count: number) {}

  reserve(bytes: number): void {
    if (bytes > this.buffer.byteLength) this.buffer.resize(Math.ceil(bytes / 4) * 4);
  }

  run(addresses: readonly number[]): void {
    this.addresses = addresses;
    this.runs.push(addresses.map((address) => this.#listing(address)));
  }

  /** What lies in memory beside the programs that were run: words that are not 0, by their addresses. */
  memory(): string {
    for (const words of this.#written) words.fill(0);
    const lines: string[] = [];
    const words = new Int32Array(this.buffer);
    for (let index = 0; index < words.length; index++) {
      if (words[index] !== 0) lines.push(`${4 * index} ${words[index]}`);
    }
    return lines.join("\n");
  }

  /** Kernels by their names, since their numbers change with each kernel that is added. */
  #listing(address: number): string {
    const words = new Int32Array(this.buffer, address);
    const lines: string[] = [];
    let at = 0;
    while (words[at] !== INSTRUCTION.end) {
      const [code, count] = words.subarray(at, at + 2);
      const args = words.subarray(at + 2, at + 2 + count);
      const kernel = (code: number) => this.#kernels[code - FIRST_KERNEL];
      const isOf = code === INSTRUCTION.callOf;
      const name = kernel(code) ?? INSTRUCTIONS[code] + (isOf ? ` ${kernel(args[0])}` : "");
      lines.push(`${name} ${args.subarray(Number(isOf)).join(" ")}`);
      at += 2 + count;
    }
    this.#written.push(words.subarray(0, at + 1));
    return lines.join("\n");
  }
}

function _hash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

// deno-lint-ignore no-console
if (import.meta.main) console.log(JSON.stringify(programHashes(), null, 2));
