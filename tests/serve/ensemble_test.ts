/** An ensemble behind the service and in the viewer. */
import assert from "node:assert/strict";
import { loadClassifier } from "../../lib/classifier/load.ts";
import { examFromNpy } from "../../lib/data/exam.ts";
import { decodeNpy } from "../../lib/data/npy.ts";
import { createHandler } from "../../lib/serve/handler.ts";
import { ModelsAnswer, PredictAnswer } from "../../lib/serve/schemas.ts";
import { writePlanes } from "../support/combined.ts";
import { writeEnsemble, writeOutOfFold, writeSeeds } from "../support/ensembles.ts";
import { TemporaryFolder } from "../support/folders.ts";

/** The engine outlives the tests on purpose. */
const OUTLIVING = { sanitizeOps: false, sanitizeResources: false };

Deno.test("an ensemble is served beside its members, explained and viewed", OUTLIVING, async () => {
  await using folder = await TemporaryFolder.make();
  await writePlanes(folder, { train: 2, valid: 2 });
  const members = await writeSeeds(folder, "axial", [11, 12]);
  const predictions = await writeOutOfFold(folder);
  const file = await writeEnsemble(folder, "axial", { models: members, predictions });
  const handler = createHandler({
    models: [file, members[0]],
    engine: "wasm",
    viewer: { data: folder.at("data") },
  });
  const get = (path: string) => handler(new Request(`http://localhost${path}`));
  const [served] = ModelsAnswer.parse(await (await get("/v1/models")).json()).models;
  assert.deepEqual(served, {
    ...{ model: "ensemble_axial", kind: "ensemble", task: "acl", planes: ["axial"] },
    sha256: served.sha256,
    operating_point: { threshold: 0.5, rule: "youden", exams: "out-of-fold" },
  });

  const path = folder.at("data/valid/axial/0003.npy");
  const bytes = await Deno.readFile(path);
  const response = await handler(
    new Request("http://localhost/v1/predict?contributions=1&overlays=1", {
      method: "POST",
      body: bytes,
      headers: { "content-type": "application/octet-stream" },
    }),
  );
  const [together, alone] = PredictAnswer.parse(await response.json()).predictions;
  using ensemble = await loadClassifier(file);
  const exam = examFromNpy(decodeNpy(bytes, path), "0003", path);
  const { logit, probability, planes } = await ensemble.explain({ axial: exam });
  assert.ok(together.kind === "ensemble" && alone.kind === "single");
  const { axial, ...others } = together.planes;
  assert.deepEqual([together.logit, together.probability], [logit, probability]);
  assert.deepEqual([together.plane, others], ["axial", {}]);
  assert.deepEqual(axial!.logits, planes.axial!.logits);
  const { bias, slices } = axial!.contributions!;
  assert.ok(Math.abs(slices.reduce((sum, share) => sum + share, bias) - logit) < 1e-5);
  assert.notDeepEqual(alone.contributions, axial!.contributions);
  assert.ok(axial!.overlays!.length > 0);
  assert.notDeepEqual(alone.overlays, axial!.overlays);

  const setup = await (await get("/viewer/setup")).json();
  const [model, other] = setup.models;
  assert.deepEqual([model.kind, model.chosen, model.threshold], ["ensemble", "out-of-fold", 0.5]);
  const reading = await (await get("/viewer/reading/valid/0003")).json();
  const [own, one] = [model, other].map(({ readings }) => reading.planes[readings.axial]);
  assert.equal(own.probability, probability);
  assert.deepEqual(own.shares, slices);
  assert.equal(one.probability, alone.probability);
  assert.deepEqual(reading.predictions.map(({ kind }: { kind: string }) => kind), [
    ...["ensemble", "single"],
  ]);
  const verdicts = await (await get("/viewer/verdicts?split=valid")).text();
  const line = verdicts.trim().split("\n").map((each) => JSON.parse(each))
    .find(({ id }) => id === "0003");
  assert.equal(line.verdicts[0].logit, logit);
});
