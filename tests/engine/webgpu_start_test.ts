import assert from "node:assert/strict";
import { findAdapter, registerWebGPU, watchDevice } from "../../lib/engine/webgpu/start.ts";
import type { AdapterLike } from "../../lib/engine/webgpu/adapter.ts";
import { fakeDevice } from "../support/adapters.ts";

const HINT = "run again, or with --backend wasm if it happens again";

Deno.test("a device that works passes the check", () => {
  watchDevice(fakeDevice().device, "NVIDIA H200").check();
});

Deno.test("an error that nobody caught fails the check, in the device's words", () => {
  const { device, report } = fakeDevice();
  const watched = watchDevice(device, "NVIDIA H200");
  const event = report("Validation Error\n\nCaused by:\n  binding 3 is missing");
  const expected = {
    name: "EngineError",
    message: "The GPU 'NVIDIA H200' reported an error: " +
      `Validation Error Caused by: binding 3 is missing: ${HINT}`,
  };
  assert.throws(() => watched.check(), expected);
  // What is reported here need not be printed by Deno too.
  assert.ok(event.defaultPrevented);
  // The first error is the cause of what follows.
  report("something else");
  assert.throws(() => watched.check(), expected);
});

Deno.test("a lost device fails the check, with or without a message", async () => {
  for (
    const [message, shown] of [["device removed", "device removed"], ["", "it gives no reason"]]
  ) {
    const { device, lose } = fakeDevice();
    const watched = watchDevice(device, "A10");
    await lose("unknown", message);
    assert.throws(() => watched.check(), {
      name: "EngineError",
      message: `The GPU 'A10' was lost: ${shown}: ${HINT}`,
    });
  }
});

Deno.test("a device that was destroyed on purpose is no failure", async () => {
  const { device, lose } = fakeDevice();
  const watched = watchDevice(device, "A10");
  await lose("destroyed", "destroyed");
  watched.check();
});

Deno.test("an adapter that gives no device is an error that names it", async () => {
  const adapter: AdapterLike = {
    info: { description: "NVIDIA H200" } as GPUAdapterInfo,
    features: new Set() as unknown as GPUSupportedFeatures,
    limits: {} as GPUSupportedLimits,
    requestDevice: () => Promise.reject(new TypeError("limit\nnot supported")),
  };
  await assert.rejects(registerWebGPU(adapter), {
    name: "EngineError",
    message: "Cannot get a device of the GPU 'NVIDIA H200': limit not supported",
  });
});

const found = await findAdapter();

Deno.test({
  name: "a real device's own complaint reaches the user" +
    (found === undefined ? " (skipped: this machine has no WebGPU adapter)" : ""),
  ignore: found === undefined,
  async fn() {
    const device = await (await findAdapter())!.requestDevice();
    const watched = watchDevice(device, "the adapter");
    // Mapping for reading goes with copying only.
    device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE });
    await device.queue.onSubmittedWorkDone();
    await new Promise((resolve) => setTimeout(resolve, 10));
    assert.throws(() => watched.check(), {
      name: "EngineError",
      message: /^The GPU 'the adapter' reported an error: .*(MAP_READ|usage).*: run again/i,
    });
    device.destroy();
  },
});
