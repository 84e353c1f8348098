/**
 * The first convolution's input: the exam's voxels, resampled by an augmentation, then scaled and offset.
 */
import { elementKernel } from "../element_kernel.ts";
import type { Grid } from "../grid.ts";
import type { KernelLaunch } from "../kernel.ts";
import { PHOTOMETRIC_STEP, STEP } from "../step.ts";

/** How voxels are uploaded: as bytes, four in a word, or as floats. */
export type VoxelType = "uint8" | "float32";

/** How the image is written. */
export interface InputForm {
  /**
   * Whether the image lies in blocks of 2×2 pixels, as if those were four channels of an image of half
   * the rows and columns: so a stride of two pixels is one vector.
   * @default false
   */
  blocks?: boolean;
  /**
   * Whether grey values change, as the step's numbers say, behind scale and offset.
   * @default false
   */
  photometric?: boolean;
}

/** Grey values that are shares of an exam's range, changed; `lib/data/photometric.ts` has the formulas. */
const CHANGE_GREY_VALUE = `
fn normal(index: u32, seed: u32) -> f32 {
  var v = vec2<u32>(index, seed) * 1664525u + 1013904223u;
  for (var round = 0; round < 2; round++) {
    v.x += v.y * 1664525u;
    v.y += v.x * 1664525u;
    v ^= v >> vec2<u32>(16u);
  }
  let uniforms = vec2<f32>(v >> vec2<u32>(8u)) + vec2<f32>(1.0, 0.0);
  let radius = sqrt(-2.0 * log(uniforms.x / 16777216.0));
  return radius * cos(6.283185307179586 * (uniforms.y / 16777216.0));
}
fn changed(share: f32, index: u32, x: f32, y: f32) -> f32 {
  var value = clamp(share, 0.0, 1.0);
  if (step.gamma != 1.0) { value = select(0.0, pow(value, step.gamma), value > 0.0); }
  let c = step.bias;
  let field = c[0].x + y * (c[0].y + y * (c[0].z + y * c[0].w))
    + x * (c[1].x + y * (c[1].y + y * c[1].z) + x * (c[1].w + y * c[2].x + x * c[2].y));
  value *= exp(field);
  if (step.noise_std != 0.0) { value += step.noise_std * normal(index, step.noise_seed); }
  return clamp(value, 0.0, 1.0) * step.final_scale + step.final_offset;
}`;

/**
 * One thread a pixel: bilinear, the edge's pixels repeated beyond the edge. Without augmentation the
 * source of each pixel is the pixel itself, and its value is exact. Scale and offset come last. The border
 * is the convolution's padding: it stays zero.
 *
 * Bindings: `step`; `voxels`, `[slices, height, width]`; `image`, of the grid.
 */
export function prepareInput(
  { height, width, border, rows, columns }: Grid,
  type: VoxelType,
  { blocks = false, photometric = false }: InputForm = {},
): KernelLaunch {
  const voxel = type === "float32"
    ? "voxels[at]"
    : "f32((voxels[at >> 2u] >> ((at & 3u) * 8u)) & 255u)";
  const at = blocks
    ? `let to_row = row + ${border}u;
  let to_column = column + ${border}u;
  image[((slice * ${rows / 2}u + to_row / 2u) * ${columns / 2}u + to_column / 2u) * 4u
    + to_row % 2u * 2u + to_column % 2u]`
    : `image[(slice * ${rows}u + row + ${border}u) * ${columns}u + column + ${border}u]`;
  const value = "mix(above, below, y - top) * step.scale + step.offset";
  const changed = `changed(${value}, step.first * ${height * width}u + index,
      2.0 * f32(column) / ${width - 1}.0 - 1.0, 2.0 * f32(row) / ${height - 1}.0 - 1.0)`;
  return elementKernel({
    label: `prepare input (${type}${photometric ? ", grey values changed" : ""})`,
    bindings: [
      photometric ? PHOTOMETRIC_STEP : STEP,
      { name: "voxels", type: `array<${type === "float32" ? "f32" : "u32"}>`, access: "read" },
      { name: "image", type: "array<f32>", access: "write" },
    ],
    count: height * width,
    items: "slices",
    functions: `fn voxel(slice: u32, x: f32, y: f32) -> f32 {
  let column = u32(clamp(x, 0.0, ${width - 1}.0));
  let row = u32(clamp(y, 0.0, ${height - 1}.0));
  let at = ((step.first + slice) * ${height}u + row) * ${width}u + column;
  return ${voxel};
}${photometric ? CHANGE_GREY_VALUE : ""}`,
    body: `let slice = index / ${height * width}u;
  let row = (index / ${width}u) % ${height}u;
  let column = index % ${width}u;
  let position = vec4<f32>(f32(column), f32(row), 1.0, 0.0);
  let x = dot(step.source_x, position);
  let y = dot(step.source_y, position);
  let left = floor(x);
  let top = floor(y);
  let above = mix(voxel(slice, left, top), voxel(slice, left + 1.0, top), x - left);
  let below = mix(voxel(slice, left, top + 1.0), voxel(slice, left + 1.0, top + 1.0), x - left);
  ${at} =
    ${photometric ? changed : value};`,
  });
}
