import assert from "node:assert/strict";
import {
  currentEngine,
  describeEngine,
  type EngineChoice,
  ENGINES,
  ensureEngine,
  startEngine,
} from "../../lib/engine/engine.ts";
import { findAdapter } from "../../lib/engine/webgpu/start.ts";
import * as tf from "../support/tf.ts";
import { withAdapter } from "../support/adapters.ts";

const real = await findAdapter();

/** An adapter of this name that gives what it is told to give. */
function adapter(
  description: string,
  requestDevice: GPUAdapter["requestDevice"] = () => Promise.reject(new Error("driver too old")),
): GPUAdapter {
  return {
    info: { description } as GPUAdapterInfo,
    features: new Set(["bgra8unorm-storage", "shader-f16", "timestamp-query"]),
    limits: real?.limits ?? {},
    requestDevice,
  } as unknown as GPUAdapter;
}

function threadsWord(count: number): string {
  return count === 1 ? "one thread" : `${count} threads`;
}

Deno.test("before an engine runs there is none to compute on", () => {
  assert.throws(() => currentEngine(), {
    name: "EngineError",
    message: "Cannot compute before an engine runs: await startEngine() first",
  });
});

Deno.test("an engine that does not exist is refused with those that do", async () => {
  await assert.rejects(startEngine("cuda" as EngineChoice), {
    name: "OptionError",
    message: "Cannot start engine 'cuda': choose from auto, webgpu, wasm, cpu",
  });
});

Deno.test("a number of threads that is none is refused", async () => {
  for (const threads of [0, -1, 1.5, NaN, 65]) {
    await assert.rejects(startEngine("wasm", { threads }), {
      name: "OptionError",
      message: `Cannot start an engine with threads ${threads}: give a whole number of 1 to 64`,
    });
  }
});

Deno.test("the threads are said for this start, and only WebAssembly has several", async () => {
  const { startEngine } = await import("../../lib/engine/engine.ts?threads");
  const three = await startEngine("wasm", { threads: 3 });
  assert.equal(
    describeEngine(three),
    "WebAssembly on the processor, 3 threads (asked for by name)",
  );
  assert.equal(three.threads, 3);
  assert.equal((await startEngine("wasm", { threads: 1 })).threads, 1);
  const plain = await startEngine("cpu", { threads: 3 });
  assert.equal(plain.threads, 1);
  assert.equal(
    describeEngine(plain),
    "plain JavaScript on the processor, one thread (asked for by name)",
  );
});

// Each of these needs an engine that was not started before, so each has the module anew.

Deno.test("without an adapter auto takes WebAssembly and says so", async () => {
  const { startEngine } = await import("../../lib/engine/engine.ts?no-adapter");
  await withAdapter(null, async () => {
    assert.equal(
      describeEngine(await startEngine("auto")),
      `WebAssembly on the processor, ${threadsWord(Math.min(navigator.hardwareConcurrency, 16))} ` +
        "(no WebGPU adapter)",
    );
    assert.equal(tf.getBackend(), "wasm");
    await assert.rejects(startEngine("webgpu"), {
      name: "EngineError",
      message: "Cannot start the WebGPU engine: this machine offers no adapter: " +
        "install a Vulkan, Metal or Direct3D 12 driver, or use --backend wasm",
    });
    assert.equal(tf.getBackend(), "wasm");
  });
});

Deno.test("a search for adapters that fails counts as no adapter", async () => {
  const { startEngine } = await import("../../lib/engine/engine.ts?failing-search");
  await withAdapter(new Error("no driver"), async () => {
    assert.equal((await startEngine()).reason, "no WebGPU adapter");
  });
});

Deno.test("a software adapter is passed over by auto", async () => {
  const { startEngine } = await import("../../lib/engine/engine.ts?software");
  const never = () => assert.fail("a device was asked for");
  await withAdapter(adapter("llvmpipe (LLVM 15.0.6, 256 bits)", never), async () => {
    const { name, reason } = await startEngine("auto");
    assert.equal(name, "wasm");
    assert.equal(
      reason,
      "the only WebGPU adapter is software, llvmpipe (LLVM 15.0.6, 256 bits)",
    );
  });
});

Deno.test("a GPU that does not start leaves WebAssembly to auto, and fails by name", async () => {
  const { startEngine } = await import("../../lib/engine/engine.ts?failing-gpu");
  await withAdapter(adapter("NVIDIA H200"), async () => {
    const { name, reason } = await startEngine("auto");
    assert.equal(name, "wasm");
    assert.equal(
      reason,
      "the GPU 'NVIDIA H200' did not start: " +
        "Cannot get a device of the GPU 'NVIDIA H200': driver too old",
    );
    await assert.rejects(startEngine("webgpu"), {
      name: "EngineError",
      message: "Cannot get a device of the GPU 'NVIDIA H200': driver too old",
    });
    assert.equal(tf.getBackend(), "wasm");
    assert.deepEqual([...await tf.add([1, 2], 1).data()], [2, 3]);
  });
  tf.disposeVariables();
});

Deno.test({
  name: "a GPU with every feature is taken by auto, and computes" +
    (real === undefined ? " (skipped: this machine has no WebGPU adapter)" : ""),
  ignore: real === undefined,
  // The engine outlives the test on purpose.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const { startEngine } = await import("../../lib/engine/engine.ts?hardware");
    let asked: GPUDeviceDescriptor | undefined;
    // The device is the machine's own; the adapter claims to be better than it is.
    const hardware = (await findAdapter())!;
    const claims = adapter("NVIDIA H200", (descriptor) => {
      asked = descriptor;
      return hardware.requestDevice({ requiredLimits: descriptor?.requiredLimits });
    });
    await withAdapter(claims, async () => {
      const engine = await startEngine("auto");
      assert.equal(describeEngine(engine), "WebGPU on NVIDIA H200 (a GPU is there)");
      assert.deepEqual(asked?.requiredFeatures, ["timestamp-query"]);
      const sum = tf.tidy(() => tf.add(tf.tensor1d([1, 2]), 1));
      assert.deepEqual([...await sum.data()], [2, 3]);
      sum.dispose();
      engine.check();
    });
  },
});

Deno.test({
  name: "a software adapter is taken by name and called what it is" +
    (real === undefined ? " (skipped: this machine has no WebGPU adapter)" : ""),
  ignore: real === undefined,
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const { startEngine } = await import("../../lib/engine/engine.ts?by-name");
    const hardware = (await findAdapter())!;
    const software = adapter("llvmpipe", () => hardware.requestDevice());
    await withAdapter(software, async () => {
      assert.equal(
        describeEngine(await startEngine("webgpu")),
        "WebGPU on llvmpipe, software (asked for by name)",
      );
    });
  },
});

Deno.test("an engine is started once and found again, whatever ran in between", async () => {
  const wasm = await startEngine("wasm");
  assert.equal(wasm.name, "wasm");
  assert.equal((await ensureEngine()).name, "wasm");
  const tensor = tf.tensor1d([1, 2, 3]);
  await startEngine("cpu");
  assert.equal(currentEngine().name, "cpu");
  await startEngine("wasm");
  assert.equal(currentEngine().name, "wasm");
  // It is the same engine still: what was computed on it is there.
  assert.deepEqual([...await tensor.data()], [1, 2, 3]);
  tensor.dispose();
  assert.deepEqual(ENGINES, ["webgpu", "wasm", "cpu"]);
});

Deno.test("why an engine runs is said for this start, not for an earlier one", async () => {
  const { startEngine } = await import("../../lib/engine/engine.ts?reasons");
  await withAdapter(null, async () => {
    assert.equal((await startEngine("wasm")).reason, "asked for by name");
    assert.equal((await startEngine("auto")).reason, "no WebGPU adapter");
    assert.equal((await startEngine("wasm")).reason, "asked for by name");
  });
});

Deno.test("an engine that is started twice at the same time is one engine", async () => {
  const { startEngine } = await import("../../lib/engine/engine.ts?together");
  const tensors = await Promise.all([1, 2].map(async (value) => {
    await startEngine("wasm");
    return tf.tensor1d([value]);
  }));
  assert.deepEqual(tensors.map((tensor) => [...tensor.dataSync()]), [[1], [2]]);
  tf.dispose(tensors);
});
