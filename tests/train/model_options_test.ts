/**
 * What only the training of a model can be given: frozen parameters, augmentation of one's own, a rate
 * for each epoch, the best epoch kept.
 *
 * What the engines do is tested on each of them, a step at a time; what the trainer does, on one.
 */
import assert from "node:assert/strict";
import { drawAugmentation, sourceOf } from "../../lib/data/augment.ts";
import type { Dataset } from "../../lib/data/dataset.ts";
import type { Exam } from "../../lib/data/exam.ts";
import { currentGpu } from "../../lib/engine/engine.ts";
import { featureParameters } from "../../lib/model/names.ts";
import { ALEXNET } from "../../lib/network/alexnet.ts";
import { RESNET18 } from "../../lib/network/resnet.ts";
import { initialWeights } from "../../lib/model/initialise.ts";
import { MRNet } from "../../lib/model/mrnet.ts";
import { assignState } from "../../lib/model/parameters.ts";
import { createRandom } from "../../lib/random.ts";
import { createNetwork } from "../../lib/model/create_network.ts";
import type { PixelSource, TrainModelOptions } from "../../lib/train/model_options.ts";
import type { EpochReport } from "../../lib/train/reports.ts";
import type { EngineNetwork } from "../../lib/model/engine_network.ts";
import { train } from "../../lib/train/train.ts";
import { WebGPUNetwork } from "../../lib/model/webgpu_network.ts";
import { onEachEngine } from "../support/engines.ts";
import { seededExam } from "../support/seeded.ts";

const SIZE = { slices: 1, height: 64, width: 64 };
const LINEAR = ["classifer.weight", "classifer.bias"];
const CONV3 = "pretrained_model.features.6.bias";
const FEATURE_PARAMETERS = featureParameters(ALEXNET).map(({ name }) => name);
const ALL = [...FEATURE_PARAMETERS, ...LINEAR];
const WEIGHTS = initialWeights(3);
const ON_WASM = { engines: ["wasm"] } as const;
const ON_KERNELS = { engines: ["webgpu", "wasm"] } as const;

function dataset(first: number, labels: readonly (0 | 1)[] = [0, 1]): Dataset {
  const exams = labels.map((_, index): Exam => seededExam(first + index, SIZE));
  return {
    labels: exams.map(({ id }, index) => ({ id, label: labels[index] })),
    read: (index) => Promise.resolve(exams[index]),
  };
}

const datasets = { train: dataset(1), valid: dataset(11) };
const STILL: TrainModelOptions = { seed: 1, epochs: 1, shuffle: false, augment: false };
/** Without a backward pass through the convolutions: the least time. */
const QUICK: TrainModelOptions = { ...STILL, freeze: "features" };

/** Left and right change places: as a matrix, and as an exam. */
const MIRROR: PixelSource = [[-1, 0, SIZE.width - 1], [0, 1, 0]];

function mirrored(exam: Exam): Exam {
  const voxels = exam.voxels.map((_, at) => {
    const column = at % SIZE.width;
    return exam.voxels[at - column + SIZE.width - 1 - column];
  });
  return { ...exam, voxels };
}

/** How an exam is resampled in a step. */
type Source = Parameters<EngineNetwork["step"]>[2];
type Values = ReadonlyMap<string, Float32Array>;

async function valuesOf({ parameters }: MRNet): Promise<Values> {
  const values = new Map<string, Float32Array>();
  for (const [name, parameter] of parameters) {
    values.set(name, Float32Array.from(await parameter.data()));
  }
  return values;
}

/** The parameters after a training from the same start. */
async function trained(
  options: TrainModelOptions,
  prepare?: (model: MRNet) => void,
): Promise<Values> {
  using model = new MRNet(WEIGHTS);
  prepare?.(model);
  await train(model, datasets, options);
  return await valuesOf(model);
}

/** Whether two arrays hold the same bits; there are millions of them. */
function isSame(one: Float32Array, other: Float32Array): boolean {
  const [a, b] = [one, other].map((each) =>
    new Int32Array(each.buffer, each.byteOffset, each.length)
  );
  return a.length === b.length && a.every((bits, at) => bits === b[at]);
}

function same(one: Values, other: Values, names: Iterable<string> = ALL): void {
  for (const name of names) assert.ok(isSame(one.get(name)!, other.get(name)!), `${name} differs`);
}

function differ(one: Values, other: Values, names: Iterable<string>): void {
  for (const name of names) {
    assert.ok(!isSame(one.get(name)!, other.get(name)!), `${name} is the same`);
  }
}

/** Loss, parameters and moments after one step of a network, which is disposed of. */
async function stepOf(
  model: MRNet,
  network: EngineNetwork,
  exam: Exam,
  source?: Source,
) {
  try {
    const { loss } = await network.step({ exam, label: 1 }, [1, 2], source);
    const { parameters, optimizer } = await network.snapshot();
    assignState(model.parameters, parameters);
    const { first, second } = optimizer!;
    return { loss, values: await valuesOf(model), first, second };
  } finally {
    network.dispose();
  }
}

/** What is frozen rests in a step, and the rest moves as in a step where all of it moves. */
async function assertFrozen(
  create: (model: MRNet, frozen: ReadonlySet<string>) => Promise<EngineNetwork>,
  exam: Exam,
  cases: readonly (readonly string[])[],
  weights = WEIGHTS,
): Promise<void> {
  using model = new MRNet(weights);
  const names = [...model.parameters.keys()];
  const before = await valuesOf(model);
  const step = async (frozen: readonly string[]) => {
    for (const [name, values] of before) model.assign(name, values);
    return await stepOf(model, await create(model, new Set(frozen)), exam);
  };
  const free = await step([]);
  differ(free.values, before, names);
  for (const frozen of cases) {
    const moved = names.filter((name) => !frozen.includes(name));
    const { loss, values, first, second } = await step(frozen);
    assert.equal(loss, free.loss);
    same(values, before, frozen);
    same(values, free.values, moved);
    for (const moments of [first, second]) {
      assert.deepEqual([...moments.keys()], names);
      for (const name of frozen) assert.ok(moments.get(name)!.every((value) => value === 0), name);
    }
    same(first, free.first, moved);
    same(second, free.second, moved);
  }
}

onEachEngine("what is frozen stays as it is, and the rest moves as without", async ({ engine }) => {
  const cases = [FEATURE_PARAMETERS];
  // The plain engine is slow, and goes parameter by parameter anyway.
  if (engine !== "cpu") cases.push([ALL[0], ALL[3], CONV3, LINEAR[1]], LINEAR);
  await assertFrozen(
    (model, frozen) => createNetwork(model, { frozen }),
    seededExam(2, SIZE),
    cases,
  );
});

onEachEngine(
  "what lies ahead of the first layer that is trained changes nothing behind it",
  async ({ engine }) => {
    // Up to each layer, with its bias and without, and layers in between.
    const cases = [2, 3, 6, 8, 9, 10].map((count) => ALL.slice(0, count));
    cases.push(ALL.slice(2, 8), [...ALL.slice(0, 2), ...ALL.slice(4, 6)]);
    const create = (model: MRNet, frozen: ReadonlySet<string>) => createNetwork(model, { frozen });
    // Each takes seconds where there is no GPU.
    const some = engine === "webgpu" ? [cases[2], cases[6]] : cases;
    await assertFrozen(create, seededExam(2, { ...SIZE, slices: 3 }), some);
  },
  ON_KERNELS,
);

onEachEngine(
  "the same of a network with shortcuts and batch normalisations",
  async ({ engine }) => {
    const names = featureParameters(RESNET18).map(({ name }) => name);
    const first = (what: string) => names.findIndex((name) => name.includes(what));
    const cases = [
      // Up to a block, up to within one, and a block in between, whose normalisations are trained or not.
      names.slice(0, first("layer4.1.")),
      names.slice(0, first("layer3.0.conv2")),
      names.slice(first("layer2.0."), first("layer3.1.")),
      names.filter((name) => name.includes("layer2.0.") && !name.includes("bn")),
      names.slice(0, 3),
    ];
    for (const each of cases) assert.ok(each.length > 1 && each.length < names.length);
    const create = (model: MRNet, frozen: ReadonlySet<string>) => createNetwork(model, { frozen });
    const some = engine === "webgpu" ? [cases[1], cases[3]] : cases;
    await assertFrozen(create, seededExam(2, SIZE), some, initialWeights(3, RESNET18));
  },
  ON_KERNELS,
);

onEachEngine("the same where an exam is computed in several parts", async () => {
  await assertFrozen(
    (model, frozen) => WebGPUNetwork.create(currentGpu()!, model, { frozen, slicesAtOnce: 1 }),
    seededExam(2, { ...SIZE, slices: 2 }),
    [FEATURE_PARAMETERS, [CONV3]],
  );
}, { engines: ["webgpu"] });

onEachEngine("a matrix gives the step of the exam that was resampled before", async () => {
  const exam = seededExam(2, SIZE);
  const step = async (...given: [exam: Exam, source?: Source]) => {
    using model = new MRNet(WEIGHTS);
    const network = await createNetwork(model, { frozen: new Set(FEATURE_PARAMETERS) });
    return await stepOf(model, network, ...given);
  };
  const [[a, b, c], [d, e, f]] = MIRROR;
  const before = await step(mirrored(exam));
  const within = await step(exam, [a, b, c, d, e, f]);
  assert.equal(within.loss, before.loss);
  same(within.values, before.values);
});

onEachEngine("freeze and trainable = false say the same to train", async () => {
  using fresh = new MRNet(WEIGHTS);
  const start = await valuesOf(fresh);
  const features = await trained({ ...STILL, freeze: "features" });
  same(features, start, FEATURE_PARAMETERS);
  differ(features, start, LINEAR);
  const marked = await trained({ ...STILL, freeze: [] }, ({ parameters }) => {
    for (const name of FEATURE_PARAMETERS) parameters.get(name)!.trainable = false;
  });
  same(marked, features);
}, ON_WASM);

onEachEngine("an augmentation of one's own gives an exam or a matrix, seeded", async () => {
  const base: TrainModelOptions = { seed: 1, epochs: 1, shuffle: false, freeze: "features" };
  const byMatrix = await trained({ ...base, augmentation: MIRROR });
  differ(byMatrix, await trained(QUICK), LINEAR);
  same(await trained({ ...QUICK, augmentation: () => MIRROR }), byMatrix);
  same(await trained({ ...base, augmentation: mirrored }), byMatrix);
  // The recipe's own, drawn by hand from the stream that is handed over.
  const drawn = await trained({
    ...base,
    augmentation({ height, width }, random) {
      const drawn = drawAugmentation(random, [height, width]);
      const [a, b, c, d, e, f] = sourceOf(drawn, [height, width]);
      return [[a, b, c], [d, e, f]];
    },
  });
  same(drawn, await trained(base));
}, ON_WASM);

onEachEngine("the stream of an augmentation is that of seed, epoch and exam", async () => {
  const found = new Map<string, number>();
  using model = new MRNet(WEIGHTS);
  let epoch = 1;
  await train(model, datasets, {
    ...{ ...QUICK, seed: 7, epochs: 2 },
    augmentation(exam, random) {
      found.set(`${epoch} ${exam.id}`, random.bits());
      // What an exam is called is not up to it.
      return { ...exam, id: "other" };
    },
    onExam: ({ id }) => assert.match(id, /^(1|2|11|12)$/),
    onEpoch: () => void epoch++,
  });
  const wanted = [1, 2].flatMap((epoch) =>
    ["1", "2"].map((id) =>
      [`${epoch} ${id}`, createRandom(7, "augment", epoch, id).bits()] as const
    )
  );
  assert.deepEqual(found, new Map(wanted));
}, ON_WASM);

onEachEngine("a rate for each epoch is that epoch's", async () => {
  const rate = (epoch: number) => 1e-4 / epoch;
  const rates: number[] = [];
  using model = new MRNet(WEIGHTS);
  const { epochs } = await train(model, datasets, {
    ...{ ...QUICK, epochs: 2, learningRate: rate, schedule: "none" },
    onExam: ({ phase, learningRate }) => phase === "train" && rates.push(learningRate),
  });
  assert.deepEqual(epochs.map(({ learningRate }) => learningRate), [1e-4, 5e-5]);
  assert.deepEqual(rates, [1e-4, 1e-4, 5e-5, 5e-5]);
  const first = await trained({ ...QUICK, learningRate: rate });
  same(first, await trained({ ...QUICK, learningRate: 1e-4 }));
  differ(await valuesOf(model), await trained({ ...QUICK, epochs: 2, learningRate: 1e-4 }), LINEAR);
}, ON_WASM);

/** The labels of the two exams that the untrained model ranks rightly, and wrongly. */
async function rankings(): Promise<{ right: Dataset; wrong: Dataset }> {
  using model = new MRNet(WEIGHTS);
  const exams = dataset(11);
  const chances: number[] = [];
  for (const index of [0, 1]) {
    chances.push((await model.predict(await exams.read(index))).probability);
  }
  const rising = chances[0] < chances[1];
  const [up, down] = [dataset(11, [0, 1]), dataset(11, [1, 0])];
  return rising ? { right: up, wrong: down } : { right: down, wrong: up };
}

onEachEngine("keepBest leaves the parameters of the best epoch", async () => {
  const { right, wrong } = await rankings();
  for (const valid of [right, wrong]) {
    using model = new MRNet(WEIGHTS);
    const kept: Values[] = [];
    const reports: EpochReport[] = [];
    const { best, epochs } = await train(model, { ...datasets, valid }, {
      ...{ ...QUICK, epochs: 3, learningRate: 1e-7, keepBest: true },
      async onEpoch(report) {
        reports.push(report);
        kept.push(await valuesOf(model));
      },
    });
    assert.deepEqual(reports, epochs);
    // So small a rate changes no ranking: the first epoch is the best, or none is.
    assert.equal(best?.epoch, valid === right ? 1 : undefined);
    same(await valuesOf(model), kept[valid === right ? 0 : 2]);
    differ(kept[0], kept[2], LINEAR);
  }
}, ON_WASM);

onEachEngine("what cannot be is refused before an exam is read", async () => {
  using model = new MRNet(WEIGHTS);
  const unread = { labels: datasets.train.labels, read: () => Promise.reject(new Error("read")) };
  const cases: [TrainModelOptions, string][] = [
    [
      { freeze: ["classifer.wieght"] },
      "Cannot freeze 'classifer.wieght': the model has no parameter of that name: " +
      "did you mean 'classifer.weight'?",
    ],
    [
      { freeze: "all" as "features" },
      "Cannot train with freeze 'all': give 'features' or an array of parameters' names",
    ],
    [
      { freeze: [...model.parameters.keys()] },
      "Cannot train a model whose parameters are all frozen: leave out one of freeze, or set its " +
      "trainable to true",
    ],
    [
      { learningRate: (epoch) => 2 - epoch },
      "Cannot train with learningRate 0 in epoch 2: give a number above 0",
    ],
    [
      { learningRate: () => 1e-5, schedule: "step" },
      "Cannot train with a learningRate for each epoch and schedule: leave one of the two out",
    ],
    [
      { augmentation: [[1, 0, NaN], [0, 1, 0]] },
      "Cannot train with augmentation '1,0,NaN,0,1,0': give a function or 2 rows of 3 numbers of " +
      "-1e6 to 1e6",
    ],
    [
      { augmentation: (exam) => exam, flip: 0.5 },
      "Cannot train with an augmentation and flip: leave one of the two out",
    ],
    [
      { augmentation: MIRROR, noiseStd: 0.1 },
      "Cannot train with an augmentation and noiseStd: leave one of the two out",
    ],
    [
      { augmentation: MIRROR, augment: true },
      "Cannot train with an augmentation and augment: leave one of the two out",
    ],
    [
      { learningRate: () => 1e-5, plateauFactor: 0.5 },
      "Cannot train with a learningRate for each epoch and plateauFactor: leave one of the two out",
    ],
    [
      { keepBest: 1 as unknown as boolean },
      "Cannot train with keepBest 1: give true or false",
    ],
  ];
  for (const [options, message] of cases) {
    await assert.rejects(train(model, { train: unread, valid: unread }, options), {
      name: "OptionError",
      message,
    });
  }
  await assert.rejects(
    train(model, datasets, {
      ...{ seed: 1, epochs: 1 },
      augmentation: (exam) => ({ ...exam, voxels: exam.voxels.subarray(1) }),
    }),
    /^OptionError: Cannot train on what augmentation made of exam '\d': it is neither an exam nor 2 rows/,
  );
}, ON_WASM);

Deno.test("a run is refused what its state does not hold, begun or resumed", async () => {
  const run = { task: "acl", plane: "axial", resume: "" } as const;
  const cases: [options: object, what: string, name: string][] = [
    [{ freeze: "features" }, "freeze", "freeze"],
    [{ augmentation: MIRROR }, "augmentation", "augmentation"],
    [{ keepBest: true }, "keepBest", "keepBest"],
    [{ learningRate: () => 1e-5 }, "a learningRate for each epoch", "learningRate"],
  ];
  for (const [options, what, name] of cases) {
    await assert.rejects(train({ ...run, ...options }), {
      name: "OptionError",
      message:
        `Cannot train a run with ${what}: its state does not hold it, so it could not be resumed: ` +
        `give a model and datasets, as train(model, { train, valid }, { ${name} })`,
    });
  }
});
