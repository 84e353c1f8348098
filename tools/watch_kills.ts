/**
 * `deno task watch_kills [KILLS] [SEED]`: kills a watch of a PACS at random moments, goes on each time, and
 * counts the answers. It fails where a study was left unread or answered twice.
 */
import { drawSeed } from "../lib/random.ts";
import { killWatches, watchFaults } from "../tests/support/watch_kills.ts";

const print = (line: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
const [kills, seed] = [Number(Deno.args[0] ?? 200), Number(Deno.args[1] ?? drawSeed())];
const isWhole = [kills, seed].every((value) => Number.isSafeInteger(value) && value >= 0);
if (Deno.args.length > 2 || !isWhole) {
  print("usage: deno task watch_kills [KILLS] [SEED]");
  Deno.exit(2);
}
const killed = await killWatches(kills, seed, (done) => {
  if (done % 50 === 0) print(`${done} kills`);
});
const { studies, answers, twice } = killed;
print(
  `${kills} kills, seed ${seed}: ${studies} studies, ${answers} answers, of which ${twice} were sent twice`,
);
const faults = watchFaults(killed);
for (const fault of faults) print(`FAILED: ${fault}`);
Deno.exit(faults.length > 0 ? 1 : 0);
