/** What a request for an answer is answered with. */
import assert from "node:assert/strict";
import { combinedProbability } from "../../lib/combine/combination.ts";
import { examFromNpy } from "../../lib/data/exam.ts";
import { decodeNpy, encodeNpy } from "../../lib/data/npy.ts";
import { loadMRNet } from "../../lib/model/create.ts";
import { createHandler } from "../../lib/serve/handler.ts";
import { ModelsAnswer, PredictAnswer } from "../../lib/serve/schemas.ts";
import { PLANES } from "../../lib/terms.ts";
import { examBytes, TemporaryFolder, voxels } from "../support/folders.ts";
import { modelBytes, writeCombinedModels } from "../support/served_models.ts";
import { OUTLIVING, post, problem, withHandler } from "../support/served.ts";

Deno.test("an answer says what is odd about its exam", OUTLIVING, async () => {
  await withHandler({}, async (handler) => {
    const values = Int16Array.from({ length: 2 * 64 * 64 }, (_, i) => i % 4000);
    const response = await post(handler, encodeNpy(values, [2, 64, 64]) as BodyInit);
    const { exams } = PredictAnswer.parse(await response.json());
    assert.match(exams.sagittal!.odd!, /^its values go from 0 to 3999, as in exams of 12 bits/);
    const sound = PredictAnswer.parse(await (await post(handler, examBytes() as BodyInit)).json());
    assert.equal(sound.exams.sagittal!.odd, undefined);
    const described = await (await handler(new Request("http://localhost/openapi.json"))).json();
    assert.equal(described.components.schemas.SentExam.properties.odd.type, "string");
  });
});

Deno.test("an exam is answered with what the model itself says of it", OUTLIVING, async () => {
  await withHandler({}, async (handler) => {
    const bytes = examBytes();
    const response = await post(handler, bytes as BodyInit);
    assert.equal(response.status, 200);
    const answer = PredictAnswer.parse(await response.json());
    const { model } = await loadMRNet(await modelBytes());
    const { logits, probability } = await model.predict(
      examFromNpy(decodeNpy(bytes, "a"), "a", "a"),
    );
    const file = await modelBytes();
    const sha256 = new Uint8Array(await crypto.subtle.digest("SHA-256", file)).toHex();
    assert.deepEqual(answer.exams, { sagittal: { slices: 2, height: 64, width: 64 } });
    assert.deepEqual(answer.predictions, [{
      kind: "single",
      model: "acl",
      task: "acl",
      plane: "sagittal",
      sha256,
      probability,
      logits,
      decision: probability >= 0.5,
      threshold: 0.5,
    }]);
    assert.match(answer.remark, /not for diagnosis/);
  });
});

Deno.test(
  "on request an answer says what each slice adds, and shows where",
  OUTLIVING,
  async () => {
    await withHandler({}, async (handler) => {
      const response = await post(
        handler,
        examBytes() as BodyInit,
        "?contributions=true&overlays=1&model=acl&plane=sagittal",
      );
      const [prediction] = PredictAnswer.parse(await response.json()).predictions;
      assert.ok(prediction.kind === "single");
      const { contributions, overlays, logits } = prediction;
      const sum = contributions!.slices.reduce((sum, share) => sum + share, contributions!.bias);
      assert.equal(contributions!.slices.length, 2);
      assert.ok(Math.abs(sum - logits[1]) < 1e-4, `${sum} is not ${logits[1]}`);
      assert.ok(overlays!.length > 0);
      for (const { slice, png } of overlays!) {
        assert.ok(slice === 0 || slice === 1);
        assert.equal(Uint8Array.fromBase64(png).subarray(1, 4).toHex(), "504e47");
      }
    });
  },
);

Deno.test(
  "three planes are read each by its model and by their combination",
  OUTLIVING,
  async () => {
    await using folder = await TemporaryFolder.make();
    await writeCombinedModels(folder);
    const names = [...PLANES.map((plane) => `${plane}.safetensors`), "combined.json"];
    const handler = createHandler({ models: names.map((name) => folder.at(name)), engine: "wasm" });
    const form = new FormData();
    PLANES.forEach((plane, index) => {
      const data = voxels(1, 2 * 64 * 64).map((value) => value - 40 * index);
      form.append(plane, new Blob([examBytes(data) as BlobPart]), "exam.npy");
    });
    const response = await post(handler, form, "?contributions=1", { headers: {} });
    const { exams, predictions } = PredictAnswer.parse(await response.json());
    assert.deepEqual(Object.keys(exams).sort(), [...PLANES]);
    assert.deepEqual(predictions.map(({ model }) => model), [...PLANES, "combined"]);
    const combined = predictions[3];
    assert.ok(combined.kind === "combined");
    for (const [index, plane] of PLANES.entries()) {
      const single = predictions[index];
      assert.ok(single.kind === "single");
      const { probability, sha256, contributions } = single;
      assert.equal(combined.planes[plane].probability, probability);
      assert.equal(combined.planes[plane].sha256, sha256);
      assert.deepEqual(combined.planes[plane].contributions, contributions);
    }
    const weights = { coefficients: { axial: 1, coronal: 2, sagittal: 3 }, intercept: -3 };
    const [axial, coronal, sagittal] = predictions.map(({ probability }) => probability);
    assert.equal(combined.probability, combinedProbability(weights, { axial, coronal, sagittal }));
    assert.equal(combined.threshold, 0.4);
    assert.equal(combined.decision, combined.probability >= 0.4);

    const one = new FormData();
    one.append("coronal", new Blob([examBytes() as BlobPart]), "exam.npy");
    const alone = await post(handler, one, "", { headers: {} });
    const said = PredictAnswer.parse(await alone.json()).predictions;
    assert.deepEqual(said.map(({ model }) => model), ["coronal"]);
    const lacking = await post(handler, one, "?model=combined", { headers: {} });
    await problem(
      lacking,
      422,
      /^No model reads the coronal plane alone: 'combined' reads axial, /,
    );
    await problem(
      await post(handler, examBytes() as BodyInit),
      422,
      /add \?plane= with one of axial/,
    );
    const models = await handler(new Request("http://localhost/v1/models"));
    const listed = ModelsAnswer.parse(await models.json()).models;
    assert.deepEqual(listed[3].planes, [...PLANES]);
    assert.equal(listed[3].operating_point?.threshold, 0.4);
  },
);
