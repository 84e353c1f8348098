/**
 * The whole start on an adapter that has everything, as on a real GPU, and a run whose GPU fails.
 */
import assert from "node:assert/strict";
import { writePhantomDataset } from "../../lib/phantom/mod.ts";
import { currentGpu, describeEngine, startEngine } from "../../lib/engine/engine.ts";
import { findAdapter } from "../../lib/engine/webgpu/start.ts";
import { trainRun } from "../../lib/train/run.ts";
import * as tf from "../support/tf.ts";
import { boundless, fakeDevice, MAX_LIMITS, withAdapter } from "../support/adapters.ts";
import { TemporaryFolder } from "../support/folders.ts";

/** As high as the adapter goes, but within what Deno takes. */
const CAPPED = 2 ** 32 - 4;

Deno.test("the start asks a boundless adapter for names in a flat list and limits that Deno takes", async () => {
  const { startEngine } = await import("../../lib/engine/engine.ts?boundless");
  const { device, report, lose } = fakeDevice();
  const info = { vendor: "4318", device: "9013", architecture: "", description: "NVIDIA H200" };
  const { adapter, asked } = boundless(info, () => device);
  await withAdapter(adapter, async () => {
    const engine = await startEngine("auto");
    assert.deepEqual(engine.adapter, info);
    assert.equal(describeEngine(engine), "WebGPU on NVIDIA H200 (a GPU is there)");
    assert.equal(tf.getBackend(), "webgpu");
    assert.deepEqual(asked, [{
      label: "mrnet",
      requiredFeatures: ["timestamp-query"],
      requiredLimits: {
        maxStorageBufferBindingSize: CAPPED,
        maxBufferSize: CAPPED,
        maxComputeWorkgroupStorageSize: CAPPED,
        maxComputeInvocationsPerWorkgroup: CAPPED,
        maxComputeWorkgroupSizeX: CAPPED,
        maxComputeWorkgroupsPerDimension: CAPPED,
        maxStorageBuffersPerShaderStage: CAPPED,
      },
    }]);
    assert.ok(Object.values(MAX_LIMITS).every((limit) => limit > CAPPED));

    // Started again it is the same device: no other is asked for.
    const again = await startEngine("webgpu", { precision: "half" });
    assert.equal(
      describeEngine(again),
      "WebGPU on NVIDIA H200, activations in half precision (asked for by name)",
    );
    assert.equal(asked.length, 1);

    engine.check();
    report("Validation Error");
    for (const started of [engine, again]) {
      assert.throws(() => started.check(), {
        name: "EngineError",
        message: "The GPU 'NVIDIA H200' reported an error: Validation Error: " +
          "run again, or with --backend wasm if it happens again",
      });
    }
    // What comes later does not hide the cause.
    await lose("unknown", "device removed");
    assert.throws(() => engine.check(), /reported an error: Validation Error/);
  });
  await startEngine("cpu");
});

Deno.test("a GPU that failed is started anew, on a device of its own", async () => {
  const { startEngine, currentGpu } = await import("../../lib/engine/engine.ts?anew");
  const [first, second] = [fakeDevice(), fakeDevice()];
  const given = [first, second];
  const { adapter, asked } = boundless({ description: "A10" }, () => given.shift()!.device);
  await withAdapter(adapter, async () => {
    const failed = await startEngine("webgpu");
    await first.lose("unknown", "driver reset");
    const engine = await startEngine("webgpu");
    assert.equal(asked.length, 2);
    assert.equal(currentGpu()!.device, second.device);
    engine.check();
    assert.ok(first.state.destroyed, "it holds its memory still");
    // Whoever had the one that failed learns of that still.
    assert.throws(() => failed.check(), /^EngineError: The GPU 'A10' was lost: driver reset: /);
    // Where there is no other, it is said why, and auto does without.
    second.report("Validation Error");
    adapter.requestDevice = () => Promise.reject(new Error("device removed"));
    await assert.rejects(startEngine("webgpu"), {
      name: "EngineError",
      message: "Cannot get a device of the GPU 'A10': device removed",
    });
    assert.equal((await startEngine("auto")).name, "wasm");
  });
});

Deno.test("the adapter that TensorFlow.js itself cannot start is refused as Deno refuses it", async () => {
  // That the stub is strict: the list in a list of TensorFlow.js's own start, and a limit of 2^53.
  const { adapter } = boundless({}, () => fakeDevice().device);
  const nested = [["bgra8unorm-storage"]] as unknown as GPUFeatureName[];
  await assert.rejects(adapter.requestDevice({ requiredFeatures: nested }), TypeError);
  for (const maxBufferSize of [2 ** 53, 2 ** 64]) {
    await assert.rejects(adapter.requestDevice({ requiredLimits: { maxBufferSize } }), TypeError);
  }
});

Deno.test("half precision is refused on other engines than WebGPU", async () => {
  const { startEngine } = await import("../../lib/engine/engine.ts?half");
  const hint = "only WebGPU does: use --backend webgpu, or leave --precision out";
  for (const [name, title] of [["wasm", "WebAssembly"], ["cpu", "plain JavaScript"]] as const) {
    await assert.rejects(startEngine(name, { precision: "half" }), {
      name: "OptionError",
      message: `Cannot compute in half precision on ${title} (asked for by name): ${hint}`,
    });
  }
  await withAdapter(null, async () => {
    await assert.rejects(startEngine("auto", { precision: "half" }), {
      name: "OptionError",
      message: `Cannot compute in half precision on WebAssembly (no WebGPU adapter): ${hint}`,
    });
  });
  await assert.rejects(startEngine("auto", { precision: "double" as "half" }), {
    name: "OptionError",
    message: "Cannot start an engine with precision 'double': choose from float32, half",
  });
});

const real = await findAdapter();

Deno.test({
  name: "a run whose GPU is lost ends in one line and keeps the best model" +
    (real === undefined ? " (skipped: this machine has no WebGPU adapter)" : ""),
  ignore: real === undefined,
  // The engine outlives the test on purpose.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    await using folder = await TemporaryFolder.make();
    const [data, models, logs] = ["data", "models", "logs"].map((name) => folder.at(name));
    const size = { train: 2, valid: 6, size: 64, slices: [1, 1] as [number, number], seed: 1 };
    await writePhantomDataset({ folder: data, ...size });
    const hardware = (await findAdapter())!;
    const { lose, device: { lost } } = fakeDevice();
    // The machine's own device, but for when it is lost.
    const { adapter } = boundless({ description: "NVIDIA H200" }, async () => {
      return Object.defineProperty(await hardware.requestDevice(), "lost", { value: lost });
    });
    await withAdapter(adapter, async () => {
      await startEngine("webgpu");
      assert.equal(currentGpu()!.software, false);
      let kept = "";
      const run = trainRun({
        task: "abnormal",
        plane: "axial",
        weights: "none",
        engine: "webgpu",
        epochs: 3,
        seed: 2,
        data,
        models,
        logs,
        async onEpoch({ epoch }, checkpoint) {
          assert.equal(epoch, 1, "training went on without a GPU");
          kept = checkpoint!;
          await lose("unknown", "driver reset");
        },
      });
      await assert.rejects(run, (error: Error) => {
        assert.equal(error.name, "EngineError");
        const [, state] = /; go on with --resume '([^']+)'; /.exec(error.message) ?? [];
        // At which exam depends on how many were under way.
        assert.equal(
          error.message.replace(/step \d+, at exam '\d+', \d of 2/, "step …"),
          "The GPU 'NVIDIA H200' was lost: driver reset: run again, or with --backend wasm if it " +
            `happens again; stopped in epoch 2, step … to train on; go on with --resume '${state}'; ` +
            `the best model so far is kept in '${kept}'`,
        );
        assert.ok(Deno.statSync(state).size > 1e6);
        return true;
      });
      assert.ok((await Deno.stat(kept)).size > 1e6);
      const config = (await folder.files("logs")).find((name) => name.endsWith("config.json"))!;
      const { engine, adapter } = JSON.parse(await folder.text(`logs/${config}`));
      assert.match(engine, /^WebGPU on NVIDIA H200 /);
      assert.deepEqual(adapter, { description: "NVIDIA H200" });
    });
  },
});
