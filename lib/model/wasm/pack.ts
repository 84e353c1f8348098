/** The parameters in the order in which the products read them: the first phase of a step. */
import { batchNormOf } from "./batch_norm.ts";
import { LANES, type LayerLayout } from "./parameters.ts";
import { type PixelClass, pixelClasses } from "./strided.ts";
import type { ThreadWriter } from "./thread_writer.ts";
import { forwardProduct, gradientProduct, transformPanel } from "./winograd.ts";

/** The weights of the forward pass in the layers that are `wanted`, this thread's share of the panels. */
export function packForward(writer: ThreadWriter, wanted: (layer: LayerLayout) => boolean): void {
  const { layout: { layers }, fixed } = writer.setting;
  layers.forEach((layer, index) => {
    if (!wanted(layer)) return;
    const { order, outputs, size, rows, run, weight, floats, batchNorm, tiling } = layer;
    const length = size * run;
    for (const panel of writer.share(outputs / LANES)) {
      const weights = fixed.parameters + 4 * (weight + panel * LANES * rows * run);
      const own = batchNorm && tiling;
      const out = own ? fixed.panel[writer.thread] : fixed.forward[index] + 32 * panel * length;
      let packed = out;
      if (order === "first") {
        const stride = 4 * floats;
        writer.program.call("packSummedPanel", { weights, stride, out, rows: size, taps: size });
      } else if (order === "filters") writer.program.call("packPanel", { weights, out, length });
      else packed = weights;
      if (batchNorm !== undefined) {
        const { gamma, beta, mean, deviation } = batchNormOf(writer, index, panel);
        const bias = fixed.biases[index] + 32 * panel;
        const folding = { gamma, beta, mean, deviation, out, bias };
        writer.program.call("foldPanel", { weights: packed, length, ...folding });
      }
      if (tiling) transformPanel(writer, forwardProduct(writer, index), panel, out);
    }
  });
}

/** The weights of the input gradients in the layers that are `wanted`. */
export function packBackward(writer: ThreadWriter, wanted: (layer: LayerLayout) => boolean): void {
  const { layout: { layers }, shapes, fixed: { parameters, rotated, panel: own } } = writer.setting;
  layers.forEach((layer, index) => {
    const { order, inputs, outputs, size, weight, batchNorm, tiling } = layer;
    if (order !== "panels" || !wanted(layer)) return;
    const taps = size * size;
    for (const panel of writer.share(inputs / LANES)) {
      if (!tiling) {
        for (const each of pixelClasses(layer, shapes[index].input)) {
          _packClass(writer, index, panel, each);
        }
        continue;
      }
      let out = rotated[index] + 4 * panel * LANES * taps * outputs;
      if (batchNorm === undefined) {
        const weights = parameters + 4 * (weight + panel * LANES * LANES);
        writer.program.call("packTurnedPanel", { weights, out, taps, inputs, outputs });
      } else {
        out = own[writer.thread];
        for (let tap = 0; tap < taps; tap++) {
          _packTap(writer, index, panel, taps - 1 - tap, out + 32 * tap * outputs);
        }
      }
      transformPanel(writer, gradientProduct(writer, index), panel, out);
    }
  });
}

/** A panel of the taps that a class of pixels sees. */
function _packClass(
  writer: ThreadWriter,
  index: number,
  panel: number,
  { rows, columns, tapsAhead }: PixelClass,
): void {
  const { size, outputs } = writer.setting.layout.layers[index];
  const taps = rows.taps.flatMap((row) => columns.taps.map((column) => row * size + column));
  const start = classFilters(writer, index, tapsAhead) + 32 * panel * taps.length * outputs;
  taps.forEach((tap, at) => _packTap(writer, index, panel, tap, start + 32 * at * outputs));
}

/** Where the taps begin that a class of pixels sees. */
export function classFilters({ setting }: ThreadWriter, index: number, tapsAhead: number): number {
  const { inputs, outputs } = setting.layout.layers[index];
  return setting.fixed.rotated[index] + 4 * tapsAhead * inputs * outputs;
}

function _packTap(
  writer: ThreadWriter,
  index: number,
  panel: number,
  tap: number,
  out: number,
): void {
  const layer: LayerLayout = writer.setting.layout.layers[index];
  const { inputs, outputs, size, weight, batchNorm } = layer;
  const { gamma, deviation } = batchNorm === undefined
    ? { gamma: 0, deviation: 0 }
    : batchNormOf(writer, index);
  const first = tap * inputs + panel * LANES;
  writer.program.call("packInputTap", {
    weights: writer.setting.fixed.parameters + 4 * (weight + first * LANES),
    panelBytes: 32 * size ** 2 * inputs,
    ...{ gamma, deviation, out, outputs },
  });
}
