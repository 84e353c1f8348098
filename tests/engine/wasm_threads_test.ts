// Threads that share a memory and run programs of kernels together. None of these tests switches off
// Deno's own watch over what is left behind.
import assert from "node:assert/strict";
import { Program } from "../../lib/engine/wasm/program.ts";
import { FIRST_FREE, Threads } from "../../lib/engine/wasm/threads.ts";

const AT = Math.ceil(FIRST_FREE / 4096) * 4096;
/** Where the programs go, one a thread, 4096 bytes apart. */
const PROGRAMS = AT + 65536;

function load(threads: Threads, write: (program: Program, thread: number) => void): number[] {
  threads.reserve(PROGRAMS + 4096 * threads.count);
  return Array.from({ length: threads.count }, (_, thread) => {
    const program = new Program(threads.names);
    write(program, thread);
    const words = program.words();
    const address = PROGRAMS + 4096 * thread;
    new Int32Array(threads.buffer, address, words.length).set(words);
    return address;
  });
}

async function withThreads(
  count: number,
  body: (threads: Threads) => void | Promise<void>,
  patience?: number,
): Promise<void> {
  const threads = await Threads.start({ threads: count, patience });
  try {
    await threads.ready();
    await body(threads);
  } finally {
    threads.dispose();
  }
}

for (const count of [1, 2, 3]) {
  Deno.test(`a barrier holds ${count} threads until all of them are there`, async () => {
    await withThreads(count, (threads) => {
      // Each thread takes the mean of what all of them put down before the barrier.
      const programs = load(threads, (program, thread) => {
        program.call("meanOfPixels", AT + 16 * thread, AT + 1024 + 16 * thread, 1, 4);
        program.barrier();
        program.call("meanOfPixels", AT + 1024, AT + 2048 + 16 * thread, count, 4);
        program.barrier();
      });
      const floats = new Float32Array(threads.buffer, AT, 4096);
      for (let round = 0; round < 200; round++) {
        for (let thread = 0; thread < count; thread++) floats[4 * thread] = round + thread;
        threads.run(programs);
        for (let thread = 0; thread < count; thread++) {
          assert.equal(floats[512 + 4 * thread], round + (count - 1) / 2);
        }
      }
    });
  });
}

Deno.test("a part of a program is skipped where a word has another value", async () => {
  await withThreads(1, (threads) => {
    const programs = load(threads, (program) => {
      program.onlyIf(AT, 7, () => program.call("clear", AT + 4, 4));
      program.call("clear", AT + 8, 4);
      program.barrier();
    });
    const words = new Int32Array(threads.buffer, AT, 3);
    words.set([6, 1, 1]);
    threads.run(programs);
    assert.deepEqual([...words], [6, 1, 0]);
    words[0] = 7;
    threads.run(programs);
    assert.deepEqual([...words], [7, 0, 0]);
  });
});

Deno.test("a kernel that does not exist is refused when the program is made", () => {
  assert.throws(() => new Program([]).call("nothing"), { message: "There is no kernel 'nothing'" });
});

Deno.test("memory grows under running workers", async () => {
  await withThreads(2, (threads) => {
    const far = 64 * 2 ** 20;
    const grow = (address: number) =>
      load(threads, (program, thread) => {
        program.call("clear", address + 4 * thread, 4);
        program.barrier();
      });
    threads.run(grow(AT));
    threads.reserve(far + 4096);
    new Int32Array(threads.buffer, far, 2).set([1, 1]);
    threads.run(grow(far));
    assert.deepEqual([...new Int32Array(threads.buffer, far, 2)], [0, 0]);
  });
});

Deno.test("memory that cannot be had is one clear line", async () => {
  await withThreads(1, (threads) => {
    assert.throws(() => threads.reserve(2 ** 33), {
      name: "EngineError",
      message: "Cannot get 8590 MB of memory for the exam: " +
        "use exams of fewer or smaller slices, or --threads 1",
    });
  });
});

Deno.test("a worker's fault ends the step on every thread, in one clear line", async () => {
  await withThreads(3, (threads) => {
    const programs = load(threads, (program, thread) => {
      if (thread === 2) program.call("clear", -65536, 65536 * 2);
      program.barrier();
    });
    const failure = {
      name: "EngineError",
      message: /^Cannot compute on 3 threads: another thread failed: try --threads 1$/,
    };
    assert.throws(() => threads.run(programs), failure);
    // And so does every later one.
    assert.throws(() => threads.run(programs), failure);
  });
});

Deno.test("a worker that never answers is given up", async () => {
  await withThreads(2, (threads) => {
    const programs = load(threads, (program, thread) => {
      // The second thread ends without a word.
      if (thread === 0) program.barrier();
    });
    assert.throws(() => threads.run(programs), {
      name: "EngineError",
      message: "Cannot compute on 2 threads: another thread does not answer: try --threads 1",
    });
  }, 150);
});

Deno.test("threads that were ended compute nothing", async () => {
  const threads = await Threads.start({ threads: 2 });
  await threads.ready();
  threads.dispose();
  assert.throws(() => threads.run([0, 0]), {
    name: "EngineError",
    message: "Cannot compute on 2 threads: they were ended: try --threads 1",
  });
});
