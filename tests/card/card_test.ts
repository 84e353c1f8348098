/** The card of a model, a combination and an ensemble, as text and as a README. */
import assert from "node:assert/strict";
import { parse } from "npm:yaml@2.9.1";
import { writeBundle } from "../../lib/card/bundle.ts";
import { describeModel, type ModelDescription } from "../../lib/card/describe.ts";
import { hubLicence } from "../../lib/card/licences.ts";
import { cardReadme } from "../../lib/card/readme.ts";
import { decodeResults } from "../../lib/card/results.ts";
import { NO_DEVICE } from "../../lib/card/sections.ts";
import { cardLines } from "../../lib/card/text.ts";
import { combineTable } from "../../lib/combine/combine.ts";
import { startEngine } from "../../lib/engine/engine.ts";
import { initialWeights } from "../../lib/model/initialise.ts";
import { encodePytorch } from "../../lib/model/weights/torch/write.ts";
import { writeWhole } from "../../lib/files.ts";
import { writeCombined, writeMember } from "../support/combined.ts";
import { FULL_CARD } from "../support/described.ts";
import { writeEnsemble, writeOutOfFold } from "../support/ensembles.ts";
import { TemporaryFolder } from "../support/folders.ts";
import { evaluationFile } from "../support/results_file.ts";

await startEngine("cpu");

async function full(folder: TemporaryFolder): Promise<ModelDescription> {
  return await describeModel(await writeMember(folder, "sagittal", FULL_CARD));
}

/** The YAML ahead of a README, read back. */
function frontMatter(readme: string): Record<string, unknown> {
  return parse(/^---\n([\s\S]*?)\n---\n/.exec(readme)![1]);
}

Deno.test("the card of a model is text of 80 columns that says what its file says", async () => {
  await using folder = await TemporaryFolder.make();
  const model = await full(folder);
  const lines = await cardLines({ ...model, file: "models/acl.safetensors" });
  assert.deepEqual(lines.filter((line) => line.length > 80), []);
  const text = lines.join("\n");
  for (
    const said of [
      "Tears of the ACL | <b>bold</b> *stars*",
      "\n  One paragraph.\n  Another paragraph.\n",
      "\n  Exams         1130, 208 with the finding (18.4 %)\n",
      "\n  Left out      1129 that could not be read\n",
      "\n  Slices        17–61\n  Sizes         256×256\n",
      "\n  Sequences     SE TR 3000 TE 31 (1000), SE TR 2500 (130)\n",
      `\n  Hash of ids   ${"0a".repeat(32)}\n`,
      "\n  Kept out      10 % by seed 0, which chose the epoch; fold 2 of f.csv\n",
      "\n  Started from  start.pth\n",
      "\n  Epoch         12, the first with the highest AUC over these exams\n",
      "\n  Threshold     positive from 0.3 on, by Youden’s index\n",
      "\n  Out of scope  Diagnosis.\n                Children.\n",
      "\n  Licence       CC-BY-NC-4.0 (https://creativecommons.org/licenses/by-nc/4.0/)\n",
      "\n  Authors       A. Author; B. Author\n",
    ]
  ) assert.ok(text.includes(said), `${said}\n\n${text}`);
  assert.ok(text.replace(/\n +/g, " ").includes(NO_DEVICE));
  // Where something lay on a disk is not part of what a model is.
  assert.ok(!text.includes("somebody"));
  const narrow = await cardLines(model, [], 50);
  assert.deepEqual(narrow.filter((line) => line.length > 50), []);
});

Deno.test("a card is a README that the Hub reads, whatever people have written", async () => {
  await using folder = await TemporaryFolder.make();
  const readme = await cardReadme(await full(folder));
  const matter = frontMatter(readme);
  assert.deepEqual(matter, {
    license: "cc-by-nc-4.0",
    library_name: "mrnet-deno",
    pipeline_tag: "image-classification",
    tags: ["medical-imaging", "mri", "knee", "mrnet", "alexnet", "acl", "sagittal"],
    datasets: ["example/knees"],
    metrics: ["roc_auc"],
    "model-index": [{
      name: FULL_CARD.about!.name,
      results: [{
        task: {
          type: "image-classification",
          name: "Probability of a tear of the anterior cruciate ligament",
        },
        dataset: {
          type: "mrnet",
          name: "MRNet: exams that chose the epoch (113 exams)",
          split: "tune",
        },
        metrics: [{
          type: "roc_auc",
          value: 0.875,
          name: "AUC on the exams that chose the epoch, better than on new ones",
        }],
      }],
    }],
  });
  assert.ok(readme.includes("\n# Tears of the ACL \\| &lt;b&gt;bold&lt;/b&gt; \\*stars\\*\n"));
  assert.ok(readme.includes(`\n${NO_DEVICE}\n`));
  assert.ok(readme.includes("- **Out of scope**: Diagnosis.<br>Children.\n"));
  assert.ok(!readme.includes(folder.path), "it says where the file lay");
  assert.ok(!readme.includes("somebody"));
});

Deno.test("a file of PyTorch has a card of what is known, with what the caller knows", async () => {
  await using folder = await TemporaryFolder.make();
  const path = folder.at("model.pth");
  await writeWhole(path, encodePytorch(initialWeights(1)));
  const bare = (await cardLines(await describeModel(path))).join("\n");
  assert.match(bare, /^model\n/);
  assert.match(bare, /\n {2}Finding {7}the file does not say\n/);
  assert.match(bare, /\n {2}Licence {7}none was given/);
  assert.match(bare, /\nTRAINING DATA\n {2}Unknown: the file does not say\.\n/);
  const told = await describeModel(path, { task: "meniscus", plane: "coronal" });
  assert.equal((await cardLines(told))[0], "Meniscal tear, coronal plane");
  const { license, "model-index": index } = frontMatter(await cardReadme(told));
  assert.deepEqual([license, index], ["unknown", undefined]);
  await assert.rejects(describeModel(path, { tsk: "acl" } as never), {
    name: "OptionError",
    message:
      "Cannot describe a model with an option 'tsk': there is none of that name: did you mean 'task'?",
  });
});

Deno.test("a combination says its weights and what its members are", async () => {
  await using folder = await TemporaryFolder.make();
  const { path } = await writeCombined(folder, {
    about: { name: "Three planes", license: "MIT" },
    toolkit: "0.1.0",
    created: "2026-11-30",
  });
  const model = await describeModel(path);
  const text = (await cardLines(model)).join("\n");
  for (
    const said of [
      "Three planes\n",
      "\n  Weights       axial 1.5000, coronal -0.2500, sagittal 2.0000\n",
      "\n  Fitted on     10 training exams that were kept out of training (tune), 4 with\n",
      "\nMODEL OF THE SAGITTAL PLANE\n  File          model_sagittal.safetensors\n",
      "\n  Date          2026-11-30\n",
    ]
  ) assert.ok(text.includes(said), `${said}\n\n${text}`);
  const matter = frontMatter(await cardReadme(model));
  assert.deepEqual(matter.tags, [
    ...["medical-imaging", "mri", "knee", "mrnet", "alexnet", "acl", "combined"],
  ]);
  await assert.rejects(describeModel(path, { plane: "axial" }), {
    name: "OptionError",
    message: `Cannot describe '${path}' with the plane axial: its file leaves nothing open: ` +
      "leave it out",
  });
  // A member that has changed is another model.
  await writeMember(folder, "axial", { epoch: 3 });
  await assert.rejects(describeModel(path), { name: "WeightsError", message: /axial model .* is/ });
});

Deno.test("an ensemble says what its members are, and what all of them say alike", async () => {
  await using folder = await TemporaryFolder.make();
  const models: string[] = [];
  for (const [index, plane] of (["axial", "coronal"] as const).entries()) {
    const about = { name: `Fold ${index}`, license: "MIT", limitations: plane };
    const card = { plane: "axial", about, epoch: index + 1 } as const;
    models.push(await writeMember(folder, plane, card, `fold${index}.safetensors`));
  }
  const predictions = await writeOutOfFold(folder);
  const model = await describeModel(await writeEnsemble(folder, "axial", { models, predictions }));
  assert.deepEqual(model.about, { license: "MIT" });
  const text = (await cardLines(model)).join("\n");
  for (
    const said of [
      "ACL tear, axial plane\n",
      "\n  Members       2\n",
      "\nMEMBER 2\n  File          fold1.safetensors\n",
      "\n  Chosen by     6 exams by members that were not trained on them (out of fold),\n",
      "\n  Licence       MIT",
    ]
  ) assert.ok(text.includes(said), `${said}\n\n${text}`);
});

Deno.test("a combination that was fitted on a table has a card, but no bundle", async () => {
  await using folder = await TemporaryFolder.make();
  const rows = ["1,0.9,0.8,0.7", "0,0.1,0.2,0.3", "1,0.6,0.4,0.9", "0,0.5,0.6,0.2"];
  await folder.write("table.csv", ["label,axial,coronal,sagittal", ...rows, ""].join("\n"));
  await folder.write("card.json", JSON.stringify({ license: "MIT" }));
  const out = folder.at("table.json");
  await combineTable(folder.at("table.csv"), { out, card: folder.at("card.json") });
  const model = await describeModel(out);
  assert.deepEqual([model.about.license, model.card.toolkit !== undefined], ["MIT", true]);
  assert.match(await cardReadme(model), /\n- \*\*Finding\*\*: the file does not say\n/);
  await assert.rejects(writeBundle(model, folder.at("bundle")), {
    name: "OptionError",
    message: /was fitted on a table and has no models: give a combination of models, or a name/,
  });
  await assert.rejects(Deno.stat(folder.at("bundle")), Deno.errors.NotFound);
});

Deno.test("results of an evaluation are part of a card", async () => {
  await using folder = await TemporaryFolder.make();
  const model = await full(folder);
  const bytes = new TextEncoder().encode(JSON.stringify(evaluationFile(model.sha256)));
  const results = [decodeResults(bytes, "results.json")];
  const text = (await cardLines(model, results)).join("\n");
  assert.match(text, /\n {2}Evaluated on {2}valid of mrnet: 120 exams, 54 with the finding\n/);
  assert.match(text, /\n {2}AUC {11}0\.912 \(95 % CI 0\.861–0\.963\)\n/);
  assert.match(text, /\n {2}Sensitivity {3}0\.850 \(95 % CI 0\.731–0\.922\)\n/);
  const readme = await cardReadme(model, results);
  const [{ results: index }] = frontMatter(readme)["model-index"] as { results: unknown[] }[];
  assert.equal(index.length, 2);
  assert.ok(!readme.includes("/home/"), "it says where the data lay");
  assert.ok(!/^ +- task: [&*]/m.test(readme), "not every reader of YAML knows references");
});

Deno.test("what is no result of an evaluation is refused in one line", () => {
  const refusal = (text: string, found: RegExp) =>
    assert.throws(() => decodeResults(new TextEncoder().encode(text), "results.json"), {
      name: "DataError",
      message: found,
    });
  refusal(
    "{",
    /^Cannot use the results 'results\.json': it is not JSON \(.*\): give what 'cli\.ts/,
  );
  refusal("[]", /^Cannot use the results 'results\.json': it is no JSON object: give/);
  const without = { ...evaluationFile("0".repeat(64)), auc: 2 };
  refusal(JSON.stringify(without), /^Cannot use the results 'results\.json': its auc: .*: give/);
});

Deno.test("the Hub is told licences by its own identifiers", () => {
  assert.deepEqual(hubLicence({ license: "MIT" }), { license: "mit" });
  assert.deepEqual(hubLicence({ license: "GPL-3.0-or-later" }), { license: "gpl-3.0" });
  assert.deepEqual(hubLicence({}), { license: "unknown" });
  assert.deepEqual(hubLicence({ license: "Our Licence, 2026", licenseLink: "LICENSE" }), {
    license: "other",
    license_name: "our-licence-2026",
    license_link: "LICENSE",
  });
});
