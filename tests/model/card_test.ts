import assert from "node:assert/strict";
import { OptionError, WeightsError } from "../../lib/errors.ts";
import {
  cardMetadata,
  decide,
  type ModelCard,
  readCard,
  resolveCard,
} from "../../lib/model/card.ts";

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
    },
    { intensity: "raw" },
  ];
  for (const card of cards) {
    const defined = JSON.parse(JSON.stringify(readCard(cardMetadata(card), "model")));
    assert.deepEqual(defined, card);
  }
});

Deno.test("a file that says nothing has the reference's input", () => {
  assert.equal(readCard({ format: "pt" }, "model").intensity, "raw");
});

Deno.test("a value that is not what its key promises is refused by name", () => {
  const cases: [string, string, string][] = [
    ["task", "knee", "one of abnormal, acl, meniscus is needed"],
    ["plane", "oblique", "one of axial, coronal, sagittal is needed"],
    ["intensity", "bright", "one of raw, standardized is needed"],
    ["recipe", "secret", "one of reference, stanford is needed"],
    ["loss_weights", "none", "one of output, class is needed"],
    ["operating_point", '{"threshold":2}', "a threshold in 0–1 is needed"],
    ["chosen_exams", "AAAA", "8 bytes each, are needed"],
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
  for (const value of ["", "null", "7", "[1", '{"threshold":0.5,"rule":"youden","exams":"all"}']) {
    assert.throws(() => readCard({ operating_point: value }, "m"), WeightsError);
  }
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
