/** An image with its pixels further apart. */
import { elementKernel } from "../element_kernel.ts";
import { type Grid, pixelAt, vectorOf } from "../grid.ts";
import { type KernelLaunch, vectors } from "../kernel.ts";
import { SELECTED_LIST } from "../selected_slices.ts";

/**
 * Spreads the gradient of a strided convolution's output: with zeros between its pixels its input gradient
 * is a convolution without a stride.
 *
 * Bindings: `selected`; `x`, of the input's grid; `y`, of the output's, which is zero between the pixels
 * and stays so; both numbered by selected slice.
 *
 * @param stride pixels of the output from one of the input's to the next
 */
export function dilate(label: string, input: Grid, output: Grid, stride: number): KernelLaunch {
  const channels = input.channels / 4;
  return elementKernel({
    label,
    bindings: [SELECTED_LIST, vectors("x", "read"), vectors("y", "write")],
    count: input.height * input.width * channels,
    items: "selected",
    body: `${vectorOf(input, "item")}
  y[${pixelAt(output, "item", `row * ${stride}u`, `column * ${stride}u`)} + channel] =
    x[${pixelAt(input, "item", "row", "column")} + channel];`,
  });
}
