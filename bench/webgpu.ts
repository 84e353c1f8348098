/**
 * What our WebGPU kernels take for a step and a forward pass, beside TensorFlow.js's own WebGPU backend
 * and PyTorch, all in one run on this machine's adapter.
 *
 * ```sh
 * deno task bench:webgpu                 # exams of 2, 8, 24 and 60 slices, 256×256
 * deno task bench:webgpu 2,24 5 shared   # slices, repeats, tiles: registers or shared
 * ```
 *
 * The least of the repeats is shown, after one that is not counted. It needs no network once Deno's
 * cache holds the dependencies; PyTorch runs on CUDA where it sees a card, in float32.
 *
 * @module
 */
import { bestOf } from "./best_of.ts";
import type { LabelledExam } from "../lib/data/dataset.ts";
import { currentGpu, describeEngine, startEngine } from "../lib/engine/engine.ts";
import type { Tiles } from "../lib/engine/webgpu/gpu.ts";
import { grid, imageSize } from "../lib/engine/webgpu/grid.ts";
import { convolution } from "../lib/engine/webgpu/kernels/convolution.ts";
import { HEADER_BYTES } from "../lib/engine/webgpu/step.ts";
import { initialWeights } from "../lib/model/initialise.ts";
import { MRNet } from "../lib/model/mrnet.ts";
import { createRandom } from "../lib/random.ts";
import type { Runner } from "../lib/train/runner.ts";
import { TensorRunner } from "../lib/train/tensor_runner.ts";
import { WebGPURunner } from "../lib/train/webgpu_runner.ts";
import * as tf from "../lib/tf.ts";

const SIZE = 256;
/** Multiply-adds of the reference for a slice of 256×256, with three equal channels and no shortcut. */
const FORWARD = 869e6;
const STEP = 2513e6;

interface Row {
  name: string;
  slices: number;
  /** Seconds. */
  step: number;
  /** Seconds. */
  forward: number;
}

const [list = "2,8,24,60", repeatsText = "3", tilesText] = Deno.args;
const counts = list.split(",").map(Number);
const repeats = Number(repeatsText);
const isTiles = tilesText === undefined || tilesText === "registers" || tilesText === "shared";
if (!isTiles || ![...counts, repeats].every((count) => Number.isInteger(count) && count > 0)) {
  print("usage: deno task bench:webgpu [SLICES,SLICES,… [REPEATS [registers|shared]]]");
  Deno.exit(2);
}

const engine = await startEngine("webgpu");
const gpu = currentGpu()!;
const tiles: Tiles = tilesText ?? gpu.tiles;
print(`${describeEngine(engine)}; tiles: ${tiles}; best of ${repeats}`);

const model = new MRNet(initialWeights(1));
const rows: Row[] = [];
const details: string[] = [];
await measureStock();
const rate = await productRate();
for (const slices of counts) await measureOurs(slices);
for (const slices of counts) await measureTorch(slices);
printTable();
for (const line of details) print(line);
Deno.exit(0);

/** An exam of noise: its values do not change the time. */
function makeExam(slices: number): LabelledExam {
  const random = createRandom(1, "bench");
  const voxels = new Uint8Array(slices * SIZE * SIZE);
  for (let index = 0; index < voxels.length; index++) voxels[index] = random.integer(256);
  return { exam: { id: "bench", slices, height: SIZE, width: SIZE, voxels }, label: 1 };
}

/** TensorFlow.js's own kernels and gradients; some seconds a slice on a processor. */
async function measureStock(): Promise<void> {
  const runner = new TensorRunner(model);
  const some = gpu.software ? counts.filter((slices) => slices <= 2) : counts;
  if (some.length < counts.length) {
    print("TensorFlow.js: exams of more than 2 slices left out: seconds a slice in software");
  }
  for (const slices of some) rows.push(await measure("TensorFlow.js", runner, slices));
  runner.dispose();
}

async function measureOurs(slices: number): Promise<void> {
  gpu.counts.peakBytes = gpu.counts.heldBytes;
  const runner = await WebGPURunner.create(gpu, model, { tiles });
  rows.push(await measure("ours", runner, slices));
  const before = { ...gpu.counts };
  await runner.train(makeExam(slices), 3);
  const after = gpu.counts;
  const bytes = after.uploadedBytes - before.uploadedBytes;
  details.push(
    `${slices} slices: ${after.dispatches - before.dispatches} dispatches and ` +
      `${after.uploads - before.uploads} upload a step, ${Math.round(bytes / slices)} bytes ` +
      `uploaded a slice, ${(after.peakBytes / 1e6).toFixed(0)} MB of GPU memory at most`,
  );
  if (slices === counts[Math.min(2, counts.length - 1)]) await profile(runner, slices);
  runner.dispose();
  engine.check();
}

async function measure(name: string, runner: Runner, slices: number): Promise<Row> {
  const exam = makeExam(slices);
  const step = await bestOf(repeats, () => runner.train(exam, 3));
  const forward = await bestOf(repeats, () => runner.judge(exam, 3));
  return { name, slices, step, forward };
}

/** Seconds of each kernel, its share, and what part of the adapter's rate a convolution reaches. */
async function profile(runner: WebGPURunner, slices: number): Promise<void> {
  const best = new Map<string, { seconds: number; multiplyAdds: number }>();
  for (let repeat = 0; repeat < repeats; repeat++) {
    const times = await runner.profile(slices);
    if (times === undefined) return void details.push("This adapter has no timestamp queries.");
    for (const { label, seconds, multiplyAdds } of times) {
      const least = Math.min(best.get(label)?.seconds ?? Infinity, seconds);
      best.set(label, { seconds: least, multiplyAdds });
    }
  }
  const all = [...best.values()].reduce((sum, { seconds }) => sum + seconds, 0);
  details.push("", `Kernels of a step on ${slices} slices, by timestamp queries:`);
  for (
    const [label, { seconds, multiplyAdds }] of [...best].sort(([, a], [, b]) =>
      b.seconds - a.seconds
    )
  ) {
    if (seconds < all / 200) continue;
    const reached = multiplyAdds / seconds;
    const cells = [
      label.padEnd(30),
      `${(seconds * 1e3).toFixed(1)} ms`.padStart(10),
      `${(100 * seconds / all).toFixed(1)} %`.padStart(7),
      multiplyAdds === 0 ? "" : `${(reached / 1e9).toFixed(1)} G multiply-adds/s`.padStart(24),
      multiplyAdds === 0 ? "" : `${(100 * reached / rate).toFixed(0)} % of the rate`.padStart(18),
    ];
    details.push(cells.join("  ").trimEnd());
  }
}

/** Multiply-adds a second in a plain product of matrices: the best of ours and TensorFlow.js's. */
async function productRate(): Promise<number> {
  const [rows, inner, columns] = [4096, 1024, 256];
  const work = rows * inner * columns;
  const input = grid(64, rows / 64, inner);
  const output = grid(64, rows / 64, columns);
  const kernel = convolution({
    label: "product",
    input,
    output,
    size: 1,
    filterRow: inner,
    stride: 1,
    items: "slices",
    finish: "none",
  }, tiles);
  const { UNIFORM, COPY_DST, STORAGE, COPY_SRC } = GPUBufferUsage;
  const buffers = {
    step: gpu.buffer("step", HEADER_BYTES, UNIFORM | COPY_DST),
    x: gpu.buffer("x", 4 * imageSize(input)),
    filters: gpu.buffer("filters", 4 * inner * columns),
    y: gpu.buffer("y", 4 * imageSize(output), STORAGE | COPY_SRC),
  };
  gpu.upload(buffers.step, new Uint8Array(new Uint32Array(64).fill(1).buffer));
  const product = await gpu.prepare(kernel, buffers);
  const times = 8;
  const ours = await bestOf(repeats, async () => {
    gpu.run(Array(times).fill(product), 1);
    await gpu.read(buffers.y, 16);
  });
  for (const buffer of Object.values(buffers)) gpu.free(buffer);
  const a: tf.Tensor2D = tf.ones([rows, inner]);
  const b: tf.Tensor2D = tf.ones([inner, columns]);
  const theirs = await bestOf(repeats, async () => {
    const products = Array.from({ length: times }, () => tf.matMul(a, b));
    await products.at(-1)!.data();
    tf.dispose(products);
  });
  tf.dispose([a, b]);
  const [ourRate, theirRate] = [ours, theirs].map((seconds) => times * work / seconds);
  details.push(
    `Product of matrices ${rows}×${inner}×${columns}, multiply-adds a second: ours ` +
      `${(ourRate / 1e9).toFixed(1)} G, TensorFlow.js ${(theirRate / 1e9).toFixed(1)} G`,
  );
  return Math.max(ourRate, theirRate);
}

/** PyTorch's figures, from the first Python that has it. */
async function measureTorch(slices: number): Promise<void> {
  const script = new URL("step_torch.py", import.meta.url).pathname;
  const threads = navigator.hardwareConcurrency;
  for (const python of ["python3", "/usr/bin/python3"]) {
    const args = [script, ...[slices, SIZE, repeats, threads].map(String), "auto"];
    const run = await new Deno.Command(python, { args }).output().catch(() => undefined);
    if (run === undefined || !run.success) continue;
    const { version, device, step, forward } = JSON.parse(new TextDecoder().decode(run.stdout));
    rows.push({ name: `PyTorch ${version}, ${device}`, slices, step, forward });
    return;
  }
  if (slices === counts[0]) print("PyTorch: left out: no python3 here has torch and torchvision");
}

function printTable(): void {
  const width = Math.max(...rows.map(({ name }) => name.length));
  const heads = ["slices", "step s", "a slice", "G/s", "forward s", "a slice", "G/s"];
  print(["".padEnd(width), ...heads.map((head) => head.padStart(9))].join("  "));
  for (const { name, slices, step, forward } of rows) {
    const cells = [
      String(slices),
      step.toFixed(3),
      (step / slices).toFixed(4),
      (STEP * slices / step / 1e9).toFixed(1),
      forward.toFixed(3),
      (forward / slices).toFixed(4),
      (FORWARD * slices / forward / 1e9).toFixed(1),
    ];
    print([name.padEnd(width), ...cells.map((cell) => cell.padStart(9))].join("  "));
  }
  print("G/s: the reference's multiply-adds, 2513 M a slice and step and 869 M forward, a second.");
  for (const { name, slices, step, forward } of rows) {
    const ours = rows.find((row) => row.name === "ours" && row.slices === slices);
    if (ours === undefined || name === "ours") continue;
    const ratios = `${(step / ours.step).toFixed(1)} times, forward ${
      (forward / ours.forward).toFixed(1)
    }`;
    print(`${slices} slices: ${name} takes for a step ${ratios} times what ours take.`);
  }
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
