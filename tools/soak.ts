/**
 * `deno task soak [RUNS] [--hours H] [--engines wasm,webgpu] [--seed N]`: kills runs at random moments
 * and goes on with them until they end, then trains for hours and watches what the process holds.
 *
 * It fails where a killed run leaves anything else than one that was never stopped, or where memory
 * grows.
 */
import { type EngineName, ENGINES } from "../lib/engine/engine.ts";
import { drawSeed } from "../lib/random.ts";
import { killAndResume } from "../tests/support/kills.ts";
import { type Held, sampleTraining, type Steadiness } from "../tests/support/steady.ts";

/** What the resident size may grow by, in bytes: a JavaScript heap grows and shrinks by itself. */
const MAX_GROWTH = 32 * 1024 * 1024;

const print = (line: string) => Deno.stdout.write(new TextEncoder().encode(`${line}\n`));
const megabytes = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MB`;

/** Takes `--name VALUE` out of the arguments. */
function taken(args: string[], name: string): string | undefined {
  const at = args.indexOf(name);
  return at < 0 ? undefined : args.splice(at, 2)[1];
}

const args = [...Deno.args];
const child = taken(args, "--sample");
const hours = Number(taken(args, "--hours") ?? 2);
const seed = Number(taken(args, "--seed") ?? drawSeed());
const engines = (taken(args, "--engines") ?? "wasm,webgpu").split(",") as EngineName[];
const runs = Number(args[0] ?? 200);
const wrong = engines.some((name) => !ENGINES.includes(name)) || args.length > 1;
if (wrong || ![hours, seed, runs].every((value) => value >= 0)) {
  await print("usage: deno task soak [RUNS] [--hours H] [--engines wasm,webgpu] [--seed N]");
  Deno.exit(2);
}

if (child !== undefined) {
  const onSample = (held: Held) => void print(JSON.stringify(held));
  const seconds = 3600 * hours;
  await print(JSON.stringify(
    await sampleTraining({ engine: child as EngineName, seconds, onSample }),
  ));
  Deno.exit(0);
}

let failed = false;
await print(`seed ${seed}`);
/** Kills runs on an engine and goes on with them. */
async function kill(engine: EngineName): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "mrnet-soak-" });
  let shown = performance.now();
  const start = shown;
  const report = await killAndResume({
    ...{ folder, engine, runs, seed },
    onRun({ runs, kills, different }) {
      if (performance.now() - shown < 20_000) return;
      shown = performance.now();
      void print(
        `${engine.padEnd(6)} ${runs} runs so far, ${kills} kills: ${different.length} differ`,
      );
    },
  });
  const { kills, early, different } = report;
  await print(
    `${
      engine.padEnd(6)
    } ${report.runs} runs, ${kills} kills, ${early} of them before there was a ` +
      `state: ${different.length} differ from the run without a stop; ` +
      `${((performance.now() - start) / 1000).toFixed(0)} s`,
  );
  for (const line of different) await print(`  ${line}`);
  failed ||= different.length > 0;
  await Deno.remove(folder, { recursive: true });
}

// At the same time: most of a run is waiting, for the disk and for one thread.
await Promise.all((runs > 0 ? engines : []).map(kill));
for (const engine of hours > 0 ? engines : []) {
  // A process of its own, so that nothing else is in its memory.
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "-A", import.meta.filename!],
      ...["--sample", engine, "--hours", String(hours)],
    ],
    stderr: "null",
  }).output();
  if (code !== 0) throw new Error(`training on ${engine} failed`);
  const last = new TextDecoder().decode(stdout).trim().split("\n").at(-1)!;
  const held: Steadiness = JSON.parse(last);
  const growth = held.after - held.before;
  const grows = growth > MAX_GROWTH || held.moreTensors > 0 || held.moreGpu > 0;
  await print(
    `${engine.padEnd(6)} ${held.steps} steps in ${held.seconds.toFixed(0)} s: resident size ` +
      `${megabytes(held.before)} at first, ${megabytes(held.after)} at last; tensors ` +
      `+${held.moreTensors}, GPU memory +${held.moreGpu} bytes${grows ? ": IT GROWS" : ""}`,
  );
  failed ||= grows;
}
Deno.exit(failed ? 1 : 0);
