/**
 * The filter gradient for software adapters: 16 taps of the filter by 16 output channels a
 * thread, in named registers, as in `convolution_registers.ts`.
 */
import { pixelAt } from "../grid.ts";
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

const LANES = 8;
const VECTORS = 4;

/** The form of {@linkcode FilterGradient} that uses registers only. */
export function filterGradientInRegisters(gradient: FilterGradient): KernelLaunch {
  const { input, output, size, filterRow, stride, partialSums } = gradient;
  const taps = filterRow % 16 === 0 ? 16 : 12;
  const tilesInRow = Math.ceil(filterRow / taps);
  const tiles = tilesInRow * size;
  const outChannels = output.channels / 4;
  const each = (line: (tap: number, vector: number) => string) =>
    lines(taps * VECTORS, (index) => line(Math.floor(index / VECTORS), index % VECTORS));
  const code = `@compute @workgroup_size(${LANES})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let tile = group.x * ${LANES}u + lane;
  if (tile >= ${tiles}u) { return; }
  let filter_row = tile / ${tilesInRow}u;
  let tap = (tile % ${tilesInRow}u) * ${taps / 4}u;
  let channel = group.y * ${VECTORS}u;
  let rows = selected.count * ${output.height}u;
  let last = rows * (group.z + 1u) / ${partialSums}u;
  ${each((p, v) => `var a${p}_${v} = vec4<f32>();`)}
  for (var line = rows * group.z / ${partialSums}u; line < last; line++) {
    let item = line / ${output.height}u;
    let row = line % ${output.height}u;
    let slice = ${ITEMS.selected.slice("item")};
    var x_at = (slice * ${input.rows}u + row * ${stride}u + filter_row)
      * ${input.columns * input.channels / 4}u + tap${pastInset(gradient)};
    var dy_at = ${pixelAt(output, "item", "row", "0u")} + channel;
    for (var column = 0u; column < ${output.width}u; column++) {
      ${lines(taps / 4, (i) => `let x${i} = ${load(input, "x", `x_at + ${i}u`)};`)}
      ${lines(VECTORS, (v) => `let d${v} = dy[dy_at + ${v}u];`)}
      ${
    each((p, v) => `a${p}_${v} = fma(vec4<f32>(x${p >> 2}.${"xyzw"[p & 3]}), d${v}, a${p}_${v});`)
  }
      x_at += ${stride * input.channels / 4}u;
      dy_at += ${outChannels}u;
    }
  }
  let to = group.z * ${partialSumSize(gradient) / 4}u
    + (filter_row * ${filterRow}u + tap * 4u) * ${outChannels}u + channel;
  ${each((p, v) => `partials[to + ${p * outChannels + v}u] = a${p}_${v};`)}
}`;
  return {
    kernel: { label: gradient.label, bindings: filterGradientBindings(gradient), code },
    workgroups: () => [Math.ceil(tiles / LANES), outChannels / VECTORS, partialSums],
    multiplyAdds: filterGradientMultiplyAdds(gradient),
  };
}
