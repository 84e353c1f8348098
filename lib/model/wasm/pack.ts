/**
 * The parameters in the order in which the products read them: the first phase of a step.
 */
import { transformPanel } from "./winograd.ts";
import { CONVOLUTIONS } from "./parameters.ts";
import { LANES, type ThreadWriter } from "./thread_writer.ts";

const [, , CONV3, CONV4] = CONVOLUTIONS;

/** The weights of the forward pass, this thread's share of the panels. */
export function packForward(writer: ThreadWriter): void {
  const { fixed: { parameters, forward } } = writer.setting;
  CONVOLUTIONS.forEach(({ order, outputs, inputs, side, weight, size }, index) => {
    const layer = (["", "conv2", "conv3", "conv4", "conv5"] as const)[index];
    const length = order === "first" ? side * 12 : side * side * inputs;
    const stored = order === "first" ? 12 * 12 : length;
    for (const panel of writer.share(outputs / LANES)) {
      const weights = parameters + 4 * (weight + panel * LANES * stored);
      const out = forward[index] + 4 * panel * LANES * length;
      if (order === "first") {
        const stride = 4 * size;
        writer.program.call("packSummedPanel", { weights, stride, out, rows: side, taps: side });
      }
      if (order === "filters") writer.program.call("packPanel", { weights, out, length });
      if (layer !== "") transformPanel(writer, layer, panel, out, side);
    }
  });
}

/** The weights of the input gradients. */
export function packBackward(writer: ThreadWriter): void {
  const { fixed: { parameters, rotated } } = writer.setting;
  const layers = [["back3", CONV3, rotated.conv3], ["back4", CONV4, rotated.conv4]] as const;
  for (const [name, { inputs, outputs, side, weight: from }, to] of layers) {
    const taps = side * side;
    for (const panel of writer.share(inputs / LANES)) {
      const weights = parameters + 4 * (from + panel * LANES * LANES);
      const out = to + 4 * panel * LANES * taps * outputs;
      writer.program.call("packTurnedPanel", { weights, out, taps, inputs, outputs });
      transformPanel(writer, name, panel, out, side);
    }
  }
}
