/** What a unit needs of the machine that does it: neither a network nor as many cores as another one has. */
import assert from "node:assert/strict";
import { sha256Of } from "../../lib/files.ts";
import { initialWeights } from "../../lib/model/initialise.ts";
import { encodeSafetensors } from "../../lib/model/weights/safetensors.ts";
import type { DoneModel } from "../../lib/plan/done_model.ts";
import { makePlan } from "../../lib/plan/make_plan.ts";
import type { TrainPlanOptions } from "../../lib/plan/options.ts";
import type { TrainPlan } from "../../lib/plan/plan.ts";
import { openPlan } from "../../lib/plan/plan_file.ts";
import { readUnit } from "../../lib/plan/unit_file.ts";
import { runCli } from "../support/cli.ts";
import { writePlanes } from "../support/combined.ts";
import { TemporaryFolder } from "../support/folders.ts";

Deno.test("starting weights are fetched once, by plan; a unit has the plan's threads and needs no network", async () => {
  await using folder = await TemporaryFolder.make();
  await writePlanes(folder, { train: 24, valid: 6 });
  // As torchvision's file: the features alone, under its names.
  const features = [...initialWeights(1)].filter(([name]) => name.includes(".features."))
    .map(([name, tensor]) => [name.replace("pretrained_model.", ""), tensor] as const);
  const encoded = encodeSafetensors(new Map(features));
  const weightsFile = await new Blob(encoded as BlobPart[]).bytes();
  const name = `alexnet-${(await sha256Of(weightsFile)).slice(0, 8)}.safetensors`;
  const asked: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, ({ url }) => {
    asked.push(url);
    return new Response(weightsFile);
  });
  await folder.write("sweep.json", '[{ "lr": 1e-4 }, { "lr": 5e-5 }]');
  const weights = `http://127.0.0.1:${server.addr.port}/${name}`;
  const options: TrainPlanOptions = {
    ...{ kind: "sweep", sweep: folder.at("sweep.json"), tasks: ["acl"], planes: ["axial"] },
    ...{ data: folder.at("data"), models: folder.at("models"), out: folder.at("plan"), weights },
    ...{ seeds: 2, seed: 1, threads: 2, engine: "wasm", epochs: 2 },
    tune: { fraction: 0.5, seed: 0 },
  };
  const { plan } = await makePlan(options) as { plan: TrainPlan };
  // The same plan again fetches nothing.
  assert.ok((await makePlan(options)).found);
  await server.shutdown();
  assert.deepEqual(asked, [weights]);
  assert.deepEqual(
    plan.settings.map(({ weights: { file } }) => file),
    [folder.at("models", name), folder.at("models", name)],
  );

  const permissions = ["--allow-read=data,models,plan", "--allow-write=plan"];
  const absolute = permissions.map((each) =>
    each.replace(/=.*/, (paths) => "=" + paths.slice(1).split(",").map((path) => folder.at(path)))
  );
  const unit = (...args: string[]) =>
    runCli(folder, ["unit", folder.at("plan"), ...args], { permissions: absolute });
  const { code, err } = await unit("--index", "0");
  assert.equal(code, 0, err);
  const opened = await openPlan(folder.at("plan"));
  const { computed } = await readUnit(folder.at("plan"), opened, plan.units[0]) as DoneModel;
  assert.deepEqual(computed, { engine: "wasm", threads: 2, precision: "float32" });
  const other = await unit("--index", "1", "--threads", "1");
  assert.equal(other.code, 2);
  assert.match(other.err, /unrecognized arguments: --threads/);
});
