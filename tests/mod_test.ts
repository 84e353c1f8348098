/**
 * `mod.ts` as a script in another folder sees it.
 */
import assert from "node:assert/strict";
import config from "../deno.json" with { type: "json" };
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

/** What `deno info` says of a module. */
interface ModuleInfo {
  specifier: string;
  dependencies?: { code?: { specifier?: string }; isDynamic?: boolean }[];
}

/** The packages and modules of Deno that are loaded with a file, those that it imports later left out. */
async function loadedWith(file: string): Promise<string[]> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", new URL(`../${file}`, import.meta.url).href],
  }).output();
  const { roots, modules } = JSON.parse(new TextDecoder().decode(stdout));
  const all = new Map((modules as ModuleInfo[]).map((each) => [each.specifier, each]));
  const loaded = new Set<string>(roots);
  for (const specifier of loaded) {
    for (const { code, isDynamic } of all.get(specifier)?.dependencies ?? []) {
      if (code?.specifier !== undefined && !isDynamic) loaded.add(code.specifier);
    }
  }
  assert.ok(loaded.size > 15, "the graph was not read");
  return [...loaded].filter((each) => !each.startsWith("file:"))
    .map((each) => /^(?:npm:)?(@?[\w-]+(?:[:/][\w-]+)?)/.exec(each)![1]).sort();
}

Deno.test("importing the module loads no large package and no engine", async () => {
  assert.deepEqual(await loadedWith("mod.ts"), ["csv-parse", "pure-rand"]);
});

Deno.test("no module of Deno's own is loaded with a model's file, nor with the command line", async () => {
  // Above all node:zlib and node:crypto take long to load.
  assert.deepEqual(await loadedWith("lib/model/weights/read.ts"), []);
  assert.deepEqual(await loadedWith("lib/model/wasm_network.ts"), []);
  assert.deepEqual(await loadedWith("cli.ts"), [
    "@commander-js/extra-typings",
    "csv-parse",
    "pure-rand",
  ]);
});

Deno.test("a script trains, evaluates and loads with one import and no configuration", async () => {
  await using folder = await TemporaryFolder.make();
  await folder.write(
    "script.ts",
    `import { evaluate, loadMRNet, openDataset, train } from ${MOD};
     import * as tf from "npm:@tensorflow/tfjs@4.22.0";
     const exams = { data: Deno.args[0], task: "abnormal", plane: "coronal" } as const;
     const { best, checkpoint } = await train({
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
      ...["openDataset", "readExam", "readLabels", "readExamFiles"],
      ...["createMRNet", "loadMRNet", "saveMRNet", "MRNet", "startEngine", "describeEngine"],
      ...["train", "evaluate", "predictFiles", "explain", "explainFiles"],
      ...[
        "combineModels",
        "ensembleModels",
        "loadCombined",
        "recalibrate",
        "runAll",
        "createHandler",
      ],
      ...["Classifier", "EnsembleMRNet", "loadClassifier"],
      ...["MRNetError", "DataError", "WeightsError", "OptionError", "EngineError"],
      ...["PermissionError", "OutputError", "TrainingError"],
    ]
  ) assert.ok(names.includes(name), name);
  for (
    const name of [
      ...["messageOf", "withoutControls", "fitRemark", "viewOf", "FIT_ON"],
      // One verb each, by what it is given.
      ...["trainClassifier", "evaluateModel", "evaluateCombined"],
    ]
  ) {
    assert.ok(!names.includes(name), name);
  }
  assert.deepEqual(names.filter((name) => name.startsWith("_")), []);
  assert.ok(names.length <= 64, `${names.length} names are no table of contents`);
});

Deno.test("each namespace is a path of the package too, and has what it is for", async () => {
  const { ".": root, "./cli": _, ...paths } = config.exports;
  assert.equal(root, "./mod.ts");
  const wanted: Record<string, string[]> = {
    card: [
      "describeModel",
      "cardLines",
      "cardSections",
      "cardReadme",
      "writeBundle",
      "readResults",
      "monaiMetadata",
      "readCardFile",
    ],
    combination: ["combineTable", "combinedProbability", "predictPatients", "readCombination"],
    metrics: ["rocAuc", "rocCurve", "delongTest", "bootstrapRoc", "youdenPoint", "fitLogistic"],
    npy: ["readNpy", "decodeNpy", "encodeNpy", "examFromNpy"],
    pacs: [
      "answerStudy",
      "fetchStudy",
      "storeInstances",
      "watch",
      "WatchList",
      "PacsError",
      "PACS_LIMITS",
    ],
    phantom: ["writePhantomDataset", "renderPhantom"],
    pictures: ["overlay", "contactSheet", "animation", "encodePng", "writeExplanation"],
    plan: ["makePlan", "runUnit", "runUnits", "planStatus", "gatherPlan", "readManifest"],
    report: ["evaluationHtml", "evaluationJson", "evaluationLines", "predictionsCsv", "cautions"],
  };
  assert.deepEqual(Object.keys(paths), Object.keys(wanted).map((name) => `./${name}`));
  const namespaces = new Map<string, unknown>(Object.entries(mrnet));
  for (const [path, file] of Object.entries(paths)) {
    const name = path.slice("./".length);
    const module: object = await import(new URL(`../${file}`, import.meta.url).href);
    assert.equal(module, namespaces.get(name));
    for (const each of wanted[name]) assert.ok(each in module, `${name}.${each}`);
  }
});

Deno.test("train and evaluate refuse a model without exams", async () => {
  await mrnet.startEngine("cpu");
  const model = await mrnet.createMRNet({ weights: "none", seed: 1 });
  const { train, evaluate } = mrnet as unknown as Record<string, (model: unknown) => Promise<void>>;
  await assert.rejects(train(model), {
    name: "OptionError",
    message: "Cannot train a model without exams: give datasets behind it, as { train, valid }",
  });
  await assert.rejects(evaluate(model), {
    name: "OptionError",
    message: /^Cannot evaluate a model without exams: give a dataset behind it/,
  });
  model.dispose();
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
