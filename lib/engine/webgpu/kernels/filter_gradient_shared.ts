/**
 * The filter gradient for GPUs: 64 places of the filter by 64 output channels a workgroup, tiles in
 * shared memory, as in `convolution_shared.ts`.
 *
 * @module
 */
import { pixelAt } from "../grid.ts";
import { lines, type Sized } from "../kernel.ts";
import { load } from "../precision.ts";
import { ITEMS, WINNERS_STRUCT } from "../winners.ts";
import {
  type FilterGradient,
  filterGradientBindings,
  filterGradientWork,
  partSize,
} from "./filter_gradient.ts";

const TILE = 64;
/** Pixels in a tile. */
const DEPTH = 16;

/** The form of {@linkcode FilterGradient} that uses shared memory. */
export function filterGradientInSharedMemory(gradient: FilterGradient): Sized {
  const { input, output, size, filterRow, stride, parts } = gradient;
  const places = size * filterRow;
  const pixels = output.height * output.width;
  const outChannels = output.channels / 4;
  const inRow = input.columns * input.channels / 4;
  const each = (line: (place: number, half: number) => string) =>
    lines(16, (index) => line(index >> 1, index & 1));
  const code = `${WINNERS_STRUCT}
// [pixel][place / 4] and [pixel][channel / 4]
var<workgroup> tile_x: array<vec4<f32>, ${DEPTH * 16}>;
var<workgroup> tile_d: array<vec4<f32>, ${DEPTH * 16}>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let total = winners.count * ${pixels}u;
  let begin = total / ${parts}u * group.z + min(group.z, total % ${parts}u);
  let end = begin + total / ${parts}u + select(0u, 1u, group.z < total % ${parts}u);
  let tile_place = group.x * ${TILE / 4}u;
  let tile_channel = group.y * ${TILE / 4}u;
  let load = lane % 16u;
  let load_pixel = lane / 16u;
  // Places beyond the filter's last are computed as its first and not written.
  let place = select(0u, tile_place + load, tile_place + load < ${places / 4}u);
  let x_shift = place / ${filterRow / 4}u * ${inRow}u + place % ${filterRow / 4}u;
  let my_channel = lane % 8u;
  let my_place = lane / 8u;
  ${each((p, h) => `var a${p}_${h} = vec4<f32>();`)}
  for (var start = begin; start < end; start += ${DEPTH}u) {
    ${
    lines(DEPTH / 4, (i) =>
      `{
      let pixel = start + load_pixel + ${i * 4}u;
      let to = lane + ${i * 64}u;
      tile_x[to] = vec4<f32>();
      tile_d[to] = vec4<f32>();
      if (pixel < end) {
        let item = pixel / ${pixels}u;
        let row = pixel / ${output.width}u % ${output.height}u;
        let column = pixel % ${output.width}u;
        let slice = ${ITEMS.winners.slice("item")};
        let x_at = (slice * ${input.rows}u + row * ${stride}u) * ${inRow}u
          + column * ${stride * input.channels / 4}u + x_shift;
        tile_x[to] = ${load(input, "x", "x_at")};
        tile_d[to] = dy[${pixelAt(output, "item", "row", "column")} + tile_channel + load];
      }
    }`)
  }
    workgroupBarrier();
    for (var d = 0u; d < ${DEPTH}u; d++) {
      let d0 = tile_d[d * 16u + my_channel * 2u];
      let d1 = tile_d[d * 16u + my_channel * 2u + 1u];
      let x0 = tile_x[d * 16u + my_place * 2u];
      let x1 = tile_x[d * 16u + my_place * 2u + 1u];
      ${
    each((p, h) => `a${p}_${h} = fma(vec4<f32>(x${p >> 2}.${"xyzw"[p & 3]}), d${h}, a${p}_${h});`)
  }
    }
    workgroupBarrier();
  }
  let to = group.z * ${partSize(gradient) / 4}u + tile_channel + my_channel * 2u;
  let first = tile_place * 4u + my_place * 8u;
  ${
    lines(8, (p) =>
      `if (first + ${p}u < ${places}u) {
    parts[to + (first + ${p}u) * ${outChannels}u] = a${p}_0;
    parts[to + (first + ${p}u) * ${outChannels}u + 1u] = a${p}_1;
  }`)
  }
}`;
  return {
    kernel: { label: gradient.label, bindings: filterGradientBindings(gradient), code },
    workgroups: () => [Math.ceil(places / TILE), output.channels / TILE, parts],
    multiplyAdds: filterGradientWork(gradient),
  };
}
