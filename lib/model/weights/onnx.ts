/**
 * Writes a trained MRNet as an ONNX model, which runs wherever an ONNX runtime does.
 *
 * - Input `exam`: float32 `[slices, 3, height, width]`, grey values as they are in the exam's file, the
 *   one channel repeated three times; slices, height and width may differ from call to call. If the
 *   model's input is prepared, nodes of the graph do it.
 * - Output `logits`: float32 `[1, 2]`.
 * - Output `probability`: float32 `[1]`, the sigmoid of logit 1, or what a recalibration makes of it.
 *
 * The messages and their field numbers are those of
 * https://github.com/onnx/onnx/blob/v1.14.0/onnx/onnx.proto.
 */
import type { Preparation } from "../../data/intensity.ts";
import type { RecalibrationMap } from "../../metrics/recalibration.ts";
import { ALEXNET } from "../../network/alexnet.ts";
import { IMAGE, type Network, type Node, type Window } from "../../network/network.ts";
import { convolutionState, statisticsOf } from "../../network/parameters.ts";
import { Message } from "../../protobuf.ts";
import { HEAD, mrnetParameters, NETWORK_PREFIX } from "../names.ts";
import { addInput, type AddNode, type OnnxConstant } from "./onnx_input.ts";
import { addProbability } from "./onnx_probability.ts";
import { elementCount, type NamedTensor, type StateDict } from "./tensors.ts";

/** Version 8 of the format and version 17 of its operators: ONNX 1.12, of 2022. */
const IR_VERSION = 8;
const OPSET = 17;

/** Element types as `TensorProto.DataType` numbers them. */
const FLOAT = 1;
const INT64 = 7;
const DOUBLE = 11;

/** Attribute types as `AttributeProto.AttributeType` numbers them. */
const ATTRIBUTE_INT = 2;
const ATTRIBUTE_INTS = 7;

/** What is to be given to an exported model, in words that the model carries. */
export const ONNX_INPUT = "float32 [slices, 3, height, width]: grey values as they are in the " +
  "exam's file, the one channel repeated three times; the model prepares them itself";

/** What belongs to a model beside its parameters. */
export interface OnnxOptions {
  /**
   * How the grey values of an exam become the network's input.
   * @default as they are
   */
  input?: Preparation;
  /**
   * The network whose weights they are.
   * @default AlexNet
   */
  network?: Network;
  /**
   * How the probability is made of the logit.
   * @default by the sigmoid
   */
  recalibration?: RecalibrationMap;
}

/**
 * The bytes of an ONNX model of MRNet with these weights.
 *
 * @param tensors under MRNet's names the parameters, as `selectMRNet` gives them, and the statistics of
 * batch normalisations
 * @param metadata free text that is kept in the model
 * @throws {RangeError} if a parameter is missing or wrongly shaped
 */
export function encodeOnnx(
  tensors: StateDict,
  metadata: Record<string, string> = {},
  { input = { intensity: "raw" }, network = ALEXNET, recalibration }: OnnxOptions = {},
): Uint8Array<ArrayBuffer> {
  const model = new Message()
    .integer(1, IR_VERSION)
    .text(2, "mrnet")
    .message(7, graph(tensors, { input, network, recalibration }))
    .message(8, new Message().text(1, "").integer(2, OPSET));
  for (const [key, value] of Object.entries(metadata)) {
    model.message(14, new Message().text(1, key).text(2, value));
  }
  return model.encode();
}

function graph(
  tensors: StateDict,
  { input, network, recalibration }: OnnxOptions & Required<Pick<OnnxOptions, "input" | "network">>,
): Message {
  const graph = new Message();
  let last = "exam";
  const add: AddNode = (operator, inputs, output, attributes = {}) => {
    const outputs = [output].flat();
    graph.message(1, node(operator, inputs, outputs, attributes));
    [last] = outputs;
  };
  const constants = addInput(add, input, network.inputs);
  const image = last;
  const outputs: string[] = [];
  network.nodes.forEach((node, index) => {
    const inputs = node.sources.map((source) => source === IMAGE ? image : outputs[source]);
    addNode(add, node, inputs, index);
    outputs.push(last);
  });
  add("Flatten", [last], "slice_features", { axis: 1 });
  add("ReduceMax", [last], "exam_features", { axes: [0], keepdims: 1 });
  add("Gemm", [last, `${HEAD}.weight`, `${HEAD}.bias`], "logits", { transB: 1 });
  add("Gather", [last, "positive"], "positive_logit", { axis: 1 });
  const map = addProbability(add, recalibration);
  graph.text(2, "MRNet");
  const statistics = statisticsOf(network).map(({ name, shape }) => {
    return { name: NETWORK_PREFIX + name, shape };
  });
  for (const { name, shape } of [...mrnetParameters(network), ...statistics]) {
    const tensor = tensors.get(name);
    if (tensor === undefined || String(tensor.shape) !== String(shape)) {
      throw new RangeError(`'${name}' needs the shape [${shape}], it has [${tensor?.shape}]`);
    }
    graph.message(5, weights(name, tensor));
  }
  // The index of the logit that stands for "the finding is present".
  const positive = { name: "positive", values: BigInt64Array.of(1n), single: true };
  for (const each of [...constants, ...map, positive]) graph.message(5, constant(each));
  graph.message(
    11,
    value("exam", ["slices", network.inputs, "height", "width"]).text(3, ONNX_INPUT),
  );
  graph.message(12, value("logits", [1, 2]));
  graph.message(12, value("probability", [1]));
  return graph;
}

/** The operators of one node of the network. */
function addNode(add: AddNode, node: Node, inputs: string[], index: number): void {
  switch (node.kind) {
    case "convolution": {
      const { parameters, statistics } = convolutionState(node);
      const [filters, ...others] = [...parameters, ...statistics]
        .map(({ name }) => NETWORK_PREFIX + name);
      const [bias, batchNorm] = node.batchNorm === undefined ? [others] : [[], others];
      add("Conv", [...inputs, filters, ...bias], `conv_${index}`, windowOf(node));
      // Its epsilon is 1e-5 by default, as PyTorch's.
      if (batchNorm) add("BatchNormalization", [`conv_${index}`, ...batchNorm], `norm_${index}`);
      break;
    }
    case "maxPool":
      add("MaxPool", inputs, `pool_${index}`, windowOf(node));
      break;
    case "relu":
      add("Relu", inputs, `relu_${index}`);
      break;
    case "add":
      add("Add", inputs, `sum_${index}`);
      break;
    case "mean":
      add("GlobalAveragePool", inputs, "slice_means");
      break;
    default:
      node satisfies never;
  }
}

function windowOf({ size, stride, padding }: Window): Record<string, number[]> {
  return {
    kernel_shape: [size, size],
    strides: [stride, stride],
    pads: [padding, padding, padding, padding],
  };
}

/** A `NodeProto`; it carries the name of its first output, which is unique. */
function node(
  operator: string,
  inputs: string[],
  outputs: string[],
  attributes: Record<string, number | number[]>,
): Message {
  const node = new Message();
  for (const input of inputs) node.text(1, input);
  for (const output of outputs) node.text(2, output);
  node.text(3, outputs[0]).text(4, operator);
  for (const [name, value] of Object.entries(attributes)) {
    const attribute = new Message().text(1, name);
    if (typeof value === "number") attribute.integer(3, value).integer(20, ATTRIBUTE_INT);
    else {
      for (const item of value) attribute.integer(8, item);
      attribute.integer(20, ATTRIBUTE_INTS);
    }
    node.message(5, attribute);
  }
  return node;
}

/** A `TensorProto` of float32 values, little-endian. */
function weights(name: string, { shape, data }: NamedTensor): Message {
  if (elementCount(shape) !== data.length) {
    throw new RangeError(`'${name}' has ${data.length} values and the shape [${shape}]`);
  }
  return tensorProto(name, data, shape);
}

/** The type of each kind of array. */
function typeOf(values: OnnxConstant["values"]): number {
  if (values instanceof BigInt64Array) return INT64;
  return values instanceof Float64Array ? DOUBLE : FLOAT;
}

function constant({ name, values, single }: OnnxConstant): Message {
  return tensorProto(name, values, single ? [] : [values.length]);
}

function tensorProto(
  name: string,
  values: OnnxConstant["values"],
  shape: readonly number[],
): Message {
  const tensor = new Message();
  for (const size of shape) tensor.integer(1, size);
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return tensor.integer(2, typeOf(values)).text(8, name).bytes(9, bytes);
}

/** A `ValueInfoProto` of float32; a size that is text may differ from call to call. */
function value(name: string, shape: (number | string)[]): Message {
  const sizes = new Message();
  for (const size of shape) {
    const dimension = new Message();
    if (typeof size === "number") dimension.integer(1, size);
    else dimension.text(2, size);
    sizes.message(1, dimension);
  }
  const type = new Message().message(1, new Message().integer(1, FLOAT).message(2, sizes));
  return new Message().text(1, name).message(2, type);
}
