// What a network has learnt, read off an engine and taken up by another network.
import assert from "node:assert/strict";
import { createNetwork } from "../../lib/model/create_network.ts";
import type { Snapshot } from "../../lib/model/engine_network.ts";
import { initialWeights } from "../../lib/model/initialise.ts";
import { MRNet } from "../../lib/model/mrnet.ts";
import { onEachEngine } from "../support/engines.ts";
import { seededExam } from "../support/seeded.ts";

/** The bits of everything in a snapshot, by name. */
function bitsOf({ parameters, optimizer }: Snapshot): Map<string, Int32Array> {
  const values = [...parameters].map(([name, { data }]) => [name, data] as const);
  for (const which of ["first", "second"] as const) {
    for (const [name, data] of optimizer?.[which] ?? []) values.push([`${which} ${name}`, data]);
  }
  return new Map(values.map(([name, { buffer, byteOffset, length }]) => {
    return [name, new Int32Array(buffer, byteOffset, length)];
  }));
}

function assertSame(actual: Snapshot, expected: Snapshot): void {
  assert.equal(actual.optimizer?.steps, expected.optimizer?.steps);
  const [own, others] = [bitsOf(actual), bitsOf(expected)];
  assert.deepEqual([...own.keys()], [...others.keys()]);
  for (const [name, bits] of own) {
    assert.ok(bits.every((each, at) => each === others.get(name)![at]), `${name} differs`);
  }
}

// The plain engine's own are tested in adam_test.ts; its steps on a real network take long.
onEachEngine("a network that takes up a snapshot goes on with the same bits", async () => {
  const exam = (seed: number, label: 0 | 1) => {
    return { exam: seededExam(seed, { slices: 1, height: 64, width: 64 }), label };
  };
  using model = new MRNet(initialWeights(3));
  const whole = await createNetwork(model);
  const start = await whole.snapshot();
  assertSame(start, { parameters: await model.stateDict() });
  await whole.step(exam(1, 1), [1, 2]);
  const between = await whole.snapshot();
  await whole.step(exam(2, 0), [1, 2]);
  const end = await whole.snapshot();
  // It is a copy, and the model's own parameters stay behind.
  assertSame(start, { parameters: await model.stateDict() });

  using other = new MRNet(between.parameters);
  const next = await createNetwork(other);
  await next.restore(between.optimizer!);
  assertSame(await next.snapshot(), between);
  await next.step(exam(2, 0), [1, 2]);
  assertSame(await next.snapshot(), end);
  whole.dispose();
  next.dispose();
}, { engines: ["webgpu", "wasm"] });
