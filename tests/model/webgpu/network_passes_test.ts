import assert from "node:assert/strict";
import type { Exam } from "../../../lib/data/exam.ts";
import { startEngine } from "../../../lib/engine/engine.ts";
import { Gpu } from "../../../lib/engine/webgpu/gpu.ts";
import { initialWeights } from "../../../lib/model/initialise.ts";
import { MRNet } from "../../../lib/model/mrnet.ts";
import { networkState } from "../../../lib/model/parameters.ts";
import { NetworkPasses } from "../../../lib/model/webgpu/network_passes.ts";
import { fakeDevice } from "../../support/adapters.ts";

/** A device that has no memory for buffers above a size, and keeps one stack of error scopes. */
function smallDevice(most: number): { device: GPUDevice; open(): number } {
  const scopes: { error: GPUError | null }[] = [];
  const { device } = fakeDevice();
  Object.assign(device, {
    limits: { maxStorageBufferBindingSize: 2 ** 31 },
    pushErrorScope: () => void scopes.push({ error: null }),
    popErrorScope: () => Promise.resolve(scopes.pop()!.error),
    createBuffer({ size }: GPUBufferDescriptor) {
      const error = { message: `no room for ${size} bytes` };
      if (size > most) scopes.at(-1)!.error ??= error;
      return { size, destroy: () => {} };
    },
    createBindGroupLayout: () => ({}),
    createPipelineLayout: () => ({}),
    createShaderModule: () => ({}),
    // So that whoever waits for it lets others go on.
    createComputePipelineAsync: () =>
      new Promise((resolve) => setTimeout(resolve, 1, { getBindGroupLayout: () => ({}) })),
    createBindGroup: () => ({}),
  });
  return { device, open: () => scopes.length };
}

function makeExam(slices: number): Exam {
  const voxels = new Uint8Array(slices * 128 * 128);
  return { id: "exam", slices, height: 128, width: 128, voxels };
}

Deno.test("of two networks at once only the one whose memory is full learns of it", async () => {
  await startEngine("cpu");
  const model = new MRNet(initialWeights(1));
  // The parameters have room, and what eight slices leave; what 250 do has not.
  const { device, open } = smallDevice(40e6);
  const gpu = new Gpu(device, { software: false, check: () => {} });
  const networks = [8, 250, 8, 250].map((slices) => ({
    slices,
    network: new NetworkPasses(gpu, networkState(model), { slicesAtOnce: slices }),
  }));
  await Promise.all(networks.map(async ({ network, slices }) => {
    const prepared = network.prepare(makeExam(slices), true);
    if (slices === 8) return await prepared;
    await assert.rejects(prepared, {
      name: "EngineError",
      message: /^Cannot compute an exam on this GPU: its memory is full: no room for \d+ bytes: /,
    });
  }));
  assert.equal(open(), 0, "an error scope was left open");
  for (const { network } of networks) network.dispose();
  assert.equal(gpu.counts.heldBytes, 0);
  model.dispose();
});

Deno.test("a kernel's workgroups are computed once for each number of slices", async () => {
  const gpu = new Gpu(smallDevice(1e6).device, { software: false, check: () => {} });
  const asked: number[] = [];
  const { workgroups } = await gpu.prepare({
    kernel: { label: "kernel", bindings: [], code: "" },
    workgroups: (slices) => {
      asked.push(slices);
      return [slices, 2];
    },
  }, {});
  const exams = [17, 30, 17, 17, 30];
  assert.deepEqual(exams.map(workgroups), exams.map((slices) => [slices, 2]));
  assert.deepEqual(asked, [17, 30]);
});
