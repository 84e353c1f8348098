/** The mean of each channel over height and width, and its gradient. */
import { elementKernel } from "../element_kernel.ts";
import { type Grid, pixelAt, vectorOf } from "../grid.ts";
import { type KernelLaunch, vectors } from "../kernel.ts";
import { imageVectors, load } from "../precision.ts";
import { ITEMS, selectedBinding } from "../selected_slices.ts";
import { STEP } from "../step.ts";

/**
 * One thread for four channels of a slice.
 *
 * Bindings: `step`; `x`, of the input's grid; `means`, `[slices of the whole exam, channels]`.
 */
export function mean(input: Grid): KernelLaunch {
  const { height, width } = input;
  const channels = input.channels / 4;
  return elementKernel({
    label: "mean",
    bindings: [STEP, imageVectors("x", "read", input), vectors("means", "write")],
    count: channels,
    items: "slices",
    body: `let channel = index % ${channels}u;
  let slice = index / ${channels}u;
  var sum = vec4<f32>();
  for (var row = 0u; row < ${height}u; row++) {
    let origin = ${pixelAt(input, "slice", "row", "0u")} + channel;
    for (var column = 0u; column < ${width}u; column++) {
      sum += ${load(input, "x", `origin + column * ${channels}u`)};
    }
  }
  means[step.first * ${channels}u + index] = sum / ${height * width}.0;`,
  });
}

/**
 * The gradient of the last layer's output ahead of its ReLU: a channel has one in its argmax slice only,
 * and there the same at every pixel that the ReLU lets through.
 *
 * Bindings: `selected`; `activation`, the last layer's output; `dy`, of the gradient's grid, numbered by
 * selected slice.
 */
export function meanGradient(output: Grid, gradient: Grid): KernelLaunch {
  const { height, width } = output;
  const channels = output.channels / 4;
  const one = height * width * channels;
  const each = (write: (at: string) => string) =>
    `vec4(${[0, 1, 2, 3].map((i) => write(`channel * 4u + ${i}u`)).join(", ")})`;
  return elementKernel({
    label: "mean, gradient",
    bindings: [
      selectedBinding("read", output.channels),
      imageVectors("activation", "read", output),
      vectors("dy", "write"),
    ],
    count: one,
    items: "selected",
    body: `${vectorOf(output, "item")}
  let slice = ${ITEMS.selected.slice("item")};
  let selects = ${each((at) => `selected.slice_of[${at}] == slice`)};
  let gradient = ${each((at) => `selected.gradient[${at}]`)};
  let origin = ${pixelAt(output, "slice", "row", "column")} + channel;
  let passes = ${load(output, "activation", "origin")} > vec4<f32>();
  dy[${pixelAt(gradient, "item", "row", "column")} + channel] =
    select(vec4<f32>(), gradient, selects & passes);`,
  });
}
