// The step of our own kernels, held against the plain one and against itself.
import assert from "node:assert/strict";
import { type Augmentation, drawAugmentation } from "../../lib/data/augment.ts";
import type { Exam } from "../../lib/data/exam.ts";
import type { Intensity } from "../../lib/data/intensity.ts";
import { type Landmarks, landmarksOf, meanLandmarks } from "../../lib/data/landmarks.ts";
import { drawPhotometric, type PhotometricChange } from "../../lib/data/photometric.ts";
import { startEngine } from "../../lib/engine/engine.ts";
import { initialWeights } from "../../lib/model/initialise.ts";
import { MRNet } from "../../lib/model/mrnet.ts";
import { assignState } from "../../lib/model/parameters.ts";
import type { StateDict } from "../../lib/model/weights/tensors.ts";
import { createRandom } from "../../lib/random.ts";
import type { Label } from "../../lib/terms.ts";
import type { AdamOptions } from "../../lib/model/adam.ts";
import type { OutputWeights } from "../../lib/model/loss.ts";
import type { EngineNetwork, StepResult } from "../../lib/model/engine_network.ts";
import { TensorNetwork } from "../../lib/model/tensor_network.ts";
import { WasmNetwork } from "../../lib/model/wasm_network.ts";
import { evaluateExam } from "../../lib/train/exam_result.ts";
import { printedBy } from "../support/cli.ts";

const ROOT = new URL("../../", import.meta.url);

type Size = [slices: number, height: number, width: number];

function noiseExam([slices, height, width]: Size, seed = 1): Exam {
  const random = createRandom(seed, "exam");
  const voxels = new Uint8Array(slices * height * width);
  for (let index = 0; index < voxels.length; index++) voxels[index] = random.integer(256);
  return { id: "noise", slices, height, width, voxels };
}

/** What a network made of a model: the result of each step, and how far each parameter moved. */
interface Outcome {
  results: StepResult[];
  evaluated: StepResult;
  parameters: StateDict;
}

interface Steps {
  exam: Exam;
  labels: Label[];
  augmentation?: Augmentation;
  adam?: AdamOptions;
  intensity?: Intensity;
  landmarks?: Landmarks;
  weights?: OutputWeights;
}

async function follow(
  make: (model: MRNet, adam: AdamOptions) => EngineNetwork | Promise<EngineNetwork>,
  { exam, labels, augmentation, adam = {}, weights = [1, 2.5], ...prepared }: Steps,
): Promise<Outcome> {
  await startEngine("wasm");
  const model = new MRNet(initialWeights(4), prepared);
  const network = await make(model, adam);
  try {
    const results: StepResult[] = [];
    for (const label of labels) {
      results.push(await network.step({ exam, label }, weights, augmentation));
    }
    const evaluated = await evaluateExam(network, { exam, label: 1 }, weights);
    const { parameters } = await network.snapshot();
    return { results, evaluated, parameters };
  } finally {
    network.dispose();
    model.dispose();
  }
}

/** A change of grey values that has everything. */
function greys(seed: number): PhotometricChange {
  const range = { brightness: 0.3, contrast: 0.3, logGamma: 0.5, noiseStd: 0.2, biasField: 0.3 };
  return drawPhotometric(createRandom(seed, "photometric"), range)!;
}

const plain = (model: MRNet, adam: AdamOptions) => new TensorNetwork(model, adam);
const fast = (threads: number) => (model: MRNet, adam: AdamOptions) =>
  WasmNetwork.create(model, adam, threads);

const start = initialWeights(4);

/** How far apart two ways of moving each parameter are, as a share of the way. */
function assertSameMoves(a: Outcome, b: Outcome, share: number): void {
  for (const [name, { data: expected }] of a.parameters) {
    const actual = b.parameters.get(name)!.data;
    const from = start.get(name)!.data;
    let [apart, way] = [0, 0];
    for (let i = 0; i < from.length; i++) {
      apart += (actual[i] - expected[i]) ** 2;
      way += (expected[i] - from[i]) ** 2;
    }
    const off = Math.sqrt(apart / way);
    assert.ok(off <= share, `${name} is ${off} of its way off`);
  }
}

/**
 * How far apart two ways' losses and logits are, as a share of the logits. Those behind the last step have
 * five times the room: five layers' parameters are each off by rounding there.
 */
function assertSameResults(a: Outcome, b: Outcome, room: number): void {
  const [expected, actual] = [a, b].map(({ results, evaluated }) => [...results, evaluated]);
  for (const [index, { loss, logits }] of expected.entries()) {
    const share = index < a.results.length ? room : 5 * room;
    const near = (x: number, y: number, scale: number) => {
      assert.ok(Math.abs(x - y) <= share * scale, `exam ${index}: ${x} instead of ${y}`);
    };
    const scale = Math.max(...logits.map(Math.abs));
    near(actual[index].loss, loss, Math.max(loss, scale));
    logits.forEach((logit, at) => near(actual[index].logits[at], logit, scale));
  }
}

/**
 * With so large an ε Adam's move is the gradient times a constant, and without weight decay nothing
 * else: the parameters show the gradients, small ones too, whose sign alone moves Adam otherwise.
 */
const SHOW_GRADIENTS: AdamOptions = { epsilon: 1e4, weightDecay: 0, learningRate: 1e5 };

const SIZES: Size[] = [[1, 64, 64], [3, 96, 80], [7, 72, 100]];

for (const [index, size] of SIZES.entries()) {
  for (const label of [0, 1] as const) {
    const augmentation = label === index % 2
      ? drawAugmentation(createRandom(index), [size[1], size[2]])
      : undefined;
    const how = augmentation === undefined ? "" : ", augmented";
    Deno.test(`a step on ${size.join("×")} with label ${label} is the plain one${how}`, async () => {
      const steps = { exam: noiseExam(size), labels: [label], augmentation };
      const gradients = { ...steps, adam: SHOW_GRADIENTS };
      const [expected, actual] = [await follow(plain, gradients), await follow(fast(2), gradients)];
      assertSameResults(expected, actual, 1e-5);
      assertSameMoves(expected, actual, 2e-5);
    });
  }
}

for (const augmented of [false, true]) {
  const how = augmented ? ", augmented" : "";
  Deno.test(`a step on a standardized exam is the plain one${how}`, async () => {
    const exam = noiseExam([3, 96, 80]);
    // Neither 0 nor 255 among its values, so that it has to be stretched.
    for (let at = 0; at < exam.voxels.length; at++) exam.voxels[at] = 40 + exam.voxels[at] / 2;
    const augmentation = augmented ? drawAugmentation(createRandom(3), [96, 80]) : undefined;
    const steps: Steps = { exam, labels: [1], augmentation, adam: SHOW_GRADIENTS };
    const standardized: Steps = { ...steps, intensity: "standardized" };
    const [expected, actual] = [
      await follow(plain, standardized),
      await follow(fast(2), standardized),
    ];
    assertSameResults(expected, actual, 1e-5);
    assertSameMoves(expected, actual, 2e-5);
    const raw = await follow(fast(2), steps);
    assert.ok(Math.abs(raw.results[0].logits[1] - actual.results[0].logits[1]) > 1e-3);
  });
}

Deno.test("a step on an exam that is mapped to landmarks is the plain one", async () => {
  const exam = noiseExam([3, 96, 80]);
  const dark = exam.voxels.map((value) => value * value / 255);
  const landmarks = meanLandmarks([landmarksOf(dark)!], { type: "uint8", stretch: false })!;
  const raw: Steps = { exam, labels: [1], adam: SHOW_GRADIENTS };
  const mapped: Steps = { ...raw, intensity: "landmarks", landmarks };
  const [expected, actual] = [await follow(plain, mapped), await follow(fast(2), mapped)];
  assertSameResults(expected, actual, 1e-5);
  assertSameMoves(expected, actual, 2e-5);
  const without = await follow(fast(2), raw);
  assert.ok(Math.abs(without.results[0].logits[1] - actual.results[0].logits[1]) > 1e-3);
});

Deno.test("ten steps of Adam are the plain ones", async () => {
  const labels = Array.from({ length: 10 }, (_, step) => step % 2 as Label);
  const steps = { exam: noiseExam([3, 80, 64]), labels };
  const [expected, actual] = [await follow(plain, steps), await follow(fast(2), steps)];
  assertSameResults(expected, actual, 1e-4);
  // The sign of a gradient that is zero but for rounding moves Adam by a whole step.
  assertSameMoves(expected, actual, 1e-2);
});

Deno.test("equal slices and constant regions go the way of the plain step", async () => {
  const exam = noiseExam([4, 96, 96]);
  exam.voxels.copyWithin(96 * 96, 0, 96 * 96);
  for (let slice = 0; slice < 4; slice++) {
    exam.voxels.fill(0, slice * 96 * 96, slice * 96 * 96 + 40 * 96);
    exam.voxels.fill(200, slice * 96 * 96 + 70 * 96, slice * 96 * 96 + 90 * 96);
  }
  const steps = { exam, labels: [1 as Label], adam: SHOW_GRADIENTS };
  const [expected, actual] = [await follow(plain, steps), await follow(fast(2), steps)];
  assertSameResults(expected, actual, 1e-5);
  assertSameMoves(expected, actual, 2e-5);
});

for (const intensity of ["raw", "standardized"] as const) {
  Deno.test(`a step on a ${intensity} exam of other grey values is the plain one`, async () => {
    const exam = noiseExam([3, 96, 80]);
    for (let at = 0; at < exam.voxels.length; at++) exam.voxels[at] = 40 + exam.voxels[at] / 2;
    const augmentation = { ...drawAugmentation(createRandom(3), [96, 80]), photometric: greys(3) };
    const steps: Steps = { exam, labels: [1], augmentation, adam: SHOW_GRADIENTS, intensity };
    const [expected, actual] = [await follow(plain, steps), await follow(fast(2), steps)];
    assertSameResults(expected, actual, 1e-5);
    assertSameMoves(expected, actual, 2e-5);
    const without = { ...augmentation, photometric: undefined };
    const others = await follow(fast(2), { ...steps, augmentation: without });
    assert.notDeepEqual(actual.results, others.results);
  });
}

Deno.test("other grey values are the same in bytes and float32, and on any number of threads", async () => {
  const exam = noiseExam([5, 64, 72]);
  const asFloats = { ...exam, voxels: Float32Array.from(exam.voxels) };
  const augmentation = { ...drawAugmentation(createRandom(9), [64, 72]), photometric: greys(2) };
  const steps: Steps = { exam, labels: [1], augmentation, adam: SHOW_GRADIENTS };
  const one = await follow(fast(1), steps);
  assert.deepEqual(await follow(fast(1), { ...steps, exam: asFloats }), one);
  assertSameResults(one, await follow(fast(3), steps), 1e-6);
});

Deno.test("an exam behind one whose grey values were changed is as it is", async () => {
  await startEngine("wasm");
  const model = new MRNet(initialWeights(4));
  const network = await WasmNetwork.create(model, { learningRate: 1e-30 }, 2);
  const labelled = { exam: noiseExam([2, 64, 64]), label: 1 } as const;
  const still = { degrees: 0, down: 0, right: 0, flip: false };
  const first = await network.step(labelled, [1, 1], still);
  const changed = await network.step(labelled, [1, 1], { ...still, photometric: greys(3) });
  assert.notDeepEqual(changed, first);
  assert.deepEqual(await network.step(labelled, [1, 1], still), first);
  assert.deepEqual((await network.forward(labelled.exam)).logits, first.logits);
  network.dispose();
  model.dispose();
});

Deno.test("voxels of float32 are taken as they are", async () => {
  const exam = noiseExam([2, 64, 72]);
  const asFloats = { ...exam, voxels: Float32Array.from(exam.voxels) };
  const augmentation = drawAugmentation(createRandom(9), [64, 72]);
  const [bytes, floats] = [
    await follow(fast(1), { exam, labels: [1], augmentation }),
    await follow(fast(1), { exam: asFloats, labels: [1], augmentation }),
  ];
  assert.deepEqual(floats, bytes);
});

Deno.test("one, two and three threads agree, and each repeats itself to the bit", async () => {
  const steps = { exam: noiseExam([5, 64, 64]), labels: [1 as Label], adam: SHOW_GRADIENTS };
  const one = await follow(fast(1), steps);
  for (const threads of [1, 2, 3]) {
    const first = await follow(fast(threads), steps);
    assertSameResults(one, first, 1e-6);
    assertSameMoves(one, first, 1e-6);
    assert.deepEqual(await follow(fast(threads), steps), first);
  }
});

Deno.test("exams of changing sizes are computed as if each were alone", async () => {
  await startEngine("wasm");
  const sizes: Size[] = [[2, 64, 64], [6, 64, 64], [1, 64, 64], [2, 90, 70], [6, 64, 64]];
  const model = new MRNet(initialWeights(4));
  const network = await WasmNetwork.create(model, {}, 2);
  for (const size of sizes) {
    const exam = noiseExam(size, size[0]);
    const alone = await WasmNetwork.create(model, {}, 2);
    const expected = await evaluateExam(alone, { exam, label: 1 }, [1, 1]);
    alone.dispose();
    assert.deepEqual(await evaluateExam(network, { exam, label: 1 }, [1, 1]), expected);
  }
  network.dispose();
  model.dispose();
});

Deno.test("hundreds of short exams of changing slice counts, back to back, keep their results", async () => {
  await startEngine("wasm");
  const model = new MRNet(initialWeights(4));
  const exams = [1, 5, 2, 7, 3].map((slices) => noiseExam([slices, 64, 64], slices));
  const alone = await WasmNetwork.create(model, {}, 1);
  const expected: StepResult[] = [];
  for (const exam of exams) expected.push(await evaluateExam(alone, { exam, label: 1 }, [1, 1]));
  alone.dispose();
  const network = await WasmNetwork.create(model, {}, 4);
  for (let round = 0; round < 300; round++) {
    const at = round % exams.length;
    assert.deepEqual(
      await evaluateExam(network, { exam: exams[at], label: 1 }, [1, 1]),
      expected[at],
    );
  }
  network.dispose();
  model.dispose();
});

Deno.test("evaluating does not change the model, and evaluates after a step with its new weights", async () => {
  await startEngine("wasm");
  const model = new MRNet(initialWeights(4));
  const network = await WasmNetwork.create(model, { learningRate: 1e-3 }, 2);
  const labelled = { exam: noiseExam([2, 64, 64]), label: 1 } as const;
  const first = await evaluateExam(network, labelled, [1, 1]);
  assert.deepEqual(await evaluateExam(network, labelled, [1, 1]), first);
  const { loss, logits } = await network.step(labelled, [1, 1]);
  assert.deepEqual(logits, first.logits);
  // The kernels' logarithm and exponential function are not JavaScript's.
  assert.ok(Math.abs(loss - first.loss) < 1e-12 * first.loss, `${loss}, not ${first.loss}`);
  const second = await evaluateExam(network, labelled, [1, 1]);
  assert.ok(second.loss < first.loss);
  assignState(model.parameters, (await network.snapshot()).parameters);
  const plain = await evaluateExam(new TensorNetwork(model), labelled, [1, 1]);
  assert.ok(Math.abs(plain.loss - second.loss) < 1e-4 * Math.max(1, second.loss));
  network.dispose();
  model.dispose();
});

Deno.test("fifty steps leave no tensor behind and take no more memory", async () => {
  const code = `
    import { startEngine } from "${ROOT}lib/engine/engine.ts";
    import { initialWeights } from "${ROOT}lib/model/initialise.ts";
    import { MRNet } from "${ROOT}lib/model/mrnet.ts";
    import { createNetwork } from "${ROOT}lib/model/create_network.ts";
    import * as tf from "${ROOT}tests/support/tf.ts";
    await startEngine("wasm");
    const model = new MRNet(initialWeights(4));
    const tensors = tf.memory().numTensors;
    const network = await createNetwork(model);
    const [slices, height, width] = [2, 64, 64];
    const voxels = Uint8Array.from({ length: slices * height * width }, (_, i) => i * 31 % 256);
    const labelled = { exam: { id: "made", slices, height, width, voxels }, label: 0 };
    const resident = async (steps) => {
      for (let step = 1; step <= steps; step++) {
        await network.step(labelled, [1, 1]);
        if (step % 10 === 0) await network.snapshot();
      }
      gc();
      return Deno.memoryUsage().rss;
    };
    const before = await resident(30);
    const bytes = await resident(50) - before;
    console.log(JSON.stringify({ tensors: tf.memory().numTensors - tensors, bytes }));
    Deno.exit(0);`;
  const grown = await printedBy<{ tensors: number; bytes: number }>(code);
  assert.equal(grown.tensors, 0);
  assert.ok(grown.bytes < 60e6, `${grown.bytes} bytes more after fifty steps`);
});

Deno.test("a run of training works on the documented permissions alone", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const cli = new URL("../../cli.ts", import.meta.url).pathname;
    const deno = async (...args: string[]) => {
      const command = new Deno.Command(Deno.execPath(), { args, cwd: folder });
      const { success, stderr } = await command.output();
      assert.ok(success, new TextDecoder().decode(stderr));
      return new TextDecoder().decode(stderr);
    };
    const synth = ["synth", "--out", "data", "--train", "2", "--valid", "2", "--size", "64"];
    await deno("run", "-A", "--no-check", cli, ...synth, "--slices", "2-3", "--seed", "1");
    await Deno.mkdir(`${folder}/models`);
    await Deno.mkdir(`${folder}/logs`);
    const permissions = ["--allow-read=data,models,logs", "--allow-write=models,logs"];
    const options = ["-t", "acl", "-p", "sagittal", "--weights", "none", "--epochs", "1"];
    const engine = ["--backend", "wasm", "--threads", "2"];
    const run = ["run", "--no-prompt", "--no-check", ...permissions, cli, ...options, ...engine];
    assert.match(await deno(...run), /WebAssembly on the processor, 2 threads/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a model predicts what its evaluation gives, and follows its parameters", async () => {
  await startEngine("wasm");
  const model = new MRNet(initialWeights(4));
  const exam = noiseExam([3, 64, 72]);
  const evaluate = async () => {
    const network = await WasmNetwork.create(model, {}, 1);
    const { logits, probability } = await evaluateExam(network, { exam, label: 1 }, [1, 1]);
    network.dispose();
    return { logits, probability };
  };
  const before = await model.predict(exam);
  assert.deepEqual(before, await evaluate());
  assert.deepEqual(await model.predict(exam), before);
  model.assign("classifer.bias", Float32Array.of(3, -3));
  const after = await model.predict(exam);
  assert.notDeepEqual(after, before);
  assert.deepEqual(after, await evaluate());
  model.dispose();
});

Deno.test("a network that is to evaluate says what one that is to train does, and follows the model", async () => {
  await startEngine("wasm");
  using model = new MRNet(initialWeights(4));
  const exam = noiseExam([5, 64, 72]);
  const networks = await Promise.all(
    (["evaluate", "train"] as const).map((use) => WasmNetwork.create(model, { use }, 3)),
  );
  const answers = () =>
    Promise.all(networks.map((network) => network.forward(exam, { features: true })));
  const [first, same] = await answers();
  assert.deepEqual(same, first);
  model.assign("classifer.bias", Float32Array.of(3, -3));
  const [second, again] = await answers();
  assert.deepEqual(again, second);
  assert.notDeepEqual(second.logits, first.logits);
  assert.deepEqual(second.features, first.features);
  for (const network of networks) network.dispose();
});
