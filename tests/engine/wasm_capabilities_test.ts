// What the WebAssembly engine does where the runtime has less than Deno has.
import assert from "node:assert/strict";
import {
  type Capabilities,
  describeProcessor,
  findCapabilities,
  threadsToUse,
} from "../../lib/engine/wasm/capabilities.ts";
import { Program } from "../../lib/engine/wasm/program.ts";
import { FIRST_FREE, Threads } from "../../lib/engine/wasm/threads.ts";
import { describeEngine, startEngine } from "../../lib/engine/engine.ts";
import { type Part, without } from "../support/runtime.ts";

const ALL: Capabilities = {
  simd: true,
  relaxedSimd: true,
  sharedMemory: true,
  multiMemory: true,
  workers: true,
};

Deno.test("Deno has all that the kernels use", () => {
  assert.deepEqual(findCapabilities(), ALL);
});

Deno.test("what is missing is found missing", async () => {
  const found = (...parts: Part[]) => without(parts, () => Promise.resolve(findCapabilities()));
  assert.deepEqual(await found("workers"), { ...ALL, workers: false });
  assert.deepEqual(await found("shared memory"), { ...ALL, sharedMemory: false });
  assert.deepEqual(await found("several memories"), { ...ALL, multiMemory: false });
  assert.deepEqual(await found("relaxed SIMD"), { ...ALL, relaxedSimd: false });
});

Deno.test("there is one thread where others could not be had", () => {
  assert.equal(threadsToUse(3, ALL), 3);
  for (const missing of ["simd", "sharedMemory", "multiMemory", "workers"]) {
    assert.equal(threadsToUse(3, { ...ALL, [missing]: false }), 1);
  }
  assert.equal(threadsToUse(3, { ...ALL, relaxedSimd: false }), 3);
});

Deno.test("the line about the engine says what is missing, where it is missed", () => {
  const line = (wanted: number, missing: Partial<Capabilities>) =>
    describeProcessor(wanted, { ...ALL, ...missing });
  assert.equal(line(2, {}), "the processor, 2 threads");
  assert.equal(line(2, { relaxedSimd: false }), "the processor, 2 threads, no relaxed SIMD here");
  assert.equal(line(2, { workers: false }), "the processor, one thread, no workers here");
  assert.equal(
    line(2, { sharedMemory: false }),
    "the processor, one thread, no shared memory here",
  );
  assert.equal(
    line(2, { multiMemory: false }),
    "the processor, one thread, no second memory here",
  );
  assert.equal(line(1, { sharedMemory: false, workers: false }), "the processor, one thread");
  assert.equal(
    line(2, { simd: false, relaxedSimd: false }),
    "the processor, one thread, no SIMD here, so TensorFlow.js's kernels",
  );
});

Deno.test("an engine without workers has one thread and says why", async () => {
  await without(["workers", "relaxed SIMD"], async () => {
    const engine = await startEngine("wasm", { threads: 2 });
    assert.equal(engine.threads, 1);
    assert.equal(
      describeEngine(engine),
      "WebAssembly on the processor, one thread, no workers here, no relaxed SIMD here " +
        "(asked for by name)",
    );
  });
  assert.equal((await startEngine("wasm", { threads: 2 })).threads, 2);
});

const NONE_MISSING: readonly string[] = [];

for (const relaxedSimd of [true, false]) {
  for (const missing of [NONE_MISSING, ["sharedMemory"], ["multiMemory"]]) {
    const sharedMemory = missing.length === 0;
    const title = `relaxed SIMD ${relaxedSimd}, ${missing[0] ?? "nothing else"} missing`;
    Deno.test(`threads run on the build that suits: ${title}`, async () => {
      const without = Object.fromEntries(missing.map((name) => [name, false]));
      const capabilities = { ...ALL, relaxedSimd, ...without };
      const threads = await Threads.start({ threads: 2, capabilities });
      try {
        await threads.ready();
        assert.equal(threads.count, sharedMemory ? 2 : 1);
        assert.equal(threads.buffer instanceof SharedArrayBuffer, sharedMemory);
        const at = Math.ceil(FIRST_FREE / 4096) * 4096;
        const far = 8 * 2 ** 20;
        threads.reserve(far + 4096);
        const programs = Array.from({ length: threads.count }, (_, thread) => {
          const program = new Program();
          program.call("clear", { at: far + 16 * thread, bytes: 16 });
          program.barrier();
          const address = at + 4096 * thread;
          new Int32Array(threads.buffer, address).set(program.words());
          return address;
        });
        const words = new Int32Array(threads.buffer, far, 4 * threads.count).fill(7);
        threads.run(programs);
        assert.ok(words.every((word) => word === 0));
      } finally {
        threads.dispose();
      }
    });
  }
}

Deno.test("kernels that cannot be started are one clear line", async () => {
  const { Memory } = WebAssembly;
  // A class that stands in for the memory, as where the system gives no more addresses.
  WebAssembly.Memory = class {
    constructor() {
      throw new RangeError("could not allocate memory");
    }
  } as unknown as typeof Memory;
  try {
    await assert.rejects(Threads.start({ threads: 2 }), {
      name: "EngineError",
      message: "Cannot start the processor's kernels: could not allocate memory: " +
        "try --threads 1 or --backend cpu",
    });
  } finally {
    WebAssembly.Memory = Memory;
  }
});

Deno.test("a worker that cannot be made is one clear line", async () => {
  const { Worker } = globalThis;
  globalThis.Worker = class {
    constructor() {
      throw new DOMException("not in this house", "NotSupportedError");
    }
  } as unknown as typeof Worker;
  try {
    const threads = await Threads.start({ threads: 2 });
    await assert.rejects(threads.ready(), {
      name: "EngineError",
      message: "Cannot compute on 2 threads: not in this house: try --threads 1",
    });
    threads.dispose();
  } finally {
    globalThis.Worker = Worker;
  }
});

Deno.test("workers that never start are given up, and not waited for once they are ended", async () => {
  const { postMessage } = Worker.prototype;
  Worker.prototype.postMessage = () => {};
  try {
    const threads = await Threads.start({ threads: 2, startPatience: 50 });
    await assert.rejects(threads.ready(), {
      name: "EngineError",
      message: "Cannot compute on 2 threads: one of them does not start: try --threads 1",
    });
    threads.dispose();
    const ended = await Threads.start({ threads: 2 });
    ended.dispose();
    await assert.rejects(ended.ready(), /they were ended/);
  } finally {
    Worker.prototype.postMessage = postMessage;
  }
});
