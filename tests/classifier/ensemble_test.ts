import assert from "node:assert/strict";
import type { ClassifierPrediction } from "../../lib/classifier/classifier.ts";
import { ensembleModels } from "../../lib/classifier/ensemble_models.ts";
import { parseEnsemble } from "../../lib/classifier/ensemble_file.ts";
import { EnsembleMRNet } from "../../lib/classifier/ensemble_mrnet.ts";
import { loadClassifier } from "../../lib/classifier/load.ts";
import { predictPatients } from "../../lib/classifier/predict_patients.ts";
import { startEngine } from "../../lib/engine/engine.ts";
import { sha256Of } from "../../lib/files.ts";
import { convertWeights } from "../../lib/model/convert.ts";
import { sigmoid } from "../../lib/model/mrnet.ts";
import { type Plane, PLANES } from "../../lib/terms.ts";
import * as tf from "../support/tf.ts";
import { memberName, writeCombined, writeMember } from "../support/combined.ts";
import { writeEnsemble, writeOutOfFold, writeSeeds } from "../support/ensembles.ts";
import { examBytes, TemporaryFolder, voxels } from "../support/folders.ts";

const size = { slices: 2, height: 64, width: 64 };
const exam = (plane: Plane) => ({
  id: plane,
  ...size,
  voxels: voxels(PLANES.indexOf(plane) % 2 as 0 | 1, 2 * 64 * 64),
});
const EXAMS = { axial: exam("axial"), coronal: exam("coronal"), sagittal: exam("sagittal") };

Deno.test("an ensemble of one plane says the mean of its members' logits", async () => {
  await using folder = await TemporaryFolder.make();
  await startEngine("wasm", { threads: 1 });
  const models = await writeSeeds(folder, "axial", [11, 12, 13]);
  const path = await writeEnsemble(folder, "axial", { models });
  const before = tf.memory().numTensors;
  {
    using ensemble = await loadClassifier(path);
    assert.ok(ensemble instanceof EnsembleMRNet);
    assert.deepEqual(
      [ensemble.name, ensemble.kind, ensemble.planes.join(), ensemble.models.length],
      ["ensemble_axial", "ensemble", "axial", 3],
    );
    assert.equal(ensemble.sha256, await sha256Of(await Deno.readFile(path)));
    const said: ClassifierPrediction[] = [];
    for (const path of models) {
      using member = await loadClassifier(path);
      said.push(await member.predict(EXAMS));
    }
    const logits = [0, 1].map((output) =>
      said.reduce((sum, { logits }) => sum + logits[output], 0) / 3
    );
    const prediction = await ensemble.predict(EXAMS);
    assert.deepEqual(prediction, {
      logits,
      logit: logits[1],
      probability: sigmoid(logits[1]),
      decision: logits[1] >= 0 ? "positive" : "negative",
      threshold: 0.5,
      planes: { axial: { logits, probability: sigmoid(logits[1]) } },
    });
    const { planes, ...explained } = await ensemble.explain(EXAMS);
    const { planes: _, ...concluded } = prediction;
    assert.deepEqual(explained, concluded);
    assert.equal(planes.axial!.logits[1], prediction.logit);
    const shares = planes.axial!.slices.reduce((sum, { share }) => sum + share, planes.axial!.bias);
    assert.ok(Math.abs(shares - prediction.logit) < 1e-6);
  }
  assert.equal(tf.memory().numTensors, before);
});

Deno.test("an ensemble of combinations averages each plane, and the combinations' logits", async () => {
  await using folder = await TemporaryFolder.make();
  await startEngine("wasm", { threads: 1 });
  const first = (await writeCombined(folder)).path;
  const second = folder.at("models", "second.json");
  await Deno.rename(first, second);
  const { path } = await writeCombined(folder, { intercept: 2 });
  const out = await writeEnsemble(folder, "axial", { models: [second, path] });
  const before = tf.memory().numTensors;
  {
    using ensemble = await loadClassifier(out);
    assert.deepEqual([ensemble.card.plane, ensemble.planes], ["combined", PLANES]);
    // The two share their models, which are in memory once.
    assert.equal(new Set(ensemble.models.map(({ model }) => model)).size, 3);
    const said: ClassifierPrediction[] = [];
    for (const member of [second, path]) {
      using combined = await loadClassifier(member);
      said.push(await combined.predict(EXAMS));
    }
    assert.notEqual(said[0].logit, said[1].logit);
    const { logit, logits, planes } = await ensemble.predict(EXAMS);
    assert.deepEqual([logit, logits[0]], [(said[0].logit + said[1].logit) / 2, 0]);
    assert.deepEqual(planes, said[0].planes);
  }
  assert.equal(tf.memory().numTensors, before);
});

Deno.test("files of exams come to the same as exams in memory", async () => {
  await using folder = await TemporaryFolder.make();
  await startEngine("wasm", { threads: 1 });
  const path = await writeEnsemble(folder);
  await folder.write("0001.npy", examBytes(EXAMS.axial.voxels));
  await folder.write("broken.npy", "none");
  using ensemble = await loadClassifier(path);
  const { probability } = await ensemble.predict(EXAMS);
  const patients = ["broken", "0001"].map((id) => ({
    id,
    files: { axial: folder.at(`${id}.npy`) },
  }));
  const outcomes = await Array.fromAsync(predictPatients(ensemble, patients));
  assert.ok("error" in outcomes[0] && outcomes[0].error.message.includes("broken.npy"));
  assert.ok("prediction" in outcomes[1]);
  assert.ok(Math.abs(outcomes[1].prediction.probability - probability) < 1e-6);
});

Deno.test("the operating point comes from out-of-fold predictions, and from nothing else", async () => {
  await using folder = await TemporaryFolder.make();
  await startEngine("wasm", { threads: 1 });
  const operatingPoint = { threshold: 0.9, rule: "youden", exams: "tune" } as const;
  const models = await writeSeeds(folder, "axial", [11, 12], { operatingPoint });
  const out = folder.at("models", "e.json");
  const { ensemble } = await ensembleModels({ models, out });
  assert.equal(ensemble.outOfFold, undefined);
  assert.match(await Deno.readTextFile(out), /No operating point: there are no out-of-fold/);
  {
    using loaded = await loadClassifier(out);
    assert.equal(loaded.card.operatingPoint, undefined);
    assert.equal((await loaded.predict(EXAMS)).threshold, 0.5);
    assert.deepEqual(loaded.card.epochBy, ["tune", "tune"]);
  }
  const predictions = await writeOutOfFold(folder);
  await ensembleModels({ models, out, predictions });
  using loaded = await loadClassifier(out);
  assert.deepEqual(loaded.ensemble?.outOfFold, {
    ...{ exams: 6, positives: 3, auc: 1 },
    operatingPoint: { threshold: 0.5, rule: "youden", exams: "out-of-fold" },
  });
  assert.deepEqual(loaded.card.operatingPoint, loaded.ensemble.outOfFold.operatingPoint);
});

Deno.test("predictions of exams that every member was trained on are not out of fold", async () => {
  await using folder = await TemporaryFolder.make();
  await startEngine("wasm", { threads: 1 });
  const [a, b, c] = ["a", "b", "c"].map((digit) => digit.repeat(16));
  const [first] = await writeSeeds(folder, "axial", [11], { trainedExams: [a, b] });
  const [second] = await writeSeeds(folder, "axial", [12], { trainedExams: [b, c] });
  const [unknown] = await writeSeeds(folder, "axial", [13]);
  const out = folder.at("models/e.json");
  const made = async (models: string[], hashes: string[]) => {
    const rows = hashes.map((hash, index) => `00${index},${index % 2},0.${index + 1},${hash}\n`);
    await folder.write("t.csv", `exam,label,probability,hash\n${rows.join("")}`);
    const predictions = folder.at("t.csv");
    return (await ensembleModels({ models, out, predictions })).ensemble.outOfFold?.hashes;
  };
  assert.deepEqual(await made([first, second], [a, c]), [a, c]);
  await assert.rejects(made([first, second], [a, b, c]), {
    name: "DataError",
    message:
      `Cannot choose an operating point by '${folder.at("t.csv")}': every member was trained ` +
      "on 1 of its 3 exams, such as '001': give predictions of members that were not",
  });
  // What a member knows from the model that it started from counts, and what it knows itself if that is
  // not told.
  for (
    const [seed, card] of [
      [14, { trainedExams: [c], earlierExams: [b] }],
      [15, { trainedExams: [b], earlierExams: "unknown" }],
    ] as const
  ) {
    const [further] = await writeSeeds(folder, "axial", [seed], card);
    await assert.rejects(made([first, further], [a, b, c]), {
      name: "DataError",
      message: /: every member was trained on 1 of its 3 exams, such as '001': /,
    });
  }
  // Of a member whose file does not say its exams nothing can be told.
  assert.deepEqual(await made([first, unknown], [a, b]), [a, b]);
});

Deno.test("what a PyTorch file does not say is kept in the ensemble's", async () => {
  await using folder = await TemporaryFolder.make();
  await startEngine("wasm", { threads: 1 });
  const [first, second] = await writeSeeds(folder, "sagittal", [11, 12], {
    intensity: "standardized",
  });
  const torch = folder.at("models", "second.pth");
  await convertWeights(second, torch);
  const out = folder.at("ensembles/e.json");
  const told = { task: "acl", plane: "sagittal", intensity: "standardized" } as const;
  await ensembleModels({ models: [first, torch], out, ...told });
  using loaded = await loadClassifier(out);
  assert.deepEqual(loaded.ensemble!.members.map(({ file, intensity }) => [file, intensity]), [
    ["../models/sagittal_11.safetensors", undefined],
    ["../models/second.pth", "standardized"],
  ]);
  assert.deepEqual([loaded.task, loaded.planes], ["acl", ["sagittal"]]);
  assert.equal(loaded.card.intensity, "standardized");
  assert.equal((await loadClassifier(out, { plane: "sagittal" })).kind, "ensemble");
  await assert.rejects(loadClassifier(out, { plane: "axial" }), {
    name: "OptionError",
    message:
      `Cannot use the ensemble '${out}' for acl in the axial plane: by its file it is for acl ` +
      "in the sagittal plane: leave --task and --plane out",
  });
  await assert.rejects(
    loadClassifier(out, { intensity: "raw" }),
    /its sagittal model is standardized: leave the intensity out, or make the ensemble again/,
  );
});

Deno.test("members that do not go together are refused, and nothing is left in memory", async () => {
  await using folder = await TemporaryFolder.make();
  await startEngine("wasm", { threads: 1 });
  const [first, second] = await writeSeeds(folder, "axial", [11, 12]);
  const { path: combined } = await writeCombined(folder);
  const ensemble = await writeEnsemble(folder, "axial", { models: [first, second] });
  const coronal = folder.at("models", memberName("coronal"));
  const meniscus = await writeMember(folder, "axial", { task: "meniscus" }, "m.safetensors");
  const copy = folder.at("models", "copy.safetensors");
  await Deno.copyFile(first, copy);
  const before = tf.memory().numTensors;
  const cases: [string[], string, string][] = [
    [[first], "OptionError", "Cannot make an ensemble of 1 model: give 2 to 100"],
    [
      [first, coronal],
      "OptionError",
      `Cannot make an ensemble of '${first}' and '${coronal}': they are for acl in the axial plane ` +
      "and for acl in the coronal plane: give models of one finding and one plane",
    ],
    [
      [first, second, meniscus],
      "OptionError",
      "for acl in the axial plane and for meniscus in the ",
    ],
    [[first, combined], "OptionError", "acl in the axial plane and for acl in all three planes: "],
    [[first, second, copy], "OptionError", `of '${first}' and '${copy}': they are the same file (`],
    [
      [first, ensemble],
      "OptionError",
      `of '${ensemble}': it is an ensemble itself: give its members`,
    ],
    [[first, folder.at("none.safetensors")], "WeightsError", "there is no such file"],
  ];
  const out = folder.at("models", "new.json");
  for (const [models, name, message] of cases) {
    await assert.rejects(ensembleModels({ models, out }), (error: Error) => {
      assert.equal(error.name, name, `${error}`);
      assert.ok(error.message.includes(message), `${error.message} is not ${message}`);
      return true;
    });
  }
  await assert.rejects(ensembleModels({ models: [first, second], out: "ensemble.txt" }), {
    name: "OptionError",
    message:
      "Cannot write the ensemble to 'ensemble.txt': an ensemble is known by a name that ends in " +
      ".json: give one, such as 'ensemble.json'",
  });
  const twice = await writeOutOfFold(folder, "001,1,0.5\n");
  await assert.rejects(ensembleModels({ models: [first, second], out, predictions: twice }), {
    name: "DataError",
    message: `Cannot read the predictions '${twice}': the exam '001' is there twice: ` +
      "give each exam once, predicted by a model of another fold",
  });
  await assert.rejects(Deno.stat(out), Deno.errors.NotFound);
  assert.equal(tf.memory().numTensors, before);
});

Deno.test("a member that is missing, changed or of another plane is named", async () => {
  await using folder = await TemporaryFolder.make();
  await startEngine("wasm", { threads: 1 });
  const models = await writeSeeds(folder, "axial", [11, 12]);
  const path = await writeEnsemble(folder, "axial", { models });
  const text = await Deno.readTextFile(path);
  const before = tf.memory().numTensors;
  const refuses = (message: RegExp) =>
    assert.rejects(loadClassifier(path), (error: Error) => {
      assert.match(`${error}`, message);
      return true;
    });
  await Deno.copyFile(models[0], models[1]);
  await refuses(
    /^WeightsError: Cannot use the ensemble '.*ensemble_axial\.json': its member 2 '.*axial_12\.safetensors' is another than the one that it was made of \(its SHA-256 is not [0-9a-f]{12}…\): put it back, or make the ensemble again$/,
  );
  await Deno.remove(models[1]);
  await refuses(
    /^WeightsError: Cannot read the member 2 of '.*ensemble_axial\.json', '.*axial_12\.safetensors': there is no such file or folder: put it back, or make the ensemble again$/,
  );
  // The files of the right bytes, but of another kind or plane by their own word.
  const { path: combined } = await writeCombined(folder);
  const sha256 = await sha256Of(await Deno.readFile(combined));
  const named = (file: string, sha256: string) => {
    const json = JSON.parse(text);
    json.members[1] = { file, sha256 };
    return folder.write("models/ensemble_axial.json", JSON.stringify(json));
  };
  await named("combined.json", sha256);
  await refuses(
    /its member '.*combined\.json' is a combination, needed are models of the axial pla/,
  );
  const coronal = memberName("coronal");
  await named(coronal, await sha256Of(await Deno.readFile(folder.at("models", coronal))));
  await refuses(
    /^OptionError: Cannot use the model '.*' for acl in the axial plane: by its file it/,
  );
  await named("https://example.org/model.safetensors", sha256);
  await refuses(
    /its model 'https:.*' is an address and not a path: put the models beside the ensem/,
  );
  assert.equal(tf.memory().numTensors, before);
});

Deno.test("a file that says of itself what cannot be is refused by name", () => {
  const member = (digit: string) => ({ file: "a.safetensors", sha256: digit.repeat(64) });
  const operating_point = { threshold: 0.5, rule: "youden", exams: "out-of-fold" };
  const good = {
    ...{ format: "mrnet-ensemble", version: 1, task: "acl", plane: "axial" },
    members: [member("1"), member("2")],
    out_of_fold: { exams: 2, positives: 1, auc: 1, operating_point },
  };
  const { outOfFold, members } = parseEnsemble(JSON.stringify({ ...good, new: 1 }), "e.json");
  assert.deepEqual([outOfFold?.auc, members.length], [1, 2]);
  const fold = (change: object) => ({ out_of_fold: { ...good.out_of_fold, ...change } });
  const cases: [object, RegExp][] = [
    [{ version: 2 }, /its version: /],
    [{ task: "knee" }, /its task: /],
    [{ plane: "oblique" }, /its plane: /],
    [{ members: [member("1")] }, /its members: /],
    [{ members: [member("1"), member("1")] }, /it names the member 1{64} twice/],
    [
      { members: [member("1"), { file: "a\nb", sha256: "2".repeat(64) }] },
      /its members\.1\.file: /,
    ],
    [
      { members: [member("1"), { file: "a", sha256: "2" }] },
      /its members\.1\.sha256: needed are 64/,
    ],
    [fold({ positives: 2 }), /its positives are 2 of 2 exams/],
    [fold({ auc: 2 }), /its out_of_fold\.auc: /],
    [fold({ hashes: "AAAA" }), /hashes of exams in base64/],
    [fold({ hashes: "AAAAAAAAAAA=" }), /its hashes are 1, though its exams are 2/],
    [fold({ operating_point: { ...operating_point, exams: "valid" } }), /operating_point\.exams: /],
  ];
  for (const [change, message] of cases) {
    assert.throws(
      () => parseEnsemble(JSON.stringify({ ...good, ...change }), "e.json"),
      (error) => {
        assert.ok(error instanceof Error && error.name === "WeightsError");
        assert.match(
          error.message,
          /^Cannot use the ensemble 'e\.json': [^\n]+: give a file that 'cli/,
        );
        assert.match(error.message, message);
        return true;
      },
    );
  }
  assert.throws(() => parseEnsemble("{", "e.json"), /it is not JSON/);
  assert.throws(() => parseEnsemble("[]", "e.json"), /it is no JSON object/);
});
