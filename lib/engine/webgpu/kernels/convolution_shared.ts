/**
 * Convolution for GPUs: a workgroup computes 64 pixels by 64 channels in the tiles of
 * `shared_product.ts`.
 */
import { type KernelLaunch, lines } from "../kernel.ts";
import { load } from "../precision.ts";
import { ITEMS } from "../selected_slices.ts";
import {
  type Convolution,
  convolutionBindings,
  convolutionFunctions,
  convolutionMultiplyAdds,
  pastInset,
  writeSums,
} from "./convolution_base.ts";
import { eachSum, HALF, sharedProduct, sharedTiles, TILE } from "./shared_product.ts";
import type { SharedProduct } from "./shared_product.ts";

/** The form of {@linkcode Convolution} that uses shared memory. */
export function convolutionInSharedMemory(conv: Convolution): KernelLaunch {
  const { input, output, size, filterRow, stride, items, points = 1, partialSums } = conv;
  const pixels = output.height * output.width;
  const inRow = input.columns * input.channels / 4;
  const step = stride * input.channels / 4;
  const code = `${convolutionFunctions(conv)}
${sharedTiles(tileDepth(filterRow))}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let total = ${ITEMS[items].count} * ${pixels}u;
  let first = group.x * ${TILE}u;
  if (first >= total) { return; }
  let images = ${points === 1 ? "0u" : `group.z * ${ITEMS[items].count}`};
  let tile_channel = group.y * ${TILE / 4}u;
  // This thread loads four pixels at one vector of depth; beyond the end it loads the first pixel.
  let load_depth = lane / 16u;
  let load_pixels = lane % 16u;
  ${
    lines(4, (i) =>
      `let p${i} = select(0u, first + load_pixels * 4u + ${i}u,` +
      ` first + load_pixels * 4u + ${i}u < total);
  let x_at${i} = ((images + p${i} / ${pixels}u) * ${input.rows}u
    + p${i} / ${output.width}u % ${output.height}u * ${stride}u) * ${inRow}u
    + p${i} % ${output.width}u * ${step}u + load_depth${pastInset(conv)};`)
  }
  // And one vector of channels at up to four numbers of depth.
  let f_at = (${points === 1 ? "" : `group.z * ${size * filterRow}u + `}lane / 16u) * ${
    output.channels / 4
  }u
    + tile_channel + lane % 16u;
  ${sharedProduct(_product(conv))}
  let channel = tile_channel + my_column;
  ${
    eachSum((row, sums) =>
      `{
    let pixel = first + ${row};
    if (pixel < total) {
      ${_written(conv, sums)}
    }
  }`
    )
  }
}`;
  return {
    kernel: { label: conv.label, bindings: convolutionBindings(conv), code },
    workgroups: (slices) => [
      Math.ceil(slices * pixels / TILE),
      output.channels / TILE,
      partialSums?.(slices) ?? points,
    ],
    multiplyAdds: convolutionMultiplyAdds(conv),
  };
}

/** What a thread loads in each turn, from `x_at0` and so on and from `f_at`. */
function _product({ input, output, size, filterRow, partialSums }: Convolution): SharedProduct {
  const depth = tileDepth(filterRow);
  const turnsOfRow = filterRow / depth;
  const turns = size * turnsOfRow;
  const inRow = input.columns * input.channels / 4;
  const outChannels = output.channels / 4;
  const loaded = lines(4, (i) => `x${i} = ${load(input, "x", `x_at${i} + shift`)};`);
  const put = lines(4, (d) => {
    const numbers = [0, 1, 2, 3].map((i) => `x${i}.${"xyzw"[d]}`).join(", ");
    return `rows[buffer][load_depth * 4u + ${d}u][load_pixels] = vec4<f32>(${numbers});`;
  });
  return {
    depth,
    ...(partialSums === undefined ? { begin: "0u", end: `${turns}u` } : {
      begin: `${turns}u * group.z / groups.z`,
      end: `${turns}u * (group.z + 1u) / groups.z`,
    }),
    held: ["x0", "x1", "x2", "x3", ...["f0", "f1", "f2", "f3"].slice(0, depth / 4)],
    fetch: (turn) =>
      `{
      let shift = ${turn} / ${turnsOfRow}u * ${inRow}u + ${turn} % ${turnsOfRow}u * ${depth / 4}u;
      ${_whereLoaded(depth, loaded)}
      let rows_at = f_at + ${turn} * ${depth * outChannels}u;
      ${lines(depth / 4, (i) => `f${i} = filters[rows_at + ${i * 4 * outChannels}u];`)}
    }`,
    put: `${_whereLoaded(depth, put)}
    ${lines(depth / 4, (i) => `columns[buffer][lane / 16u + ${i * 4}u][lane % 16u] = f${i};`)}`,
  };
}

/** Writes the sums of `pixel` from `channel` on: through the epilogue, or as partial sums. */
function _written(conv: Convolution, sums: string[]): string {
  const { output, partialSums } = conv;
  const epilogue = `let item = images + pixel / ${output.height * output.width}u;
      let row = pixel / ${output.width}u % ${output.height}u;
      let column = pixel % ${output.width}u;
      ${writeSums(conv, "column", sums, { apart: HALF })}`;
  return partialSums === undefined ? epilogue : `if (groups.z == 1u) {
        ${epilogue}
      } else {
        let at = (group.z * total + pixel) * ${output.channels / 4}u + channel;
        ${lines(sums.length, (index) => `partials[at + ${index * HALF}u] = ${sums[index]};`)}
      }`;
}

/** Threads beyond a tile that is less deep than 16 have no pixels to load. */
function _whereLoaded(depth: number, text: string): string {
  return depth === 16 ? text : `if (load_depth < ${depth / 4}u) {
        ${text}
      }`;
}

/** How deep a tile is: 16 if that divides a row of the filter, otherwise the most that does. */
export function tileDepth(filterRow: number): number {
  return [16, 12, 8, 4].find((depth) => filterRow % depth === 0) ?? 4;
}
