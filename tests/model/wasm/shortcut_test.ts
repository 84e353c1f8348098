// Networks with shortcuts and batch normalisation in the processor's kernels, beside TensorFlow.js.
import assert from "node:assert/strict";
import { Threads } from "../../../lib/engine/wasm/threads.ts";
import type { NetworkState } from "../../../lib/model/parameters.ts";
import { NetworkPrograms } from "../../../lib/model/wasm/network_programs.ts";
import { NetworkMemory } from "../../../lib/model/wasm/network_memory.ts";
import {
  listParameters,
  parameterValues,
  placeParameters,
} from "../../../lib/model/wasm/parameters.ts";
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

/** Logits and gradients by our kernels: behind one step Adam's first moment is the gradient times 1 − β₁. */
async function actualOf(model: NetworkState, exam: ReturnType<typeof examOf>, count: number) {
  const threads = await Threads.start({ threads: count });
  try {
    await threads.ready();
    const compute = new NetworkPrograms(threads, new NetworkMemory(threads, true, model.network));
    const { values, order } = await parameterValues(model.parameters);
    compute.setStatistics(model.statistics);
    compute.setAdam([BETA1, 1 - BETA1, 0.999, 0.001, 1e-8, 0, 1, 1e-3]);
    const input = { label: 1, weights: WEIGHTS, affine: { scale: 1, offset: 0 } };
    let answer: number[] = [];
    // Twice: what the first pass left behind must not matter.
    for (let pass = 0; pass < 2; pass++) {
      placeParameters(compute.layout, values, compute.parameters, order);
      placeParameters(compute.layout, zerosOf(model).first, compute.moments.first);
      answer = compute.run("train", exam, input);
    }
    const first = listParameters(compute.layout, compute.moments.first, "HWIO");
    return {
      logits: answer.slice(1),
      gradients: new Map([...first].map(([name, moment]) => {
        return [name, moment.map((each) => each / (1 - BETA1))];
      })),
    };
  } finally {
    threads.dispose();
  }
}

// That of ResNet-18 is PyTorch's: tests/fidelity/resnet18_test.ts.
onEachEngine("a network with shortcuts is that of TensorFlow.js", async () => {
  tf.setBackend("cpu");
  const model = modelOf(RESIDUAL, 7);
  const sizes: [number, number, number][] = [[3, 36, 45], [2, 33, 32]];
  for (const size of sizes) {
    const exam = examOf(...size);
    const expected = expectedOf(model, exam);
    for (const threads of [1, 2, 3]) {
      const actual = await actualOf(model, exam, threads);
      const apart = difference(actual.logits, expected.logits);
      assert.ok(apart < 1e-5, `logits of ${size}, ${threads} threads: ${apart}`);
      [...model.parameters.keys()].forEach((name, index) => {
        const apart = difference(actual.gradients.get(name)!, expected.gradients[index]);
        assert.ok(apart < 1e-5, `${name} of ${size}, ${threads} threads: ${apart}`);
      });
    }
  }
  for (const parameter of model.parameters.values()) parameter.dispose();
  tf.setBackend("wasm");
}, { engines: ["wasm"] });
