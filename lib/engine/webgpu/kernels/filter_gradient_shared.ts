/**
 * The filter gradient for GPUs: 64 taps of the filter by 64 output channels a workgroup, in the tiles
 * of `shared_product.ts`.
 */
import { type Grid, pixelAt } from "../grid.ts";
import { type KernelLaunch, lines } from "../kernel.ts";
import { load } from "../precision.ts";
import { ITEMS } from "../selected_slices.ts";
import { pastInset } from "./convolution_base.ts";
import {
  type FilterGradient,
  filterGradientBindings,
  filterGradientMultiplyAdds,
  partialSumSize,
} from "./filter_gradient_base.ts";
import { eachSum, HALF, sharedProduct, sharedTiles, TILE } from "./shared_product.ts";
import type { SharedProduct } from "./shared_product.ts";

/** Pixels in a tile. */
const DEPTH = 16;

/** The form of {@linkcode FilterGradient} that uses shared memory. */
export function filterGradientInSharedMemory(gradient: FilterGradient): KernelLaunch {
  const { input, output, size, filterRow, partialSums } = gradient;
  const taps = size * filterRow;
  const pixels = output.height * output.width;
  const outChannels = output.channels / 4;
  const inRow = input.columns * input.channels / 4;
  const code = `${sharedTiles(DEPTH)}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let total = selected.count * ${pixels}u;
  let begin = total / ${partialSums}u * group.z + min(group.z, total % ${partialSums}u);
  let end = begin + total / ${partialSums}u + select(0u, 1u, group.z < total % ${partialSums}u);
  let tile_tap = group.x * ${TILE / 4}u;
  let tile_channel = group.y * ${TILE / 4}u;
  // This thread loads one pixel, four vectors of taps and four of channels: so a turn computes one
  // address. Odd pixels take the vectors in another order, because two threads would use the same bank.
  let load_pixel = lane / 4u;
  ${
    lines(4, (i) => {
      const tap = `tile_tap + load${i}`;
      return `let load${i} = lane % 4u + (${4 * i}u ^ (load_pixel % 2u * 4u));
  // Taps beyond the filter's last are computed as its first and not written.
  let tap${i} = select(0u, ${tap}, ${tap} < ${taps / 4}u);
  let shift${i} = tap${i} / ${filterRow / 4}u * ${inRow}u + tap${i} % ${filterRow / 4}u;`;
    })
  }
  // The slice is loaded a turn before the address that needs it.
  var pixel = begin + load_pixel;
  var slice = ${_sliceOfPixel(output)};
  ${sharedProduct(_product(gradient))}
  let channel = group.z * ${partialSumSize(gradient) / 4}u + tile_channel + my_column;
  ${
    eachSum((row, sums) =>
      `{
    let tap = tile_tap * 4u + ${row};
    if (tap < ${taps}u) {
      ${lines(2, (v) => `partials[channel + tap * ${outChannels}u + ${v * HALF}u] = ${sums[v]};`)}
    }
  }`
    )
  }
}`;
  return {
    kernel: { label: gradient.label, bindings: filterGradientBindings(gradient), code },
    workgroups: () => [Math.ceil(taps / TILE), output.channels / TILE, partialSums],
    multiplyAdds: filterGradientMultiplyAdds(gradient),
  };
}

/** What a thread loads in each turn. */
function _product({ input, output, stride, inset }: FilterGradient): SharedProduct {
  const inRow = input.columns * input.channels / 4;
  const loaded = lines(4, (i) =>
    `x${i} = ${load(input, "x", `x_at + shift${i}`)};
      d${i} = dy[d_at + load${i}];`);
  return {
    depth: DEPTH,
    begin: "0u",
    end: `(end - begin + ${DEPTH - 1}u) / ${DEPTH}u`,
    held: [0, 1, 2, 3].flatMap((i) => [`x${i}`, `d${i}`]),
    fetch: () =>
      `if (pixel < end) {
      let item = pixel / ${output.height * output.width}u;
      let row = pixel / ${output.width}u % ${output.height}u;
      let column = pixel % ${output.width}u;
      let x_at = (slice * ${input.rows}u + row * ${stride}u) * ${inRow}u
        + column * ${stride * input.channels / 4}u${pastInset({ input, inset })};
      let d_at = ${pixelAt(output, "item", "row", "column")} + tile_channel;
      ${loaded}
    } else {
      ${lines(4, (i) => `x${i} = vec4<f32>();\nd${i} = vec4<f32>();`)}
    }
    pixel += ${DEPTH}u;
    slice = ${_sliceOfPixel(output)};`,
    put: lines(4, (i) =>
      `rows[buffer][load_pixel][load${i}] = x${i};
    columns[buffer][load_pixel][load${i}] = d${i};`),
  };
}

function _sliceOfPixel({ height, width }: Grid): string {
  return ITEMS.selected.slice(`pixel / ${height * width}u`);
}
