/**
 * `mod.ts` as a script in another folder sees it.
 *
 * @module
 */
import assert from "node:assert/strict";
import * as mrnet from "../mod.ts";
import { runScript } from "./support/cli.ts";
import { NUMPY_DATASET, TemporaryFolder } from "./support/folders.ts";

const MOD = JSON.stringify(new URL("../mod.ts", import.meta.url).href);

Deno.test("importing the module asks for nothing, prints nothing and starts nothing", async () => {
  await using folder = await TemporaryFolder.make();
  await folder.write("script.ts", `import ${MOD};\n`);
  assert.deepEqual(await runScript(folder, "script.ts", []), { code: 0, out: "", err: "" });

  await folder.write(
    "engines.ts",
    `import ${MOD};
     import * as tf from "npm:@tensorflow/tfjs@4.22.0";
     console.log(JSON.stringify([Object.keys(tf.engine().registry), tf.memory().numTensors]));`,
  );
  const { code, out, err } = await runScript(folder, "engines.ts", []);
  assert.equal(code, 0, err);
  assert.equal(out, "[[],0]\n");
  assert.deepEqual(await folder.files(), ["engines.ts", "script.ts"]);
});

Deno.test("a script trains, judges and loads with one import and no configuration", async () => {
  await using folder = await TemporaryFolder.make();
  await folder.write(
    "script.ts",
    `import { evaluate, loadMRNet, openDataset, trainClassifier } from ${MOD};
     import * as tf from "npm:@tensorflow/tfjs@4.22.0";
     const exams = { data: Deno.args[0], task: "abnormal", plane: "coronal" } as const;
     const { best, checkpoint } = await trainClassifier({
       ...exams, weights: "none", engine: "wasm", seed: 1, epochs: 1, learningRate: 1e-4,
       augment: false, shuffle: false,
     });
     const { model } = await loadMRNet(checkpoint!);
     const { auc } = await evaluate(model, await openDataset({ ...exams, split: "valid" }));
     console.log(Math.abs(auc - best!.valAuc) < 1e-4, tf.getBackend());
     const exam = tf.zeros([2, 64, 64]) as tf.Tensor3D;
     console.log(model.logits(exam).shape.join());`,
  );
  const flags = [`--allow-read=${NUMPY_DATASET},models,logs`, "--allow-write=models,logs"];
  const { code, out, err } = await runScript(folder, "script.ts", flags, [NUMPY_DATASET]);
  assert.equal(code, 0, err);
  assert.equal(out, "true wasm\n1,2\n");
  assert.match((await folder.files("models"))[0], /^model_mrnet_abnormal_coronal_/);
});

Deno.test("what a user needs is exported, and nothing that is private", () => {
  const names = Object.keys(mrnet);
  for (
    const name of [
      ...["TASKS", "PLANES", "SPLITS", "ENGINES", "ENGINE_CHOICES", "SCHEDULES", "TRAIN_DEFAULTS"],
      ...["openDataset", "readExam", "readLabels", "readNpy", "decodeNpy", "encodeNpy"],
      ...["createMRNet", "loadMRNet", "MRNet", "startEngine", "describeEngine", "createHandler"],
      ...["train", "trainClassifier", "evaluate", "rocAuc", "rocCurve"],
      ...["explain", "explainFiles", "predictFiles", "readExamFiles", "writeExplanation"],
      ...["combineModels", "combineTable", "loadCombined", "evaluateCombined", "runAll"],
      ...["MRNetError", "DataError", "WeightsError", "OptionError", "EngineError"],
      ...["PermissionError", "OutputError", "TrainingError"],
    ]
  ) assert.ok(names.includes(name), name);
  assert.deepEqual(names.filter((name) => name.startsWith("_")), []);
});

Deno.test("every error for the user is of its class and one base class", () => {
  for (
    const Class of [
      mrnet.DataError,
      mrnet.WeightsError,
      mrnet.OptionError,
      mrnet.EngineError,
      mrnet.PermissionError,
      mrnet.OutputError,
      mrnet.TrainingError,
    ]
  ) {
    const error = new Class("Cannot do it");
    assert.ok(error instanceof mrnet.MRNetError && error instanceof Error);
    assert.equal(`${error}`, `${Class.name}: Cannot do it`);
    assert.match(error.stack!, new RegExp(`^(Error|${Class.name}): Cannot do it\n`));
  }
});
