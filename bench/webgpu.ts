/**
 * What our WebGPU kernels take for a step and a forward pass, beside PyTorch and TensorFlow.js's own
 * WebGPU backend, all in one run on this machine's adapter.
 *
 * ```sh
 * deno task bench:webgpu                         # exams of 2, 8, 24 and 60 slices, 256×256
 * deno task bench:webgpu 2,24 5 shared           # slices, repeats, tiles: registers or shared
 * deno task bench:webgpu 2,24 3 direct half      # the same without Winograd, and in half precision, too
 * deno task bench:webgpu 24 5 --peak 67          # what share of a card's 67 TFLOPS is reached
 * ```
 *
 * `direct`, `winograd` and `half` add rows of our own kernels: without Winograd's algorithm, with it, and
 * with activations stored in half precision. `--peak` is the card's rate in float32 by its data sheet, two
 * operations a multiply-add.
 *
 * The least of the repeats is shown, after one that is not counted. A call is timed among many that are
 * under way, as in training, and by itself: `alone` it waits for Deno, which looks every ten
 * milliseconds whether a result is there. The bench needs no network once Deno's cache holds the
 * dependencies; PyTorch runs on CUDA where it sees a card, in float32.
 */
import { bestOf } from "./best_of.ts";
import {
  makeExam,
  print,
  rateWords,
  type Row,
  SIZE,
  timeNetworks,
  yardstick,
} from "./webgpu_rows.ts";
import { currentGpu, describeEngine, startEngine } from "../lib/engine/engine.ts";
import type { Dispatch, Tiles } from "../lib/engine/webgpu/gpu.ts";
import { grid, imageSize } from "../lib/engine/webgpu/grid.ts";
import { convolution } from "../lib/engine/webgpu/kernels/convolution.ts";
import { HEADER_BYTES } from "../lib/engine/webgpu/step.ts";
import { messageOf } from "../lib/errors.ts";
import { initialWeights } from "../lib/model/initialise.ts";
import { MRNet } from "../lib/model/mrnet.ts";
import type { NetworkOptions } from "../lib/model/webgpu/network_passes.ts";
import { WebGPUNetwork } from "../lib/model/webgpu_network.ts";

/** Multiply-adds of the reference for a slice of 256×256, with three equal channels and no shortcut. */
const FORWARD = 869e6;
const STEP = 2513e6;

/** What our convolutions are to reach of a card's rate in float32. */
const SHARE_TO_REACH = 0.4;

/** How long TensorFlow.js's backend may take in all, in milliseconds. */
const STOCK_TIME = 1_800_000;

/** Further ways to compute, by their words. */
const WAYS: Record<string, NetworkOptions> = {
  direct: { winograd: false },
  winograd: { winograd: true },
  half: { precision: "half" },
};

const given = [...Deno.args];
const peakAt = given.indexOf("--peak");
/** The card's rate in float32, in operations a second. */
const peak = peakAt < 0 ? undefined : 1e12 * Number(given.splice(peakAt, 2)[1]);
const [list = "2,8,24,60", repeatsText = "3", ...words] = given;
const counts = list.split(",").map(Number);
const repeats = Number(repeatsText);
const isKnown = words.every((word) => word in WAYS || word === "registers" || word === "shared");
const whole = [...counts, repeats].every((count) => Number.isInteger(count) && count > 0);
if (!isKnown || !whole || !(peak === undefined || peak > 0)) {
  print(
    "usage: deno task bench:webgpu [SLICES,SLICES,… [REPEATS [registers|shared] [direct] " +
      "[winograd] [half]]] [--peak TFLOPS]",
  );
  Deno.exit(2);
}

const engine = await startEngine("webgpu");
const gpu = currentGpu()!;
const tiles = words.find((word): word is Tiles => word === "registers" || word === "shared") ??
  gpu.tiles;
print(`${describeEngine(engine)}; tiles: ${tiles}; best of ${repeats}`);
print(`Adapter: ${JSON.stringify(engine.adapter)}`);

const PRODUCT = yardstick(gpu.software);
const model = new MRNet(initialWeights(1));
const rows: Row[] = [];
const details: string[] = [];
const product = await prepareProduct();
/** Seconds in what the adapter counts as one. */
const second = await calibrate();
for (const slices of counts) await measureOurs(slices);
const productRate = await measureProduct();
for (const slices of counts) await measureTorch(slices);
// Last: it is the one that is known to fail on some cards.
await measureStock();
printTable();
for (const line of details) print(line);
Deno.exit(0);

/** TensorFlow.js's own kernels and gradients; some seconds a slice on a processor. */
async function measureStock(): Promise<void> {
  const some = gpu.software ? counts.filter((slices) => slices <= 2) : counts;
  if (some.length < counts.length) {
    print("TensorFlow.js: exams of more than 2 slices left out: seconds a slice in software");
  }
  if (some.length === 0) return;
  const script = new URL("webgpu_stock.ts", import.meta.url).pathname;
  const args = ["run", "-A", "--no-check", script, some.join(","), String(repeats)];
  try {
    const signal = AbortSignal.timeout(STOCK_TIME);
    const run = await new Deno.Command(Deno.execPath(), { args, signal }).output();
    const said = new TextDecoder().decode(run.stdout).split("\n").filter((line) => line !== "");
    for (const { product, ...row } of said.map((line) => JSON.parse(line))) {
      if (product === undefined) rows.push(row);
      else details.push(`TensorFlow.js's product of the same: ${rateWords(product)}`);
    }
    if (run.success) return;
    const words = new TextDecoder().decode(run.stderr).split("\n");
    throw new Error(
      words.find((line) => /error:/i.test(line) && !line.includes("XDG_RUNTIME_DIR")) ??
        `it ended with ${run.signal ?? run.code}`,
    );
  } catch (error) {
    print(`TensorFlow.js: left out, but for what is in the table: ${messageOf(error)}`);
  }
}

/** Our kernels in every way that was asked for, in turns: what else is running slows all alike. */
async function measureOurs(slices: number): Promise<void> {
  const exam = makeExam(slices);
  const ways: Pick<Row, "name" | "dispatches" | "peak">[] = [];
  const networks: WebGPUNetwork[] = [];
  const heldBefore = gpu.counts.heldBytes;
  for (const word of ["", ...words.filter((word) => word in WAYS)]) {
    const name = word === "" ? "ours" : `ours, ${word}`;
    const held = gpu.counts.heldBytes;
    gpu.counts.peakBytes = held;
    const network = await WebGPUNetwork.create(gpu, model, { tiles, ...WAYS[word] });
    await network.step(exam, [1, 3]);
    const before = { ...gpu.counts };
    await network.step(exam, [1, 3]);
    const after = gpu.counts;
    const bytes = after.uploadedBytes - before.uploadedBytes;
    const dispatches = after.dispatches - before.dispatches;
    details.push(
      `${slices} slices, ${name}: ${after.uploads - before.uploads} upload a step, ` +
        `${Math.round(bytes / slices)} bytes a slice`,
    );
    ways.push({ name, dispatches, peak: (after.peakBytes - held) / 1e6 });
    networks.push(network);
  }
  const times = await timeNetworks(networks, exam, repeats);
  for (const [index, way] of ways.entries()) {
    rows.push({ slices, ...way, ...times[index] });
    const profiled = slices === counts[Math.min(2, counts.length - 1)];
    if (profiled) await profile(networks[index], slices, way.name);
    networks[index].dispose();
  }
  // Buffers go when the last call of a network is through; the next one's memory is counted from here.
  while (gpu.counts.heldBytes > heldBefore) await new Promise((resolve) => setTimeout(resolve, 1));
  engine.check();
}

/**
 * Holds the adapter's timestamps against the clock: some drivers count in steps of their own, and Deno
 * passes them on as they are.
 */
async function calibrate(): Promise<number> {
  for (let times = 1;; times *= 2) {
    const start = performance.now();
    const counted = await gpu.time(Array(times).fill(product), 1);
    const seconds = (performance.now() - start) / 1000;
    if (counted === undefined) return 1;
    // Long enough that ten milliseconds of waiting do not count, and within one set of queries.
    if (seconds < 0.5 && times < 1024) continue;
    const ratio = seconds / counted.reduce((sum, each) => sum + each, 0);
    if (ratio > 0.7 && ratio < 1.4) return 1;
    print(`Timestamps: a tick of this adapter is ${ratio.toPrecision(3)} ns, by the clock.`);
    return ratio;
  }
}

/**
 * Seconds of each kernel, and what share of the adapter's rate it reaches. The rate is that of a product
 * of matrices ahead of the kernel and of one behind it, in the same submission: what else keeps the
 * machine busy slows all three alike.
 */
async function profile(network: WebGPUNetwork, slices: number, name: string): Promise<void> {
  const best = new Map<string, { seconds: number; multiplyAdds: number; share: number }>();
  const rates: number[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    const times = await network.profile(slices, [product]);
    if (times === undefined) return void details.push("This adapter has no timestamp queries.");
    times.kernels.forEach(({ label, seconds: counted, multiplyAdds }, index) => {
      const seconds = second * counted;
      const beside = second * (times.between[index] + times.between[index + 1]) / 2;
      // A counter that began anew says nothing.
      if (seconds < 0 || beside <= 0) return;
      const rate = PRODUCT.multiplyAdds / beside;
      rates.push(rate);
      if (seconds < (best.get(label)?.seconds ?? Infinity)) {
        best.set(label, { seconds, multiplyAdds, share: multiplyAdds / seconds / rate });
      }
    });
  }
  const kernels = [...best].sort(([, a], [, b]) => b.seconds - a.seconds);
  const all = kernels.reduce((sum, [, { seconds }]) => sum + seconds, 0);
  const [least, most] = [Math.min(...rates), Math.max(...rates)].map((rate) => rateWords(rate));
  details.push(
    "",
    `Kernels of a step on ${slices} slices, ${name}, by timestamp queries; together ` +
      `${(all * 1e3).toFixed(1)} ms.`,
    `Between them our product of matrices ${PRODUCT.words}: ${least} to ${most}.`,
  );
  for (const [label, { seconds, multiplyAdds, share }] of kernels) {
    if (seconds < all / 200) continue;
    const cells = [
      label.padEnd(32),
      `${(seconds * 1e3).toFixed(2)} ms`.padStart(11),
      `${(100 * seconds / all).toFixed(1)} %`.padStart(7),
      ...(multiplyAdds === 0 ? [] : [
        rateWords(multiplyAdds / seconds).padStart(14),
        `${(100 * share).toFixed(0)} % of the rate`.padStart(18),
      ]),
    ];
    details.push(cells.join("  ").trimEnd());
  }
  details.push(convolutionsTogether(kernels.map(([, kernel]) => kernel)));
}

/** The rate of all kernels whose work is multiply-adds, and what share of the card's that is. */
function convolutionsTogether(kernels: { seconds: number; multiplyAdds: number }[]): string {
  const counted = kernels.filter(({ multiplyAdds }) => multiplyAdds > 0);
  const sum = (of: "seconds" | "multiplyAdds") => counted.reduce((all, each) => all + each[of], 0);
  const rate = sum("multiplyAdds") / sum("seconds");
  const line = `Convolutions and their gradients together: ${rateWords(rate)} in ` +
    `${(sum("seconds") * 1e3).toFixed(1)} ms`;
  if (peak === undefined) return line;
  const share = 2 * rate / peak;
  return `${line}: ${(100 * share).toFixed(1)} % of the ${peak / 1e12} TFLOPS given; ` +
    `${100 * SHARE_TO_REACH} % ${share >= SHARE_TO_REACH ? "is" : "is not"} reached`;
}

/** The product of matrices as a dispatch of ours. */
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
    epilogue: "none",
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

/** The best rate of the product of matrices, in multiply-adds a second. */
async function measureProduct(): Promise<number> {
  const last = gpu.buffer("last", 16, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC);
  const times = gpu.software ? 4 : 64;
  const seconds = await bestOf(repeats, async () => {
    gpu.run(Array(times).fill(product), 1);
    await gpu.read(last, 16);
  });
  gpu.free(last);
  return times * PRODUCT.multiplyAdds / seconds;
}

/** PyTorch's timings, from the first Python that has it. */
async function measureTorch(slices: number): Promise<void> {
  const script = new URL("step_torch.py", import.meta.url).pathname;
  const threads = navigator.hardwareConcurrency;
  for (const python of ["python3", "/usr/bin/python3"]) {
    const args = [script, ...[slices, SIZE, repeats, threads].map(String), "auto"];
    const run = await new Deno.Command(python, { args }).output().catch(() => undefined);
    if (run === undefined || !run.success) continue;
    const found = JSON.parse(new TextDecoder().decode(run.stdout));
    const { version, device, step, stepAlone, forward, forwardAlone, gpuPeak } = found;
    const name = `PyTorch ${version}, ${device}`;
    rows.push({ name, slices, step, stepAlone, forward, forwardAlone, peak: gpuPeak ?? undefined });
    return;
  }
  if (slices === counts[0]) print("PyTorch: left out: no python3 here has torch and torchvision");
}

function printTable(): void {
  const width = Math.max(...rows.map(({ name }) => name.length));
  const heads = ["slices", "step s", "a slice", "G/s", "alone s"];
  heads.push("forward s", "a slice", "G/s", "alone s", "dispatches", "peak MB");
  const line = (name: string, cells: string[]) =>
    print([name.padEnd(width), ...cells.map((cell) => cell.padStart(10))].join(" "));
  line("", heads);
  for (const { name, slices, step, stepAlone, forward, forwardAlone, ...counted } of rows) {
    line(name, [
      String(slices),
      step.toFixed(4),
      (step / slices).toFixed(4),
      (STEP * slices / step / 1e9).toFixed(1),
      stepAlone.toFixed(4),
      forward.toFixed(4),
      (forward / slices).toFixed(4),
      (FORWARD * slices / forward / 1e9).toFixed(1),
      forwardAlone.toFixed(4),
      counted.dispatches?.toFixed(0) ?? "–",
      counted.peak?.toFixed(0) ?? "–",
    ]);
  }
  print("Dispatches of a step, and the most memory of the GPU while it was computed.");
  print("G/s: the reference's multiply-adds, 2513 M a slice and step and 869 M forward, a second.");
  for (const { name, slices, step, forward } of rows) {
    const ours = rows.find((row) => row.name === "ours" && row.slices === slices);
    if (ours === undefined || name === "ours") continue;
    const ratios = `${(step / ours.step).toFixed(1)} times, forward ${
      (forward / ours.forward).toFixed(1)
    }`;
    print(`${slices} slices: ${name} takes for a step ${ratios} times what ours take.`);
  }
  print(`Our product of matrices ${PRODUCT.words}, the best: ${rateWords(productRate)}`);
}
