/**
 * Convolution for GPUs: a workgroup computes 64 pixels by 64 channels from tiles that its threads load
 * together into shared memory; each thread holds 8 pixels by 8 channels.
 *
 * @module
 */
import { lines, type Sized } from "../kernel.ts";
import { load } from "../precision.ts";
import { ITEMS } from "../winners.ts";
import {
  type Convolution,
  convolutionBindings,
  convolutionStart,
  convolutionWork,
  writeSums,
} from "./convolution.ts";

/** Pixels, and channels, of a workgroup's tile. */
const TILE = 64;

/** The form of {@linkcode Convolution} that uses shared memory. */
export function convolutionInSharedMemory(conv: Convolution): Sized {
  const { input, output, size, filterRow, stride, items, places = 1 } = conv;
  const depth = tileDepth(filterRow);
  const pixels = output.height * output.width;
  const outChannels = output.channels / 4;
  const inRow = input.columns * input.channels / 4;
  const step = stride * input.channels / 4;
  const each = (line: (pixel: number, half: number) => string) =>
    lines(16, (index) => line(index >> 1, index & 1));
  const code = `${convolutionStart(conv)}
// [depth][pixel / 4] and [depth][channel / 4]
var<workgroup> tile_x: array<vec4<f32>, ${depth * 16}>;
var<workgroup> tile_f: array<vec4<f32>, ${depth * 16}>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let total = ${ITEMS[items].count} * ${pixels}u;
  let first = group.x * ${TILE}u;
  if (first >= total) { return; }
  let images = group.z * ${ITEMS[items].count};
  let tile_channel = group.y * 16u;
  // This thread loads four pixels at one vector of depth; beyond the end it loads the first pixel.
  let load_depth = lane % 4u;
  let load_pixels = lane / 4u;
  ${
    lines(4, (i) =>
      `let p${i} = select(0u, first + load_pixels * 4u + ${i}u,` +
      ` first + load_pixels * 4u + ${i}u < total);
  let x_at${i} = ((images + p${i} / ${pixels}u) * ${input.rows}u
    + p${i} / ${output.width}u % ${output.height}u * ${stride}u) * ${inRow}u
    + p${i} % ${output.width}u * ${step}u + load_depth;`)
  }
  let my_channel = lane % 8u;
  let my_pixel = lane / 8u;
  ${each((p, h) => `var a${p}_${h} = vec4<f32>();`)}
  for (var filter_row = 0u; filter_row < ${size}u; filter_row++) {
    for (var k = 0u; k < ${filterRow / 4}u; k += ${depth / 4}u) {
      let shift = filter_row * ${inRow}u + k;
      if (load_depth < ${depth / 4}u) {
        ${lines(4, (i) => `let x${i} = ${load(input, "x", `x_at${i} + shift`)};`)}
        let to = load_depth * 64u + load_pixels;
        ${
    lines(4, (d) => {
      const part = "xyzw"[d];
      return `tile_x[to + ${d * 16}u] = vec4<f32>(x0.${part}, x1.${part}, x2.${part}, x3.${part});`;
    })
  }
      }
      let f_at = ((group.z * ${size}u + filter_row) * ${filterRow}u + k * 4u + lane / 16u) * ${outChannels}u
        + tile_channel + lane % 16u;
      ${
    lines(depth / 4, (i) => `tile_f[lane + ${i * 64}u] = filters[f_at + ${i * 4 * outChannels}u];`)
  }
      workgroupBarrier();
      for (var d = 0u; d < ${depth}u; d++) {
        let f0 = tile_f[d * 16u + my_channel * 2u];
        let f1 = tile_f[d * 16u + my_channel * 2u + 1u];
        let x0 = tile_x[d * 16u + my_pixel * 2u];
        let x1 = tile_x[d * 16u + my_pixel * 2u + 1u];
        ${
    each((p, h) => `a${p}_${h} = fma(vec4<f32>(x${p >> 2}.${"xyzw"[p & 3]}), f${h}, a${p}_${h});`)
  }
      }
      workgroupBarrier();
    }
  }
  let channel = tile_channel + my_channel * 2u;
  ${
    lines(8, (p) =>
      `{
    let pixel = first + my_pixel * 8u + ${p}u;
    if (pixel < total) {
      let item = images + pixel / ${pixels}u;
      let row = pixel / ${output.width}u % ${output.height}u;
      let column = pixel % ${output.width}u;
      ${writeSums(conv, "column", [`a${p}_0`, `a${p}_1`])}
    }
  }`)
  }
}`;
  return {
    kernel: { label: conv.label, bindings: convolutionBindings(conv), code },
    workgroups: (slices) => [Math.ceil(slices * pixels / TILE), output.channels / TILE, places],
    multiplyAdds: convolutionWork(conv),
  };
}

/** How deep a tile is: 16 where that divides a row of the filter, otherwise the most that does. */
export function tileDepth(filterRow: number): number {
  return [16, 12, 8, 4].find((depth) => filterRow % depth === 0) ?? 4;
}
