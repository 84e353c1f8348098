/**
 * What every form of a convolution has in common: its description, its bindings, and what it does with
 * its sums.
 */
import { type Grid, pixelAt } from "../grid.ts";
import { type Kernel, vectors } from "../kernel.ts";
import { nanFunctions } from "../nan.ts";
import { imageVectors, load, store } from "../precision.ts";
import { STEP } from "../step.ts";
import { ITEMS, type Items, SELECTED_LIST } from "../selected_slices.ts";

/** A convolution. */
export interface Convolution {
  label: string;
  /** The input, border included. */
  input: Grid;
  /** The output; its border is left as it is. */
  output: Grid;
  /** Rows of the filter. */
  size: number;
  /**
   * Numbers in a row of the filter, columns times input channels, rounded up to whole vectors with
   * zeros.
   */
  filterRow: number;
  stride: number;
  /**
   * By how much the input's border is wider than this convolution's padding.
   * @default 0
   */
  inset?: number;
  /** Every slice, or the selected ones: then input and output are numbered by selected slice. */
  items: Items;
  /**
   * What becomes of a sum: `bias` adds a bias, `relu` a bias and cuts off below 0; `mask` keeps it where
   * the activation of the same pixel and channel is above 0, which is the gradient of that ReLU.
   */
  epilogue: "bias" | "relu" | "mask" | "none";
  /**
   * How an image lies that is added to the sums ahead of a cut: a shortcut, or its gradient.
   * @default none is added
   */
  added?: Grid;
  /**
   * How the activation of a mask lies.
   * @default as the output
   */
  activation?: Grid;
  /**
   * How many convolutions this is: input and output are numbered by point, then by item, and each
   * point has filters of its own, one after the other.
   * @default 1
   */
  points?: number;
  /**
   * Into how many partial sums the terms are split, by the number of slices; in shared tiles only. If
   * there are several, a second pass adds them (`convolution_partial_sums.ts`).
   * @default always one
   */
  partialSums?: (slices: number) => number;
}

/** The bindings of a convolution, in either form. */
export function convolutionBindings(conv: Convolution): Kernel["bindings"] {
  const { items, epilogue, input, output, activation = output, added, partialSums } = conv;
  return [
    STEP,
    ...(items === "selected" ? [SELECTED_LIST] : []),
    imageVectors("x", "read", input),
    vectors("filters", "read"),
    ...(epilogue === "relu" || epilogue === "bias" ? [vectors("bias", "read")] : []),
    ...(epilogue === "mask" ? [imageVectors("activation", "read", activation)] : []),
    ...(added === undefined ? [] : [imageVectors("added", "read", added)]),
    imageVectors("y", "write", output),
    ...(partialSums === undefined ? [] : [vectors("partials", "write")]),
  ];
}

/** The multiply-adds of a convolution, by the number of slices. */
export function convolutionMultiplyAdds({ size, filterRow, output, points = 1 }: Convolution) {
  const { height, width, channels } = output;
  return (slices: number) => slices * points * height * width * channels * size * filterRow;
}

/** The WGSL functions that {@linkcode writeSums} calls. */
export function convolutionFunctions({ epilogue }: Convolution): string {
  return epilogue === "relu" ? nanFunctions("vectors") : "";
}

/**
 * WGSL that writes one pixel's sums; it knows `item`, `row`, `column` and `channel`, in vectors.
 *
 * @param sums one expression for each vector of channels, from `channel` on
 * @param row the WGSL expression of the row, by default `row`
 * @param apart how far apart the vectors are, in vectors
 */
export function writeSums(
  conv: Convolution,
  column: string,
  sums: string[],
  { row = "row", apart = 1 }: { row?: string; apart?: number } = {},
): string {
  const { output, epilogue, items, activation = output, added } = conv;
  const slice = ITEMS[items].slice("item");
  const written = sums.map((product, index) => {
    const further = index * apart;
    const sum = added === undefined
      ? product
      : `(${product} + ${load(added, "added", `beside + ${further}u`)})`;
    const at = `at + ${further}u`;
    switch (epilogue) {
      case "none":
        return store(output, "y", at, sum);
      case "bias":
        return store(output, "y", at, `${sum} + bias[channel + ${further}u]`);
      case "relu":
        return store(output, "y", at, `relu(${sum} + bias[channel + ${further}u])`);
      case "mask":
        return store(output, "y", at, `select(vec4<f32>(), ${sum}, ${_open(activation, further)})`);
      default:
        return epilogue satisfies never;
    }
  });
  const from = epilogue === "mask"
    ? `let origin = ${pixelAt(activation, slice, row, column)} + channel;`
    : "";
  const beside = added === undefined
    ? ""
    : `let beside = ${pixelAt(added, "item", row, column)} + channel;`;
  return `let at = ${pixelAt(output, "item", row, column)} + channel;
    ${from}
    ${beside}
    ${written.join("\n    ")}`;
}

/** Where the ReLU lets a gradient through. */
function _open(activation: Grid, further: number): string {
  return `${load(activation, "activation", `origin + ${further}u`)} > vec4<f32>()`;
}

/** WGSL that moves an address from the corner of an input to the first pixel under a filter. */
export function pastInset(
  { input: { columns, channels }, inset = 0 }: Pick<Convolution, "input" | "inset">,
): string {
  return inset === 0 ? "" : ` + ${inset * (columns + 1) * channels / 4}u`;
}
