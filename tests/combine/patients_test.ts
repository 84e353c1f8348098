import assert from "node:assert/strict";
import { predictPatients } from "../../lib/classifier/predict_patients.ts";
import { groupByPatient, patientOf } from "../../lib/combine/patients.ts";
import { loadCombined } from "../../lib/classifier/load.ts";
import { startEngine } from "../../lib/engine/engine.ts";
import { readExam } from "../../lib/data/exam.ts";
import { PLANES } from "../../lib/terms.ts";
import * as tf from "../support/tf.ts";
import { writeCombined, writePlanes } from "../support/combined.ts";
import { TemporaryFolder } from "../support/folders.ts";

const at = (plane: string, id: string) => `data/valid/${plane}/${id}.npy`;

Deno.test("exams are sorted by patient and plane, in whatever order they come", () => {
  const paths = [at("coronal", "0002"), at("axial", "0001"), at("sagittal", "0001")];
  paths.push(at("Axial", "0002"), at("coronal", "0001"), at("sagittal", "0002"));
  assert.deepEqual(groupByPatient(paths), [
    {
      id: "0002",
      files: { axial: paths[3], coronal: paths[0], sagittal: paths[5] },
    },
    { id: "0001", files: { axial: paths[1], coronal: paths[4], sagittal: paths[2] } },
  ]);
});

Deno.test("a missing plane is named, and a file whose plane cannot be told", () => {
  const need = "a combination needs the axial, the coronal and the sagittal exam";
  assert.throws(() => groupByPatient([at("axial", "0001"), at("sagittal", "0001")]), {
    name: "DataError",
    message: `Cannot predict patient '0001': there is no coronal exam: ${need}`,
  });
  assert.throws(() => patientOf("0001", { coronal: "a.npy" }), {
    message: `Cannot predict patient '0001': there is no axial and no sagittal exam: ${need}`,
  });
  assert.throws(() => groupByPatient(["knees/0001.npy"]), {
    name: "OptionError",
    message:
      "Cannot tell the plane of 'knees/0001.npy': neither its name nor its folder says axial, coronal " +
      "or sagittal: give the three files with --axial, --coronal and --sagittal",
  });
  assert.throws(() => groupByPatient([at("axial", "0001"), "other/axial/0001.npy"]), {
    name: "OptionError",
    message: "Cannot tell which is the axial exam of patient '0001': both " +
      "'data/valid/axial/0001.npy' and 'other/axial/0001.npy' are: predict them one after the other",
  });
});

Deno.test("patients are predicted in order; one that cannot be read does not stop the others", async () => {
  await using folder = await TemporaryFolder.make();
  await startEngine("wasm", { threads: 1 });
  await writePlanes(folder, { train: 2, valid: 3 });
  const { path } = await writeCombined(folder);
  await folder.write("data/valid/coronal/0003.npy", "not an exam");
  const patients = groupByPatient(
    ["0002", "0003", "0004"].flatMap((id) => PLANES.map((plane) => folder.at(at(plane, id)))),
  );
  const before = tf.memory().numTensors;
  const combined = await loadCombined(path);
  const seen: string[] = [];
  for await (const outcome of predictPatients(combined, patients)) {
    seen.push(outcome.id);
    if ("error" in outcome) {
      assert.equal(outcome.id, "0003");
      assert.match(`${outcome.error}`, /^DataError: .*coronal\/0003\.npy/);
      continue;
    }
    const exams = await Promise.all(
      PLANES.map((plane) => readExam(outcome.files[plane], outcome.id)),
    );
    const [axial, coronal, sagittal] = exams;
    const alone = await combined.predict({ axial, coronal, sagittal });
    assert.ok(Math.abs(alone.probability - outcome.prediction.probability) < 1e-6);
  }
  assert.deepEqual(seen, ["0002", "0003", "0004"]);
  combined.dispose();
  assert.equal(tf.memory().numTensors, before);
});

Deno.test("where folders do not tell the plane, the files' names do", () => {
  const cases: [paths: string[], id: string][] = [
    [["axial.npy", "coronal.npy", "sagittal.npy"], "exam"],
    [["knee/axial.npy", "knee/coronal.npy", "knee/sagittal.npy"], "knee"],
    [["12_axial.npy", "12_cor.npy", "12-sag.npy"], "12"],
    [["x/Axial-left_7.npy", "y/coronal-left_7.npy", "z/left_sagittal_7.npy"], "left_7"],
  ];
  for (const [paths, id] of cases.slice(0, 3)) {
    const [axial, coronal, sagittal] = paths;
    const patients = groupByPatient([sagittal, axial, coronal]);
    assert.deepEqual(patients, [{ id, files: { axial, coronal, sagittal } }]);
  }
  const two = groupByPatient(
    ["a", "b"].flatMap((id) => PLANES.map((plane) => `${id}/${plane}.npy`)),
  );
  assert.deepEqual(two.map(({ id }) => id), ["a", "b"]);
  const [left] = groupByPatient(
    cases[3][0].map((path) => path.replace("left_sagittal_7", "sag-left_7")),
  );
  assert.equal(left.id, "left_7");
  assert.throws(() => groupByPatient(["data/axial/0001_coronal.npy"]), {
    name: "OptionError",
    message:
      "Cannot tell the plane of 'data/axial/0001_coronal.npy': its folder says axial and its name " +
      "coronal: give the three files with --axial, --coronal and --sagittal",
  });
});
