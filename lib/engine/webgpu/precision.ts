/**
 * How the numbers of a buffer are stored: in single precision, or as 16-bit floats, two in a word.
 *
 * Kernels compute in single precision in either case: 16-bit floats are widened as they are read and
 * rounded as they are written. `pack2x16float` does that on every adapter, so no feature is asked for.
 */
import type { Binding } from "./kernel.ts";
import { type Grid, imageSize } from "./grid.ts";

/** How the forward pass's activations are stored. */
export const PRECISIONS = ["float32", "half"] as const satisfies readonly Precision[];
/** `float32`, or `half`: 16-bit floats of 11 significant bits, between ±65504. */
export type Precision = "float32" | "half";

/** What tells how a buffer of images is stored. */
type Stored = Pick<Grid, "half">;

/** The largest finite number in half precision. */
const MAX_HALF = 65_504;

/** Bytes of one image, its border included. */
export function imageBytes(grid: Grid): number {
  return imageSize(grid) * (grid.half ? 2 : 4);
}

/** A buffer of images, in vectors of four. */
export function imageVectors(name: string, access: "read" | "write", { half }: Stored): Binding {
  return { name, type: `array<${half ? "vec2<u32>" : "vec4<f32>"}>`, access };
}

/** A buffer of images that is read number by number. */
export function imageNumbers(name: string, { half }: Stored): Binding {
  return { name, type: `array<${half ? "u32" : "f32"}>`, access: "read" };
}

/** The vector at an index: a WGSL expression. */
export function load({ half }: Stored, name: string, index: string): string {
  if (!half) return `${name}[${index}]`;
  const pair = (word: string) => `unpack2x16float(${name}[${index}].${word})`;
  return `vec4<f32>(${pair("x")}, ${pair("y")})`;
}

/** The number at an index, of {@linkcode imageNumbers}: a WGSL expression. */
export function loadNumber({ half }: Stored, name: string, index: string): string {
  return half ? `unpack2x16float(${name}[(${index}) >> 1u])[(${index}) & 1u]` : `${name}[${index}]`;
}

/**
 * Writes a vector: a WGSL statement. What is beyond {@linkcode MAX_HALF} becomes that, and NaN stays NaN:
 * `pack2x16float` itself leaves open what it makes of either.
 */
export function store({ half }: Stored, name: string, index: string, value: string): string {
  if (!half) return `${name}[${index}] = ${value};`;
  return `{
      let wide = ${value};
      let most = vec4<f32>(${MAX_HALF}.0);
      let near = select(wide, sign(wide) * most, abs(wide) > most);
      ${name}[${index}] = vec2<u32>(pack2x16float(near.xy), pack2x16float(near.zw));
    }`;
}
