// The features as the GPU gives them: of the last convolution's output, behind its pool.
import assert from "node:assert/strict";
import type { Exam } from "../../../lib/data/exam.ts";
import { currentGpu } from "../../../lib/engine/engine.ts";
import { grid, imageSize } from "../../../lib/engine/webgpu/grid.ts";
import { initialWeights } from "../../../lib/model/initialise.ts";
import { MRNet } from "../../../lib/model/mrnet.ts";
import { featuresFrom } from "../../../lib/model/webgpu/features.ts";
import { layerShapes } from "../../../lib/model/webgpu/shape.ts";
import { WebGPUNetwork } from "../../../lib/model/webgpu_network.ts";
import { ALEXNET } from "../../../lib/network/alexnet.ts";
import { createRandom } from "../../../lib/random.ts";
import { onEachEngine } from "../../support/engines.ts";
import { difference } from "../../support/residual.ts";

/** The last layer of AlexNet for small slices, with another output and pool. */
function layer(changes: Partial<ReturnType<typeof layerShapes>[number]>) {
  const options = { precision: "float32", winograd: false } as const;
  return { ...layerShapes(ALEXNET, { height: 97, width: 128 }, options).at(-1)!, ...changes };
}

Deno.test("features are what lies within the border, or the maxima of the windows", () => {
  // Two slices of 3 rows and 4 columns of two channels, in a border.
  const output = grid(3, 4, 2, 1);
  const stored = new Float32Array(2 * imageSize(output));
  let next = 1;
  for (const slice of [0, 1]) {
    for (let row = 0; row < 3; row++) {
      for (let column = 0; column < 4; column++) {
        const at = ((slice * output.rows + row + 1) * output.columns + column + 1) * 2;
        stored.set([next++, 100 - next], at);
      }
    }
  }
  const plain = featuresFrom(layer({ output, pool: undefined }), stored.buffer, 2);
  assert.deepEqual([plain.slices, plain.height, plain.width, plain.channels], [2, 3, 4, 2]);
  assert.deepEqual([...plain.values.slice(0, 6)], [1, 98, 2, 97, 3, 96]);
  assert.deepEqual([...plain.values.slice(-2)], [24, 75]);
  // Its windows begin in the border; every second one of either side.
  const pool = { kind: "maxPool", size: 3, stride: 2, padding: 1 } as const;
  const pooled = featuresFrom(layer({ output, pool }), stored.buffer, 2);
  assert.deepEqual([pooled.height, pooled.width], [2, 2]);
  assert.deepEqual([...pooled.values.slice(0, 8)], [6, 98, 8, 97, 10, 94, 12, 93]);
  const half = new Float16Array(stored).buffer;
  const halved = featuresFrom(layer({ output: { ...output, half: true }, pool }), half, 2);
  assert.deepEqual(halved, pooled);
  stored[((0 * output.rows + 2) * output.columns + 2) * 2] = NaN;
  const { values } = featuresFrom(layer({ output, pool }), stored.buffer, 2);
  assert.ok(Number.isNaN(values[0]) && values[1] === 98);
});

onEachEngine(
  "logits on WebGPU are the same with features, and these are TensorFlow.js's",
  async () => {
    const random = createRandom(1, "exam");
    const [slices, height, width] = [3, 97, 80];
    const voxels = Uint8Array.from({ length: slices * height * width }, () => random.integer(256));
    const exam: Exam = { id: "exam", slices, height, width, voxels };
    using model = new MRNet(initialWeights(1));
    const { features, ...prediction } = await model.predictWithFeatures(exam);
    assert.deepEqual(prediction, await model.predict(exam));
    const input = model.input(exam);
    const tensor = model.features(input);
    assert.deepEqual(
      [features.slices, features.height, features.width, features.channels],
      tensor.shape,
    );
    assert.ok(difference(features.values, await tensor.data()) < 1e-5);
    input.dispose();
    tensor.dispose();
    const chunked = await WebGPUNetwork.create(currentGpu()!, model, { slicesAtOnce: 2 });
    const inChunks = await chunked.forward(exam, { features: true });
    assert.equal(inChunks.features!.slices, slices);
    assert.ok(difference(inChunks.features!.values, features.values) < 1e-5);
    assert.ok(difference(inChunks.logits, prediction.logits) < 1e-5);
    chunked.dispose();
  },
  { engines: ["webgpu"] },
);
