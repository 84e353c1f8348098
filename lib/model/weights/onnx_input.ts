/**
 * How a model's input is prepared, as nodes of an ONNX graph: from the grey values of an exam's file to
 * what the first layer of the network reads.
 */
import { MRNET_MEAN, MRNET_STANDARD_DEVIATION, type Preparation } from "../../data/intensity.ts";
import { LANDMARK_PERCENTILES, type Landmarks } from "../../data/landmarks.ts";

/** Appends a node to the graph; its outputs are more than one for few operators. */
export type AddNode = (
  operator: string,
  inputs: string[],
  output: string | [string, ...string[]],
  attributes?: Record<string, number | number[]>,
) => void;

/** A constant that nodes refer to: a single number, or a list. */
export interface OnnxConstant {
  name: string;
  values: Float32Array | Float64Array | BigInt64Array;
  /** Whether it is a single number, which has no dimension. */
  single: boolean;
}

/** The type of real numbers in which landmarks are computed, as `TensorProto.DataType` numbers it. */
const DOUBLE = 11;
const FLOAT = 1;
const INT64 = 7;

/**
 * Appends the nodes that prepare `exam`, `[slices, channels, height, width]`.
 *
 * @param channels how many equal channels the exam has
 * @returns the constants that they refer to
 */
export function addInput(
  add: AddNode,
  { intensity, landmarks }: Preparation,
  channels: number,
): OnnxConstant[] {
  switch (intensity) {
    case "raw":
      return [];
    case "standardized":
      return _standardize(add);
    case "landmarks":
      return _mapToLandmarks(add, landmarks!, channels);
    default:
      return intensity satisfies never;
  }
}

/**
 * What `affineOf` does: the exam is stretched to 0–255 by its own least and largest value, then the mean
 * is taken off and the rest divided by the standard deviation. In an exam of one single value the least
 * is taken off everywhere, and 0 is divided by 1 instead of by 0.
 */
function _standardize(add: AddNode): OnnxConstant[] {
  add("ReduceMin", ["exam"], "least", { keepdims: 0 });
  add("ReduceMax", ["exam"], "largest", { keepdims: 0 });
  add("Sub", ["largest", "least"], "range");
  add("Greater", ["range", "zero"], "has_range");
  add("Where", ["has_range", "range", "one"], "divisor");
  add("Sub", ["exam", "least"], "above_least");
  add("Div", ["above_least", "divisor"], "share");
  add("Mul", ["share", "stretch"], "stretched");
  add("Sub", ["stretched", "mean"], "standardized");
  const single = (name: string, value: number): OnnxConstant => ({
    ...{ name, values: Float32Array.of(value), single: true },
  });
  return [
    single("zero", 0),
    single("one", 1),
    single("stretch", 255 / MRNET_STANDARD_DEVIATION),
    single("mean", MRNET_MEAN / MRNET_STANDARD_DEVIATION),
  ];
}

/**
 * What `mapToLandmarks` does, in double precision. An exam of one single value, which is refused there,
 * has pieces of no width only and becomes the first landmark throughout.
 */
function _mapToLandmarks(
  add: AddNode,
  { values: scale, type }: Landmarks,
  channels: number,
): OnnxConstant[] {
  const pieces = scale.length - 1;
  _addOwnLandmarks(add);
  // Where two landmarks are the same, the piece between them has no width and is left out.
  add("Gather", ["own", "firsts"], "from");
  add("Gather", ["own", "seconds"], "to");
  add("Sub", ["to", "from"], "widths");
  add("Greater", ["widths", "zero"], "has_width");
  add("Where", ["has_width", "widths", "one"], "divisors");
  add("Div", ["rises", "divisors"], "slopes");
  add("Where", ["has_width", "slopes", "zero"], "usable_slopes");
  let sum = "first_landmark";
  for (let piece = 0; piece < pieces; piece++) {
    const at = (name: string) => `${name}_${piece}`;
    for (const list of ["from", "widths", "usable_slopes"]) {
      add("Gather", [list, at("index")], at(list));
    }
    add("Sub", ["grey", at("from")], at("beyond"));
    // The first piece goes on below, the last one above.
    let within = at("beyond");
    if (piece > 0) add("Max", [within, "zero"], within = at("above"));
    if (piece < pieces - 1) add("Min", [within, at("widths")], within = at("within"));
    add("Mul", [within, at("usable_slopes")], at("rise"));
    add("Add", [sum, at("rise")], sum = at("sum"));
  }
  if (type === "uint8") {
    add("Round", [sum], "rounded");
    add("Clip", ["rounded", "zero", "white"], sum = "bytes");
  }
  add("Cast", [sum], "mapped", { to: FLOAT });
  add("Concat", Array(channels).fill("mapped"), "prepared", { axis: 1 });
  const reals = (name: string, ...values: number[]): OnnxConstant => ({
    ...{ name, values: Float64Array.from(values), single: values.length === 1 },
  });
  const indices = Array.from({ length: pieces }, (_, piece) => piece);
  return [
    reals("zero", 0),
    reals("one", 1),
    reals("white", 255),
    reals("first_landmark", scale[0]),
    reals("rises", ...indices.map((piece) => scale[piece + 1] - scale[piece])),
    reals("end_shares", LANDMARK_PERCENTILES[0] / 100, LANDMARK_PERCENTILES.at(-1)! / 100),
    reals("decile_shares", ...LANDMARK_PERCENTILES.slice(1, -1).map((percent) => percent / 100)),
    _wholes("firsts", indices),
    _wholes("seconds", indices.map((piece) => piece + 1)),
    _wholes("first_channel", [0]),
    _wholes("flat", [-1]),
    _whole("low_index", 0),
    _whole("high_index", 1),
    _whole("one_index", 1),
    ...indices.map((piece) => _whole(`index_${piece}`, piece)),
  ];
}

/** The exam's own landmarks, `own`, and one of its channels, `grey`; see `landmarksOf`. */
function _addOwnLandmarks(add: AddNode): void {
  add("Gather", ["exam", "first_channel"], "channel", { axis: 1 });
  add("Cast", ["channel"], "grey", { to: DOUBLE });
  add("Reshape", ["grey", "flat"], "values");
  add("Shape", ["values"], "counts");
  add("TopK", ["values", "counts"], ["sorted", "order"], { largest: 0 });
  add("Size", ["values"], "count");
  add("Sub", ["count", "one_index"], "last");
  add("Cast", ["last"], "last_rank", { to: DOUBLE });
  add("Mul", ["end_shares", "last_rank"], "end_ranks");
  _addPercentiles(add, "sorted", "end");
  add("Gather", ["end_values", "low_index"], "low");
  add("Gather", ["end_values", "high_index"], "high");
  add("Clip", ["sorted", "low", "high"], "clipped");
  add("ReduceMean", ["clipped"], "threshold", { keepdims: 0 });
  add("Greater", ["clipped", "threshold"], "is_foreground");
  add("Cast", ["is_foreground"], "foreground", { to: DOUBLE });
  add("ReduceSum", ["foreground"], "foreground_count", { keepdims: 0 });
  // The ranks of the foreground's deciles among all values: it is the brighter end of these.
  add("Sub", ["foreground_count", "one"], "foreground_last");
  add("Sub", ["last_rank", "foreground_last"], "foreground_first");
  add("Mul", ["decile_shares", "foreground_last"], "foreground_ranks");
  add("Add", ["foreground_ranks", "foreground_first"], "unbound_ranks");
  add("Min", ["unbound_ranks", "last_rank"], "decile_ranks");
  _addPercentiles(add, "clipped", "decile");
  add("Reshape", ["low", "flat"], "low_list");
  add("Reshape", ["high", "flat"], "high_list");
  add("Concat", ["low_list", "decile_values", "high_list"], "own", { axis: 0 });
}

/** Values at ranks among sorted ones, linear between neighbours: from `what_ranks` to `what_values`. */
function _addPercentiles(add: AddNode, sorted: string, what: string): void {
  const own = (name: string) => `${what}_${name}`;
  add("Floor", [own("ranks")], own("floors"));
  add("Sub", [own("ranks"), own("floors")], own("fractions"));
  add("Cast", [own("floors")], own("befores"), { to: INT64 });
  add("Add", [own("befores"), "one_index"], own("nexts"));
  add("Min", [own("nexts"), "last"], own("afters"));
  add("Gather", [sorted, own("befores")], own("lower"));
  add("Gather", [sorted, own("afters")], own("upper"));
  add("Sub", [own("upper"), own("lower")], own("gaps"));
  add("Mul", [own("gaps"), own("fractions")], own("steps"));
  add("Add", [own("lower"), own("steps")], own("values"));
}

function _wholes(name: string, values: readonly number[]): OnnxConstant {
  return { name, values: BigInt64Array.from(values, BigInt), single: false };
}

function _whole(name: string, value: number): OnnxConstant {
  return { ..._wholes(name, [value]), single: true };
}
