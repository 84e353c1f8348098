/**
 * The first convolution's input: the exam's voxels, resampled by an augmentation, then scaled and offset.
 */
import { elementKernel } from "../element_kernel.ts";
import type { Grid } from "../grid.ts";
import type { KernelLaunch } from "../kernel.ts";
import { STEP } from "../step.ts";

/** How voxels are uploaded: as bytes, four in a word, or as floats. */
export type VoxelType = "uint8" | "float32";

/**
 * One thread a pixel: bilinear, the edge's pixels repeated beyond the edge. Without augmentation the
 * source of each pixel is the pixel itself, and its value is exact. Scale and offset come last. The border
 * is the convolution's padding: it stays zero.
 *
 * Bindings: `step`; `voxels`, `[slices, height, width]`; `image`, of the grid.
 *
 * @param blocks whether the image lies in blocks of 2×2 pixels, as if those were four channels of an image
 * of half the rows and columns: so a stride of two pixels is one vector
 */
export function prepareInput(
  { height, width, border, rows, columns }: Grid,
  type: VoxelType,
  blocks: boolean = false,
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
  return elementKernel({
    label: `prepare input (${type})`,
    bindings: [
      STEP,
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
}`,
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
    mix(above, below, y - top) * step.scale + step.offset;`,
  });
}
