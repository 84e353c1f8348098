/**
 * What our WebGPU kernels take for a step and a forward pass, beside TensorFlow.js's own WebGPU backend
 * and PyTorch, all in one run on this machine's adapter.
 *
 * ```sh
 * deno task bench:webgpu                         # exams of 2, 8, 24 and 60 slices, 256×256
 * deno task bench:webgpu 2,24 5 shared           # slices, repeats, tiles: registers or shared
 * deno task bench:webgpu 2,24 3 direct half      # the same without Winograd, and with halves, too
 * ```
 *
 * `direct`, `winograd` and `half` add rows of our own kernels: without minimal filtering, with it, and
 * with activations stored as halves.
 *
 * The least of the repeats is shown, after one that is not counted. It needs no network once Deno's
 * cache holds the dependencies; PyTorch runs on CUDA where it sees a card, in float32.
 *
 * @module
 */
import { bestOf, bestOfEach } from "./best_of.ts";
import type { LabelledExam } from "../lib/data/dataset.ts";
import { currentGpu, describeEngine, startEngine } from "../lib/engine/engine.ts";
import type { Dispatch, Tiles } from "../lib/engine/webgpu/gpu.ts";
import { grid, imageSize } from "../lib/engine/webgpu/grid.ts";
import { convolution } from "../lib/engine/webgpu/kernels/convolution.ts";
import { HEADER_BYTES } from "../lib/engine/webgpu/step.ts";
import { initialWeights } from "../lib/model/initialise.ts";
import { MRNet } from "../lib/model/mrnet.ts";
import { createRandom } from "../lib/random.ts";
import type { NetworkOptions } from "../lib/model/webgpu/network.ts";
import type { Runner } from "../lib/train/runner.ts";
import { TensorRunner } from "../lib/train/tensor_runner.ts";
import { WebGPURunner } from "../lib/train/webgpu_runner.ts";
import * as tf from "../lib/tf.ts";

const SIZE = 256;
/** Multiply-adds of the reference for a slice of 256×256, with three equal channels and no shortcut. */
const FORWARD = 869e6;
const STEP = 2513e6;

/** The product of matrices that stands for what the adapter can do. */
const PRODUCT = _product(4096, 512, 256);

interface Row {
  name: string;
  slices: number;
  /** Seconds. */
  step: number;
  /** Seconds. */
  forward: number;
}

/** Further ways to compute, by their words. */
const WAYS: Record<string, NetworkOptions> = {
  direct: { winograd: false },
  winograd: { winograd: true },
  half: { precision: "half" },
};

const [list = "2,8,24,60", repeatsText = "3", ...words] = Deno.args;
const counts = list.split(",").map(Number);
const repeats = Number(repeatsText);
const isKnown = words.every((word) => word in WAYS || word === "registers" || word === "shared");
if (!isKnown || ![...counts, repeats].every((count) => Number.isInteger(count) && count > 0)) {
  print(
    "usage: deno task bench:webgpu [SLICES,SLICES,… [REPEATS [registers|shared] [direct] " +
      "[winograd] [half]]]",
  );
  Deno.exit(2);
}

const engine = await startEngine("webgpu");
const gpu = currentGpu()!;
const tiles = words.find((word): word is Tiles => word === "registers" || word === "shared") ??
  gpu.tiles;
print(`${describeEngine(engine)}; tiles: ${tiles}; best of ${repeats}`);

const model = new MRNet(initialWeights(1));
const rows: Row[] = [];
const details: string[] = [];
await measureStock();
const product = await prepareProduct();
for (const slices of counts) await measureOurs(slices);
await compareProducts();
for (const slices of counts) await measureTorch(slices);
printTable();
for (const line of details) print(line);
Deno.exit(0);

function _product(rows: number, inner: number, columns: number) {
  const words = `${rows}×${inner}×${columns}`;
  return { rows, inner, columns, work: rows * inner * columns, words };
}

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

/** Our kernels in every way that was asked for, in turns: what else is running slows all alike. */
async function measureOurs(slices: number): Promise<void> {
  const exam = makeExam(slices);
  const ways: { name: string; runner: WebGPURunner }[] = [];
  const heldBefore = gpu.counts.heldBytes;
  for (const word of ["", ...words.filter((word) => word in WAYS)]) {
    const name = word === "" ? "ours" : `ours, ${word}`;
    const held = gpu.counts.heldBytes;
    const runner = await WebGPURunner.create(gpu, model, { tiles, ...WAYS[word] });
    await runner.train(exam, [1, 3]);
    const before = { ...gpu.counts };
    await runner.train(exam, [1, 3]);
    const after = gpu.counts;
    const bytes = after.uploadedBytes - before.uploadedBytes;
    details.push(
      `${slices} slices, ${name}: ${after.dispatches - before.dispatches} dispatches and ` +
        `${after.uploads - before.uploads} upload a step, ${Math.round(bytes / slices)} bytes ` +
        `uploaded a slice, ${((after.heldBytes - held) / 1e6).toFixed(0)} MB of GPU memory`,
    );
    ways.push({ name, runner });
  }
  const steps = await bestOfEach(
    repeats,
    ways.map(({ runner }) => () => runner.train(exam, [1, 3])),
  );
  const forwards = await bestOfEach(
    repeats,
    ways.map(({ runner }) => () => runner.judge(exam, [1, 3])),
  );
  for (const [index, { name, runner }] of ways.entries()) {
    rows.push({ name, slices, step: steps[index], forward: forwards[index] });
    if (slices === counts[Math.min(2, counts.length - 1)]) await profile(runner, slices, name);
    runner.dispose();
  }
  // Buffers go when the last call of a runner is through; the next one's memory is counted from here.
  while (gpu.counts.heldBytes > heldBefore) await new Promise((resolve) => setTimeout(resolve, 1));
  engine.check();
}

async function measure(name: string, runner: Runner, slices: number): Promise<Row> {
  const exam = makeExam(slices);
  const step = await bestOf(repeats, () => runner.train(exam, [1, 3]));
  const forward = await bestOf(repeats, () => runner.judge(exam, [1, 3]));
  return { name, slices, step, forward };
}

/**
 * Seconds of each kernel, and what part of the adapter's rate it reaches. The rate is that of a product
 * of matrices ahead of the kernel and of one behind it, in the same submission: what else keeps the
 * machine busy slows all three alike.
 */
async function profile(runner: WebGPURunner, slices: number, name: string): Promise<void> {
  const best = new Map<string, { seconds: number; reached: number; share: number }>();
  const rates: number[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    const times = await runner.profile(slices, [product]);
    if (times === undefined) return void details.push("This adapter has no timestamp queries.");
    times.kernels.forEach(({ label, seconds, multiplyAdds }, index) => {
      const beside = (times.between[index] + times.between[index + 1]) / 2;
      const rate = PRODUCT.work / beside;
      rates.push(rate);
      if (seconds < (best.get(label)?.seconds ?? Infinity)) {
        const reached = multiplyAdds / seconds;
        best.set(label, { seconds, reached, share: reached / rate });
      }
    });
  }
  const all = [...best.values()].reduce((sum, { seconds }) => sum + seconds, 0);
  const [least, most] = [Math.min(...rates), Math.max(...rates)].map((rate) => _giga(rate));
  details.push(
    "",
    `Kernels of a step on ${slices} slices, ${name}, by timestamp queries; together ` +
      `${(all * 1e3).toFixed(1)} ms.`,
    `Between them our product of matrices ${PRODUCT.words}: ${least} to ${most} multiply-adds/s.`,
  );
  const sorted = [...best].sort(([, a], [, b]) => b.seconds - a.seconds);
  for (const [label, { seconds, reached, share }] of sorted) {
    if (seconds < all / 200) continue;
    const cells = [
      label.padEnd(32),
      `${(seconds * 1e3).toFixed(2)} ms`.padStart(11),
      `${(100 * seconds / all).toFixed(1)} %`.padStart(7),
      reached === 0 ? "" : `${_giga(reached)} multiply-adds/s`.padStart(26),
      reached === 0 ? "" : `${(100 * share).toFixed(0)} % of the rate`.padStart(18),
    ];
    details.push(cells.join("  ").trimEnd());
  }
}

function _giga(rate: number): string {
  return `${(rate / 1e9).toFixed(1)} G`;
}

/** A product of matrices that is large enough to keep any adapter busy, and suits our tiles. */
function prepareProduct(): Promise<Dispatch> {
  const { rows, inner, columns } = PRODUCT;
  const input = grid(rows / 16, 16, inner);
  const output = grid(rows / 16, 16, columns);
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
  const { UNIFORM, COPY_DST } = GPUBufferUsage;
  const step = gpu.buffer("step", HEADER_BYTES, UNIFORM | COPY_DST);
  gpu.upload(step, new Uint8Array(new Uint32Array(64).fill(1).buffer));
  return gpu.prepare(kernel, {
    step,
    x: gpu.buffer("x", 4 * imageSize(input)),
    filters: gpu.buffer("filters", 4 * inner * columns),
    y: gpu.buffer("y", 4 * imageSize(output)),
  });
}

/** TensorFlow.js's product of the same matrices, beside ours. */
async function compareProducts(): Promise<void> {
  const { rows, inner, columns, work, words } = PRODUCT;
  const last = gpu.buffer("last", 16, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC);
  const times = 4;
  const a: tf.Tensor2D = tf.ones([rows, inner]);
  const b: tf.Tensor2D = tf.ones([inner, columns]);
  const ours = async () => {
    gpu.run(Array(times).fill(product), 1);
    await gpu.read(last, 16);
  };
  const theirs = async () => {
    const products = Array.from({ length: times }, () => tf.matMul(a, b));
    await products.at(-1)!.data();
    tf.dispose(products);
  };
  let rates = [0, 0];
  for (let repeat = 0; repeat < repeats; repeat++) {
    const seconds = [await bestOf(1, ours), await bestOf(1, theirs)];
    rates = rates.map((rate, index) => Math.max(rate, times * work / seconds[index]));
  }
  tf.dispose([a, b]);
  gpu.free(last);
  details.push(
    "",
    `Product of matrices ${words}, multiply-adds a second: ours ${_giga(rates[0])}, ` +
      `TensorFlow.js ${_giga(rates[1])}`,
  );
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
