/**
 * Batch normalisation whose running statistics stay as they are: part of the convolution ahead. The
 * formulas are in `lib/engine/wasm/kernels/batch_norm.ts`.
 */
import type { NetworkState } from "../parameters.ts";
import { LANES, type NetworkLayout } from "./parameters.ts";
import type { ThreadWriter } from "./thread_writer.ts";
import { keepsFilters } from "./trained.ts";

/** What keeps it from dividing by 0: PyTorch's default. */
const EPSILON = 1e-5;

/** Addresses of what a batch normalisation holds, from the first channel of a panel on. */
export function batchNormOf(
  { setting: { layout: { layers }, fixed } }: ThreadWriter,
  index: number,
  panel = 0,
): { gamma: number; beta: number; mean: number; deviation: number } {
  const { batchNorm, bias, outputs } = layers[index];
  const at = 4 * LANES * panel;
  const mean = fixed.statistics[index] + at;
  const [gamma, beta] = [batchNorm!.weight, bias].map((each) => fixed.parameters + 4 * each + at);
  return { gamma, beta, mean, deviation: mean + 4 * outputs };
}

/** From this thread's gradient of the folded filters and biases to that of the parameters. */
export function unfoldGradient(writer: ThreadWriter): void {
  const { layout: { layers }, fixed } = writer.setting;
  const gradientAt = (floats: number) => fixed.gradients[writer.thread] + 4 * floats;
  layers.forEach((layer, index) => {
    const { order, outputs, rows, run, size, weight, floats, bias, batchNorm } = layer;
    if (batchNorm === undefined || keepsFilters(writer.setting, layer)) return;
    const of = (first: number) => ({
      gradient: gradientAt(weight + first * rows * run),
      biasGradient: gradientAt(bias + first),
      gammaGradient: gradientAt(batchNorm.weight + first),
    });
    if (order === "first") {
      const { gamma, mean, deviation } = batchNormOf(writer, index);
      writer.program.call("unfoldFilters", {
        weights: fixed.parameters + 4 * weight,
        ...{ stride: 4 * floats, channels: outputs, side: size, gamma, mean, deviation, ...of(0) },
      });
      return;
    }
    for (let panel = 0; panel < outputs / LANES; panel++) {
      const { gamma, mean, deviation } = batchNormOf(writer, index, panel);
      const first = panel * LANES;
      const weights = fixed.parameters + 4 * (weight + first * rows * run);
      writer.program.call("unfoldPanel", {
        ...{ weights, length: rows * run, gamma, mean, deviation, ...of(first) },
      });
    }
  });
}

/** The statistics of a network's batch normalisations as the kernels take them: one a layer that has one. */
export function* statisticsInOrder(
  { layers }: NetworkLayout,
  statistics: NetworkState["statistics"],
): Generator<{ index: number; values: Float32Array }> {
  for (const [index, { batchNorm, outputs }] of layers.entries()) {
    if (batchNorm === undefined) continue;
    const values = new Float32Array(2 * outputs);
    values.set(statistics.get(`${batchNorm.name}.running_mean`)!);
    const variances = statistics.get(`${batchNorm.name}.running_var`)!;
    values.set(variances.map((variance) => Math.sqrt(variance + EPSILON)), outputs);
    yield { index, values };
  }
}
