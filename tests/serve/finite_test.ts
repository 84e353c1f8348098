import assert from "node:assert/strict";
import { formatCombination, parseCombination, readCombination } from "../../lib/combine/file.ts";
import { evaluateClassifier } from "../../lib/classifier/evaluate.ts";
import { CombinedMRNet } from "../../lib/classifier/combined.ts";
import { loadCombined } from "../../lib/classifier/load.ts";
import { predictPatients } from "../../lib/classifier/predict_patients.ts";
import type { Dataset } from "../../lib/data/dataset.ts";
import type { Exam } from "../../lib/data/exam.ts";
import { affineOf } from "../../lib/data/intensity.ts";
import { encodeNpy } from "../../lib/data/npy.ts";
import { startEngine } from "../../lib/engine/engine.ts";
import { explain } from "../../lib/explain/explain.ts";
import { explainFiles } from "../../lib/explain/explain_files.ts";
import { loadMRNet } from "../../lib/model/create.ts";
import { initialWeights } from "../../lib/model/initialise.ts";
import { MRNet } from "../../lib/model/mrnet.ts";
import { encodeSafetensors } from "../../lib/model/weights/safetensors.ts";
import { createHandler } from "../../lib/serve/handler.ts";
import { PLANES } from "../../lib/terms.ts";
import { evaluate } from "../../lib/train/evaluate.ts";
import { predictFiles } from "../../lib/train/predict.ts";
import { TemporaryFolder, voxels } from "../support/folders.ts";
import { modelBytes, writeCombinedModels } from "../support/served_models.ts";

/** The engine outlives the tests on purpose. */
const OUTLIVING = { sanitizeOps: false, sanitizeResources: false };

/** Finite as single precision, and no sum of them is. */
function hugeVoxels(): Float32Array {
  return Float32Array.from(voxels(1, 2 * 64 * 64), (value) => value > 120 ? 3e38 : -3e38);
}

const hugeFile = () => encodeNpy(hugeVoxels(), [2, 64, 64]);
const hugeExam = (id = "huge"): Exam => {
  return { id, slices: 2, height: 64, width: 64, voxels: hugeVoxels() };
};

Deno.test(
  "the service answers 422 to an exam of which nothing can be computed",
  OUTLIVING,
  async () => {
    await using folder = await TemporaryFolder.make();
    await writeCombinedModels(folder);
    for (const plane of PLANES) await folder.write(`data/valid/${plane}/0001.npy`, hugeFile());
    const errors: unknown[] = [];
    const handler = createHandler({
      models: [folder.at("combined.json"), { source: await modelBytes(), name: "acl" }],
      engine: "wasm",
      viewer: { data: folder.at("data") },
      onError: (error) => errors.push(error),
    });
    const form = () => {
      const body = new FormData();
      for (const plane of PLANES) body.append(plane, new Blob([hugeFile()]), "a.npy");
      return body;
    };
    const post = (query: string) =>
      new Request(`http://localhost/v1/predict${query}`, { method: "POST", body: form() });
    const requests = {
      combined: post("?model=combined"),
      single: post("?model=acl"),
      contributions: post("?model=acl&contributions=1"),
      overlays: post("?model=acl&overlays=1"),
      reading: new Request("http://localhost/viewer/reading/valid/0001"),
    };
    for (const [name, request] of Object.entries(requests)) {
      const response = await handler(request);
      const { status, detail } = await response.json();
      assert.equal(response.status, 422, name);
      assert.equal(status, 422);
      assert.match(
        detail,
        /^Cannot predict '\w+': the logits are \S+ and \S+: the exam's values are/,
      );
    }
    const verdicts = await handler(new Request("http://localhost/viewer/verdicts?split=valid"));
    const line = JSON.parse(await verdicts.text());
    assert.match(line.fault, /^Cannot predict '0001': the logits are/);
    assert.deepEqual(errors, []);
  },
);

Deno.test("nothing else answers without finite logits either", OUTLIVING, async () => {
  await using folder = await TemporaryFolder.make();
  await writeCombinedModels(folder);
  await folder.write("0001.npy", hugeFile());
  const path = folder.at("0001.npy");
  const message = /^Cannot predict '.*': the logits are \S+ and \S+: the exam's values are/;
  for (const engine of ["wasm", "cpu"] as const) {
    await startEngine(engine);
    const { model } = await loadMRNet(await modelBytes());
    await assert.rejects(model.predict(hugeExam()), { name: "DataError", message });
    await assert.rejects(explain(model, hugeExam()), { name: "DataError", message });
    const labels = [{ id: "a", label: 0 as const }, { id: "b", label: 1 as const }];
    const dataset: Dataset = {
      labels,
      read: (index) => Promise.resolve(hugeExam(labels[index].id)),
    };
    await assert.rejects(
      evaluate(model, dataset),
      /Cannot evaluate the model on exam 'a': the loss/,
    );
    for await (const outcome of predictFiles(model, [path])) {
      assert.ok("error" in outcome && message.test(outcome.error.message));
      assert.ok(outcome.error.message.includes(path));
    }
    const card = { task: "acl", plane: "axial", intensity: "raw", file: "a", sha256: "" } as const;
    const pictures = { folder: folder.at("pictures"), model: card };
    for await (const outcome of explainFiles(model, [path], pictures)) {
      assert.ok("error" in outcome && outcome.error.message.includes(path));
    }
    model.dispose();
    const combined = await loadCombined(folder.at("combined.json"));
    const exams = { axial: hugeExam(), coronal: hugeExam(), sagittal: hugeExam() };
    await assert.rejects(combined.predict(exams), { name: "DataError", message });
    const files = { axial: path, coronal: path, sagittal: path };
    for await (const outcome of predictPatients(combined, [{ id: "0001", files }])) {
      assert.ok("error" in outcome && message.test(outcome.error.message));
    }
    combined.dispose();
  }
  await startEngine("wasm");
});

Deno.test(
  "a model whose weights are finite and too large is refused when it is read",
  OUTLIVING,
  async () => {
    await startEngine("wasm");
    const changes: [string, (data: Float32Array) => void][] = [
      ["pretrained_model.features.0.weight", (data) => data[7] = 3e38],
      ["pretrained_model.features.8.bias", (data) => data[7] = -3e38],
      ["classifer.weight", (data) => data.fill(1e30)],
    ];
    for (const [name, change] of changes) {
      const state = initialWeights(1);
      change(state.get(name)!.data);
      const bytes = new Uint8Array(
        await new Blob([...encodeSafetensors(state, {})] as BlobPart[]).arrayBuffer(),
      );
      const layer = name.replace("bias", "weight");
      const message = (file: string) =>
        new RegExp(
          `^Cannot read weights '${file}': with '${layer}' values may reach \\de\\+\\d+, which`,
        );
      const from = message("bytes in memory");
      await assert.rejects(loadMRNet(bytes), { name: "WeightsError", message: from });
      assert.throws(() => new MRNet(state), { message: message("given to MRNet") });
      const handler = createHandler({
        models: [{ source: bytes, name: "a", task: "acl", plane: "axial" }],
        engine: "wasm",
      });
      await assert.rejects(handler.ready(), { name: "WeightsError", message: from });
    }
    // Weights a hundred times those of a trained model are only odd.
    const state = initialWeights(1);
    for (const { data } of state.values()) data.forEach((value, at) => data[at] = 100 * value);
    new MRNet(state).dispose();
  },
);

Deno.test(
  "no combination of probabilities makes a sum that is not a number",
  OUTLIVING,
  async () => {
    await using folder = await TemporaryFolder.make();
    await writeCombinedModels(folder);
    const combination = await readCombination(folder.at("combined.json"));
    const coefficients = { axial: 1e308, coronal: 1e308, sagittal: -1e308 };
    assert.throws(
      () => parseCombination(formatCombination({ ...combination, coefficients }), "a.json"),
      /'a\.json': its coefficients and its intercept add up to more than a number can be/,
    );
    // A loss beyond exp's range is still a number.
    await startEngine("wasm");
    const loaded = await loadCombined(folder.at("combined.json"));
    const sure = new CombinedMRNet(loaded, { ...combination, intercept: 1e6 }, loaded.members);
    const labels = [{ id: "a", label: 0 as const }, { id: "b", label: 1 as const }];
    const read = (index: number): Promise<Exam> =>
      Promise.resolve({ ...hugeExam(labels[index].id), voxels: voxels(1, 2 * 64 * 64) });
    const { loss } = await evaluateClassifier(sure, {
      axial: { labels, read },
      coronal: { labels, read },
      sagittal: { labels, read },
    });
    assert.ok(loss > 4e5 && loss < 6e5, `${loss}`);
    loaded.dispose();
  },
);

Deno.test("an exam that cannot be stretched in single precision is refused", () => {
  for (const values of [[-3e38, 3e38], [0, 1e-38]]) {
    assert.throws(
      () => affineOf({ id: "a", voxels: Float32Array.from(values) }, "standardized"),
      /^DataError: Cannot standardize exam 'a': its values go from /,
    );
  }
});
