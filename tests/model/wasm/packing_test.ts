// What a network does once and not again: transforming filters and writing programs.
import assert from "node:assert/strict";
import type { Exam } from "../../../lib/data/exam.ts";
import type { Threads } from "../../../lib/engine/wasm/threads.ts";
import { evenGroups } from "../../../lib/model/wasm/forward.ts";
import { NetworkMemory } from "../../../lib/model/wasm/network_memory.ts";
import { NetworkPrograms } from "../../../lib/model/wasm/network_programs.ts";
import { listParameters } from "../../../lib/model/wasm/parameters.ts";
import { ALEXNET } from "../../../lib/network/alexnet.ts";
import type { Network } from "../../../lib/network/network.ts";
import { RESNET18 } from "../../../lib/network/resnet.ts";
import { RecordingThreads } from "../../support/wasm_programs.ts";

const INPUT = { label: 1, weights: [1, 2] as const, affine: { scale: 1, offset: 0 } };

function examOf(slices: number): Exam {
  const [height, width] = [64, 64];
  return { id: "empty", slices, height, width, voxels: new Uint8Array(slices * height * width) };
}

function networkOf({ threads: count = 2, frozen = [], network = ALEXNET, training = true }: {
  threads?: number;
  frozen?: readonly string[];
  network?: Network;
  training?: boolean;
} = {}) {
  const threads = new RecordingThreads(count);
  const like = threads as unknown as Threads;
  const memory = new NetworkMemory(like, training, network);
  const programs = new NetworkPrograms(like, memory, new Set(frozen));
  /** How many panels of filters an exam's run transforms, on all threads. */
  const transformed = (what: "train" | "evaluate", slices = 3): number => {
    threads.runs = [];
    programs.run(what, examOf(slices), INPUT);
    return threads.runs.flat().join("\n").match(/^transformFilters\d /gm)?.length ?? 0;
  };
  return { threads, programs, transformed };
}

/** How many panels so many channels have. */
const panels = (...channels: number[]) => channels.reduce((all, each) => all + each / 8, 0);
/** Those of AlexNet's Winograd layers. */
const FORWARD = panels(192, 384, 256, 256);
/** The same of input gradients: the fifth's is sparse. */
const BACKWARD = panels(64, 192, 384);

const nameOf = (index: number) => `pretrained_model.features.${index}`;

Deno.test("filters are transformed once for a pass of many exams", () => {
  for (const training of [true, false]) {
    const { transformed } = networkOf({ training });
    assert.equal(transformed("evaluate"), FORWARD);
    for (const slices of [3, 5, 1, 3]) assert.equal(transformed("evaluate", slices), 0);
  }
});

Deno.test("filters are transformed once a step, and once for the pass behind it", () => {
  const { transformed } = networkOf();
  for (let round = 0; round < 2; round++) {
    assert.equal(transformed("train"), FORWARD + BACKWARD);
    assert.equal(transformed("train"), FORWARD + BACKWARD);
    assert.equal(transformed("evaluate"), FORWARD);
    assert.equal(transformed("evaluate"), 0);
  }
});

Deno.test("after a step only the filters that it changed are transformed", () => {
  const kept = [0, 3, 6].map((index) => `${nameOf(index)}.weight`);
  const { transformed } = networkOf({ frozen: kept });
  const later = panels(256, 256) + panels(384);
  assert.equal(transformed("train"), FORWARD + BACKWARD);
  assert.equal(transformed("train"), later);
  assert.equal(transformed("evaluate"), panels(256, 256));
  assert.equal(transformed("train"), later);
});

Deno.test("a step computes the gradients of what it trains, and no others", () => {
  const kept = [0, 3, 6].flatMap((index) => [`${nameOf(index)}.weight`, `${nameOf(index)}.bias`]);
  // Of the first three layers, and of the fifth.
  const kernels = ["sparseFilterNarrow", "addFilterGradient8", "spreadMaxima", "sparseInput"];
  const called = ({ threads }: ReturnType<typeof networkOf>) => {
    const calls = threads.runs.flat().join("\n");
    return kernels.filter((kernel) => new RegExp(`\\b${kernel}\\b`).test(calls));
  };
  const all = networkOf();
  all.transformed("train");
  assert.deepEqual(called(all), kernels);
  const some = networkOf({ frozen: kept });
  // The fourth layer's input gradient is that of layers that stay; the fifth's is sparse.
  assert.equal(some.transformed("train"), FORWARD);
  assert.equal(some.transformed("train"), panels(256, 256));
  assert.deepEqual(called(some), ["sparseInput"]);
});

Deno.test("a network whose convolutions stay transforms its filters once", () => {
  const kept = [0, 3, 6, 8, 10].flatMap((index) => [
    `${nameOf(index)}.weight`,
    `${nameOf(index)}.bias`,
  ]);
  const { transformed, threads } = networkOf({ frozen: kept });
  assert.equal(transformed("train"), FORWARD);
  assert.equal(transformed("train"), 0);
  // The maximum needs all slices, Adam all gradients, and the caller the end: no more.
  assert.deepEqual(threads.runs.flat().map((calls) => calls.match(/^barrier/gm)!.length), [3, 3]);
  assert.equal(transformed("evaluate"), 0);
});

Deno.test("frozen filters are folded anew if their batch normalisation is trained", () => {
  const one = networkOf({ network: RESNET18, threads: 1 });
  const [first, second] = [one.transformed("train"), one.transformed("train")];
  assert.equal(first, second);
  const name = one.programs.layout.layers.find(({ tiling }) => tiling)!;
  const weight = networkOf({ network: RESNET18, threads: 1, frozen: [`${name.name}.weight`] });
  weight.transformed("train");
  assert.equal(weight.transformed("train"), second);
  const all = [
    `${name.name}.weight`,
    ...["weight", "bias"].map((what) => `${name.batchNorm!.name}.${what}`),
  ];
  const both = networkOf({ network: RESNET18, threads: 1, frozen: all });
  both.transformed("train");
  assert.equal(both.transformed("train"), second - (name.outputs + name.inputs) / 8);
});

Deno.test("new parameters are transformed, frozen or not", async () => {
  const { programs, transformed } = networkOf({ frozen: [`${nameOf(6)}.weight`] });
  // Of the frozen layer also those that a step will need.
  assert.equal(transformed("evaluate"), FORWARD + panels(192));
  assert.equal(transformed("evaluate"), 0);
  const { layout } = programs;
  const values = listParameters(layout, new Float32Array(layout.floats), "HWIO");
  const parameters = new Map([...values].map(([name, each]) => [name, { data: () => each }]));
  await programs.follow({ parameters, statistics: new Map() } as never);
  assert.equal(transformed("evaluate"), FORWARD + panels(192));
});

Deno.test("a program is written once for a number of slices", () => {
  const { programs, threads } = networkOf();
  const sizes = Array.from({ length: 12 }, (_, index) => 12 - index);
  const first = sizes.map((slices) => {
    programs.run("train", examOf(slices), INPUT);
    return { addresses: threads.addresses, calls: threads.runs.at(-1)! };
  });
  sizes.forEach((slices, at) => {
    programs.run("train", examOf(slices), INPUT);
    assert.deepEqual(threads.addresses, first[at].addresses, `${slices} slices`);
    assert.deepEqual(threads.runs.at(-1), first[at].calls, `${slices} slices`);
  });
  assert.equal(new Set(first.map(({ addresses }) => addresses[0])).size, sizes.length);
});

Deno.test("kept programs are given up when they become too many, and written again", () => {
  const { programs, threads } = networkOf({ threads: 3, network: RESNET18 });
  const run = (slices: number) => {
    programs.run("train", examOf(slices), INPUT);
    return { end: Math.max(...threads.addresses), calls: threads.runs.at(-1)! };
  };
  const largest = run(40);
  let end = largest.end;
  let shrunk = false;
  for (let slices = 39; slices > 0 && !shrunk; slices--) {
    const next = run(slices);
    shrunk = next.end < end;
    end = next.end;
  }
  assert.ok(shrunk, "the memory of programs has no limit");
  assert.deepEqual(run(40).calls, largest.calls);
});

Deno.test("slices are grouped evenly, with no single one left", () => {
  for (let most = 1; most <= 16; most++) {
    for (let count = 1; count <= 61; count++) {
      const all = Array.from({ length: count }, (_, slice) => slice);
      const groups = evenGroups(all, most);
      assert.deepEqual(groups.flat(), all);
      const sizes = groups.map(({ length }) => length);
      assert.ok(Math.max(...sizes) <= most, `${count} in groups of ${most}`);
      assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1);
      if (count > 1 && most > 2) assert.ok(!sizes.includes(1), `${count} in groups of ${most}`);
    }
  }
  assert.deepEqual(evenGroups([1, 2, 3, 4, 5], 4), [[1, 2], [3, 4, 5]]);
  assert.deepEqual(evenGroups([1, 2, 3, 4], 4), [[1, 2, 3, 4]]);
});
