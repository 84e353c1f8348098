/**
 * On WebAssembly TensorFlow.js runs when something needs it, and not before. Each script is a process of
 * its own: in this one the tests have imported TensorFlow.js.
 */
import assert from "node:assert/strict";
import { printedBy } from "../support/cli.ts";

const ROOT = new URL("../../", import.meta.url).href;

/** Imports, a model's file and an exam of noise. */
const PREPARE = `
  import { createRandom } from "${ROOT}lib/random.ts";
  import { encodeSafetensors } from "${ROOT}lib/model/weights/safetensors.ts";
  import { initialWeights } from "${ROOT}lib/model/initialise.ts";
  import { createMRNet, explain, loadMRNet, startEngine } from "${ROOT}mod.ts";
  const isRunning = () => "_tfengine" in globalThis;
  const random = createRandom(1, "test");
  const voxels = Uint8Array.from({ length: 4 * 64 * 64 }, () => random.integer(256));
  const exam = { id: "a", slices: 4, height: 64, width: 64, voxels };
  const state = initialWeights(1);
  const bytes = new Uint8Array(await new Blob(encodeSafetensors(state)).arrayBuffer());
  const sum = (values) => values.reduce((sum, value) => sum + value, 0);
`;

Deno.test("models are read, predict, explain and are saved without TensorFlow.js", async () => {
  const found = await printedBy<unknown>(`${PREPARE}
    const engine = await startEngine("wasm", { threads: 2 });
    const { model } = await loadMRNet(bytes);
    const { probability } = await model.predict(exam);
    const { probability: explained } = await explain(model, exam);
    const saved = await model.stateDict();
    const same = [...state].every(([name, { data }]) => sum(data) === sum(saved.get(name).data));
    using made = await createMRNet({ weights: "none", seed: 1 });
    const again = (await made.predict(exam)).probability;
    const names = [...made.parameters.keys()];
    model.dispose();
    console.log(JSON.stringify({
      name: engine.name, running: isRunning(), same, size: made.parameters.size,
      alike: probability === again && explained === probability,
      has: names.length === 12 && names.every((name) => made.parameters.has(name)),
    }));`);
  assert.deepEqual(found, {
    name: "wasm",
    running: false,
    same: true,
    size: 12,
    alike: true,
    has: true,
  });
});

Deno.test("asking for a parameter runs TensorFlow.js on the engine, and changes no answer", async () => {
  const found = await printedBy<unknown>(`${PREPARE}
    await startEngine("wasm", { threads: 1 });
    const { model } = await loadMRNet(bytes);
    const { model: untouched } = await loadMRNet(bytes);
    const before = (await model.predict(exam)).logits;
    const bias = model.parameters.get("classifer.bias");
    const tf = await import("npm:@tensorflow/tfjs@4.22.0");
    const after = (await model.predict(exam)).logits;
    const [own] = await model.logits(model.input(exam)).array();
    model.assign("classifer.bias", Float32Array.of(1, 2));
    const assigned = (await model.predict(exam)).logits;
    const other = (await untouched.predict(exam)).logits;
    const gap = (a, b) => Math.max(...a.map((value, at) => Math.abs(value - b[at])));
    console.log(JSON.stringify({
      backend: tf.getBackend(), shape: bias.shape, same: gap(before, after), untouched: gap(before, other),
      close: gap(before, own) < 1e-4,
      moved: gap([before[0] + 1 - state.get("classifer.bias").data[0],
        before[1] + 2 - state.get("classifer.bias").data[1]], assigned) < 1e-5,
    }));`);
  assert.deepEqual(found, {
    backend: "wasm",
    shape: [2],
    same: 0,
    untouched: 0,
    close: true,
    moved: true,
  });
});

Deno.test("an engine that was started before TensorFlow.js is its current one with the next model", async () => {
  const found = await printedBy<unknown>(`${PREPARE}
    await startEngine("wasm", { threads: 1 });
    const tf = await import("npm:@tensorflow/tfjs@4.22.0");
    const { model } = await loadMRNet(bytes);
    const backend = tf.getBackend();
    const { memory } = tf;
    const held = memory().numTensors;
    model.dispose();
    const { name } = await startEngine("cpu");
    console.log(JSON.stringify([backend, held, memory().numTensors, name, tf.getBackend()]));`);
  assert.deepEqual(found, ["wasm", 12, 0, "cpu", "cpu"]);
});

Deno.test("a state dict may be changed once a model was made of it", async () => {
  const found = await printedBy<unknown>(`${PREPARE}
    import { MRNet } from "${ROOT}mod.ts";
    await startEngine("wasm", { threads: 1 });
    const model = new MRNet(state);
    const before = (await new MRNet(state).predict(exam)).logits;
    for (const { data } of state.values()) data.fill(1);
    const after = (await model.predict(exam)).logits;
    model.dispose();
    const late = await model.predict(exam).then(() => "answered", (error) => error.message);
    console.log(JSON.stringify([String(before) === String(after), isRunning(), late]));`);
  assert.deepEqual(found, [
    true,
    false,
    "Cannot use the parameters of a model that was disposed of",
  ]);
});

Deno.test("asking for a parameter during a training takes nothing back of what was learnt", async () => {
  const found = await printedBy<unknown>(`${PREPARE}
    import { createNetwork } from "${ROOT}lib/model/create_network.ts";
    await startEngine("wasm", { threads: 1 });
    const losses = [];
    for (const asked of [false, true]) {
      const { model } = await loadMRNet(bytes);
      const network = await createNetwork(model, { learningRate: 1e-3 });
      for (let step = 0; step < 3; step++) {
        if (asked && step > 0) model.parameters.get("classifer.bias");
        losses.push((await network.step({ exam, label: 1 }, [1, 1])).loss);
      }
      network.dispose();
      model.dispose();
    }
    console.log(JSON.stringify({ losses, running: isRunning() }));`);
  const { losses, running } = found as { losses: number[]; running: boolean };
  assert.deepEqual(losses.slice(3), losses.slice(0, 3));
  assert.equal(new Set(losses).size, 3);
  assert.equal(running, true);
});
