/**
 * TensorFlow.js's own kernels and gradients on WebGPU, in a process and on a device of their own: where
 * they fail, or the driver with them, nothing else does.
 *
 * ```sh
 * deno run -A bench/webgpu_stock.ts SLICES,SLICES,… REPEATS
 * ```
 *
 * Prints a JSON value a line: a row for each number of slices, then `{ product }`, the multiply-adds a
 * second of its product of matrices.
 */
import { bestOf } from "./best_of.ts";
import { currentGpu, startEngine } from "../lib/engine/engine.ts";
import { initialWeights } from "../lib/model/initialise.ts";
import { MRNet } from "../lib/model/mrnet.ts";
import * as tf from "../tests/support/tf.ts";
import { TensorNetwork } from "../lib/model/tensor_network.ts";
import { makeExam, print, type Row, timeNetworks, yardstick } from "./webgpu_rows.ts";

const [list, repeatsText] = Deno.args;
const repeats = Number(repeatsText);
const counts = watchDevice();
const engine = await startEngine("webgpu");
const network = new TensorNetwork(new MRNet(initialWeights(1)));
for (const slices of list.split(",").map(Number)) {
  const exam = makeExam(slices);
  await network.step(exam, [1, 3]);
  counts.peak = counts.held;
  const before = counts.dispatches;
  await network.step(exam, [1, 3]);
  const dispatches = counts.dispatches - before;
  const [times] = await timeNetworks([network], exam, repeats);
  engine.check();
  const row: Row = { name: "TensorFlow.js", slices, ...times, dispatches, peak: counts.peak / 1e6 };
  print(JSON.stringify(row));
}
print(JSON.stringify({ product: await timeProduct() }));
Deno.exit(0);

/** Counts what TensorFlow.js asks of its device, which it does not say itself. */
function watchDevice() {
  const counts = { dispatches: 0, held: 0, peak: 0 };
  const { createBuffer } = GPUDevice.prototype;
  GPUDevice.prototype.createBuffer = function (descriptor) {
    counts.held += descriptor.size;
    counts.peak = Math.max(counts.peak, counts.held);
    return createBuffer.call(this, descriptor);
  };
  const { destroy } = GPUBuffer.prototype;
  GPUBuffer.prototype.destroy = function () {
    counts.held -= this.size;
    destroy.call(this);
  };
  const { dispatchWorkgroups } = GPUComputePassEncoder.prototype;
  GPUComputePassEncoder.prototype.dispatchWorkgroups = function (...workgroups) {
    counts.dispatches++;
    dispatchWorkgroups.apply(this, workgroups);
  };
  return counts;
}

async function timeProduct(): Promise<number> {
  const { software } = currentGpu()!;
  const { rows, inner, columns, multiplyAdds } = yardstick(software);
  const a: tf.Tensor2D = tf.ones([rows, inner]);
  const b: tf.Tensor2D = tf.ones([inner, columns]);
  const times = software ? 1 : 8;
  const seconds = await bestOf(repeats, async () => {
    const products = Array.from({ length: times }, () => tf.matMul(a, b));
    const corner = tf.slice(products.at(-1)!, [0, 0], [1, 1]);
    await corner.data();
    tf.dispose([corner, ...products]);
  });
  return times * multiplyAdds / seconds;
}
