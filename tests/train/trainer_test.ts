import assert from "node:assert/strict";
import { positiveWeight } from "../../lib/data/dataset.ts";
import { createMRNet } from "../../lib/model/create.ts";
import type { MRNet } from "../../lib/model/mrnet.ts";
import { rocAuc } from "../../lib/metrics/roc.ts";
import { evaluate } from "../../lib/train/evaluate.ts";
import type { TrainOptions } from "../../lib/train/options.ts";
import type { EpochReport, ExamReport } from "../../lib/train/reports.ts";
import { train } from "../../lib/train/train.ts";
import { onEachEngine } from "../support/engines.ts";
import { type TinyDataset, tinyDataset, tinyModel } from "../support/tiny_model.ts";

/** So small that no parameter of float32 moves, and every epoch is like the first. */
const STILL = 1e-30;

const ORDERED = { shuffle: false, augment: false } as const;

interface Datasets {
  train: TinyDataset;
  valid: TinyDataset;
}

function datasets(onRead?: (id: string) => void): Datasets {
  return {
    train: tinyDataset([[0, 20], [1, 120], [0, 60], [1, 200]], 0, onRead),
    valid: tinyDataset([[1, 150], [0, 30]], 10, onRead),
  };
}

/** Trains a tiny model on tiny exams, keeps all reports, and frees the model. */
async function run(options: TrainOptions, data: Datasets = datasets(), model = tinyModel()) {
  const exams: ExamReport[] = [];
  const epochs: EpochReport[] = [];
  try {
    const result = await train(model, data, {
      ...ORDERED,
      ...options,
      onExam(report) {
        exams.push(report);
        options.onExam?.(report);
      },
      async onEpoch(report) {
        epochs.push(report);
        await options.onEpoch?.(report);
      },
    });
    return { result, exams, epochs, data };
  } finally {
    model.dispose();
  }
}

const round4 = (value: number) => Math.round(value * 1e4) / 1e4;

/** The behaviour of the loop does not depend on the engine, so the plain one is enough. */
const onCpu = (name: string, body: () => Promise<void>) =>
  onEachEngine(name, body, { engines: ["cpu"] });

onCpu("exams are reported in their order, each with the metrics so far", async () => {
  const { result, exams, epochs, data } = await run({ epochs: 2, learningRate: 0.01 });
  const expected = [1, 2].flatMap((epoch) => [
    ...["0000", "0001", "0002", "0003"].map((id, i) => ["train", epoch, id, i + 1, 4]),
    ...["0010", "0011"].map((id, i) => ["valid", epoch, id, i + 1, 2]),
  ]);
  assert.deepEqual(
    exams.map(({ phase, epoch, id, done, total }) => [phase, epoch, id, done, total]),
    expected,
  );
  const labels = new Map(
    [data.train, data.valid].flatMap(({ labels }) => labels.map(({ id, label }) => [id, label])),
  );
  for (const report of exams) {
    const soFar = exams.filter((each) =>
      each.epoch === report.epoch && each.phase === report.phase && each.done <= report.done
    );
    const mean = soFar.reduce((sum, { loss }) => sum + loss, 0) / soFar.length;
    assert.ok(Math.abs(report.meanLoss - mean) < 1e-12);
    const auc = rocAuc(soFar.map(({ id }) => labels.get(id)!), soFar.map((e) => e.probability));
    assert.equal(report.auc, auc);
    assert.equal(report.learningRate, 0.01);
    assert.ok(Math.abs(report.probability - 1 / (1 + Math.exp(-report.logits[1]))) < 1e-12);
  }
  assert.deepEqual(result.epochs, epochs);
  assert.equal(result.stopped, "finished");
  for (const { epoch, trainLoss, trainAuc, valLoss, valAuc, seconds } of epochs) {
    const last = (phase: string) => exams.filter((e) => e.epoch === epoch && e.phase === phase);
    const [trained, evaluated] = [last("train").at(-1)!, last("valid").at(-1)!];
    assert.deepEqual([trainLoss, valLoss], [round4(trained.meanLoss), round4(evaluated.meanLoss)]);
    assert.deepEqual([trainAuc, valAuc], [round4(trained.auc), round4(evaluated.auc)]);
    assert.ok(seconds > 0 && seconds < 60);
  }
});

onCpu("the loss of an exam is that of the model before it is moved", async () => {
  const model = tinyModel();
  const data = datasets();
  const [first] = (await evaluate(model, data.train)).predictions;
  const { exams } = await run({ epochs: 1, learningRate: 0.1 }, data, model);
  // The step's own is computed in single precision.
  assert.ok(Math.abs(exams[0].loss - first.loss) < 1e-6, `${exams[0].loss}, not ${first.loss}`);
  assert.notEqual(exams[0].logits[1], exams[4].logits[1]);
});

onCpu("the best epoch is the first with the highest validation AUC", async () => {
  const { result, epochs } = await run({ epochs: 3, learningRate: STILL });
  assert.deepEqual(epochs.map(({ isBest }) => isBest), [true, false, false]);
  assert.equal(result.best, epochs[0]);
  assert.equal(result.best?.valAuc, 1);
});

onCpu("an epoch is best only if it beats every epoch before it", async () => {
  // The weight crosses zero on its way down, and with it the order of the exams.
  const data = {
    train: tinyDataset([[1, 10], [0, 210]]),
    valid: tinyDataset([[1, 20], [0, 80], [1, 120], [0, 200]], 10),
  };
  const options = { epochs: 4, learningRate: 0.2, weightDecay: 0, patience: 9 };
  const { result, epochs } = await run(options, data, tinyModel(0.3));
  let best = 0;
  for (const { valAuc, isBest } of epochs) {
    assert.equal(isBest, valAuc > best);
    best = Math.max(best, valAuc);
  }
  assert.ok(epochs.filter(({ isBest }) => isBest).length >= 2, JSON.stringify(epochs));
  assert.equal(result.best?.valAuc, best);
});

onCpu("a model that is always wrong is never the best", async () => {
  const data = { train: datasets().train, valid: tinyDataset([[0, 200], [1, 10]], 10) };
  const { result } = await run({ epochs: 2, learningRate: STILL }, data);
  assert.equal(result.best, undefined);
  assert.deepEqual(result.epochs.map(({ valAuc }) => valAuc), [0, 0]);
});

onCpu("training stops early once the validation loss no longer falls", async () => {
  const { result, epochs } = await run({ epochs: 50, learningRate: STILL, patience: 2 });
  assert.equal(result.stopped, "early");
  assert.equal(epochs.length, 3);
});

onCpu("the schedule changes the rate between epochs", async () => {
  const options = { learningRate: STILL, schedule: "step", gamma: 0.5, patience: 9 } as const;
  const { exams, epochs } = await run({ ...options, epochs: 4 });
  const rates = [STILL, STILL, STILL, STILL / 2];
  assert.deepEqual(epochs.map(({ learningRate }) => learningRate), rates);
  for (const { epoch, learningRate } of exams) assert.equal(learningRate, rates[epoch - 1]);
});

onCpu("unshuffled, the order is that of the labels; shuffled, each epoch has its own", async () => {
  const many = () => ({
    train: tinyDataset(Array.from({ length: 12 }, (_, i) => [i % 2 as 0 | 1, i * 10] as const)),
    valid: datasets().valid,
  });
  const orders = async (options: TrainOptions) => {
    const { data: { train } } = await run({ epochs: 2, learningRate: STILL, ...options }, many());
    return [train.reads.slice(0, 12).join(), train.reads.slice(12).join()];
  };
  const ordered = many().train.labels.map(({ id }) => id).join();
  assert.deepEqual(await orders({ shuffle: false, seed: 1 }), [ordered, ordered]);
  const [first, second] = await orders({ shuffle: true, seed: 1 });
  assert.equal(new Set([ordered, first, second]).size, 3);
  assert.equal(first.split(",").sort().join(), ordered);
  assert.deepEqual(await orders({ shuffle: true, seed: 1 }), [first, second]);
  assert.notEqual((await orders({ shuffle: true, seed: 2 }))[0], first);
});

onCpu("validation exams are never shuffled", async () => {
  const { data } = await run({ epochs: 2, learningRate: STILL, shuffle: true, seed: 3 });
  assert.deepEqual(data.valid.reads, ["0010", "0011", "0010", "0011"]);
});

onCpu("augmentation changes what the model sees in training, and nothing else", async () => {
  // A ramp, for turning an exam whose voxels are all equal would change nothing.
  const ramps = () => {
    const data = datasets();
    const ramp = ({ labels, read, reads }: TinyDataset): TinyDataset => ({
      labels,
      reads,
      async read(index) {
        const voxels = Float32Array.from({ length: 16 }, (_, i) => (index + 1) * i);
        return { ...await read(index), voxels };
      },
    });
    return { train: ramp(data.train), valid: ramp(data.valid) };
  };
  const losses = async (options: TrainOptions) => {
    const { exams } = await run({ epochs: 2, learningRate: STILL, ...options }, ramps());
    return exams.map(({ loss }) => loss);
  };
  const plain = await losses({ augment: false, seed: 1 });
  const augmented = await losses({ augment: true, seed: 1 });
  assert.deepEqual(plain.slice(0, 6), plain.slice(6));
  assert.deepEqual(augmented.slice(4, 6), plain.slice(4, 6));
  for (let i = 0; i < 4; i++) {
    assert.notEqual(augmented[i], plain[i]);
    assert.notEqual(augmented[i], augmented[i + 6], "each epoch draws anew");
  }
  const still = { augment: true, rotation: 0, shift: 0, flip: 0, seed: 1 };
  const noisy = await losses({ ...still, noiseStd: 0.2 });
  assert.deepEqual(noisy.slice(4, 6), plain.slice(4, 6));
  for (let i = 0; i < 4; i++) {
    assert.notEqual(noisy[i], plain[i]);
    assert.notEqual(noisy[i], noisy[i + 6], "each epoch draws anew");
  }
  assert.deepEqual(await losses({ ...still, noiseStd: 0.2 }), noisy);
  assert.deepEqual(await losses({ ...still, noiseStd: 0.2, augment: false }), plain);
  assert.deepEqual(await losses({ augment: true, seed: 1 }), augmented);
  assert.notDeepEqual(await losses({ augment: true, seed: 2 }), augmented);
});

onCpu("each set weighs its loss by its own labels", async () => {
  const data = {
    train: tinyDataset([[0, 0], [0, 0], [0, 0], [1, 0]]),
    valid: tinyDataset([[1, 0], [1, 0], [0, 0]], 10),
  };
  assert.deepEqual([positiveWeight(data.train), positiveWeight(data.valid)], [3, 0.5]);
  const { exams } = await run({ epochs: 1, learningRate: STILL }, data);
  // With both logits 0 each output costs ln 2, weighted 1 and w, of which the mean is taken.
  const expected = (weight: number) => Math.LN2 * (1 + weight) / 2;
  for (const { phase, loss } of exams) {
    assert.ok(Math.abs(loss - expected(phase === "train" ? 3 : 0.5)) < 1e-6);
  }
});

onCpu("by class each exam weighs by how rare its class is in its own set", async () => {
  const data = {
    train: tinyDataset([[0, 0], [0, 0], [0, 0], [1, 0]]),
    valid: tinyDataset([[1, 0], [1, 0], [0, 0]], 10),
  };
  const { exams } = await run({ epochs: 1, learningRate: STILL, lossWeights: "class" }, data);
  // With both logits 0 each output costs ln 2.
  const weights = [1 / 4, 1 / 4, 1 / 4, 3 / 4, 1 / 3, 1 / 3, 2 / 3];
  assert.equal(exams.length, weights.length);
  exams.forEach(({ loss }, index) => {
    assert.ok(Math.abs(loss - Math.LN2 * weights[index]) < 1e-6, `${index}: ${loss}`);
  });
});

onCpu("the operating point of an epoch is Youden's, over its own validation exams", async () => {
  const data = {
    train: tinyDataset([[0, 20], [1, 120]]),
    valid: tinyDataset([[0, 10], [0, 90], [1, 60], [1, 150], [1, 200]], 10),
  };
  const { epochs, exams } = await run({ epochs: 2, learningRate: 0.05, weightDecay: 0 }, data);
  for (const { epoch, threshold } of epochs) {
    const valid = exams.filter((each) => each.phase === "valid" && each.epoch === epoch);
    // Above 90 both bright exams are right and one is missed, above 10 one is called wrongly: 2/3 and
    // 1/2. The threshold lies between what 90 and 150 are given.
    const [, below, , above] = valid.map(({ probability }) => probability);
    assert.ok(Math.abs(threshold - (below + above) / 2) < 1e-12, `${threshold}`);
  }
  assert.notEqual(epochs[0].threshold, epochs[1].threshold);
});

onCpu(
  "a rule chooses the operating point, and Youden's index if no threshold does what it asks",
  async () => {
    const data = {
      train: tinyDataset([[0, 20], [1, 120]]),
      valid: tinyDataset([[0, 40], [0, 90], [1, 60], [1, 150], [1, 200]], 10),
    };
    const still = { epochs: 1, learningRate: 0.05, weightDecay: 0 };
    const by = async (operatingPoint: TrainOptions["operatingPoint"]) => {
      const { epochs: [report], exams } = await run({ ...still, operatingPoint }, data);
      const said = exams.filter(({ phase }) => phase === "valid").map((each) => each.probability);
      return { ...report, said };
    };
    const all = await by("sensitivity=1");
    // From what 60 is given on: 90 is called wrongly, 40 is not.
    assert.equal(all.rule, "sensitivity=1");
    assert.ok(Math.abs(all.threshold - (all.said[0] + all.said[2]) / 2) < 1e-12);
    assert.equal((await by("specificity=1")).rule, "specificity=1");
    // The darkest exam has the finding, so only a threshold below all of them finds it.
    data.valid = tinyDataset([[1, 10], [0, 60], [0, 90], [1, 150], [1, 200]], 10);
    const missed = await by("sensitivity=1");
    const youden = await by(undefined);
    assert.deepEqual([missed.rule, missed.threshold], ["youden", youden.threshold]);
    assert.equal(
      missed.unreached,
      "No threshold reaches the sensitivity 1 but by calling all 5 exams positive",
    );
    assert.deepEqual([youden.rule, youden.unreached], ["youden", undefined]);
  },
);

onCpu("the plateau schedule is patient and strict as it is told", async () => {
  const rates = async (options: TrainOptions) => {
    const still = { epochs: 6, patience: 9, learningRate: 1e-6, weightDecay: 0, ...options };
    // Exams without values leave the model where it is, and so the validation loss.
    const data = { train: tinyDataset([[0, 0], [1, 0]]), valid: tinyDataset([[1, 0], [0, 0]], 10) };
    return (await run(still, data)).epochs.map(({ learningRate }) => learningRate / 1e-6);
  };
  const near = (actual: number[], expected: number[]) =>
    actual.forEach((rate, at) => assert.ok(Math.abs(rate - expected[at]) < 1e-9, `${actual}`));
  near(await rates({ plateauPatience: 0, plateauFactor: 0.5 }), [1, 1, 0.5, 0.25, 0.125, 0.0625]);
  near(await rates({ plateauPatience: 2, plateauFactor: 0.1 }), [1, 1, 1, 1, 0.1, 0.1]);
  near(await rates({}), [1, 1, 1, 1, 1, 0.3]);
  near(await rates({ recipe: "stanford", intensity: "raw" }), [1, 1, 1, 1, 1, 1]);
});

onCpu("a signal in the middle of an epoch ends it after the exam at hand", async () => {
  const stop = new AbortController();
  const { result, exams, epochs, data } = await run({
    learningRate: STILL,
    signal: stop.signal,
    onExam: ({ done }) => done === 2 && stop.abort(),
  });
  assert.equal(result.stopped, "interrupted");
  assert.deepEqual([result.epochs, epochs, result.best], [[], [], undefined]);
  assert.equal(exams.length, 2);
  // The third was being read ahead.
  assert.deepEqual(data.train.reads, ["0000", "0001", "0002"]);
  assert.deepEqual(data.valid.reads, []);
});

onCpu("a signal during validation ends it too, and keeps the epochs before", async () => {
  const stop = new AbortController();
  const { result, exams } = await run({
    learningRate: STILL,
    signal: stop.signal,
    onExam: ({ phase, epoch, done }) =>
      phase === "valid" && epoch === 2 && done === 1 && stop.abort(),
  });
  assert.equal(result.stopped, "interrupted");
  assert.equal(result.epochs.length, 1);
  assert.equal(result.best, result.epochs[0]);
  assert.equal(exams.at(-1)?.id, "0010");
});

onCpu("a signal between two epochs ends training with the epochs so far", async () => {
  const stop = new AbortController();
  const { result, exams } = await run({
    learningRate: STILL,
    signal: stop.signal,
    onEpoch: () => stop.abort(),
  });
  assert.equal(result.stopped, "interrupted");
  assert.equal(result.epochs.length, 1);
  assert.equal(exams.length, 6);
});

onCpu("a signal during the last exam of an epoch does not cost the epoch", async () => {
  const stop = new AbortController();
  const { result, epochs } = await run({
    learningRate: STILL,
    signal: stop.signal,
    onExam: ({ phase, done }) => phase === "valid" && done === 2 && stop.abort(),
  });
  assert.equal(result.stopped, "interrupted");
  assert.equal(epochs.length, 1);
  assert.equal(result.best, epochs[0]);
});

onCpu("a signal that was given before training reads no exam", async () => {
  const { result, data } = await run({ signal: AbortSignal.abort() });
  assert.deepEqual(result, { epochs: [], stopped: "interrupted" });
  assert.deepEqual(data.train.reads, []);
});

onCpu("an exam that cannot be read ends training with its own error", async () => {
  const broken = new Error("0002 is gone");
  const data = datasets((id) => {
    if (id === "0002") throw broken;
  });
  const seen: string[] = [];
  await assert.rejects(run({ onExam: ({ id }) => seen.push(id) }, data), broken);
  assert.deepEqual(seen, ["0000", "0001"]);
  const invalid = datasets((id) => {
    if (id === "0011") throw broken;
  });
  await assert.rejects(run({}, invalid), broken);
  // What was read ahead in vain must not turn up as an unhandled rejection.
  await new Promise((resolve) => setTimeout(resolve, 5));
});

onCpu("what a callback throws ends training and is passed on", async () => {
  const fault = new Error("thrown by the caller");
  const fail = () => {
    throw fault;
  };
  await assert.rejects(run({ onExam: fail }), fault);
  await assert.rejects(run({ onExam: ({ phase }) => phase === "valid" && fail() }), fault);
  await assert.rejects(run({ onEpoch: fail }), fault);
  await assert.rejects(run({ onEpoch: () => Promise.reject(fault) }), fault);
});

onCpu("the parameters rest until what onEpoch does is done", async () => {
  const model = tinyModel();
  const weight = () => model.parameters.get("weight")!.dataSync()[0];
  let busy = false;
  const { epochs } = await run(
    {
      epochs: 2,
      learningRate: 0.1,
      onExam: () => assert.ok(!busy),
      async onEpoch() {
        busy = true;
        const before = weight();
        await new Promise((resolve) => setTimeout(resolve, 20));
        assert.equal(weight(), before);
        busy = false;
      },
    },
    datasets(),
    model,
  );
  assert.equal(epochs.length, 2);
});

onCpu("a loss that is not finite names the exam, the epoch and the rate", async () => {
  const data = datasets();
  data.train = tinyDataset([[0, 20], [1, Infinity], [0, 30]]);
  await assert.rejects(run({ learningRate: 0.5 }, data), {
    name: "TrainingError",
    message:
      /^Cannot go on training: the loss of exam '0001' in epoch 1 is (NaN|Infinity): lower --lr, now 0.5, or look at the exams$/,
  });
  const invalid = datasets();
  invalid.valid = tinyDataset([[0, Infinity], [1, Infinity]], 10);
  await assert.rejects(run({}, invalid), {
    name: "TrainingError",
    message: /^Cannot evaluate the model on exam '0010': the loss is (NaN|Infinity): /,
  });
});

onCpu("exams of one class cannot be trained on, nor evaluated on", async () => {
  const one = tinyDataset([[0, 1], [0, 2]]);
  await assert.rejects(run({}, { train: one, valid: datasets().valid }), { name: "DataError" });
  assert.deepEqual(one.reads, []);
  const { train } = datasets();
  await assert.rejects(run({}, { train, valid: one }), { name: "DataError" });
  assert.deepEqual(train.reads, [], "found before an epoch was spent");
});

onCpu("every option out of its range is refused before an exam is read", async () => {
  const whole = "give a whole number of at least 1";
  const cases: [options: TrainOptions, message: string][] = [
    [{ epochs: 0 }, `Cannot train with epochs 0: ${whole}`],
    [{ epochs: 1.5 }, `Cannot train with epochs 1.5: ${whole}`],
    [{ epochs: Infinity }, `Cannot train with epochs Infinity: ${whole}`],
    [{ patience: -1 }, "Cannot train with patience -1: give a whole number of 0 or more"],
    [{ patience: 0.5 }, "Cannot train with patience 0.5: give a whole number of 0 or more"],
    [{ patience: NaN }, "Cannot train with patience NaN: give a whole number of 0 or more"],
    [{ learningRate: 0 }, "Cannot train with learningRate 0: give a number above 0"],
    [{ learningRate: -1 }, "Cannot train with learningRate -1: give a number above 0"],
    [{ learningRate: Infinity }, "Cannot train with learningRate Infinity: give a number above 0"],
    [{ gamma: 0 }, "Cannot train with gamma 0: give a number above 0"],
    [
      { schedule: "cosine" as TrainOptions["schedule"] },
      "Cannot train with schedule 'cosine': give one of plateau, step, none",
    ],
    [{ seed: 0.5 }, "Cannot train with seed 0.5: give a whole number of 0 or more"],
    [{ weightDecay: -0.1 }, "Cannot train with weightDecay -0.1: give a number of 0 or more"],
    [{ weightDecay: NaN }, "Cannot train with weightDecay NaN: give a number of 0 or more"],
    [
      { recipe: "harvard" as TrainOptions["recipe"] },
      "Cannot train with recipe 'harvard': give one of reference, stanford",
    ],
    [
      { intensity: "bright" as TrainOptions["intensity"] },
      "Cannot train with intensity 'bright': give one of raw, standardized, landmarks",
    ],
    [
      { lossWeights: "exam" as TrainOptions["lossWeights"] },
      "Cannot train with lossWeights 'exam': give one of output, class",
    ],
    [
      { plateauPatience: 1.5 },
      "Cannot train with plateauPatience 1.5: give a whole number of 0 or more",
    ],
    [
      { plateauFactor: 1 },
      "Cannot train with plateauFactor 1: give a number above 0 and below 1",
    ],
    [{ rotation: 181 }, "Cannot train with rotation 181: give degrees of 0 to 180"],
    [{ rotation: -1 }, "Cannot train with rotation -1: give degrees of 0 to 180"],
    [
      { shift: 25 },
      "Cannot train with shift '25': " +
      "give a share of the side of 0 to 1, such as 0.11, or pixels, such as 25px",
    ],
    [
      { shift: "-3px" },
      "Cannot train with shift '-3px': " +
      "give a share of the side of 0 to 1, such as 0.11, or pixels, such as 25px",
    ],
    [{ flip: 1.1 }, "Cannot train with flip 1.1: give a probability of 0 to 1"],
    [{ brightness: -0.1 }, "Cannot train with brightness -0.1: give a number of 0 to 1"],
    [{ contrast: 1.1 }, "Cannot train with contrast 1.1: give a number of 0 to 1"],
    [{ logGamma: 2.5 }, "Cannot train with logGamma 2.5: give a number of 0 to 2"],
    [{ noiseStd: NaN }, "Cannot train with noiseStd NaN: give a number of 0 to 1"],
    [{ biasField: 2 }, "Cannot train with biasField 2: give a number of 0 to 1"],
    [
      { recipe: "stanford" },
      "Cannot train with intensity standardized: the model's own is raw: " +
      "make it with intensity standardized, or train with intensity raw",
    ],
  ];
  for (const [options, message] of cases) {
    const data = datasets();
    await assert.rejects(run(options, data), { name: "OptionError", message });
    assert.deepEqual(data.train.reads, []);
  }
});

onCpu("an option that is undefined has its default", async () => {
  const { epochs } = await run({ epochs: 1, learningRate: undefined, patience: undefined });
  assert.equal(epochs[0].learningRate, 1e-5);
});

/** Exams for a real model: dark without the finding, bright with it. */
function realDataset(slices: number, first: number): TinyDataset {
  const { read, ...rest } = tinyDataset([[0, 40], [1, 200]], first);
  return {
    ...rest,
    async read(index) {
      const voxels = new Uint8Array(slices * 64 * 64).fill((await read(index)).voxels[0]);
      return { id: rest.labels[index].id, slices, height: 64, width: 64, voxels };
    },
  };
}

/** Trains a real model for some epochs; the losses of its exams, in their order. */
async function realLosses(
  slices: number,
  epochs: number,
  learningRate = 1e-4,
): Promise<number[]> {
  const model: MRNet = await createMRNet({ weights: "none", seed: 1 });
  const data = { train: realDataset(slices, 0), valid: realDataset(slices, 10) };
  const { exams } = await run({ epochs, learningRate, patience: 9 }, data, model);
  return exams.map(({ loss }) => loss);
}

onCpu("what was learnt is read once after each epoch", async () => {
  const model = tinyModel();
  const { stateDict } = model;
  let reads = 0;
  model.stateDict = () => {
    reads++;
    return stateDict();
  };
  await run({ epochs: 3, keepBest: true } as TrainOptions, datasets(), model);
  assert.equal(reads, 3);
});

onEachEngine("a real model learns, and leaves no tensor but its own", async () => {
  const losses = await realLosses(2, 4);
  const epoch = (number: number) => losses.slice(4 * number + 2, 4 * number + 4);
  const sum = ([first, second]: number[]) => first + second;
  assert.ok(losses.every(Number.isFinite));
  assert.ok(sum(epoch(3)) < sum(epoch(0)), losses.join());
}, { engines: ["wasm"] });

onEachEngine("an exam of a single slice can be trained on", async () => {
  const losses = await realLosses(1, 1);
  assert.equal(losses.length, 4);
  assert.ok(losses.every(Number.isFinite));
}, { engines: ["webgpu", "wasm"] });

onEachEngine("weights that are no longer finite end training though the loss is", async () => {
  // At this rate some filters overflow; a ReLU makes 0 of what they give, and the loss a number.
  await assert.rejects(realLosses(2, 1, 1e6), {
    name: "TrainingError",
    message: /^Cannot go on training: .* (is NaN|is no longer finite in epoch 1): lower --lr, now/,
  });
}, { engines: ["wasm"] });
