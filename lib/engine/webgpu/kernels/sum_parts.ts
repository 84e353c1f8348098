/**
 * The second pass of a filter gradient: its parts are added, from the first to the last.
 *
 * @module
 */
import { elementGroups, elementwise, type KernelLaunch, vectors } from "../kernel.ts";
import { type FilterGradient, partSize } from "./filter_gradient_base.ts";

/**
 * Adds the parts.
 *
 * Bindings: `parts`; `gradient`, the filter's gradient and the bias's behind it.
 */
export function sumParts(gradient: FilterGradient): KernelLaunch {
  const count = partSize(gradient) / 4;
  return _sum(gradient, count, count, "let origin = index;");
}

/**
 * Adds the parts of the first convolution, which ran on one channel with the filters summed over three
 * equal ones: each of the three gets the same gradient.
 *
 * Bindings as for {@linkcode sumParts}; the gradient is `[size, size, 3, channels]` and the bias's.
 */
export function sumPartsOfGrey(gradient: FilterGradient): KernelLaunch {
  const { size, filterRow, output } = gradient;
  const channels = output.channels / 4;
  const weights = size * size * 3 * channels;
  return _sum(
    gradient,
    partSize(gradient) / 4,
    weights + channels,
    `let channel = index % ${channels}u;
  let place = index / ${3 * channels}u;
  let row = place / ${size}u * ${filterRow}u + place % ${size}u;
  let origin = select(${size * filterRow}u, row, index < ${weights}u) * ${channels}u + channel;`,
  );
}

function _sum(
  { label, parts }: FilterGradient,
  part: number,
  count: number,
  from: string,
): KernelLaunch {
  return {
    kernel: {
      label: `${label}, sum`,
      bindings: [vectors("parts", "read"), vectors("gradient", "write")],
      code: elementwise(
        `${count}u`,
        `${from}
  var sum = parts[origin];
  for (var part = 1u; part < ${parts}u; part++) { sum += parts[part * ${part}u + origin]; }
  gradient[index] = sum;`,
      ),
    },
    workgroups: () => elementGroups(count),
  };
}
