/**
 * `deno task fuzz [READER,…] [COUNT] [--seed N] [--first N]`: damages valid files at random and gives
 * them to the readers, each reader in a process of its own.
 *
 * Every file must give a right answer or the reader's own error, within a second and 64 MB. The first
 * one that does not ends the reader's hunt; it is kept, and the command that makes it again printed.
 */
import { drawSeed } from "../lib/random.ts";
import { caseBytes } from "../tests/support/fuzz/case.ts";
import { hunt } from "../tests/support/fuzz/hunt.ts";
import { fuzzReaders } from "../tests/support/fuzz/readers.ts";

const print = (line: string) => Deno.stdout.write(new TextEncoder().encode(`${line}\n`));
const megabytes = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MB`;

/** Takes `--name N` out of the arguments. */
function taken(args: string[], name: string): number | undefined {
  const at = args.indexOf(name);
  return at < 0 ? undefined : Number(args.splice(at, 2)[1]);
}

const args = [...Deno.args];
const seed = taken(args, "--seed") ?? drawSeed();
const first = taken(args, "--first") ?? 0;
const all = await fuzzReaders();
const count = Number(args.find((arg) => /^\d+$/.test(arg)) ?? 10_000);
const names = args.filter((arg) => !/^\d+$/.test(arg)).flatMap((arg) => arg.split(","));
const unknown = names.filter((name) => !all.has(name));
if (unknown.length > 0 || ![seed, first, count].every(Number.isSafeInteger)) {
  await print(`usage: deno task fuzz [READER,...] [COUNT] [--seed N] [--first N]`);
  await print(`readers: ${[...all.keys()].join(", ")}`);
  Deno.exit(2);
}

await print(`seed ${seed}, ${count} files a reader`);
let failed = false;
for (const reader of names.length > 0 ? names : all.keys()) {
  const start = performance.now();
  const result = await hunt({ reader, seed, first, count });
  if ("report" in result) {
    const { answered, refused, onDisk, slowestMs, mostLeft, peakGrowth } = result.report;
    await print(
      `${reader.padEnd(11)} ${answered} answered, ${refused} refused, ${onDisk} also from disk; ` +
        `slowest ${slowestMs.toFixed(0)} ms, most left ${megabytes(mostLeft)}, ` +
        `peak of the process +${megabytes(peakGrowth)}; ` +
        `${((performance.now() - start) / 1000).toFixed(0)} s`,
    );
    continue;
  }
  failed = true;
  const { index, message, stack } = result.caught;
  await print(`${reader.padEnd(11)} FAILED at file ${index}: it ${message}`);
  if (stack !== undefined) await print(stack);
  if (index < 0) continue;
  const path = `${await Deno.makeTempDir({ prefix: "mrnet-fuzz-" })}/${reader}-${seed}-${index}`;
  await Deno.writeFile(path, caseBytes(all.get(reader)!, seed, index));
  await print(`file kept:  ${path}`);
  await print(`once more:  deno task fuzz ${reader} 1 --seed ${seed} --first ${index}`);
}
Deno.exit(failed ? 1 : 0);
