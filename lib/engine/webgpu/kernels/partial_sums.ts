/** The second pass of a filter gradient: adds its partial sums, from the first to the last. */
import { elementKernel } from "../element_kernel.ts";
import { type KernelLaunch, vectors } from "../kernel.ts";
import { type FilterGradient, partialSumSize } from "./filter_gradient_base.ts";

/**
 * Adds the partial sums.
 *
 * Bindings: `partials`; `gradient`, the filter's gradient and the bias's behind it.
 */
export function addPartialSums(gradient: FilterGradient): KernelLaunch {
  const count = partialSumSize(gradient) / 4;
  return _sum(gradient, count, count, "let origin = index;");
}

/**
 * Adds the partial sums of the first convolution. It ran on one channel, with the filters summed over
 * three equal ones: each of the three gets the same gradient.
 *
 * Bindings as for {@linkcode addPartialSums}; the gradient is `[size, size, 3, channels]` and the bias's.
 *
 * @param size rows and columns of the filters
 * @param blocks whether the filters were folded in blocks of 2×2
 */
export function addPartialSumsOfGrey(
  gradient: FilterGradient,
  size: number,
  blocks: boolean = false,
): KernelLaunch {
  const { size: rows, filterRow, output } = gradient;
  const channels = output.channels / 4;
  const weights = size * size * 3 * channels;
  return _sum(
    gradient,
    partialSumSize(gradient) / 4,
    weights + channels,
    `let channel = index % ${channels}u;
  let tap = index / ${3 * channels}u;
  ${
      blocks
        ? `let tap_row = tap / ${size}u;
  let tap_column = tap % ${size}u;
  let row = tap_row / 2u * ${filterRow}u + tap_column / 2u * 4u + tap_row % 2u * 2u + tap_column % 2u;`
        : `let row = tap / ${size}u * ${filterRow}u + tap % ${size}u;`
    }
  let origin = select(${rows * filterRow}u, row, index < ${weights}u) * ${channels}u + channel;`,
  );
}

function _sum(
  { label, partialSums }: FilterGradient,
  stride: number,
  count: number,
  from: string,
): KernelLaunch {
  return elementKernel({
    label: `${label}, sum`,
    bindings: [vectors("partials", "read"), vectors("gradient", "write")],
    count,
    body: `${from}
  var sum = partials[origin];
  for (var k = 1u; k < ${partialSums}u; k++) { sum += partials[k * ${stride}u + origin]; }
  gradient[index] = sum;`,
  });
}
