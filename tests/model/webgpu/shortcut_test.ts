import assert from "node:assert/strict";
import { currentGpu } from "../../../lib/engine/engine.ts";
import { fromPyTorch } from "../../../lib/model/layout.ts";
import type { NetworkState } from "../../../lib/model/parameters.ts";
import { FORWARD_VALUES } from "../../../lib/engine/webgpu/step.ts";
import { type NetworkOptions, NetworkPasses } from "../../../lib/model/webgpu/network_passes.ts";
import * as tf from "../../support/tf.ts";
import { onEachEngine } from "../../support/engines.ts";
import {
  difference,
  examOf,
  expectedOf,
  modelOf,
  RESIDUAL,
  WEIGHTS,
  zerosOf,
} from "../../support/residual.ts";

const BETA1 = 0.9;

/** The same by our kernels: behind one step Adam's first moment is the gradient times 1 − β₁. */
async function actualOf(
  model: NetworkState,
  exam: ReturnType<typeof examOf>,
  options: NetworkOptions,
) {
  const compute = new NetworkPasses(currentGpu()!, model, options);
  await compute.load();
  const values = {
    ...FORWARD_VALUES,
    ...{ label: 1, weights: WEIGHTS, scale: 1, offset: 0 },
    ...{ beta1: BETA1, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
  };
  // Twice: what the first pass left behind must not matter.
  for (let pass = 0; pass < 2; pass++) {
    compute.parameters.restore(zerosOf(model));
    await compute.prepare(exam, true);
    compute.run(exam, values, { training: true });
  }
  const slot = 2;
  const logits = (await compute.results()).slice(4 * slot + 1, 4 * slot + 3);
  const { optimizer } = await compute.parameters.snapshot(1);
  compute.dispose();
  const gradients = [...model.parameters].map(([name, { shape }]) =>
    fromPyTorch(optimizer!.first.get(name)!, shape).map((each) => each / (1 - BETA1))
  );
  return { logits, gradients };
}

const CASES: Record<string, NetworkOptions> = {
  "in registers, in chunks": { tiles: "registers", slicesAtOnce: 2 },
  "in shared memory": { tiles: "shared", winograd: false },
};

let known: ReturnType<typeof expectedOf> | undefined;

for (const [name, options] of Object.entries(CASES)) {
  onEachEngine(`a network with shortcuts is that of TensorFlow.js ${name}`, async () => {
    tf.setBackend("cpu");
    const model = modelOf(RESIDUAL, 7);
    const exam = examOf(3, 36, 45);
    // TensorFlow.js takes longer than our kernels: both are held against one answer.
    const expected = known ??= expectedOf(model, exam);
    tf.setBackend("webgpu");
    const actual = await actualOf(model, exam, options);
    assert.ok(difference(actual.logits, expected.logits) < 1e-5, "logits");
    [...model.parameters.keys()].forEach((parameter, index) => {
      const apart = difference(actual.gradients[index], expected.gradients[index]);
      assert.ok(apart < 1e-5, `${parameter}: ${apart}`);
    });
    for (const parameter of model.parameters.values()) parameter.dispose();
  }, { engines: ["webgpu"] });
}
