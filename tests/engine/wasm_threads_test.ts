// Threads that share a memory and run programs of kernels together. None of these tests switches off
// Deno's own watch over what is left behind.
import assert from "node:assert/strict";
import { Program } from "../../lib/engine/wasm/program.ts";
import { CONTROL_WORDS, execute } from "../../lib/engine/wasm/thread.js";
import { FIRST_FREE, Threads } from "../../lib/engine/wasm/threads.ts";

const AT = Math.ceil(FIRST_FREE / 4096) * 4096;
/** Where the programs go, one a thread, 4096 bytes apart. */
const PROGRAMS = AT + 65536;
/** What `execute` is tested with, in place of the compiled kernels. */
const ONE_KERNEL = { kernel: ["first", "second"] } as const;

function load(threads: Threads, write: (program: Program, thread: number) => void): number[] {
  threads.reserve(PROGRAMS + 4096 * threads.count);
  return Array.from({ length: threads.count }, (_, thread) => {
    const program = new Program();
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
        program.call("meanOfPixels", {
          x: AT + 16 * thread,
          out: AT + 1024 + 16 * thread,
          pixels: 1,
          channels: 4,
        });
        program.barrier();
        program.call("meanOfPixels", {
          x: AT + 1024,
          out: AT + 2048 + 16 * thread,
          pixels: count,
          channels: 4,
        });
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

Deno.test("a range of a program is skipped if a word has another value", async () => {
  await withThreads(1, (threads) => {
    const programs = load(threads, (program) => {
      program.onlyIf(AT, 7, () => program.call("clear", { at: AT + 4, bytes: 4 }));
      program.call("clear", { at: AT + 8, bytes: 4 });
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

Deno.test("a call is of the thing that a word chooses, and a range is repeated as long as a word is not 0", async () => {
  await withThreads(1, (threads) => {
    const [which, group, things] = [AT, AT + 16, AT + 256];
    const programs = load(threads, (program) => {
      program.repeatIf(group + 8, () => {
        // Slices 0 to 3, one at a time, to `which`.
        program.call("nextGroup", { owners: AT + 128, slices: 4, thread: 0, most: 1, group });
        program.onlyIf(group + 4, 1, () => {
          program.callOf("clear", { which: group + 12, bytes: 64, moved: ["at"] }, {
            at: things,
            bytes: 16,
          });
        });
      });
      program.call("clear", { at: which, bytes: 4 });
      program.barrier();
    });
    const words = new Int32Array(threads.buffer, AT, 256).fill(1);
    words.fill(0, 4, 8);
    words.set([0, -1, 0, -1], 32);
    threads.run(programs);
    const cleared = Array.from({ length: 4 }, (_, thing) => words[64 + 16 * thing]);
    assert.deepEqual(cleared, [0, 1, 0, 1]);
    // As many bytes as were asked for, and what comes behind the repeated range.
    assert.deepEqual([...words.subarray(67, 69)], [0, 1]);
    assert.equal(words[0], 0);
  });
});

Deno.test("a kernel that does not exist is refused when the program is made", () => {
  assert.throws(() => {
    // @ts-expect-error the compiler refuses it before
    new Program().call("nothing", {});
  }, { message: "There is no kernel 'nothing'" });
});

Deno.test("a call names all of a kernel's arguments, in any order, or does not compile", () => {
  const program = new Program();
  program.call("clear", { bytes: 16, at: 64 });
  const calls = program.words().subarray(1, 4);
  assert.deepEqual([...calls], [2, 64, 16]);
  // @ts-expect-error what is moved is a parameter
  program.callOf("clear", { which: 0, bytes: 4, moved: ["pixels"] }, { at: 64, bytes: 16 });
  // @ts-expect-error one is missing
  program.call("clear", { at: 64 });
  // @ts-expect-error one is of another kernel
  program.call("clear", { at: 64, bytes: 16, pixels: 4 });
  // @ts-expect-error one is no number
  program.call("clear", { at: 64, bytes: "16" });
});

Deno.test("memory grows under running workers", async () => {
  await withThreads(2, (threads) => {
    const far = 64 * 2 ** 20;
    const grow = (address: number) =>
      load(threads, (program, thread) => {
        program.call("clear", { at: address + 4 * thread, bytes: 4 });
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
  for (const [count, more] of [[1, ""], [2, ", or fewer --threads than 2"]] as const) {
    await withThreads(count, (threads) => {
      assert.throws(() => threads.reserve(2 ** 33), {
        name: "EngineError",
        message: "Cannot get 8590 MB of memory for the exam: " +
          `use exams of fewer or smaller slices${more}`,
      });
    });
  }
});

Deno.test("a worker's fault ends the step on every thread, in one clear line", async () => {
  await withThreads(3, (threads) => {
    const programs = load(threads, (program, thread) => {
      if (thread === 2) program.call("clear", { at: -65536, bytes: 65536 * 2 });
      program.barrier();
    });
    const failure = {
      name: "EngineError",
      message: /^Cannot compute on 3 threads: one of them failed: try --threads 1$/,
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
      message: "Cannot compute on 2 threads: one of them does not answer: try --threads 1",
    });
  }, 150);
});

Deno.test("a thread whose share is empty waits for one that is at work, however long that is", async () => {
  await withThreads(2, (threads) => {
    const scratch = PROGRAMS + 65536;
    // More than caches hold, so that a quick processor waits for memory, too.
    const bytes = 96 * 2 ** 20;
    threads.reserve(scratch + bytes);
    const seconds = (times: number) => {
      const programs = load(threads, (program, thread) => {
        if (thread === 1) {
          for (let i = 0; i < times; i++) program.call("clear", { at: scratch, bytes });
        }
        program.barrier();
      });
      const start = performance.now();
      threads.run(programs);
      return (performance.now() - start) / 1000;
    };
    // More and more often, until it takes longer than the deadline of a thread that is stuck.
    let times = 20;
    while (seconds(times) <= 1) times *= 2;
  }, 1000);
});

Deno.test("a process that was stopped for longer than a thread may be late goes on", async () => {
  const script = new URL("../support/busy_threads.ts", import.meta.url).pathname;
  const args = ["run", "-A", "--no-check", script];
  const command = new Deno.Command(Deno.execPath(), { args, stdout: "piped", stderr: "piped" });
  const process = command.spawn();
  const errors = new Response(process.stderr).text();
  let out = "";
  for await (const chunk of process.stdout.pipeThrough(new TextDecoderStream())) {
    out += chunk;
    if (out !== "begun\n") continue;
    const pause = (milliseconds: number) =>
      new Promise((resolve) => setTimeout(resolve, milliseconds));
    await pause(500);
    process.kill("SIGSTOP");
    await pause(1200);
    process.kill("SIGCONT");
  }
  assert.equal(out, "begun\ndone\n", await errors);
  assert.ok((await process.status).success);
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

Deno.test("a thread reads nothing of its program once the last barrier is open", () => {
  const memory = new WebAssembly.Memory({ initial: 3, maximum: 3, shared: true });
  const calls: number[][] = [];
  const program = new Program(ONE_KERNEL);
  program.call("kernel", { second: 2, first: 1 });
  program.barrier();
  const words = program.words();
  new Int32Array(memory.buffer, AT, words.length).set(words);
  const end = AT + 4 * (words.length - 1);
  const { notify } = Atomics;
  const opening = (array: Int32Array<SharedArrayBuffer>, index: number) => {
    // The barrier opens: from here on the caller may write whatever comes next over this program.
    const next = new Program(ONE_KERNEL);
    next.call("kernel", { first: 7, second: 0 });
    const words = next.words();
    new Int32Array(memory.buffer, end, words.length).set(words);
    return notify(array, index);
  };
  Object.assign(Atomics, { notify: opening });
  try {
    const kernels = [(...args: number[]) => void calls.push(args)];
    const control = FIRST_FREE - 4 * CONTROL_WORDS;
    execute({ memory, kernels, control, threads: 1, patience: 100 }, AT);
  } finally {
    Object.assign(Atomics, { notify });
  }
  assert.deepEqual(calls, [[1, 2]]);
});

Deno.test("hundreds of programs of changing lengths, back to back, are each run as they are", async () => {
  await withThreads(4, (threads) => {
    const counters = AT + 32768;
    const floats = new Float32Array(threads.buffer, AT, 8);
    const means = new Float32Array(threads.buffer, counters, 4 * threads.count);
    for (let round = 0; round < 600; round++) {
      // Each program is written over the one before, and ends where that had something else.
      const calls = 1 + (round * 7) % 23;
      floats.fill(round);
      const programs = load(threads, (program, thread) => {
        const to = counters + 16 * thread;
        for (let call = 0; call < calls; call++) {
          program.call("meanOfPixels", { x: AT, out: to, pixels: 1, channels: 4 });
        }
        program.barrier();
      });
      threads.run(programs);
      assert.ok(means.every((mean) => mean === round), `round ${round}`);
      // What a thread that goes on reading would run: it would be seen in the next round.
      load(threads, (program, thread) => {
        for (let call = 0; call < 30; call++) {
          program.call("clear", { at: 2 ** 31 - 64 * thread, bytes: 16 });
        }
        program.barrier();
      });
    }
  });
});
