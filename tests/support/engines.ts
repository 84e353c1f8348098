/**
 * The engines a test can run on, and what it takes to run one test body on each.
 */
import assert from "node:assert/strict";
import { type EngineName, startEngine } from "../../lib/engine/engine.ts";
import * as tf from "./tf.ts";
import { liveWorkers } from "./workers.ts";

/** Set where the absence of a WebGPU adapter must fail instead of skip. */
const DEMANDED = Deno.env.get("MRNET_REQUIRE_WEBGPU") === "1";

const hasAdapter = (await navigator.gpu?.requestAdapter().catch(() => null) ?? null) !== null;

/** What a test body is given. */
export interface EngineTest {
  engine: EngineName;
}

/** Which engines, and what else. */
export interface EngineTestOptions {
  /** @default all three */
  engines?: readonly EngineName[];
}

/**
 * Runs a test body once on each engine, and checks that it leaves no tensor and no worker
 * behind.
 *
 * WebGPU is skipped with a reason where this machine has no adapter, unless the environment demands
 * it with `MRNET_REQUIRE_WEBGPU=1`.
 */
export function onEachEngine(
  name: string,
  body: (test: EngineTest) => void | Promise<void>,
  { engines = ["webgpu", "wasm", "cpu"] }: EngineTestOptions = {},
): void {
  for (const engine of engines) {
    const ignore = engine === "webgpu" && !hasAdapter && !DEMANDED;
    const reason = ignore ? " (skipped: this machine has no WebGPU adapter)" : "";
    Deno.test({
      name: `${name} [${engine}]${reason}`,
      ignore,
      // The engine outlives the test on purpose.
      sanitizeOps: false,
      sanitizeResources: false,
      async fn() {
        const running = await startEngine(engine);
        const before = tf.memory().numTensors;
        await body({ engine });
        running.check();
        // A model that was disposed of ends its workers in the same turn, but not at once.
        await new Promise((resolve) => setTimeout(resolve));
        assert.equal(liveWorkers(), 0, "a worker was left behind");
        const left = tf.memory().numTensors - before;
        if (left !== 0) throw new Error(`${left} tensors were left behind`);
      },
    });
  }
}
