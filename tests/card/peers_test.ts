/**
 * Cards as the projects that they are for read them: huggingface_hub loads the README, and MONAI's way of
 * checking metadata, a JSON schema, takes that of a bundle.
 *
 * `ModelCard.validate` asks huggingface.co, and MONAI downloads its schema, so neither is done here. In
 * their place: the metadata classes of huggingface_hub, which parse all that they know; a schema written
 * after MONAI's specification; and MONAI's own schema if the variable MRNET_MONAI_SCHEMA names its file.
 */
import assert from "node:assert/strict";
import { writeBundle } from "../../lib/card/bundle.ts";
import { describeModel, type ModelDescription } from "../../lib/card/describe.ts";
import { cardReadme } from "../../lib/card/readme.ts";
import { decodeResults } from "../../lib/card/results.ts";
import { startEngine } from "../../lib/engine/engine.ts";
import { writeCombined, writeMember } from "../support/combined.ts";
import { FULL_CARD } from "../support/described.ts";
import { writeEnsemble } from "../support/ensembles.ts";
import { TemporaryFolder } from "../support/folders.ts";
import { testWithPython } from "../support/python.ts";
import { evaluationFile } from "../support/results_file.ts";
import schema from "../fixtures/cards/monai_metadata.schema.json" with { type: "json" };

await startEngine("cpu");

/** One of each kind: a model with a full card, a combination, an ensemble, and a model that says little. */
async function describedModels(folder: TemporaryFolder): Promise<ModelDescription[]> {
  const paths = [
    await writeMember(folder, "sagittal", FULL_CARD, "full.safetensors"),
    (await writeCombined(folder)).path,
    await writeEnsemble(folder, "coronal"),
    await writeMember(folder, "axial", { valAuc: NaN }, "little.safetensors"),
  ];
  return await Promise.all(paths.map((path) => describeModel(path)));
}

const LOAD = `
import json, os, sys
os.environ["HF_HUB_OFFLINE"] = "1"
from huggingface_hub import ModelCard
from huggingface_hub.repocard_data import eval_results_to_model_index
said = []
for path in sys.argv[1:]:
    card = ModelCard.load(path)
    data = card.data.to_dict()
    results = card.data.eval_results or []
    # What was parsed makes the same model index again.
    if results:
        assert eval_results_to_model_index(card.data.model_name, results) == data["model-index"], path
    assert ModelCard(str(card)).data.to_dict() == data, path
    said.append({"data": data, "results": len(results), "begins": card.text.strip().split("\\n")[0]})
print(json.dumps(said))
`;

testWithPython(
  "huggingface_hub loads the README of each kind of model, and its evaluation results",
  ["huggingface_hub", "yaml"],
  async (run) => {
    await using folder = await TemporaryFolder.make();
    const models = await describedModels(folder);
    const file = new TextEncoder().encode(JSON.stringify(evaluationFile(models[0].sha256)));
    const paths: string[] = [];
    for (const [at, model] of models.entries()) {
      const results = at === 0 ? [decodeResults(file, "results.json")] : [];
      await folder.write(`${at}.md`, await cardReadme(model, results));
      paths.push(folder.at(`${at}.md`));
    }
    const said = JSON.parse(await run(LOAD, ...paths));
    assert.deepEqual(said.map(({ results }: { results: number }) => results), [7, 0, 0, 0]);
    for (const { data, begins } of said) {
      assert.equal(data.pipeline_tag, "image-classification");
      assert.equal(data.library_name, "mrnet-deno");
      assert.match(begins, /^# /);
    }
    assert.deepEqual([said[0].data.license, said[1].data.license], ["cc-by-nc-4.0", "unknown"]);
  },
);

const VALIDATE = `
import json, sys
from jsonschema import Draft201909Validator
with open(sys.argv[1]) as file:
    schema = json.load(file)
Draft201909Validator.check_schema(schema)
validator = Draft201909Validator(schema)
faults = []
for path in sys.argv[2:]:
    with open(path) as file:
        metadata = json.load(file)
    faults += [f"{path}: {error.json_path}: {error.message}" for error in validator.iter_errors(metadata)]
    # The check finds what is missing.
    for key in ["version", "monai_version", "network_data_format"]:
        assert not validator.is_valid({k: v for k, v in metadata.items() if k != key}), key
print(json.dumps(faults))
`;

testWithPython(
  "the metadata of a bundle is what MONAI's specification asks for",
  ["jsonschema"],
  async (run) => {
    await using folder = await TemporaryFolder.make();
    await folder.write("schema.json", JSON.stringify(schema));
    const paths: string[] = [];
    for (const [at, model] of (await describedModels(folder)).entries()) {
      const files = await writeBundle(model, folder.at(`bundle${at}`));
      paths.push(files.at(-1)!);
    }
    assert.ok(paths.every((path) => path.endsWith("/configs/metadata.json")), `${paths}`);
    assert.deepEqual(JSON.parse(await run(VALIDATE, folder.at("schema.json"), ...paths)), []);
    const own = Deno.env.get("MRNET_MONAI_SCHEMA");
    if (own !== undefined) assert.deepEqual(JSON.parse(await run(VALIDATE, own, ...paths)), []);
  },
);

const RUN = `
import json, sys
import numpy as np, onnxruntime
with open(sys.argv[1] + "/configs/metadata.json") as file:
    metadata = json.load(file)
for name in sys.argv[2:]:
    session = onnxruntime.InferenceSession(f"{sys.argv[1]}/models/{name}.onnx")
    io = metadata["network_data_format" if name == "model" else f"{name}_data_format"]
    assert [each.name for each in session.get_inputs()] == list(io["inputs"]), name
    assert [each.name for each in session.get_outputs()] == list(io["outputs"]), name
    channels = io["inputs"]["exam"]["num_channels"]
    exam = np.full((3, channels, 64, 64), 40, io["inputs"]["exam"]["dtype"])
    logits, probability = session.run(None, {"exam": exam})
    assert logits.shape[-1] == io["outputs"]["logits"]["num_channels"], name
    assert 0 <= probability[0] <= 1, name
print("run")
`;

testWithPython(
  "the ONNX files of a bundle take and give what its metadata says",
  ["onnxruntime", "numpy"],
  async (run) => {
    await using folder = await TemporaryFolder.make();
    const [single, combined] = await describedModels(folder);
    await writeBundle(single, folder.at("single"));
    await writeBundle(combined, folder.at("combined"));
    assert.equal(await run(RUN, folder.at("single"), "model"), "run");
    const planes = ["axial", "coronal", "sagittal"];
    assert.equal(await run(RUN, folder.at("combined"), ...planes), "run");
  },
);
