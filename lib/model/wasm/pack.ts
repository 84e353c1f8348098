/** The parameters in the order in which the products read them: the first phase of a step. */
import { LANES } from "./parameters.ts";
import type { ThreadWriter } from "./thread_writer.ts";
import { forwardProduct, gradientProduct, transformPanel } from "./winograd.ts";

/** The weights of the forward pass, this thread's share of the panels. */
export function packForward(writer: ThreadWriter): void {
  const { layout: { layers }, fixed: { parameters, forward } } = writer.setting;
  layers.forEach(({ order, outputs, size, rows, run, weight, floats }, index) => {
    const length = size * run;
    for (const panel of writer.share(outputs / LANES)) {
      const weights = parameters + 4 * (weight + panel * LANES * rows * run);
      const out = forward[index] + 4 * panel * LANES * length;
      if (order === "first") {
        const stride = 4 * floats;
        writer.program.call("packSummedPanel", { weights, stride, out, rows: size, taps: size });
      } else {
        if (order === "filters") writer.program.call("packPanel", { weights, out, length });
        transformPanel(writer, forwardProduct(writer, index), panel, out);
      }
    }
  });
}

/** The weights of the input gradients. */
export function packBackward(writer: ThreadWriter): void {
  const { layout: { layers }, fixed: { parameters, rotated } } = writer.setting;
  layers.forEach(({ order, inputs, outputs, size, weight }, index) => {
    if (order !== "panels") return;
    const taps = size * size;
    for (const panel of writer.share(inputs / LANES)) {
      const weights = parameters + 4 * (weight + panel * LANES * LANES);
      const out = rotated[index] + 4 * panel * LANES * taps * outputs;
      writer.program.call("packTurnedPanel", { weights, out, taps, inputs, outputs });
      transformPanel(writer, gradientProduct(writer, index), panel, out);
    }
  });
}
