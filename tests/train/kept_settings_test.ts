/**
 * What `config.json` and a state say of a run's settings: the same bytes as earlier versions wrote,
 * and a run of theirs goes on.
 */
import assert from "node:assert/strict";
import { writePhantomDataset } from "../../lib/phantom/mod.ts";
import { startEngine } from "../../lib/engine/engine.ts";
import { encodeSafetensors } from "../../lib/model/weights/safetensors.ts";
import { type RunOptions, trainRun } from "../../lib/train/run.ts";
import { TemporaryFolder } from "../support/folders.ts";
import { decodeSafetensors } from "../support/weights.ts";

await startEngine("wasm");

const ENGINE = "WebAssembly on the processor, one thread (asked for by name)";

/** Options of a run, and the settings that version 0.1.0 kept of it, as text. */
const RUNS: readonly [more: Partial<RunOptions>, settings: string][] = [
  [
    {},
    `"task":"acl","plane":"coronal","prefix_name":"mrnet","recipe":"reference",` +
    `"intensity":"raw","loss_weights":"output","epochs":1,"lr":0.0001,` +
    `"lr_scheduler":"plateau","gamma":0.5,"patience":5,"plateau_patience":3,` +
    `"plateau_factor":0.3,"weight_decay":0.1,"augment":true,"rotation":25,"shift":0.11,` +
    `"flip":0.5,"shuffle":true,"seed":1,"data":"HOME/data","models":"HOME/models",` +
    `"logs":"HOME/logs","weights":"none","save_model":true`,
  ],
  [
    {
      ...{ prefix: "b", recipe: "stanford", shift: "3px", schedule: "step", augment: false },
      ...{ tune: { fraction: 0.5, seed: 2 }, skipBadExams: true, anyRange: true },
    },
    `"task":"acl","plane":"coronal","prefix_name":"b","recipe":"stanford",` +
    `"intensity":"standardized","loss_weights":"class","epochs":1,"lr":0.0001,` +
    `"lr_scheduler":"step","gamma":0.5,"patience":0,"plateau_patience":5,` +
    `"plateau_factor":0.3,"weight_decay":0.01,"augment":false,"rotation":25,"shift":"3px",` +
    `"flip":0.5,"shuffle":true,"seed":1,"tune":0.5,"tune_seed":2,"data":"HOME/data",` +
    `"models":"HOME/models","logs":"HOME/logs","weights":"none","save_model":true,` +
    `"skip_bad_exams":true,"any_range":true`,
  ],
];

/** The same as `config.json` has it, with what it says of the engine. */
function configText(settings: string, started: string): string {
  const all = JSON.parse(`{${settings}}`);
  return JSON.stringify({ ...all, engine: ENGINE, started }, null, 2) + "\n";
}

Deno.test("settings are kept in the same bytes as ever, and a run of an earlier version goes on", async () => {
  await using folder = await TemporaryFolder.make();
  const balanced = { abnormal: 0.5, acl: 0.5, meniscus: 0.5 };
  await writePhantomDataset({
    ...{ folder: folder.at("data"), train: 6, valid: 2, size: 64, slices: [1, 1], seed: 1 },
    prevalence: { train: balanced, valid: balanced },
  });
  const which = { task: "acl", plane: "coronal", models: folder.at("models") } as const;
  for (const [more, kept] of RUNS) {
    const { logFolder, checkpoint } = await trainRun({
      ...{ ...which, data: folder.at("data"), logs: folder.at("logs") },
      ...{ weights: "none", engine: "wasm", threads: 1, seed: 1, epochs: 1, learningRate: 1e-4 },
      ...more,
    });
    const settings = kept.replaceAll("HOME", folder.path);
    const [config, state] = [`${logFolder}/config.json`, `${logFolder}/state.safetensors`];
    const text = await Deno.readTextFile(config);
    assert.equal(text, configText(settings, JSON.parse(text).started));
    const { tensors, metadata } = decodeSafetensors(await Deno.readFile(state), state);
    assert.ok(metadata.state.includes(`"config":{${settings}},"labels":`), metadata.state);
    if (checkpoint !== undefined) {
      const model = decodeSafetensors(await Deno.readFile(checkpoint), checkpoint);
      assert.equal(model.metadata.config, `{${settings}}`);
    }
    // As the earlier version left it, whatever is written today.
    await Deno.writeTextFile(config, configText(settings, "2026-01-02T03:04:05.000Z"));
    metadata.state = metadata.state.replace(/"config":\{[^}]*\}/, `"config":{${settings}}`);
    const chunks = encodeSafetensors(tensors, metadata);
    await Deno.writeFile(state, await new Blob(chunks as BlobPart[]).bytes());
    const gone = await trainRun({ ...which, resume: logFolder, epochs: 2 });
    assert.deepEqual([gone.epochs.length, gone.seed], [2, 1]);
    await assert.rejects(
      trainRun({ ...which, resume: logFolder, flip: 0.25, weights: "imagenet" }),
      /: this is flip 0.25 instead of 0.5, weights imagenet instead of none: /,
    );
  }
});
