import assert from "node:assert/strict";
import type { Augmentation } from "../../lib/data/augment.ts";
import type { Dataset, LabelledExam } from "../../lib/data/dataset.ts";
import { currentGpu, startEngine } from "../../lib/engine/engine.ts";
import type { Tiles } from "../../lib/engine/webgpu/gpu.ts";
import { initialWeights } from "../../lib/model/initialise.ts";
import { MRNet } from "../../lib/model/mrnet.ts";
import type { StateDict } from "../../lib/model/weights/tensors.ts";
import { createRandom } from "../../lib/random.ts";
import type { AdamOptions } from "../../lib/train/adam.ts";
import { createRunner, type ExamFigures, type Runner } from "../../lib/train/runner.ts";
import { TensorRunner } from "../../lib/train/tensor_runner.ts";
import { type ExamReport, train, type TrainResult } from "../../lib/train/trainer.ts";
import type { TrainOptions } from "../../lib/train/options.ts";
import { WebGPURunner } from "../../lib/train/webgpu_runner.ts";
import { onEachEngine } from "../support/engines.ts";

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
  judged: ExamFigures;
  steps: ExamFigures[];
  state: StateDict;
}

/** Judges the first exam, takes the steps, and gives back all that can be compared. */
async function run(steps: Step[], make: (model: MRNet) => Runner | Promise<Runner>): Promise<Run> {
  const model = new MRNet(initialWeights(1));
  const runner = await make(model);
  const judged = await runner.judge(steps[0][0], 3);
  const figures: ExamFigures[] = [];
  for (const [exam, change] of steps) figures.push(await runner.train(exam, 3, change));
  await runner.sync();
  const state = await model.stateDict();
  runner.dispose();
  model.dispose();
  return { judged, steps: figures, state };
}

function assertFigures(actual: ExamFigures, expected: ExamFigures, tolerance: number): void {
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

/** Both on the `wasm` engine and in our kernels. */
async function compare(
  steps: Step[],
  { tiles, plain = steps, ...options }: AdamOptions & { tiles: Tiles; plain?: Step[] },
): Promise<[ours: Run, plain: Run]> {
  const gpu = currentGpu();
  const ours = await run(steps, (model) => WebGPURunner.create(gpu!, model, { tiles, ...options }));
  await startEngine("wasm");
  const reference = await run(plain, (model) => new TensorRunner(model, options));
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
    assertFigures(ours.judged, plain.judged, 1e-5);
    assertFigures(ours.steps[0], plain.steps[0], 1e-5);
    // A window of nearly equal values may have another winner; that is one of thousands of terms.
    assertMoves(ours.state, plain.state, 1e-3);
  }, webgpu);

  onEachEngine(`${count} steps in ${tiles} are those of the plain path: ${size}`, async () => {
    const steps = Array.from({ length: count }, (_, index): Step => {
      const exam = makeExam(size, index % 3 === 0 ? 1 : 0);
      return index % 2 === 0 ? [exam, CHANGE] : [exam];
    });
    const [ours, plain] = await compare(steps, { tiles });
    ours.steps.forEach((figures, index) => assertFigures(figures, plain.steps[index], 1e-4));
    // Where a gradient is near zero, rounding decides its sign, and the sign a whole step.
    assertMoves(ours.state, plain.state, 0.5);
  }, webgpu);
}

onEachEngine("an exam of one slice moves the model as one of two equal slices does", async () => {
  const one = makeExam([1, 96, 80]);
  const { exam } = one;
  const voxels = new Uint8Array([...exam.voxels, ...exam.voxels]);
  const two: LabelledExam = { ...one, exam: { ...exam, slices: 2, voxels } };
  const [ours, plain] = await compare([[one], [two], [one]], {
    tiles: "registers",
    plain: [[two], [two], [two]],
  });
  ours.steps.forEach((figures, index) => assertFigures(figures, plain.steps[index], 1e-4));
  assertMoves(ours.state, plain.state, 0.5);
}, webgpu);

onEachEngine("float32 voxels are computed as bytes of the same values are", async () => {
  const bytes = makeExam([2, 96, 80]);
  const voxels = Float32Array.from(bytes.exam.voxels);
  const floats = { ...bytes, exam: { ...bytes.exam, voxels } };
  const gpu = currentGpu();
  const make = (model: MRNet) => WebGPURunner.create(gpu!, model);
  assert.deepEqual(await run([[floats, CHANGE]], make), await run([[bytes, CHANGE]], make));
}, webgpu);

onEachEngine("the same steps give the same bits twice", async () => {
  const steps: Step[] = [[makeExam([3, 96, 80]), CHANGE], [makeExam([5, 96, 80], 0)]];
  assert.deepEqual(await run(steps, createRunner), await run(steps, createRunner));
}, webgpu);

onEachEngine(
  "a step is one upload and at most 60 dispatches, and takes no more memory",
  async () => {
    const { counts } = currentGpu()!;
    const before = counts.heldBytes;
    const model = new MRNet(initialWeights(1));
    const runner = await createRunner(model);
    assert.ok(runner instanceof WebGPURunner);
    const exam = makeExam([2, 96, 80]);
    await runner.train(exam, 3);
    const start = { ...counts };
    // Given all at once, they are read a few times in all: a read takes what is there.
    await Promise.all(Array.from({ length: 30 }, () => runner.train(exam, 3)));
    assert.ok((counts.dispatches - start.dispatches) / 30 <= 60);
    assert.equal(counts.uploads - start.uploads, 30);
    assert.ok(counts.uploadedBytes - start.uploadedBytes <= 30 * (2 * 96 * 80 + 256));
    assert.ok(
      counts.readBacks - start.readBacks <= 5,
      `${counts.readBacks - start.readBacks} reads`,
    );
    assert.equal(counts.heldBytes, start.heldBytes);
    runner.dispose();
    model.dispose();
    await new Promise((resolve) => setTimeout(resolve));
    assert.equal(counts.heldBytes, before);
  },
  webgpu,
);

onEachEngine("an exam that no buffer can hold is refused in one line", async () => {
  const model = new MRNet(initialWeights(1));
  const runner = await createRunner(model);
  const most = currentGpu()!.device.limits.maxStorageBufferBindingSize;
  const slices = Math.ceil(most / (15 * 19 * 64 * 4)) + 8;
  const exam = { id: "long", slices, height: 64, width: 80, voxels: new Uint8Array(0) };
  await assert.rejects(runner.judge({ exam, label: 1 }, 1), {
    name: "EngineError",
    message: /^Cannot compute an exam of \d+ slices of 64x80 pixels on this GPU: 'conv1' needs/,
  });
  runner.dispose();
  await assert.rejects(runner.judge(makeExam([2, 96, 80]), 1), { name: "EngineError" });
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
  ours.seen.forEach((report, index) => assertFigures(report, plain.seen[index], 1e-3));
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
