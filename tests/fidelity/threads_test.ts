/**
 * The processor's kernels give PyTorch's numbers on any number of threads and in every build, and each
 * number of threads repeats itself to the bit.
 */
import assert from "node:assert/strict";
import { startEngine } from "../../lib/engine/engine.ts";
import type { StateDict } from "../../lib/model/weights/tensors.ts";
import {
  compareNetwork,
  NETWORK_CASES,
  type NetworkCase,
  type NetworkOutcome,
  runNetworkCase,
} from "../support/network_golden.ts";
import { type Part, without } from "../support/runtime.ts";
import { assertWithinBounds } from "../support/tolerances.ts";
import { liveWorkers } from "../support/workers.ts";

/** How far two numbers of threads may be apart: they add up the same gradients in another order. */
const BETWEEN_THREADS = 1e-6;

function caseOf(name: string): NetworkCase {
  return NETWORK_CASES.find((each) => each.name === name)!;
}

async function run(name: string, threads: number, depth: "first" | "all"): Promise<NetworkOutcome> {
  await startEngine("wasm", { threads });
  const outcome = await runNetworkCase(caseOf(name), depth);
  assert.equal(liveWorkers(), 0, "a worker was left behind");
  return outcome;
}

function assertGolden(name: string, outcome: NetworkOutcome): void {
  assertWithinBounds(caseOf(name), compareNetwork(caseOf(name), outcome));
}

/** The L2 norm of the difference relative to the norm, of each tensor. */
function assertNear(expected: StateDict, actual: StateDict, share: number): void {
  for (const [name, { data }] of expected) {
    const other = actual.get(name)!.data;
    let [apart, norm] = [0, 0];
    data.forEach((value, i) => {
      apart += (other[i] - value) ** 2;
      norm += value ** 2;
    });
    const off = Math.sqrt(apart / norm);
    assert.ok(off <= share, `${name} is ${off} off`);
  }
}

function assertNearOne(one: NetworkOutcome, other: NetworkOutcome): void {
  for (const group of ["gradient_present", "parameters_1", "parameters_10"] as const) {
    if (one[group] !== undefined) assertNear(one[group], other[group]!, BETWEEN_THREADS);
  }
  const [expected, actual] = [one, other].map(({ logits, losses }) => [...logits, ...losses]);
  const scale = Math.max(...expected.map(Math.abs));
  expected.forEach((value, i) => {
    const off = Math.abs(actual[i] - value) / scale;
    assert.ok(off <= BETWEEN_THREADS, `value ${i} is ${off} off`);
  });
}

const SMALL = "2x64x64";
const LARGE = ["1x256x256", "7x224x240", "32x80x72"];
const one = await run(SMALL, 1, "all");
const ones = new Map<string, NetworkOutcome>();
for (const name of LARGE) ones.set(name, await run(name, 1, "first"));

for (const threads of [1, 2, 3]) {
  const on = threads === 1 ? "one thread" : `${threads} threads`;

  Deno.test(`ten steps on ${on} give PyTorch's numbers, those of one thread, and the same bits again`, async () => {
    const outcome = await run(SMALL, threads, "all");
    assertGolden(SMALL, outcome);
    assertNearOne(one, outcome);
    assert.deepEqual(await run(SMALL, threads, "all"), outcome);
  });

  for (const name of LARGE) {
    Deno.test(`a step on an exam of ${name} gives PyTorch's numbers on ${on}`, async () => {
      const outcome = threads === 1 ? ones.get(name)! : await run(name, threads, "first");
      assertGolden(name, outcome);
      assertNearOne(ones.get(name)!, outcome);
    });
  }
}

/** What is missing, and whether the bits are those of one thread where nothing is. */
const FALLBACKS: { missing: Part[]; sameBits: boolean }[] = [
  { missing: ["workers"], sameBits: true },
  { missing: ["shared memory"], sameBits: true },
  { missing: ["several memories"], sameBits: true },
  { missing: ["relaxed SIMD"], sameBits: false },
  { missing: ["relaxed SIMD", "shared memory"], sameBits: false },
];

for (const { missing, sameBits } of FALLBACKS) {
  Deno.test(`without ${missing.join(" and ")} a run gives PyTorch's numbers`, async () => {
    await without(missing, async () => {
      const outcome = await run(SMALL, 2, "all");
      assertGolden(SMALL, outcome);
      if (sameBits) assert.deepEqual(outcome, one);
    });
  });
}
