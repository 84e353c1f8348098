/**
 * A process whose own thread waits for a busy one nearly all the time: prints a line when it begins,
 * and another after thirty rounds of some tenths of a second in which nothing was given up.
 */
import { Program } from "../../lib/engine/wasm/program.ts";
import { FIRST_FREE, Threads } from "../../lib/engine/wasm/threads.ts";

const AT = Math.ceil(FIRST_FREE / 4096) * 4096;
const SCRATCH = AT + 65536;
const BYTES = 16 * 2 ** 20;

const threads = await Threads.start({ threads: 2, patience: 400 });
await threads.ready();
threads.reserve(SCRATCH + BYTES);
const programs = [0, 1].map((thread) => {
  const program = new Program();
  if (thread === 1) {
    for (let i = 0; i < 200; i++) program.call("clear", { at: SCRATCH, bytes: BYTES });
  }
  program.barrier();
  const words = program.words();
  new Int32Array(threads.buffer, AT + 4096 * thread, words.length).set(words);
  return AT + 4096 * thread;
});
const say = (line: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
say("begun");
for (let round = 0; round < 30; round++) threads.run(programs);
threads.dispose();
say("done");
