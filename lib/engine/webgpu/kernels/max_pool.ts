/**
 * The maximum over 3×3 with stride 2, and its gradient.
 *
 * Forward keeps which of the nine won, the first where several are equal and NaN before all as in
 * PyTorch, in a byte a channel. The gradient needs nothing else: not the convolution's output, whose memory is free by
 * then, and not its ReLU either, since a window whose maximum is not above 0 is marked as having no
 * winner.
 *
 * @module
 */
import { type Grid, pixelAt } from "../grid.ts";
import { elementGroups, elementwise, type KernelLaunch, vectors } from "../kernel.ts";
import { nanFunctions } from "../nan.ts";
import { imageVectors, load, store } from "../precision.ts";
import { STEP, STEP_STRUCT } from "../step.ts";
import { ITEMS, WINNERS_STRUCT, winnersBinding } from "../winners.ts";

/** The mark of a window without a winner. */
const NONE = 9;

/**
 * The maximum; one thread for four channels of a window.
 *
 * Bindings: `step`; `x`, of the input's grid; `y`, of the output's; `codes`, a word for four channels
 * of each pixel of the output, without a border.
 */
export function maxPool(label: string, input: Grid, output: Grid): KernelLaunch {
  const { height, width } = output;
  const channels = output.channels / 4;
  const one = height * width * channels;
  const code = `${STEP_STRUCT}
${nanFunctions("vectors")}
${
    elementwise(
      `step.slices * ${one}u`,
      `
  let channel = index % ${channels}u;
  let column = index / ${channels}u % ${width}u;
  let row = index / ${channels * width}u % ${height}u;
  let slice = index / ${one}u;
  let origin = ${pixelAt(input, "slice", "row * 2u", "column * 2u")} + channel;
  var best = ${load(input, "x", "origin")};
  var winner = vec4<u32>();
  for (var place = 1u; place < 9u; place++) {
    let at = origin + (place / 3u * ${input.columns}u + place % 3u) * ${channels}u;
    let value = ${load(input, "x", "at")};
    let wins = beats(value, best);
    winner = select(winner, vec4<u32>(place), wins);
    best = select(best, value, wins);
  }
  winner = select(vec4<u32>(${NONE}u), winner, best > vec4<f32>());
  let to = ${pixelAt(output, "slice", "row", "column")} + channel;
  ${store(output, "y", "to", "best")}
  codes[index] = winner.x | (winner.y << 8u) | (winner.z << 16u) | (winner.w << 24u);`,
    )
  }`;
  return {
    kernel: {
      label,
      bindings: [
        STEP,
        imageVectors("x", "read", input),
        imageVectors("y", "write", output),
        { name: "codes", type: "array<u32>", access: "write" },
      ],
      code,
    },
    workgroups: (slices) => elementGroups(slices * one),
  };
}

/**
 * The gradient, gathered: one thread for four channels of a pixel of the input, which lies under one,
 * two or four windows. It includes the gradient of the ReLU ahead of the pool.
 *
 * Bindings: `winners`; `codes`, as {@linkcode maxPool} wrote them; `dy`, of the output's grid without
 * border, and `dx`, of the input's, both numbered by winner.
 */
export function maxPoolGradient(label: string, input: Grid, output: Grid): KernelLaunch {
  const { height, width } = input;
  const channels = input.channels / 4;
  const one = height * width * channels;
  const code = `${WINNERS_STRUCT}
${
    elementwise(
      `winners.count * ${one}u`,
      `
  let channel = index % ${channels}u;
  let column = index / ${channels}u % ${width}u;
  let row = index / ${channels * width}u % ${height}u;
  let item = index / ${one}u;
  let slice = ${ITEMS.winners.slice("item")};
  let last_row = min(row / 2u, ${output.height - 1}u);
  let last_column = min(column / 2u, ${output.width - 1}u);
  var sum = vec4<f32>();
  // A window begins at twice its place and reaches two further.
  for (var r = (max(row, 1u) - 1u) / 2u; r <= last_row; r++) {
    for (var c = (max(column, 1u) - 1u) / 2u; c <= last_column; c++) {
      let code = codes[((slice * ${output.height}u + r) * ${output.width}u + c) * ${channels}u + channel];
      let places = (vec4<u32>(code) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(255u);
      let mine = (row - r * 2u) * 3u + column - c * 2u;
      let gradient = dy[((item * ${output.height}u + r) * ${output.width}u + c) * ${channels}u + channel];
      sum += select(vec4<f32>(), gradient, places == vec4<u32>(mine));
    }
  }
  dx[${pixelAt(input, "item", "row", "column")} + channel] = sum;`,
    )
  }`;
  return {
    kernel: {
      label,
      bindings: [
        winnersBinding("read"),
        { name: "codes", type: "array<u32>", access: "read" },
        vectors("dy", "read"),
        vectors("dx", "write"),
      ],
      code,
    },
    workgroups: (slices) => elementGroups(slices * one),
  };
}
