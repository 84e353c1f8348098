/**
 * The last pool and the mean over its windows in one pass: what a slice says about each channel.
 */
import { elementKernel } from "../element_kernel.ts";
import { type Grid, pixelAt } from "../grid.ts";
import { type KernelLaunch, vectors } from "../kernel.ts";
import { nanFunctions } from "../nan.ts";
import { imageVectors, load } from "../precision.ts";
import { STEP } from "../step.ts";

/** The windows of a pool 3/2 over a grid. */
export function poolOf({ height, width }: Pick<Grid, "height" | "width">) {
  return { height: Math.floor((height - 3) / 2) + 1, width: Math.floor((width - 3) / 2) + 1 };
}

/**
 * One thread for four channels of a slice.
 *
 * Bindings: `step`; `x`, of the input's grid; `means`, `[slices of the whole exam, channels]`.
 */
export function meanPool(input: Grid): KernelLaunch {
  const { height, width } = poolOf(input);
  const channels = input.channels / 4;
  return elementKernel({
    label: "last pool and mean",
    bindings: [STEP, imageVectors("x", "read", input), vectors("means", "write")],
    count: channels,
    items: "slices",
    functions: nanFunctions("vectors"),
    body: `let channel = index % ${channels}u;
  let slice = index / ${channels}u;
  var sum = vec4<f32>();
  for (var row = 0u; row < ${height}u; row++) {
    for (var column = 0u; column < ${width}u; column++) {
      let origin = ${pixelAt(input, "slice", "row * 2u", "column * 2u")} + channel;
      var best = ${load(input, "x", "origin")};
      for (var tap = 1u; tap < 9u; tap++) {
        let at = origin + (tap / 3u * ${input.columns}u + tap % 3u) * ${channels}u;
        let value = ${load(input, "x", "at")};
        best = select(best, value, beats(value, best));
      }
      sum += best;
    }
  }
  means[step.first * ${channels}u + index] = sum / ${height * width}.0;`,
  });
}
