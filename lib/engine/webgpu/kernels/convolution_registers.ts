/**
 * Convolution for software adapters: every thread holds up to 16 pixels of a row by 32 channels
 * in named registers.
 *
 * Measured on llvmpipe, per second of one core: 14.6 GFLOPS; with 16 channels 11.8, with 16 channels and
 * one product at a time 10.6. Tiles of 32 by 32 gain a little more and take three times as long to
 * compile.
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

/** Threads in a workgroup: the lanes of one vector register of 256 bits. */
const LANES = 8;
/** Vectors of output channels a thread holds. */
const VECTORS = 8;
/** The most pixels of a row a thread holds. */
const MAX_PIXELS = 16;

/** The form of {@linkcode Convolution} that uses registers only. */
export function convolutionInRegisters(conv: Convolution): KernelLaunch {
  const { input, output, size, filterRow, stride, items, points = 1 } = conv;
  // Equal segments of a row: 15 pixels are one segment, 31 are two of 16 with one left over.
  const segments = Math.ceil(output.width / MAX_PIXELS);
  const pixels = Math.ceil(output.width / segments);
  const step = stride * input.channels / 4;
  const outChannels = output.channels / 4;
  const tiles = output.height * segments;
  const sum = (pixel: number, vector: number) => `a${pixel}_${vector}`;
  const each = (line: (pixel: number, vector: number) => string) =>
    lines(pixels * VECTORS, (index) => line(Math.floor(index / VECTORS), index % VECTORS));
  const code = `${convolutionFunctions(conv)}
@compute @workgroup_size(${LANES})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let tile = group.x * ${LANES}u + lane;
  if (tile >= ${ITEMS[items].count} * ${tiles * points}u) { return; }
  let column = (tile % ${segments}u) * ${pixels}u;
  let row = (tile / ${segments}u) % ${output.height}u;
  let item = tile / ${tiles}u;
  let channel = group.y * ${VECTORS}u;
  ${each((p, v) => `var ${sum(p, v)} = vec4<f32>();`)}
  var filter_at = channel${
    points === 1 ? "" : ` + item / ${ITEMS[items].count} * ${size * filterRow * outChannels}u`
  };
  for (var filter_row = 0u; filter_row < ${size}u; filter_row++) {
    var at = (item * ${input.rows}u + row * ${stride}u + filter_row)
      * ${input.columns * input.channels / 4}u + column * ${step}u${pastInset(conv)};
    for (var k = 0u; k < ${filterRow / 4}u; k++) {
      ${
    lines(4 * VECTORS, (i) => {
      const [row, v] = [Math.floor(i / VECTORS), i % VECTORS];
      return `let f${row}_${v} = filters[filter_at + ${row * outChannels + v}u];`;
    })
  }
      ${
    lines(pixels, (p) =>
      `let x${p} = ${load(input, "x", `at + ${p * step}u`)};
      ${lines(VECTORS, (v) => `${sum(p, v)} = ${_fourProducts(`x${p}`, v, sum(p, v))};`)}`)
  }
      at += 1u;
      filter_at += ${4 * outChannels}u;
    }
  }
  ${
    lines(pixels, (p) => {
      const sums = Array.from({ length: VECTORS }, (_, v) => sum(p, v));
      return `if (column + ${p}u < ${output.width}u) {
    ${writeSums(conv, `column + ${p}u`, sums)}
  }`;
    })
  }
}`;
  return {
    kernel: { label: conv.label, bindings: convolutionBindings(conv), code },
    workgroups: (slices) => [Math.ceil(slices * points * tiles / LANES), outChannels / VECTORS],
    multiplyAdds: convolutionMultiplyAdds(conv),
  };
}

/**
 * Four products added to a sum in one expression. The sums do not fit the registers of a processor: so
 * each is loaded and stored once for four products instead of four times.
 */
function _fourProducts(x: string, vector: number, sum: string): string {
  return [..."xyzw"].reduce(
    (inner, component, index) => `fma(vec4<f32>(${x}.${component}), f${index}_${vector}, ${inner})`,
    sum,
  );
}
