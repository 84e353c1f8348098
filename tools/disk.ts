/**
 * `deno task disk [power|errors] [COUNT] [--seed N]`: loses the power at every operation on the disk
 * that a training does, in four ways each, and lets every operation fail, alone and as on a disk that
 * stays full. With a count so many of all are drawn; without one of the two words both are done.
 *
 * It fails where a file that has its name is not whole, where what was saved does not go on to the end
 * of a run that nothing happened to, or where a failure is more than one line.
 */
import { drawSeed } from "../lib/random.ts";
import { type DiskReport, failWrites, losePower } from "../tests/support/disk/training.ts";

const print = (line: string) => Deno.stdout.write(new TextEncoder().encode(`${line}\n`));

const WAYS = { power: losePower, errors: failWrites };

const args = [...Deno.args];
const at = args.indexOf("--seed");
const seed = Number(at < 0 ? drawSeed() : args.splice(at, 2)[1]);
const ways = (args[0] ?? "") in WAYS
  ? [args.shift() as keyof typeof WAYS]
  : ["power", "errors"] as const;
const most = args.length > 0 ? Number(args[0]) : undefined;
if (args.length > 1 || !Number.isSafeInteger(seed) || !(most === undefined || most >= 1)) {
  await print("usage: deno task disk [power|errors] [COUNT] [--seed N]");
  Deno.exit(2);
}

await print(`seed ${seed}`);
let failed = false;
for (const way of ways) {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "mrnet-disk-" }));
  const start = performance.now();
  let shown = start;
  const line = ({ operations, tried, wentOn, faults }: DiskReport) =>
    `${way.padEnd(6)} ${operations} operations, ${tried} disks: ${wentOn} went on to the end, ` +
    `${faults.length} faults; ${((performance.now() - start) / 1000).toFixed(0)} s`;
  try {
    const report = await WAYS[way]({
      ...{ folder, most, seed },
      onTried(report) {
        if (performance.now() - shown < 20_000) return;
        shown = performance.now();
        void print(line(report));
      },
    });
    await print(line(report));
    for (const fault of report.faults) await print(`  ${fault}`);
    failed ||= report.faults.length > 0;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
Deno.exit(failed ? 1 : 0);
