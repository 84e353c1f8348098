import assert from "node:assert/strict";
import { LANDMARK_PERCENTILES, type Landmarks } from "../../lib/data/landmarks.ts";
import type { ExamSet } from "../../lib/data/exam_set.ts";
import { OptionError, WeightsError } from "../../lib/errors.ts";
import { decide, type ModelCard, resolveCard } from "../../lib/model/card.ts";
import { cardMetadata, readCard, readCardWith } from "../../lib/model/card_metadata.ts";
import { saveMRNet } from "../../lib/model/create.ts";
import { tinyModel } from "../support/tiny_model.ts";
import earlier from "../fixtures/cards/without_version.json" with { type: "json" };
import first from "../fixtures/cards/version_1.json" with { type: "json" };

/** A set of exams as a run describes it. */
const EXAM_SET: ExamSet = {
  ...{ exams: 3, positives: 1, ids: "0a".repeat(32), labels: "1b".repeat(32), slices: [17, 61] },
  sizes: [{ name: "256×256", exams: 3 }],
  sequences: [{ name: "SE TR 3000 TE 31", exams: 2 }],
  scanners: [{ name: "Example 3 T", exams: 2 }],
};

const LANDMARKS: Landmarks = {
  percentiles: LANDMARK_PERCENTILES,
  values: LANDMARK_PERCENTILES.map((percent) => 2.5 * percent),
  type: "uint8",
  exams: 3,
};

Deno.test("what is written is read back", () => {
  const cards: ModelCard[] = [
    {
      task: "acl",
      plane: "axial",
      intensity: "standardized",
      recipe: "stanford",
      lossWeights: "class",
      operatingPoint: { threshold: 0.25, rule: "youden", exams: "tune" },
      tune: { fraction: 0.1, seed: 0 },
      chosenExams: ["0123456789abcdef", "fedcba9876543210"],
      trainedExams: ["00112233445566ff"],
      earlierExams: ["8899aabbccddeeff"],
      prefix: "mrnet",
      epoch: 12,
      trainAuc: NaN,
      trainLoss: 0.5,
      valAuc: 0.875,
      valLoss: 1e-7,
      config: { task: "acl", epochs: 50, flip: 0.5 },
      about: {
        name: "Tears of the ACL",
        description: "Two\nlines.",
        intendedUse: "Research.",
        license: "MIT",
        authors: ["A. Author", "B. Author"],
      },
      toolkit: "0.1.0",
      created: "2026-11-30",
      trainingSet: EXAM_SET,
      selectionSet: { ...EXAM_SET, positives: 0 },
      epochRule: "auc",
      engine: "WebAssembly on 2 threads",
    },
    { intensity: "raw" },
    { intensity: "raw", earlierExams: "unknown" },
    { intensity: "landmarks", landmarks: LANDMARKS },
    // A model of raw input says what it was trained on too.
    { intensity: "raw", landmarks: { ...LANDMARKS, type: "float32" } },
  ];
  for (const card of cards) {
    assert.deepEqual(readCard(cardMetadata(card), "model"), card);
  }
});

Deno.test("files of earlier versions are read as they were", () => {
  const { config, ...tuned } = readCard(earlier.tuned, "model");
  assert.deepEqual(tuned, {
    task: "acl",
    plane: "axial",
    intensity: "standardized",
    recipe: "stanford",
    lossWeights: "class",
    operatingPoint: { threshold: 0.5018755760314276, rule: "youden", exams: "tune" },
    tune: { fraction: 0.4, seed: 0 },
    chosenExams: [
      "1e05195d8c289883",
      "9b2e87c8df0a555f",
      "3057edf9b6594f9e",
      "03f680120666aa9a",
      "e9a15e6b58bf030c",
    ],
    prefix: "before",
    epoch: 1,
    trainAuc: 0.3333,
    trainLoss: 0.3401,
    valAuc: 0.1667,
    valLoss: 0.3326,
  });
  assert.equal(config?.plateau_patience, 5);
  const { config: _config, landmarks, trainedExams, chosenExams, ...known } = readCard(
    first.tuned,
    "model",
  );
  assert.deepEqual(known, {
    task: "acl",
    plane: "axial",
    network: "alexnet",
    intensity: "raw",
    recipe: "reference",
    lossWeights: "output",
    operatingPoint: { threshold: 0.03866929042856977, rule: "youden", exams: "tune" },
    tune: { fraction: 0.4, seed: 0 },
    prefix: "before",
    epoch: 1,
    trainAuc: 0.2917,
    trainLoss: 2.6941,
    valAuc: 0.3333,
    valLoss: 1.5067,
  });
  const counts = [landmarks?.exams, trainedExams?.length, chosenExams?.length];
  assert.deepEqual(counts, [26, 26, 14]);
  const plain = readCard(earlier.plain, "model");
  assert.deepEqual([plain.recipe, plain.tune, plain.epoch], ["reference", undefined, 1]);
});

Deno.test("a card of a later version is refused: it may mean something else", () => {
  assert.throws(() => readCard({ card_version: "2", task: "acl" }, "m.safetensors"), {
    name: "WeightsError",
    message: "Cannot use the model 'm.safetensors': its card_version is '2': this version of the " +
      "toolkit reads 1: use the one that wrote it",
  });
});

Deno.test("a model is saved with nothing on its card that cannot be read back", async () => {
  const save = (card: unknown) => saveMRNet(tinyModel(), "never.safetensors", card as ModelCard);
  const cases: [Record<string, unknown>, string][] = [
    [{ tsk: "acl" }, "an option 'tsk': there is none of that name: did you mean 'task'?"],
    [
      { operating_point: {} },
      "an option 'operating_point': there is none of that name: did you mean 'operatingPoint'?",
    ],
    [{ task: "knee" }, 'the task "knee": one of abnormal, acl, meniscus is needed'],
    [{ epoch: "3 of 5" }, 'the epoch "3 of 5": a whole number of at least 1 is needed'],
    [{ epoch: 0 }, "the epoch 0: a whole number of at least 1 is needed"],
    [
      { valAuc: 93 },
      "the valAuc 93: a number in 0–1, or NaN where all exams are of one class, is needed",
    ],
    [{ trainLoss: -1 }, "the trainLoss -1: a number of at least 0 is needed"],
    [{ config: [1] }, "the config [1]: a JSON object is needed"],
    [{ about: { licence: "MIT" } }, "no card has the key 'licence' (meant is 'license'?)"],
    [{ about: { authors: "me" } }, "its authors must be a list of 1 to 50 texts of one line"],
    [{ created: "today" }, 'the created "today": a day such as 2026-11-30 is needed'],
    [{ trainingSet: { exams: 3 } }, "numbers of exams and of positives among them are needed"],
    [{ chosenExams: ["no hash"] }, 'the chosenExams ["no hash"]: '],
    [
      { operatingPoint: { threshold: 2 } },
      'the operatingPoint {"threshold":2}: a threshold in 0–1',
    ],
    [{ intensity: "standardized" }, "a card that says standardized: leave the intensity out"],
  ];
  for (const [card, words] of cases) {
    await assert.rejects(save(card), (error: Error) => {
      assert.ok(error instanceof OptionError, `${error}`);
      assert.ok(error.message.startsWith("Cannot save a model "), error.message);
      assert.ok(error.message.includes(words), error.message);
      return true;
    });
  }
  await assert.rejects(Deno.stat("never.safetensors"), Deno.errors.NotFound);
});

Deno.test("a file that says nothing has the reference's input", () => {
  assert.equal(readCard({ format: "pt" }, "model").intensity, "raw");
});

Deno.test("a value that is not what its key promises is refused by name", () => {
  const cases: [string, string, string][] = [
    ["task", "knee", "one of abnormal, acl, meniscus is needed"],
    ["plane", "oblique", "one of axial, coronal, sagittal is needed"],
    ["intensity", "bright", "one of raw, standardized, landmarks is needed"],
    ["recipe", "secret", "one of reference, stanford is needed"],
    ["loss_weights", "none", "one of output, class is needed"],
    ["operating_point", '{"threshold":2}', "a threshold in 0–1 is needed"],
    ["chosen_exams", "AAAA", "8 bytes each, are needed"],
    ["epoch", "last", "a whole number of at least 1 is needed"],
    ["val_auc", "1.5", "a number in 0–1, or NaN where all exams are of one class, is needed"],
    ["train_loss", "", "a number of at least 0 is needed"],
    ["config", "[]", "a JSON object is needed"],
    ["about", "[]", "a JSON object is needed"],
    ["about", '{"name":"two\\nlines"}', "its name must be a text of one line"],
    ["toolkit", "new", "a version such as 0.1.0 is needed"],
    ["engine", "", "a text of one line is needed"],
    ["epoch_rule", "luck", "one of auc is needed"],
    ["training_set", '{"exams":1,"positives":2}', "numbers of exams and of positives"],
    [
      "selection_set",
      '{"exams":1,"positives":1,"ids":"no"}',
      "hashes of ids and labels are needed",
    ],
    ["landmarks", "[]", "a JSON object is needed"],
    ["landmarks", "{}", "the percentiles 0.5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 99.7 are needed"],
    ["landmarks", "{", "JSON"],
    ["intensity", "landmarks", "its landmarks are missing"],
    ["tune", '{"fraction":3,"seed":0}', "Cannot keep 3 of the training exams out"],
  ];
  for (const [key, value, hint] of cases) {
    assert.throws(() => readCard({ [key]: value }, "m.safetensors"), (error: Error) => {
      assert.ok(error instanceof WeightsError);
      assert.ok(
        error.message.startsWith(
          `Cannot use the model 'm.safetensors': its ${key} is '${value}': `,
        ),
      );
      assert.ok(error.message.includes(hint), error.message);
      return true;
    });
  }
  const rule = (rule: string) => JSON.stringify({ threshold: 0.5, rule, exams: "tune" });
  const card = readCard({ operating_point: rule("cost=5") }, "m");
  assert.deepEqual(card.operatingPoint, { threshold: 0.5, rule: "cost=5", exams: "tune" });
  assert.throws(() => readCard({ operating_point: rule("best") }, "m"), {
    name: "WeightsError",
    message: /the rule must be youden, sensitivity=S or /,
  });
  for (const value of ["", "null", "7", "[1", '{"threshold":0.5,"rule":"youden","exams":"all"}']) {
    assert.throws(() => readCard({ operating_point: value }, "m"), WeightsError);
  }
});

Deno.test("landmarks that fall are refused", () => {
  const landmarks = { ...LANDMARKS, values: LANDMARKS.values.with(3, 0) };
  assert.throws(() => cardMetadata({ landmarks }), {
    name: "OptionError",
    message: /^Cannot save a model with the landmarks .*: 11 values that rise are needed$/,
  });
  const metadata = { landmarks: JSON.stringify(landmarks) };
  assert.throws(() => readCard(metadata, "m.safetensors"), {
    name: "WeightsError",
    message:
      /^Cannot use the model 'm\.safetensors': its landmarks is '.*': 11 values that rise are/,
  });
});

Deno.test("nobody can tell a model without landmarks that its input is mapped to them", () => {
  const message =
    "Cannot use the model 'm.pth' with intensity landmarks: its file has no landmarks: " +
    "leave the intensity out";
  assert.throws(() => readCardWith({}, "m.pth", "landmarks"), { name: "OptionError", message });
  const metadata = cardMetadata({ intensity: "landmarks", landmarks: LANDMARKS });
  assert.deepEqual(readCardWith(metadata, "m.safetensors", "landmarks").landmarks, LANDMARKS);
});

Deno.test("what the file does not say is taken from the caller", () => {
  const told = { task: "acl", plane: "axial" } as const;
  assert.deepEqual(resolveCard({ intensity: "raw" }, told, "m.pth"), { intensity: "raw", ...told });
  const card = { intensity: "raw", ...told } as const;
  assert.deepEqual(resolveCard(card, {}, "m"), card);
  assert.deepEqual(resolveCard(card, { plane: "axial" }, "m"), card);
});

Deno.test("a model without task or plane, or of another, is refused in one line", () => {
  const refusal = (card: Partial<ModelCard>, told: Partial<ModelCard>, message: string) =>
    assert.throws(() => resolveCard({ intensity: "raw", ...card }, told, "m.pth"), (error) => {
      assert.ok(error instanceof OptionError);
      assert.equal(error.message, message);
      return true;
    });
  const begin = "Cannot use the model 'm.pth': its file does not say its";
  refusal({}, {}, `${begin} task and plane: give --task and --plane`);
  refusal({}, { plane: "axial" }, `${begin} task: give --task`);
  refusal({ task: "acl" }, {}, `${begin} plane: give --plane`);
  refusal(
    { task: "acl", plane: "axial" },
    { task: "meniscus" },
    "Cannot use the model 'm.pth' for meniscus in the axial plane: " +
      "by its file it is for acl in the axial plane: leave --task out, or give another model",
  );
  refusal(
    { task: "acl", plane: "axial" },
    { plane: "coronal" },
    "Cannot use the model 'm.pth' for acl in the coronal plane: " +
      "by its file it is for acl in the axial plane: leave --plane out, or give another model",
  );
  refusal(
    { task: "acl", plane: "axial" },
    { task: "abnormal", plane: "coronal" },
    "Cannot use the model 'm.pth' for abnormal in the coronal plane: by its file it is for acl in " +
      "the axial plane: leave --task and --plane out, or give another model",
  );
});

Deno.test("an option of another name is called by it", () => {
  const refuses = (card: Partial<ModelCard>, told: Partial<ModelCard>, hint: RegExp) =>
    assert.throws(
      () => resolveCard({ intensity: "raw", task: "acl", ...card }, told, "m", "--against_plane"),
      hint,
    );
  refuses({}, {}, /does not say its plane: give --against_plane$/);
  refuses({ plane: "axial" }, { plane: "coronal" }, /: leave --against_plane out, or give another/);
});

Deno.test("a probability is positive from the operating point on, or from 0.5", () => {
  const at = (threshold: number) => ({ operatingPoint: { threshold } });
  assert.deepEqual(decide(0.25, at(0.25)), { decision: "positive", threshold: 0.25 });
  assert.deepEqual(decide(0.24, at(0.25)), { decision: "negative", threshold: 0.25 });
  assert.deepEqual([0.5, 0.499].map((probability) => decide(probability, {})), [
    { decision: "positive", threshold: 0.5 },
    { decision: "negative", threshold: 0.5 },
  ]);
});
