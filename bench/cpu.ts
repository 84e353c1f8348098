/**
 * Training and judging on the processor, beside PyTorch with as many threads, in one run.
 *
 * ```sh
 * deno task bench:cpu           # exams of 2, 8, 24 and 60 slices, 256×256; best of 3
 * deno task bench:cpu 5 8 24    # repeats, then numbers of slices
 * ```
 *
 * `work` is what a step costs in processor seconds, all threads together. Where a step takes longer
 * than its threads need for that, they wait for each other, or the machine is busy with something
 * else.
 *
 * Each figure is the least of the repeats after one that is not counted, in a process of its own, whose
 * peak memory stands beside it. Compare within a run, not between runs.
 *
 * @module
 */
import { cpuUsage } from "node:process";
import type { Exam } from "../lib/data/exam.ts";
import { startEngine } from "../lib/engine/engine.ts";
import { initialWeights } from "../lib/model/initialise.ts";
import { saveMRNet } from "../lib/model/create.ts";
import { MRNet } from "../lib/model/mrnet.ts";
import { createRandom } from "../lib/random.ts";
import { createRunner } from "../lib/train/runner.ts";
import { TensorRunner } from "../lib/train/tensor_runner.ts";

/** How wide the columns of the table are. */
const WIDTHS = [6, 7, 7, 7, 7, 5, 12, 7, 7, 5, 10, 13];

/** Height and width of a slice. */
const SIDE = 256;

/** What a process found. */
interface Figures {
  /** Seconds. */
  step: number;
  /** Seconds. */
  forward: number;
  /** What all threads together computed for a step, in processor seconds. */
  work: number;
  /** The most memory the process had, in megabytes; NaN where the system does not say. */
  peak: number;
}

/** Who computes: our kernels, or TensorFlow.js's operations. */
type Kind = "kernels" | "operations";

if (Deno.args[0] === "measure") {
  const [, kind, slices, threads, repeats] = Deno.args;
  const counts = [slices, threads, repeats].map(Number);
  print(JSON.stringify(await measure(kind as Kind, counts)));
  Deno.exit(0);
}

const [repeats = 3, ...given] = Deno.args.map(Number);
const sizes = given.length === 0 ? [2, 8, 24, 60] : given;
if (![repeats, ...sizes].every((count) => Number.isInteger(count) && count > 0)) {
  print("usage: deno task bench:cpu [REPEATS [SLICES ...]]");
  Deno.exit(2);
}
const cores = navigator.hardwareConcurrency;
const threadCounts = cores === 1 ? [1] : [1, cores];

await compareSteps();
await firstAnswer();
Deno.exit(0);

async function compareSteps(): Promise<void> {
  print(`Exams of ${SIDE}×${SIDE}; best of ${repeats}; seconds; peak memory in MB`);
  const figures = ["work", "forward", "peak"];
  const heads = ["slices", "threads", "step", ...figures, "PyTorch step", ...figures];
  heads.push("step ratio", "forward ratio");
  row(heads);
  const alone = new Map<number, Figures>();
  const together: string[] = [];
  for (const slices of sizes) {
    for (const threads of threadCounts) {
      const counts = [slices, threads, repeats].map(String);
      const ours = await inProcess("kernels", counts);
      const torch = await inPython(slices, threads);
      const ratio = (part: "step" | "forward") =>
        torch === undefined ? "–" : (ours[part] / torch[part]).toFixed(2);
      const theirs = torch === undefined ? ["–", "–", "–", "–"] : cells(torch);
      row([`${slices}`, `${threads}`, ...cells(ours), ...theirs, ratio("step"), ratio("forward")]);
      if (threads === 1) alone.set(slices, ours);
      else {
        const one = alone.get(slices)!;
        const faster = (part: "step" | "forward") => (one[part] / ours[part]).toFixed(2);
        together.push(
          `${slices} slices: ${threads} threads are ${faster("step")} times as fast as one in a ` +
            `step, ${faster("forward")} times in a forward pass`,
        );
      }
    }
  }
  together.forEach(print);
  const few = Math.min(8, ...sizes.filter((slices) => slices >= 8), Math.max(...sizes));
  const plain = await inProcess("operations", [few, 1, 1].map(String));
  const kernels = alone.get(few) ?? await inProcess("kernels", [few, 1, repeats].map(String));
  print(
    `${few} slices, one thread, in TensorFlow.js's operations: step ${plain.step.toFixed(3)}, ` +
      `forward ${plain.forward.toFixed(3)}, peak ${plain.peak.toFixed(0)} MB; our kernels are ` +
      `${(plain.step / kernels.step).toFixed(1)} and ` +
      `${(plain.forward / kernels.forward).toFixed(1)} times as fast`,
  );
}

/** A fresh process: an import alone; and import, weights and the first exam of 24 slices. */
async function firstAnswer(): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await startEngine("wasm");
    const weights = `${folder}/model.safetensors`;
    await saveMRNet(new MRNet(initialWeights(1)), weights);
    const module = new URL("../mod.ts", import.meta.url).href;
    const size = `slices: 24, height: ${SIDE}, width: ${SIDE}`;
    const start = `import * as m from ${JSON.stringify(module)};`;
    const exam = `{ id: "first", ${size}, voxels: new Uint8Array(24 * ${SIDE} * ${SIDE}).fill(9) }`;
    const read = `await m.startEngine("wasm"); ` +
      `const { model } = await m.loadMRNet(${JSON.stringify(weights)}); const exam = ${exam};`;
    const dataset = `{ labels: [{ id: "first", label: 0 }, { id: "again", label: 1 }], ` +
      "read: () => Promise.resolve(exam) }";
    const stop = "Deno.exit(0);";
    const scripts = {
      "an empty script": "",
      "import of mod.ts": start,
      "import, weights, model.predict": `${start} ${read} await model.predict(exam);`,
      "import, weights, first exam of evaluate": `${start} ${read} ` +
        `await m.evaluate(model, ${dataset}, { onExam() { ${stop} } });`,
    };
    print("A fresh process, seconds:");
    for (const [name, script] of Object.entries(scripts)) {
      const path = `${folder}/script.ts`;
      await Deno.writeTextFile(path, script);
      const seconds = await bestOf(async () => {
        const args = ["run", "-A", "--no-check", path];
        const { success, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
        if (!success) throw new Error(new TextDecoder().decode(stderr));
      }, repeats);
      print(`  ${name.padEnd(42)} ${seconds.toFixed(3)}`);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function measure(kind: Kind, [slices, threads, repeats]: number[]): Promise<Figures> {
  await startEngine("wasm", { threads });
  const model = new MRNet(initialWeights(1));
  const runner = kind === "kernels" ? await createRunner(model) : new TensorRunner(model);
  const labelled = { exam: makeExam(slices), label: 1 } as const;
  let work = Infinity;
  const step = await bestOf(async () => {
    const before = processorSeconds();
    await runner.train(labelled, 3);
    work = Math.min(work, processorSeconds() - before);
  }, repeats);
  const forward = await bestOf(() => runner.judge(labelled, 3), repeats);
  return { step, forward, work, peak: peakMemory() };
}

/** An exam of noise: no two slices are alike, so more of them win a channel than of real ones. */
function makeExam(slices: number): Exam {
  const random = createRandom(1, "bench");
  const voxels = new Uint8Array(slices * SIDE * SIDE);
  for (let index = 0; index < voxels.length; index++) voxels[index] = random.integer(256);
  return { id: "bench", slices, height: SIDE, width: SIDE, voxels };
}

async function bestOf(work: () => Promise<unknown>, repeats: number): Promise<number> {
  await work();
  let best = Infinity;
  for (let repeat = 0; repeat < repeats; repeat++) {
    const start = performance.now();
    await work();
    best = Math.min(best, (performance.now() - start) / 1000);
  }
  return best;
}

function processorSeconds(): number {
  const { user, system } = cpuUsage();
  return (user + system) / 1e6;
}

function peakMemory(): number {
  try {
    const status = Deno.readTextFileSync("/proc/self/status");
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1000;
  } catch {
    return NaN;
  }
}

async function inProcess(kind: Kind, counts: string[]): Promise<Figures> {
  const args = ["run", "-A", "--no-check", import.meta.filename!, "measure", kind, ...counts];
  const { stdout } = await new Deno.Command(Deno.execPath(), { args }).output();
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** PyTorch's figures, from the first Python that has it; `undefined` where none has. */
async function inPython(slices: number, threads: number): Promise<Figures | undefined> {
  const script = new URL("step_torch.py", import.meta.url).pathname;
  const args = [script, ...[slices, SIDE, repeats, threads].map(String)];
  for (const python of ["python3", "/usr/bin/python3"]) {
    const run = await new Deno.Command(python, { args }).output().catch(() => undefined);
    if (run?.success) return JSON.parse(new TextDecoder().decode(run.stdout));
  }
  return undefined;
}

function cells({ step, work, forward, peak }: Figures): string[] {
  return [step.toFixed(3), work.toFixed(3), forward.toFixed(3), peak.toFixed(0)];
}

function row(texts: string[]): void {
  print(
    texts.map((text, column) => text.padStart(WIDTHS[column])).join(
      "  ",
    ),
  );
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
