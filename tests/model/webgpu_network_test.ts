import assert from "node:assert/strict";
import type { Augmentation } from "../../lib/data/augment.ts";
import type { Dataset, LabelledExam } from "../../lib/data/dataset.ts";
import type { Preparation } from "../../lib/data/intensity.ts";
import { drawPhotometric } from "../../lib/data/photometric.ts";
import { landmarksOf, meanLandmarks } from "../../lib/data/landmarks.ts";
import { currentGpu, startEngine } from "../../lib/engine/engine.ts";
import type { Tiles } from "../../lib/engine/webgpu/gpu.ts";
import { initialWeights } from "../../lib/model/initialise.ts";
import { MRNet } from "../../lib/model/mrnet.ts";
import type { StateDict } from "../../lib/model/weights/tensors.ts";
import { createRandom } from "../../lib/random.ts";
import type { AdamOptions } from "../../lib/model/adam.ts";
import type { OutputWeights } from "../../lib/model/loss.ts";
import { createNetwork } from "../../lib/model/create_network.ts";
import type { EngineNetwork, StepResult } from "../../lib/model/engine_network.ts";
import { TensorNetwork } from "../../lib/model/tensor_network.ts";
import type { ExamReport, TrainResult } from "../../lib/train/reports.ts";
import { train } from "../../lib/train/train.ts";
import type { TrainOptions } from "../../lib/train/options.ts";
import { WebGPUNetwork } from "../../lib/model/webgpu_network.ts";
import { evaluateExam } from "../../lib/train/exam_result.ts";
import { onEachEngine } from "../support/engines.ts";
import { HALF_TOLERANCES } from "../support/tolerances.ts";

type Size = readonly [slices: number, height: number, width: number];
type Step = [exam: LabelledExam, augmentation?: Augmentation];

/** Smooth blobs with a flat, black edge, as in an exam: most windows are not all alike, some are. */
function makeExam([slices, height, width]: Size, label: 0 | 1 = 1): LabelledExam {
  const random = createRandom(label, "exam");
  const voxels = new Uint8Array(slices * height * width);
  for (let at = 0; at < voxels.length; at++) {
    const [x, y] = [at % width, Math.floor(at / width) % height];
    const inside = x > 8 && y > 8 && x < width - 8 && y < height - 8;
    const wave = 90 + 60 * Math.sin((x + at / height / width) / 5) * Math.cos(y / 7);
    voxels[at] = inside ? wave + random.uniform(0, 60) : 0;
  }
  return { exam: { id: "exam", slices, height, width, voxels }, label };
}

interface Run {
  evaluated: StepResult;
  steps: StepResult[];
  state: StateDict;
}

/** What the model is made with, and what the two outputs count. */
interface Setting extends Partial<Preparation> {
  weights?: OutputWeights;
}

/** Evaluates the first exam, takes the steps, and gives back all that can be compared. */
async function run(
  steps: Step[],
  make: (model: MRNet) => EngineNetwork | Promise<EngineNetwork>,
  { weights = [1, 3], ...preparation }: Setting = {},
): Promise<Run> {
  const model = new MRNet(initialWeights(1), preparation);
  const network = await make(model);
  const evaluated = await evaluateExam(network, steps[0][0], weights);
  const results: StepResult[] = [];
  for (const [exam, change] of steps) results.push(await network.step(exam, weights, change));
  const { parameters: state } = await network.snapshot();
  network.dispose();
  model.dispose();
  return { evaluated, steps: results, state };
}

function assertResult(actual: StepResult, expected: StepResult, tolerance: number): void {
  for (
    const [a, b] of [
      [actual.loss, expected.loss],
      ...actual.logits.map((z, o) => [z, expected.logits[o]]),
    ]
  ) {
    assert.ok(Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b)), `${a}, not ${b}`);
  }
}

/**
 * Asserts that parameters moved alike: the worst to a share of the largest move in its tensor, and
 * on average to a hundredth of that share.
 */
function assertMoves(actual: StateDict, expected: StateDict, share: number): void {
  for (const [name, { data }] of initialWeights(1)) {
    const [a, b] = [actual.get(name)!.data, expected.get(name)!.data];
    let [most, worst, sum] = [0, 0, 0];
    data.forEach((value, at) => {
      most = Math.max(most, Math.abs(b[at] - value));
      worst = Math.max(worst, Math.abs(a[at] - b[at]));
      sum += Math.abs(a[at] - b[at]);
    });
    assert.ok(most > 0, `${name} did not move`);
    const told = `${name} is off by ${worst} and by ${sum / data.length} on average`;
    assert.ok(worst <= share * most, `${told}; it moved by ${most}`);
    assert.ok(sum / data.length <= share * most / 100, `${told}; it moved by ${most}`);
  }
}

const CHANGE: Augmentation = { degrees: 13, down: 3.3, right: -4.1, flip: true };

/** The same, and grey values changed in every way. */
const GREYS: Augmentation = {
  ...CHANGE,
  photometric: drawPhotometric(createRandom(1, "photometric"), {
    ...{ brightness: 0.3, contrast: 0.3, logGamma: 0.5, noiseStd: 0.2, biasField: 0.3 },
  }),
};

interface Comparison extends AdamOptions, Setting {
  tiles: Tiles;
  plain?: Step[];
}

/** Both on the `wasm` engine and in our kernels. */
async function compare(
  steps: Step[],
  { tiles, plain = steps, intensity, landmarks, weights, ...options }: Comparison,
): Promise<[ours: Run, plain: Run]> {
  const gpu = currentGpu();
  const make = (model: MRNet) => WebGPUNetwork.create(gpu!, model, { tiles, ...options });
  const setting = { intensity, landmarks, weights };
  const ours = await run(steps, make, setting);
  await startEngine("wasm");
  const reference = await run(plain, (model) => new TensorNetwork(model, options), setting);
  await startEngine("webgpu");
  return [ours, reference];
}

const webgpu = { engines: ["webgpu"] } as const;

const CASES: [Size, Tiles, number][] = [
  [[3, 96, 80], "registers", 10],
  [[7, 72, 100], "shared", 3],
];

for (const [size, tiles, count] of CASES) {
  // With a large epsilon Adam's first move is in proportion to the gradient.
  const plainDescent = { learningRate: 0.01, epsilon: 100, weightDecay: 0 };

  onEachEngine(`every gradient in ${tiles} is that of the plain path: ${size}`, async () => {
    const [ours, plain] = await compare([[makeExam(size)]], { tiles, ...plainDescent });
    assertResult(ours.evaluated, plain.evaluated, 1e-5);
    assertResult(ours.steps[0], plain.steps[0], 1e-5);
    // A window of nearly equal values may have another argmax; that is one of thousands of terms.
    assertMoves(ours.state, plain.state, 1e-3);
  }, webgpu);

  onEachEngine(`${count} steps in ${tiles} are those of the plain path: ${size}`, async () => {
    const steps = Array.from({ length: count }, (_, index): Step => {
      const exam = makeExam(size, index % 3 === 0 ? 1 : 0);
      return index % 2 === 0 ? [exam, CHANGE] : [exam];
    });
    const [ours, plain] = await compare(steps, { tiles });
    ours.steps.forEach((result, index) => assertResult(result, plain.steps[index], 1e-4));
    // Where a gradient is near zero, rounding decides its sign, and the sign a whole step.
    assertMoves(ours.state, plain.state, 0.5);
  }, webgpu);
}

for (const change of [undefined, CHANGE]) {
  const how = change === undefined ? "" : ", augmented";
  onEachEngine(`a step on a standardized exam is the plain one${how}`, async () => {
    const { exam, label } = makeExam([3, 96, 80]);
    // Neither 0 nor 255 among its values, so that it has to be stretched.
    for (let at = 0; at < exam.voxels.length; at++) exam.voxels[at] = 40 + exam.voxels[at] / 2;
    const [ours, plain] = await compare([[{ exam, label }, change]], {
      tiles: "registers",
      intensity: "standardized",
      // A hundred times what raw values need, whose gradients are that much larger.
      learningRate: 1,
      epsilon: 100,
      weightDecay: 0,
    });
    assertResult(ours.evaluated, plain.evaluated, 1e-5);
    assertResult(ours.steps[0], plain.steps[0], 1e-5);
    assertMoves(ours.state, plain.state, 1e-3);
  }, webgpu);
}

for (const intensity of ["raw", "standardized"] as const) {
  onEachEngine(`a step on a ${intensity} exam of other grey values is the plain one`, async () => {
    const { exam, label } = makeExam([3, 96, 80]);
    for (let at = 0; at < exam.voxels.length; at++) exam.voxels[at] = 40 + exam.voxels[at] / 2;
    const [ours, plain] = await compare([[{ exam, label }, GREYS]], {
      ...{ tiles: "registers", intensity, weightDecay: 0, epsilon: 100 },
      learningRate: intensity === "raw" ? 0.01 : 1,
    });
    // The noise is computed in single precision there.
    assertResult(ours.steps[0], plain.steps[0], 1e-4);
    assertMoves(ours.state, plain.state, 1e-2);
  }, webgpu);
}

onEachEngine("a step on an exam that is mapped to landmarks is the plain one", async () => {
  const { exam, label } = makeExam([3, 96, 80]);
  const dark = exam.voxels.map((value) => value * value / 255);
  const landmarks = meanLandmarks([landmarksOf(dark)!], { type: "uint8", stretch: false })!;
  const given = { tiles: "registers", learningRate: 1, epsilon: 100, weightDecay: 0 } as const;
  const [ours, plain] = await compare([[{ exam, label }, CHANGE]], {
    ...{ ...given, intensity: "landmarks", landmarks },
  });
  assertResult(ours.evaluated, plain.evaluated, 1e-5);
  assertResult(ours.steps[0], plain.steps[0], 1e-5);
  assertMoves(ours.state, plain.state, 1e-3);
}, webgpu);

onEachEngine("an exam of one slice moves the model as one of two equal slices does", async () => {
  const one = makeExam([1, 96, 80]);
  const { exam } = one;
  const voxels = new Uint8Array([...exam.voxels, ...exam.voxels]);
  const two: LabelledExam = { ...one, exam: { ...exam, slices: 2, voxels } };
  const [ours, plain] = await compare([[one], [two], [one]], {
    tiles: "registers",
    plain: [[two], [two], [two]],
  });
  ours.steps.forEach((result, index) => assertResult(result, plain.steps[index], 1e-4));
  assertMoves(ours.state, plain.state, 0.5);
}, webgpu);

onEachEngine("float32 voxels are computed as bytes of the same values are", async () => {
  const bytes = makeExam([2, 96, 80]);
  const voxels = Float32Array.from(bytes.exam.voxels);
  const floats = { ...bytes, exam: { ...bytes.exam, voxels } };
  const gpu = currentGpu();
  const make = (model: MRNet) => WebGPUNetwork.create(gpu!, model);
  for (const change of [CHANGE, GREYS]) {
    assert.deepEqual(await run([[floats, change]], make), await run([[bytes, change]], make));
  }
}, webgpu);

for (const tiles of ["registers", "shared"] as const) {
  const make = (model: MRNet) => WebGPUNetwork.create(currentGpu()!, model, { tiles });

  onEachEngine(`the same steps give the same bits twice in ${tiles}`, async () => {
    const steps: Step[] = [[makeExam([2, 72, 64]), CHANGE], [makeExam([4, 72, 64], 0)]];
    assert.deepEqual(await run(steps, make), await run(steps, make));
  }, webgpu);

  onEachEngine(`an exam's bits in ${tiles} do not depend on the exams before it`, async () => {
    const [small, large] = [makeExam([2, 72, 64]), makeExam([9, 72, 64])];
    const model = new MRNet(initialWeights(1));
    const network = await make(model);
    const first = await evaluateExam(network, small, [1, 3]);
    await evaluateExam(network, large, [1, 3]);
    assert.deepEqual(await evaluateExam(network, small, [1, 3]), first);
    network.dispose();
    model.dispose();
  }, webgpu);

  onEachEngine(`NaN in a slice ends in NaN in ${tiles} as on WebAssembly`, async () => {
    const { exam, label } = makeExam([2, 72, 64]);
    // In the second slice: whatever comes first is a number.
    const voxels = Float32Array.from(exam.voxels);
    voxels[72 * 64 + 36 * 64 + 32] = NaN;
    const steps: Step[] = [[{ exam: { ...exam, voxels }, label }]];
    const ours = await run(steps, make);
    await startEngine("wasm");
    const plain = await run(steps, createNetwork);
    await startEngine("webgpu");
    assert.deepEqual(ours.evaluated, { ...ours.evaluated, loss: NaN, logits: [NaN, NaN] });
    assert.deepEqual([ours.evaluated, ours.steps], [plain.evaluated, plain.steps]);
    // Not of all tensors: 0 · NaN is NaN, and WebAssembly leaves products with 0 out.
    for (const { state } of [ours, plain]) {
      for (const name of ["classifer.weight", "classifer.bias"]) {
        assert.ok(state.get(name)!.data.every(Number.isNaN), name);
      }
    }
  }, webgpu);
}

onEachEngine(
  "a step is one upload and at most 60 dispatches, and takes no more memory",
  async () => {
    const STEPS = 12;
    const { counts } = currentGpu()!;
    const before = counts.heldBytes;
    const model = new MRNet(initialWeights(1));
    const network = await createNetwork(model);
    assert.ok(network instanceof WebGPUNetwork);
    const exam = makeExam([2, 96, 80]);
    await network.step(exam, [1, 3]);
    const start = { ...counts };
    // Given all at once, they are read a few times in all: a read takes what is there.
    await Promise.all(Array.from({ length: STEPS }, () => network.step(exam, [1, 3])));
    assert.ok((counts.dispatches - start.dispatches) / STEPS <= 60);
    assert.equal(counts.uploads - start.uploads, STEPS);
    assert.ok(counts.uploadedBytes - start.uploadedBytes <= STEPS * (2 * 96 * 80 + 256));
    assert.ok(
      counts.readBacks - start.readBacks <= 5,
      `${counts.readBacks - start.readBacks} reads`,
    );
    assert.equal(counts.heldBytes, start.heldBytes);
    network.dispose();
    model.dispose();
    await new Promise((resolve) => setTimeout(resolve));
    assert.equal(counts.heldBytes, before);
  },
  webgpu,
);

for (const winograd of [false, true]) {
  const how = winograd ? " with Winograd" : "";
  onEachEngine(`a step in shared tiles${how} is at most 60 dispatches`, async () => {
    const { counts } = currentGpu()!;
    const model = new MRNet(initialWeights(1));
    const options = { tiles: "shared", winograd } as const;
    const network = await WebGPUNetwork.create(currentGpu()!, model, options);
    // Of so few pixels every sum is split; and the first step lays the filters out twice.
    const before = counts.dispatches;
    await network.step(makeExam([1, 72, 64]), [1, 3]);
    assert.ok(counts.dispatches - before <= 60, `${counts.dispatches - before} dispatches`);
    network.dispose();
    model.dispose();
  }, webgpu);
}

onEachEngine("an exam in chunks has the result and the gradient of the whole", async () => {
  const gpu = currentGpu()!;
  // Five slices in chunks of two; then one slice, which is a chunk by itself.
  const steps: Step[] = [[makeExam([5, 72, 64]), GREYS], [makeExam([1, 72, 64], 0)]];
  const options = { tiles: "shared", learningRate: 0.01, epsilon: 100, weightDecay: 0 } as const;
  const whole = await run(steps, (model) => WebGPUNetwork.create(gpu, model, options));
  const inChunks = await run(
    steps,
    (model) => WebGPUNetwork.create(gpu, model, { ...options, slicesAtOnce: 2 }),
  );
  // A chunk of few slices has its sums split into more partial sums: their rounding differs.
  assertResult(inChunks.evaluated, whole.evaluated, 1e-5);
  assertResult(inChunks.steps[0], whole.steps[0], 1e-5);
  assertResult(inChunks.steps[1], whole.steps[1], 1e-5);
  assertMoves(inChunks.state, whole.state, 1e-3);
}, webgpu);

onEachEngine(
  "with activations stored in half precision a step is that of float32 to their rounding",
  async () => {
    const gpu = currentGpu()!;
    const options = { tiles: "shared", learningRate: 0.01, epsilon: 100, weightDecay: 0 } as const;
    const steps: Step[] = [[makeExam([3, 72, 64]), CHANGE]];
    const single = await run(steps, (model) => WebGPUNetwork.create(gpu, model, options));
    const float16 = await run(
      steps,
      (model) => WebGPUNetwork.create(gpu, model, { ...options, precision: "half" }),
    );
    assertResult(float16.evaluated, single.evaluated, HALF_TOLERANCES.logits);
    assertResult(float16.steps[0], single.steps[0], HALF_TOLERANCES.logits);
    assert.notDeepEqual(
      float16.evaluated,
      single.evaluated,
      "nothing was rounded to half precision",
    );
    for (const [name, { data }] of initialWeights(1)) {
      const [a, b] = [float16.state.get(name)!.data, single.state.get(name)!.data];
      const length = (of: (at: number) => number) =>
        Math.sqrt(data.reduce((sum, _, at) => sum + of(at) ** 2, 0));
      const off = length((at) => a[at] - b[at]);
      const moved = length((at) => b[at] - data[at]);
      assert.ok(moved > 0, `${name} did not move`);
      const decided = name.includes("features") && name !== "pretrained_model.features.10.bias";
      const bound = HALF_TOLERANCES[decided ? "gradients" : "behindMaxima"];
      assert.ok(off <= bound * moved, `${name} is off by ${off / moved}`);
    }
  },
  webgpu,
);

onEachEngine("an exam that no buffer can hold is refused in one line", async () => {
  const model = new MRNet(initialWeights(1));
  const network = await createNetwork(model);
  const most = currentGpu()!.device.limits.maxStorageBufferBindingSize;
  const slices = Math.ceil(most / (64 * 80)) + 8;
  const exam = { id: "long", slices, height: 64, width: 80, voxels: new Uint8Array(0) };
  await assert.rejects(evaluateExam(network, { exam, label: 1 }, [1, 1]), {
    name: "EngineError",
    message: /^Cannot compute an exam of \d+ slices of 64x80 pixels on this GPU: 'voxels' needs/,
  });
  network.dispose();
  await assert.rejects(evaluateExam(network, makeExam([2, 96, 80]), [1, 1]), {
    name: "EngineError",
  });
  model.dispose();
}, webgpu);

/** A dataset in memory: exams of two and three slices, half of them with the finding. */
function dataset(name: string): Dataset {
  const labels = Array.from({ length: 12 }, (_, index) => ({
    id: `${name}${index}`,
    label: index % 2 as 0 | 1,
  }));
  return {
    labels,
    read(index) {
      const { id, label } = labels[index];
      const { exam } = makeExam([2 + index % 2, 96, 80], label);
      return Promise.resolve({ ...exam, id });
    },
  };
}

async function trainOnce(
  options: TrainOptions,
): Promise<{ result: TrainResult; seen: ExamReport[] }> {
  const model = new MRNet(initialWeights(1));
  const seen: ExamReport[] = [];
  try {
    const result = await train(model, { train: dataset("t"), valid: dataset("v") }, {
      seed: 1,
      ...options,
      onExam(report) {
        seen.push(report);
        options.onExam?.(report);
      },
    });
    return { result, seen };
  } finally {
    model.dispose();
  }
}

onEachEngine("a training run reports every exam in order, as on WebAssembly", async () => {
  const ours = await trainOnce({ epochs: 1 });
  await startEngine("wasm");
  const plain = await trainOnce({ epochs: 1 });
  await startEngine("webgpu");
  const story = ({ phase, epoch, done, id }: ExamReport) => `${phase} ${epoch} ${done} ${id}`;
  assert.deepEqual(ours.seen.map(story), plain.seen.map(story));
  ours.seen.forEach((report, index) => assertResult(report, plain.seen[index], 1e-3));
  assert.equal(ours.result.epochs.length, 1);
}, webgpu);

onEachEngine("a signal ends training after the exams that are under way", async () => {
  const controller = new AbortController();
  const { result, seen } = await trainOnce({
    epochs: 2,
    signal: controller.signal,
    onExam: ({ done }) => done === 2 && controller.abort(),
  });
  assert.equal(result.stopped, "interrupted");
  assert.ok(seen.length >= 2 && seen.length <= 11, `${seen.length} exams`);
  assert.deepEqual(seen.map(({ done }) => done), seen.map((_, index) => index + 1));
}, webgpu);

onEachEngine("a loss that is not finite ends training and names its exam", async () => {
  await assert.rejects(trainOnce({ epochs: 1, learningRate: 1e30 }), {
    name: "TrainingError",
    message: /^Cannot go on training: the loss of exam 't\d+' in epoch 1 is (NaN|Infinity)/,
  });
  currentGpu()!.check();
}, webgpu);
