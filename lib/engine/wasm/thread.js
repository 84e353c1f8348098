// @ts-self-types="./thread.d.ts"

/**
 * What each thread does: it runs a program, a list of kernel calls and barriers.
 *
 * The file is used twice: imported by the main thread, and given as text to the workers. So it imports
 * nothing. A worker from a file would need `--allow-read` for that file; one from text needs nothing.
 *
 * A program is 32-bit words in shared memory: each instruction is its code, the number of its arguments,
 * and the arguments.
 */

/** How often a barrier polls before it sleeps: about as long as waking up takes. */
const POLLS = 2000;

// The calls are counted in a cache line of their own, away from the words that barriers poll.
export const CONTROL = { failed: 0, arrived: 1, phase: 2, calls: 16 };
export const CONTROL_WORDS = 32;
export const INSTRUCTION = { end: 0, barrier: 1, skipUnless: 2, repeatIf: 3, callOf: 4 };
export const FIRST_KERNEL = 5;

export function kernelNames(module) {
  return WebAssembly.Module.exports(module)
    .filter(({ kind }) => kind === "function").map(({ name }) => name).sort();
}

export function instantiate(module, memory) {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  return kernelNames(module).map((name) => exports[name]);
}

export function execute(thread, program) {
  // A new view for each program: the memory may have grown.
  const words = new Int32Array(thread.memory.buffer);
  const control = words.subarray(thread.control / 4, thread.control / 4 + CONTROL_WORDS);
  try {
    for (let at = program >>> 2; words[at] !== INSTRUCTION.end;) {
      const code = words[at];
      const next = at + 2 + words[at + 1];
      if (code >= FIRST_KERNEL) {
        thread.kernels[code - FIRST_KERNEL].apply(null, words.subarray(at + 2, next));
        Atomics.add(control, CONTROL.calls, 1);
      } else if (code === INSTRUCTION.barrier) {
        // Read before: after the last barrier the caller may write the next program over this one.
        const last = words[next] === INSTRUCTION.end;
        meet(control, thread.threads, thread.patience);
        if (last) return;
      } else if (code === INSTRUCTION.callOf) {
        const args = words.slice(at + 6, next);
        const moved = words[words[at + 3] >>> 2] * words[at + 4];
        for (let index = 0; index < args.length; index++) {
          if (words[at + 5] >>> index & 1) args[index] += moved;
        }
        thread.kernels[words[at + 2] - FIRST_KERNEL].apply(null, args);
        Atomics.add(control, CONTROL.calls, 1);
      } else if (code === INSTRUCTION.repeatIf) {
        if (words[words[at + 2] >>> 2] !== 0) {
          at = next - words[at + 3];
          continue;
        }
      } else if (words[words[at + 2] >>> 2] !== words[at + 3]) {
        at = next + words[at + 4];
        continue;
      }
      at = next;
    }
  } catch (error) {
    giveUp(thread);
    throw error;
  }
}

/** How long a barrier sleeps before it checks for a failure, in milliseconds. */
const SLEEP = 100;

/**
 * Waits until all threads are here. It gives up if no thread ends a call for `patience` milliseconds. The
 * time that this thread itself took is no measure: its share may be empty.
 */
function meet(control, threads, patience) {
  const phase = Atomics.load(control, CONTROL.phase);
  if (Atomics.add(control, CONTROL.arrived, 1) === threads - 1) {
    Atomics.store(control, CONTROL.arrived, 0);
    Atomics.add(control, CONTROL.phase, 1);
    Atomics.notify(control, CONTROL.phase);
    return;
  }
  for (let poll = 0; poll < POLLS; poll++) {
    if (Atomics.load(control, CONTROL.phase) !== phase) return;
  }
  let waited = 0;
  let calls = Atomics.load(control, CONTROL.calls);
  while (Atomics.load(control, CONTROL.phase) === phase) {
    if (Atomics.load(control, CONTROL.failed) === 1) throw new Error("one of them failed");
    if (waited >= patience) throw new Error("one of them does not answer");
    const before = performance.now();
    // In short sleeps: another thread may report a failure just before this one sleeps.
    Atomics.wait(control, CONTROL.phase, phase, Math.min(patience - waited, SLEEP));
    // A longer sleep counts no more: a stopped process, as by Ctrl-Z, stops all its threads.
    waited += Math.min(performance.now() - before, 2 * SLEEP);
    const made = Atomics.load(control, CONTROL.calls);
    if (made !== calls) waited = 0;
    calls = made;
  }
}

/** Tells the threads that wait at a barrier that this one has failed. */
function giveUp({ memory, control }) {
  const words = new Int32Array(memory.buffer, control, CONTROL_WORDS);
  Atomics.store(words, CONTROL.failed, 1);
  Atomics.notify(words, CONTROL.phase);
}

// Only in the workers that threads.ts makes.
if (globalThis.name === "mrnet-kernels") {
  let thread;
  globalThis.onmessage = ({ data }) => {
    try {
      if (typeof data === "number") {
        execute(thread, data);
      } else {
        thread = { ...data, kernels: instantiate(data.module, data.memory) };
        globalThis.postMessage("ready");
      }
    } catch (error) {
      if (thread !== undefined) giveUp(thread);
      // Posted, not thrown: the runtime prints what a worker throws.
      globalThis.postMessage(String(error.message ?? error));
    }
  };
}
