/**
 * The gradients of the last convolution, where very few outputs have one: a channel only in its argmax
 * slice, and there only at the windows' maxima, 49 of 225 pixels at most.
 *
 * The filter gradient gathers those pixels: 256 · 49 · 2304 = 29 million sums an exam, against 133
 * million products a slice. The input gradient takes each slice's own channels only: together 133
 * million products an exam, whatever the number of slices.
 */
import { elementKernel } from "../element_kernel.ts";
import { type Grid, pixelAt } from "../grid.ts";
import type { Tiles } from "../gpu.ts";
import { type KernelLaunch, lines, vectors } from "../kernel.ts";
import { nanFunctions } from "../nan.ts";
import { imageNumbers, imageVectors, load, loadNumber } from "../precision.ts";
import { ITEMS, selectedBinding } from "../selected_slices.ts";
import { poolOf } from "./mean_pool.ts";

/** Marks a window whose maximum is not above 0, through which the ReLU lets nothing. */
const NONE = 0xffff_ffff;

/**
 * Where the maximum of each window is, in the channel's argmax slice.
 *
 * Bindings: `selected`; `x`, the last convolution's output; `maxima`, `[channels, windows]`: row ·
 * columns + column.
 */
export function lastMaxima(output: Grid): KernelLaunch {
  const pool = poolOf(output);
  const windows = pool.height * pool.width;
  const count = output.channels * windows;
  return elementKernel({
    label: "last layer, maxima",
    bindings: [
      selectedBinding("read", output.channels),
      imageNumbers("x", output),
      { name: "maxima", type: "array<u32>", access: "write" },
    ],
    count,
    functions: nanFunctions("numbers"),
    body: `let channel = index / ${windows}u;
  let row = index % ${windows}u / ${pool.width}u * 2u;
  let column = index % ${windows}u % ${pool.width}u * 2u;
  let slice = selected.slice_of[channel];
  let origin = ${pixelAt(output, "slice", "row", "column")} * 4u + channel;
  var best = ${loadNumber(output, "x", "origin")};
  var argmax = 0u;
  for (var tap = 1u; tap < 9u; tap++) {
    let next = origin + (tap / 3u * ${output.columns}u + tap % 3u) * ${output.channels}u;
    let value = ${loadNumber(output, "x", "next")};
    if (beats(value, best)) {
      best = value;
      argmax = tap;
    }
  }
  let at = (row + argmax / 3u) * ${output.width}u + column + argmax % 3u;
  maxima[index] = select(${NONE}u, at, best > 0.0);`,
  });
}

/**
 * The filter's and the bias's gradient. A thread has four input by four output channels of one tap of
 * the filter and adds up the inputs at the maxima: the gradient there is one number a channel.
 *
 * Bindings: `selected`; `maxima`; `x`, the last convolution's input; `gradient`,
 * `[size, size, input channels, channels]` and the bias's.
 */
export function lastFilterGradient(input: Grid, output: Grid, size: number): KernelLaunch {
  const pool = poolOf(output);
  const windows = pool.height * pool.width;
  const [inVectors, outVectors] = [input.channels / 4, output.channels / 4];
  const count = size * size * inVectors * outVectors;
  return elementKernel({
    label: "last layer, filter gradient",
    bindings: [
      selectedBinding("read", output.channels),
      { name: "maxima", type: "array<u32>", access: "read" },
      imageVectors("x", "read", input),
      vectors("gradient", "write"),
    ],
    count,
    body: `let in_channel = index % ${inVectors}u;
  let out_channel = index / ${inVectors}u % ${outVectors}u;
  let tap = index / ${inVectors * outVectors}u;
  let shift = (tap / ${size}u * ${input.columns}u + tap % ${size}u) * ${inVectors}u + in_channel;
  ${
      lines(4, (i) =>
        `var sum${i} = vec4<f32>();
  var count${i} = 0.0;
  {
    let channel = out_channel * 4u + ${i}u;
    let image = selected.slice_of[channel] * ${input.rows * input.columns * inVectors}u + shift;
    for (var window = 0u; window < ${windows}u; window++) {
      let at = maxima[channel * ${windows}u + window];
      if (at != ${NONE}u) {
        let pixel = at / ${output.width}u * ${input.columns}u + at % ${output.width}u;
        sum${i} += ${load(input, "x", `image + pixel * ${inVectors}u`)};
        count${i} += 1.0;
      }
    }
    sum${i} *= selected.gradient[channel];
    count${i} *= selected.gradient[channel];
  }`)
    }
  let to = (tap * ${input.channels}u + in_channel * 4u) * ${outVectors}u + out_channel;
  ${
      lines(4, (j) => {
        const component = "xyzw"[j];
        const sums = [0, 1, 2, 3].map((i) => `sum${i}.${component}`).join(", ");
        return `gradient[to + ${j * outVectors}u] = vec4<f32>(${sums});`;
      })
    }
  if (tap == 0u && in_channel == 0u) {
    gradient[${size * size * input.channels * outVectors}u + out_channel] =
      vec4<f32>(count0, count1, count2, count3);
  }`,
  });
}

/**
 * The gradient of each channel as an image with a border: zero but at the maxima, where windows that
 * share one add up.
 *
 * Bindings: `selected`; `maxima`; `dy`, `[channels, rows, columns]`.
 *
 * @param border width of the border
 */
export function lastOutputGradient(output: Grid, border: number): KernelLaunch {
  const pool = poolOf(output);
  const [height, width] = [output.height, output.width];
  const [rows, columns] = [height + 2 * border, width + 2 * border];
  const count = output.channels * height * width;
  return elementKernel({
    label: "last layer, output gradient",
    bindings: [
      selectedBinding("read", output.channels),
      { name: "maxima", type: "array<u32>", access: "read" },
      { name: "dy", type: "array<f32>", access: "write" },
    ],
    count,
    body: `let channel = index / ${height * width}u;
  let at = index % ${height * width}u;
  let row = at / ${width}u;
  let column = at % ${width}u;
  let last_row = min(row / 2u, ${pool.height - 1}u);
  let last_column = min(column / 2u, ${pool.width - 1}u);
  var times = 0.0;
  for (var r = (max(row, 1u) - 1u) / 2u; r <= last_row; r++) {
    for (var c = (max(column, 1u) - 1u) / 2u; c <= last_column; c++) {
      if (maxima[(channel * ${pool.height}u + r) * ${pool.width}u + c] == at) { times += 1.0; }
    }
  }
  dy[(channel * ${rows}u + row + ${border}u) * ${columns}u + column + ${border}u] =
    times * selected.gradient[channel];`,
  });
}

/**
 * The input's gradient, with that of the ReLU ahead: each selected slice against the filters of the
 * channels that selected it.
 *
 * Bindings: `selected`; `dy`, as {@linkcode lastOutputGradient} wrote it; `filters`, rotated and
 * exchanged, `[size, size, channels, input channels]`; `activation`, the last convolution's input; `dx`,
 * of the same grid in single precision, numbered by selected slice.
 */
export function lastInputGradient(
  input: Grid,
  output: Grid,
  size: number,
  tiles: Tiles,
): KernelLaunch {
  // A GPU's thread has 255 registers at most; a processor's spill to its first cache at no cost.
  const vectorsHeld = tiles === "registers" ? 4 : 1;
  const segments = Math.ceil(input.width / 16);
  const pixels = Math.ceil(input.width / segments);
  const border = size - 1 - input.border;
  const [rows, columns] = [output.height + 2 * border, output.width + 2 * border];
  const inVectors = input.channels / 4;
  const perItem = input.height * segments * (inVectors / vectorsHeld);
  const threads = tiles === "registers" ? 8 : 64;
  const each = (line: (pixel: number, vector: number) => string) =>
    lines(
      pixels * vectorsHeld,
      (index) => line(Math.floor(index / vectorsHeld), index % vectorsHeld),
    );
  const code = `@compute @workgroup_size(${threads})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = group.x * ${threads}u + lane;
  if (index >= selected.count * ${perItem}u) { return; }
  let channel = index % ${inVectors / vectorsHeld}u * ${vectorsHeld}u;
  let column = index / ${inVectors / vectorsHeld}u % ${segments}u * ${pixels}u;
  let row = index / ${inVectors / vectorsHeld * segments}u % ${input.height}u;
  let item = index / ${perItem}u;
  ${each((p, v) => `var a${p}_${v} = vec4<f32>();`)}
  for (var entry = selected.first[item]; entry < selected.first[item + 1u]; entry++) {
    let origin = selected.channels[entry];
    for (var filter_row = 0u; filter_row < ${size}u; filter_row++) {
      let at = (origin * ${rows}u + row + filter_row) * ${columns}u + column;
      ${lines(pixels + size - 1, (p) => `let d${p} = dy[at + ${p}u];`)}
      ${
    lines(size, (s) =>
      `{
        let filter_at = ((filter_row * ${size}u + ${s}u) * ${output.channels}u + origin)
          * ${inVectors}u + channel;
        ${lines(vectorsHeld, (v) => `let f${v} = filters[filter_at + ${v}u];`)}
        ${each((p, v) => `a${p}_${v} = fma(vec4<f32>(d${p + s}), f${v}, a${p}_${v});`)}
      }`)
  }
    }
  }
  let slice = ${ITEMS.selected.slice("item")};
  ${
    lines(pixels, (p) =>
      `if (column + ${p}u < ${input.width}u) {
    let at = ${pixelAt(input, "item", "row", `column + ${p}u`)} + channel;
    let active_at = ${pixelAt(input, "slice", "row", `column + ${p}u`)} + channel;
    ${
        lines(vectorsHeld, (v) =>
          `dx[at + ${v}u] = select(vec4<f32>(), a${p}_${v},
      ${load(input, "activation", `active_at + ${v}u`)} > vec4<f32>());`)
      }
  }`)
  }
}`;
  return {
    kernel: {
      label: "last layer, input gradient",
      bindings: [
        selectedBinding("read", output.channels),
        { name: "dy", type: "array<f32>", access: "read" },
        vectors("filters", "read"),
        imageVectors("activation", "read", input),
        vectors("dx", "write"),
      ],
      code,
    },
    workgroups: (slices) => [Math.ceil(Math.min(slices, output.channels) * perItem / threads)],
  };
}
