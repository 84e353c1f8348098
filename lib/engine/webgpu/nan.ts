/**
 * What becomes of NaN: it is every maximum and passes every ReLU, as in PyTorch. So training that diverged
 * is seen in the loss.
 *
 * WGSL lets a compiler assume that there is none: it may take `x != x` for false, and `x > y` for
 * `!(x <= y)`. Some do, Metal's among them. So NaN is told by its bits.
 */

/**
 * Functions in WGSL, of single numbers or of vectors of four: `is_nan(x)`; `beats(value, best)`,
 * whether a value replaces the maximum so far: the first of equals stays, and NaN is above all;
 * `relu(x)`.
 */
export function nanFunctions(what: "numbers" | "vectors"): string {
  const of = (type: string) => what === "numbers" ? type : `vec4<${type}>`;
  const [number, bits, truth] = [of("f32"), of("u32"), of("bool")];
  return `
fn is_nan(x: ${number}) -> ${truth} {
  return (bitcast<${bits}>(x) & ${bits}(0x7fffffffu)) > ${bits}(0x7f800000u);
}
fn beats(value: ${number}, best: ${number}) -> ${truth} {
  return is_nan(value) | ((value > best) & !is_nan(best));
}
fn relu(x: ${number}) -> ${number} {
  return select(x, ${number}(), (x < ${number}()) & !is_nan(x));
}`;
}
