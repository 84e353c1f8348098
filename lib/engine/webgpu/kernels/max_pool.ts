/**
 * The maximum over 3×3 with stride 2, and its gradient. What is pooled is the output of a ReLU: so zeros
 * at the edges change no maximum, and padding is the border that the image has in memory.
 *
 * Forward keeps the argmax of each window, a tap in 0–8, in a byte a channel. Of equals it is the first,
 * and NaN comes before all, as in PyTorch. The gradient needs nothing else. The convolution's output is
 * not kept. Its ReLU is not computed again: a window whose maximum is not above 0 is marked as having no
 * argmax.
 */
import { elementKernel } from "../element_kernel.ts";
import { type Grid, pixelAt, vectorOf } from "../grid.ts";
import { type KernelLaunch, vectors } from "../kernel.ts";
import { nanFunctions } from "../nan.ts";
import { imageVectors, load, store } from "../precision.ts";
import { STEP } from "../step.ts";
import { ITEMS, SELECTED_LIST } from "../selected_slices.ts";

/** The mark of a window without an argmax. */
const NONE = 9;

/**
 * The maximum; one thread for four channels of a window.
 *
 * Bindings: `step`; `x`, of the input's grid; `y`, of the output's; `codes`, a word for four channels
 * of each pixel of the output, without a border.
 *
 * @param padding pixels at each edge, at most the input's border
 */
export function maxPool(
  label: string,
  input: Grid,
  output: Grid,
  padding: number = 0,
): KernelLaunch {
  const padded = { ...input, border: input.border - padding };
  const channels = output.channels / 4;
  return elementKernel({
    label,
    bindings: [
      STEP,
      imageVectors("x", "read", input),
      imageVectors("y", "write", output),
      { name: "codes", type: "array<u32>", access: "write" },
    ],
    count: output.height * output.width * channels,
    items: "slices",
    functions: nanFunctions("vectors"),
    body: `${vectorOf(output, "slice")}
  let origin = ${pixelAt(padded, "slice", "row * 2u", "column * 2u")} + channel;
  var best = ${load(input, "x", "origin")};
  var argmax = vec4<u32>();
  for (var tap = 1u; tap < 9u; tap++) {
    let at = origin + (tap / 3u * ${input.columns}u + tap % 3u) * ${channels}u;
    let value = ${load(input, "x", "at")};
    let larger = beats(value, best);
    argmax = select(argmax, vec4<u32>(tap), larger);
    best = select(best, value, larger);
  }
  argmax = select(vec4<u32>(${NONE}u), argmax, best > vec4<f32>());
  let to = ${pixelAt(output, "slice", "row", "column")} + channel;
  ${store(output, "y", "to", "best")}
  codes[index] = argmax.x | (argmax.y << 8u) | (argmax.z << 16u) | (argmax.w << 24u);`,
  });
}

/**
 * The gradient, gathered: one thread for four channels of a pixel of the input, which lies under one,
 * two or four windows. It includes the gradient of the ReLU ahead of the pool.
 *
 * Bindings: `selected`; `codes`, as {@linkcode maxPool} wrote them; `dy`, of the output's grid without
 * border, and `dx`, of the input's, both numbered by selected slice.
 *
 * @param padding pixels at each edge
 */
export function maxPoolGradient(
  label: string,
  input: Grid,
  output: Grid,
  padding: number = 0,
): KernelLaunch {
  const [row, column] = ["row", "column"].map((at) => padding === 0 ? at : `(${at} + ${padding}u)`);
  const channels = input.channels / 4;
  return elementKernel({
    label,
    bindings: [
      SELECTED_LIST,
      { name: "codes", type: "array<u32>", access: "read" },
      vectors("dy", "read"),
      vectors("dx", "write"),
    ],
    count: input.height * input.width * channels,
    items: "selected",
    body: `${vectorOf(input, "item")}
  let slice = ${ITEMS.selected.slice("item")};
  let last_row = min(${row} / 2u, ${output.height - 1}u);
  let last_column = min(${column} / 2u, ${output.width - 1}u);
  var sum = vec4<f32>();
  // A window begins at twice its index and reaches two further.
  for (var r = (max(${row}, 1u) - 1u) / 2u; r <= last_row; r++) {
    for (var c = (max(${column}, 1u) - 1u) / 2u; c <= last_column; c++) {
      let code = codes[((slice * ${output.height}u + r) * ${output.width}u + c) * ${channels}u + channel];
      let taps = (vec4<u32>(code) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(255u);
      let mine = (${row} - r * 2u) * 3u + ${column} - c * 2u;
      let gradient = dy[((item * ${output.height}u + r) * ${output.width}u + c) * ${channels}u + channel];
      sum += select(vec4<f32>(), gradient, taps == vec4<u32>(mine));
    }
  }
  dx[${pixelAt(input, "item", "row", "column")} + channel] = sum;`,
  });
}
