import assert from "node:assert/strict";
import { encodeNpy, type NpyData } from "../../lib/data/npy.ts";
import { createHandler } from "../../lib/serve/handler.ts";
import { SERVE_LIMITS } from "../../lib/serve/options.ts";
import { PLANES } from "../../lib/terms.ts";
import { CLI } from "../support/cli.ts";
import { TemporaryFolder } from "../support/folders.ts";
import { Process } from "../support/process.ts";
import { modelBytes, writeCombinedModels } from "../support/served_models.ts";

/** The engine outlives the tests on purpose. */
const OUTLIVING = { sanitizeOps: false, sanitizeResources: false };

/** An exam as its file. */
function exam(shape: readonly number[], float = false): Blob {
  const count = shape.reduce((product, length) => product * length);
  const voxels: NpyData = new (float ? Float32Array : Uint8Array)(count);
  for (let at = 0; at < count; at++) voxels[at] = at * 37 % 251;
  return new Blob([encodeNpy(voxels, shape)]);
}

/** The same exam in three planes, to be predicted by all models. */
function patient(address: string, file: Blob): Request {
  const body = new FormData();
  for (const plane of PLANES) body.append(plane, file, "exam.npy");
  return new Request(`${address}v1/predict`, { method: "POST", body });
}

Deno.test(
  "a slice of more pixels than allowed is refused before it is decoded",
  OUTLIVING,
  async () => {
    await using folder = await TemporaryFolder.make();
    const wide = exam([1, 100, 300]);
    await folder.write("data/valid/sagittal/0001.npy", await wide.bytes());
    const handler = createHandler({
      models: [{ source: await modelBytes(), name: "acl" }],
      engine: "wasm",
      viewer: { data: folder.at("data") },
      limits: { slicePixels: 20_000 },
    });
    const found = "it has 1 slice of 100x300 pixels, 30000 pixels a slice: at most 20000 are taken";
    const predict = { method: "POST", headers: { "content-type": "application/octet-stream" } };
    for (
      const request of [
        new Request("http://localhost/v1/predict", { ...predict, body: await wide.bytes() }),
        new Request("http://localhost/viewer/reading/valid/0001"),
        new Request("http://localhost/viewer/slices/valid/0001/sagittal"),
      ]
    ) {
      const response = await handler(request);
      const { detail } = await response.json();
      assert.equal(response.status, 422, request.url);
      assert.match(detail, /^Cannot use '.*' as an exam: /);
      assert.ok(detail.endsWith(found), detail);
    }
    const square = new Request("http://localhost/v1/predict", {
      ...predict,
      body: await exam([1, 100, 200]).bytes(),
    });
    assert.equal((await handler(square)).status, 200);
    assert.equal(SERVE_LIMITS.slicePixels, 1024 * 1024);
  },
);

Deno.test({
  name: "no request takes the service beyond 1 GiB, and what it takes is given back",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using folder = await TemporaryFolder.make();
    await writeCombinedModels(folder);
    await using service = new Process(folder, [
      ...["run", "--quiet", "--no-prompt", "--allow-net", "--allow-read", CLI, "serve"],
      ...["--models", "combined.json", "--backend", "wasm", "--port", "0"],
    ]);
    const address = (await service.said(/http:\/\/\S+\//))[0];
    const megabytes = (name: "VmRSS" | "VmHWM") => {
      const status = Deno.readTextFileSync(`/proc/${service.pid}/status`);
      return Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)![1]) / 1024;
    };
    const ask = async (file: Blob, status: number) => {
      const response = await fetch(patient(address, file));
      const text = await response.text();
      assert.equal(response.status, status, text);
    };
    const usual = exam([24, 256, 256]);
    for (let time = 0; time < 3; time++) await ask(usual, 200);
    const before = megabytes("VmRSS");
    // 25 MB each that took 2.8 GB, and the most that is allowed, as wide and as long as may be.
    const wide = exam([1, 2896, 2896]);
    for (let time = 0; time < 3; time++) await ask(wide, 422);
    let slowest = 0;
    let done = false;
    const watched = (async () => {
      while (!done) {
        const start = performance.now();
        await (await fetch(`${address}healthz`)).body?.cancel();
        slowest = Math.max(slowest, performance.now() - start);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    try {
      await ask(exam([5, 1024, 1024], true), 200);
      await ask(exam([8, 1024, 1024]), 200);
    } finally {
      done = true;
      await watched;
    }
    const peak = megabytes("VmHWM");
    // What one answer leaves behind is collected after another.
    for (let time = 0; time < 2; time++) await ask(usual, 200);
    const after = megabytes("VmRSS");
    assert.ok(peak < 1024, `${peak} MB at the most`);
    assert.ok(after <= before + 64, `${after} MB after, ${before} MB before`);
    // A slice of 1024×1024 is computed in one go.
    assert.ok(slowest < 3000, `/healthz waited ${slowest} ms`);
  },
});
