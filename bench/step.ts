/**
 * Seconds for a training step and a forward pass on each engine of this machine, and next to it
 * PyTorch's on an exam of the same size, all in one run.
 *
 * ```sh
 * deno task bench            # exams of 4 slices, 256×256
 * deno task bench 24 256 5   # slices, size, repeats
 * ```
 *
 * The least of the repeats is shown, after one that is not counted: what the engine can do, not
 * what else the machine was busy with. Compare within a run, not between runs.
 */
import { bestOf } from "./best_of.ts";
import type { Exam } from "../lib/data/exam.ts";
import { describeEngine, type EngineName, startEngine } from "../lib/engine/engine.ts";
import { messageOf } from "../lib/errors.ts";
import { initialWeights } from "../lib/model/initialise.ts";
import { MRNet } from "../lib/model/mrnet.ts";
import { createRandom } from "../lib/random.ts";
import { createNetwork } from "../lib/model/create_network.ts";
import { evaluateExam } from "../lib/train/exam_result.ts";

interface Row {
  name: string;
  /** Seconds. */
  step: number;
  /** Seconds. */
  forward: number;
}

const [slices = 4, size = 256, repeats = 3] = Deno.args.map(Number);
if (![slices, size, repeats].every((count) => Number.isInteger(count) && count > 0)) {
  print("usage: deno task bench [SLICES [SIZE [REPEATS]]]");
  Deno.exit(2);
}

const exam = makeExam();
const rows: Row[] = [];
for (const engine of ["wasm", "webgpu"] as const) {
  try {
    rows.push(await measure(engine));
  } catch (error) {
    print(`${engine}: left out: ${messageOf(error)}`);
  }
}
for (const threads of [1, navigator.hardwareConcurrency]) {
  const row = await measureTorch(threads);
  if (row !== undefined) rows.push(row);
}
printTable();
Deno.exit(0);

/** An exam of noise: its values do not change the time. */
function makeExam(): Exam {
  const random = createRandom(1, "bench");
  const voxels = new Uint8Array(slices * size * size);
  for (let index = 0; index < voxels.length; index++) voxels[index] = random.integer(256);
  return { id: "bench", slices, height: size, width: size, voxels };
}

async function measure(name: EngineName): Promise<Row> {
  const engine = await startEngine(name);
  const model = new MRNet(initialWeights(1));
  const network = await createNetwork(model);
  const labelled = { exam, label: 1 } as const;
  const step = await bestOf(repeats, () => network.step(labelled, [1, 3]));
  const forward = await bestOf(repeats, () => evaluateExam(network, labelled, [1, 3]));
  engine.check();
  network.dispose();
  model.dispose();
  return { name: describeEngine(engine).replace(/ \([^()]*\)$/, ""), step, forward };
}

/** PyTorch's timings, from the first Python that has it; `undefined` where none has. */
async function measureTorch(threads: number): Promise<Row | undefined> {
  const script = new URL("step_torch.py", import.meta.url).pathname;
  for (const python of ["python3", "/usr/bin/python3"]) {
    const args = [script, ...[slices, size, repeats, threads].map(String)];
    const run = await new Deno.Command(python, { args }).output().catch(() => undefined);
    if (run === undefined || !run.success) continue;
    const { version, step, forward } = JSON.parse(new TextDecoder().decode(run.stdout));
    const name = `PyTorch ${version}, ${threads} thread${threads === 1 ? "" : "s"}`;
    return { name, step, forward };
  }
  print(`PyTorch with ${threads} threads: left out: no python3 here has torch and torchvision`);
  return undefined;
}

function printTable(): void {
  const peer = rows.find(({ name }) => name.startsWith("PyTorch"));
  const width = Math.max(...rows.map(({ name }) => name.length));
  print(`Exam of ${slices} slices, ${size}×${size}; best of ${repeats}; seconds`);
  const heads = ["step", "a slice", "forward", "a slice", "step ÷ PyTorch", "forward ÷ PyTorch"];
  print(["".padEnd(width), ...heads.map((head) => head.padStart(10))].join("  "));
  for (const { name, step, forward } of rows) {
    const timings = [step, step / slices, forward, forward / slices].map((each) => each.toFixed(3));
    const ratios = peer === undefined
      ? ["–", "–"]
      : [step / peer.step, forward / peer.forward].map((ratio) => ratio.toFixed(2));
    const cells = [...timings, ...ratios];
    const padded = cells.map((cell, column) => cell.padStart(Math.max(10, heads[column].length)));
    print([name.padEnd(width), ...padded].join("  "));
  }
  if (peer !== undefined) print(`Ratios are to ${peer.name}; below 1 is faster than it.`);
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
