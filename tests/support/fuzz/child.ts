/**
 * The process in which mutated files are read: it may crash, hang or run out of memory, and the one
 * that started it says by which file.
 *
 * Arguments: a module with `fuzzReaders`, a reader's name, the seed, the first number, the count and
 * the file into which the number of the current case is written.
 */
import { campaign, CaseFault } from "./campaign.ts";

const [module, name, seed, first, count, beat] = Deno.args;
const { fuzzReaders } = await import(module);
const reader = (await fuzzReaders()).get(name);
using current = Deno.openSync(beat, { write: true, create: true });
const number = new DataView(new ArrayBuffer(8));
const onCase = (index: number) => {
  number.setFloat64(0, index + 1);
  current.seekSync(0, Deno.SeekMode.Start);
  current.writeSync(new Uint8Array(number.buffer));
};
let result: unknown;
try {
  const options = { seed: Number(seed), first: Number(first), count: Number(count), onCase };
  result = { report: await campaign(reader, options) };
} catch (error) {
  if (!(error instanceof CaseFault)) throw error;
  const { message, index, cause } = error;
  result = { message, index, stack: cause instanceof Error ? cause.stack : undefined };
}
await Deno.stdout.write(new TextEncoder().encode(`${JSON.stringify(result)}\n`));
