import assert from "node:assert/strict";
import { differences } from "../../../lib/plan/plan_file.ts";
import {
  MAX_STATE_BYTES,
  readState,
  type RunAllState,
  runningModels,
} from "../../../lib/plan/run_all/state.ts";
import { formatState } from "../../support/run_all_state.ts";
import { TemporaryFolder } from "../../support/folders.ts";

const STATE: RunAllState = {
  config: { epochs: 3, tune: { fraction: 0.1, seed: 0 } },
  models: {
    "acl/axial": {
      checkpoint: "models/a.safetensors",
      sha256: "ab",
      epoch: 2,
      epochs: 3,
      computed: { engine: "wasm", threads: 2, precision: "float32" },
      leftOut: [{ split: "valid", id: "0011", reason: "there is no such file" }],
      tune: [["0000", 0, 0.25], ["0003", 1, 0.75]],
      valid: [["0010", 1, 1]],
    },
  },
};

Deno.test("what is done is read back; where nothing is there nothing is done", async () => {
  await using folder = await TemporaryFolder.make();
  assert.equal(await readState(folder.at("run_all.json")), undefined);
  await folder.write("run_all.json", formatState(STATE));
  assert.deepEqual(await readState(folder.at("run_all.json")), STATE);
  const running = { model: "acl/coronal", logFolder: "logs/acl/coronal/20260101-000000" };
  await folder.write("run_all.json", formatState({ ...STATE, running }));
  assert.deepEqual(await readState(folder.at("run_all.json")), { ...STATE, running });
  await folder.write(
    "bad.json",
    (await folder.text("run_all.json")).replace('"logFolder":', '"x":'),
  );
  await assert.rejects(
    readState(folder.at("bad.json")),
    /what it says of the model at hand is not/,
  );
});

Deno.test("models that were trained side by side are read, one as versions before noted it", async () => {
  await using folder = await TemporaryFolder.make();
  const [one, two] = ["acl/coronal", "acl/sagittal"].map((model) => ({
    model,
    logFolder: `logs/${model}/20260101-000000`,
  }));
  assert.deepEqual(runningModels(STATE), []);
  assert.deepEqual(runningModels({ ...STATE, running: one }), [one]);
  const state = { ...STATE, running: two, alongside: [one] };
  await folder.write("run_all.json", formatState(state));
  const read = (await readState(folder.at("run_all.json")))!;
  assert.deepEqual(read, state);
  assert.deepEqual(runningModels(read), [two, one]);
  const text = (await folder.text("run_all.json")).replace(/,"running":\{.*?\}/, "");
  await folder.write("bad.json", text);
  await assert.rejects(readState(folder.at("bad.json")), /the models at hand is not whole/);
});

Deno.test("a state that is none is refused in one line", async () => {
  await using folder = await TemporaryFolder.make();
  const path = folder.at("run_all.json");
  await folder.write("run_all.json", formatState(STATE));
  const text = await folder.text("run_all.json");
  const refuses = async (content: string, found: string) => {
    await folder.write("run_all.json", content);
    await assert.rejects(readState(path), {
      name: "DataError",
      message: `Cannot go on with the runs of '${path}': ${found}: move it away to start over`,
    });
  };
  await refuses(text.slice(0, -1), "it is not JSON");
  await refuses(
    text.replace('"epochs":3', `"epochs":[${"[],".repeat(200_000)}0]`),
    "it has more than 200000 lists and objects",
  );
  await refuses(" ".repeat(MAX_STATE_BYTES + 1), "it is 4194305 bytes long, allowed are 4194304");
  for (const probability of ["null", "[]", '"0x1"']) {
    await refuses(text.replace("0.75", probability), "its predictions of acl/axial are none");
  }
  await refuses("[]", "the file is no JSON object");
  for (const path of ["models/..", "..", "", "a\\\\..", "models/aux.safetensors"]) {
    await refuses(
      text.replace("models/a.safetensors", path),
      "what it says of acl/axial is not whole",
    );
  }
  const running = (model: string, logFolder: string) =>
    refuses(
      `${text.slice(0, -1)},"running":{"model":"${model}","logFolder":"${logFolder}"}}`,
      "what it says of the model at hand is not whole",
    );
  await running("acl/axial", "logs/acl/axial/..");
  await running("../../mine", "logs/acl/axial/20260101-000000");
  await refuses(
    text.replace('"version":2', '"version":1'),
    "it is not a 'mrnet-run-all' file of version 2",
  );
  await refuses(text.replace('"epoch":2', '"epoch":"2"'), "what it says of acl/axial is not whole");
  await refuses(text.replace("0.75", "1.75"), "its predictions of acl/axial are none");
  await refuses(
    text.replace('"0003"', '"0000"'),
    "its predictions of acl/axial have an exam twice",
  );
  await refuses(text.replace('"0003"', '"a\\u001bb"'), "its predictions of acl/axial are none");
  await refuses(
    text.replace("acl/axial", "acl/knee"),
    "its models are not those of the three tasks",
  );
  await refuses(
    text.replace('"wasm"', '"abacus"'),
    "what computed acl/axial is none of the engines",
  );
  await refuses(
    text.replace('"split":"valid"', '"split":"none"'),
    "what it says of exams that acl/axial left out is not whole",
  );
  await refuses(
    text.replace('"models":{', '"models":["'.slice(0, -1) + '],"x":{'),
    [
      "models is no JSON object",
    ].join(),
  );
});

Deno.test("differences are named with both values", () => {
  const { config } = STATE;
  assert.deepEqual(differences(config, { ...config }), []);
  assert.deepEqual(differences(config, { epochs: 5, tune: { fraction: 0.1, seed: 1 }, lr: 0.1 }), [
    "epochs 5 instead of 3",
    'tune {"fraction":0.1,"seed":1} instead of {"fraction":0.1,"seed":0}',
    "lr 0.1 instead of none",
  ]);
});
