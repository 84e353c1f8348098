import assert from "node:assert/strict";
import { combinedProbability } from "../../lib/combine/combination.ts";
import { loadCombined } from "../../lib/classifier/load.ts";
import { startEngine } from "../../lib/engine/engine.ts";
import { loadMRNet } from "../../lib/model/create.ts";
import { PLANES } from "../../lib/terms.ts";
import * as tf from "../support/tf.ts";
import { memberName, writeCombined } from "../support/combined.ts";
import { TemporaryFolder, voxels } from "../support/folders.ts";

const size = { slices: 2, height: 64, width: 64 };
const exam = (id: string) => ({ id, ...size, voxels: voxels(1, 2 * 64 * 64) });

Deno.test("a combination says of a patient what its weights make of its three models", async () => {
  await using folder = await TemporaryFolder.make();
  await startEngine("wasm");
  const { path, combination } = await writeCombined(folder);
  const before = tf.memory().numTensors;
  const combined = await loadCombined(path);
  assert.equal(combined.task, "acl");
  assert.deepEqual(combined.combination, combination);
  const exams = { axial: exam("a"), coronal: exam("c"), sagittal: exam("s") };
  const { probability, logit, planes } = await combined.predict(exams);
  for (const plane of PLANES) {
    const { model } = await loadMRNet(folder.at("models", memberName(plane)));
    assert.deepEqual(planes[plane], await model.predict(exams[plane]));
    model.dispose();
  }
  const own = {
    axial: planes.axial.probability,
    coronal: planes.coronal.probability,
    sagittal: planes.sagittal.probability,
  };
  assert.equal(probability, combinedProbability(combination, own));
  assert.equal(probability, 1 / (1 + Math.exp(-logit)));
  assert.equal(new Set(Object.values(own)).size, 3, "the three models differ");

  await assert.rejects(combined.predict({ axial: exams.axial }), {
    name: "DataError",
    message: "Cannot combine the planes: there is no coronal and no sagittal exam: " +
      "a combination needs the axial, the coronal and the sagittal exam",
  });
  combined.dispose();
  assert.equal(tf.memory().numTensors, before);
});

Deno.test("a model that is missing, changed or of another plane is refused in one line", async () => {
  await using folder = await TemporaryFolder.make();
  await startEngine("wasm");
  const { path, combination } = await writeCombined(folder);
  const coronal = folder.at("models", memberName("coronal"));
  const before = tf.memory().numTensors;
  const refuses = (message: RegExp) => assert.rejects(loadCombined(path), message);

  await Deno.copyFile(folder.at("models", memberName("axial")), coronal);
  await refuses(
    /^WeightsError: Cannot use the combination '.*': its coronal model '.*' is another than the one that was combined \(its SHA-256 is not [0-9a-f]{12}…\): put the model back, or combine again$/,
  );
  await Deno.remove(coronal);
  if (Deno.build.os !== "windows") {
    await Deno.symlink("/dev/zero", coronal);
    await refuses(/^WeightsError: Cannot read the coronal model of .*: it is not a plain file: /);
    await Deno.remove(coronal);
  }
  await refuses(
    /^WeightsError: Cannot read the coronal model of '.*combined.json', '.*': there is no such file or folder: put the model back, or combine again$/,
  );
  // The file of the right bytes, but another plane's by its own word.
  const { axial, sagittal } = combination.members!;
  await writeCombined(folder, { members: { axial, coronal: axial, sagittal } });
  await refuses(
    /^OptionError: Cannot use the model '.*model_axial.safetensors' for acl in the cor/,
  );
  await writeCombined(folder, { members: undefined, task: undefined });
  await refuses(
    /^WeightsError: .* for exams: it has weights but no models, for it was fitted on a table: /,
  );
  assert.equal(tf.memory().numTensors, before);
});
