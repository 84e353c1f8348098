/** The network that onnxruntime is given: all that can be known ahead is folded into it. */
import { encodeOnnx } from "../lib/model/weights/onnx.ts";
import type { StateDict } from "../lib/model/weights/tensors.ts";
import { NETWORK_PREFIX } from "../lib/model/names.ts";
import { IMAGE, type Network } from "../lib/network/network.ts";

/**
 * Writes a network with one grey channel, as our kernels compute it: the first filters summed over the three
 * input channels, which are equal.
 */
export async function writeGreyOnnx(
  network: Network,
  weights: StateDict,
  file: string,
): Promise<void> {
  const tensors: StateDict = new Map(weights);
  const nodes = network.nodes.map((node) => {
    if (node.kind !== "convolution" || !node.sources.includes(IMAGE)) return node;
    const name = `${NETWORK_PREFIX}${node.name}.weight`;
    const { data, shape: [outputs, inputs, height, width] } = weights.get(name)!;
    const taps = height * width;
    const summed = Float32Array.from({ length: outputs * taps }, (_, index) => {
      const first = Math.floor(index / taps) * inputs * taps + index % taps;
      return Array.from({ length: inputs }, (_, input) => data[first + input * taps])
        .reduce((sum, each) => sum + each, 0);
    });
    tensors.set(name, { shape: [outputs, 1, height, width], data: summed });
    return { ...node, inputs: 1 };
  });
  await Deno.writeFile(
    file,
    encodeOnnx(tensors, {}, { network: { ...network, inputs: 1, nodes } }),
  );
}
