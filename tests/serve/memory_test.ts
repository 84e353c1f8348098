import assert from "node:assert/strict";
import { concat } from "../../lib/bytes.ts";
import { encodeNpy, type NpyData } from "../../lib/data/npy.ts";
import { createHandler } from "../../lib/serve/handler.ts";
import { SERVE_LIMITS } from "../../lib/serve/options.ts";
import { PLANES } from "../../lib/terms.ts";
import { encodeZip } from "../../lib/zip.ts";
import { CLI } from "../support/cli.ts";
import { TemporaryFolder } from "../support/folders.ts";
import { HOSTILE_STUDIES, largestStudy } from "../support/hostile_studies.ts";
import { Process } from "../support/process.ts";
import { modelBytes, writeCombinedModels } from "../support/served_models.ts";
import { study } from "../support/study.ts";
import { assertWithin } from "../support/time.ts";

/** The engine outlives the tests on purpose. */
const OUTLIVING = { sanitizeOps: false, sanitizeResources: false };

/** How much larger the service may be after exams that took very much of it, in megabytes. */
const MORE = 64;

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

/** A service in a process of its own, and how large that is. */
interface Served {
  address: string;
  /** Resident size now, or at the most. */
  megabytes(name: "VmRSS" | "VmHWM"): number;
  /** Has a request answered with one of these statuses. */
  ask(request: Request, ...statuses: number[]): Promise<void>;
  /** Does something, and says how long `/healthz` waited at the most meanwhile, in milliseconds. */
  slowestHealth(work: () => Promise<void>): Promise<number>;
}

async function withService(body: (served: Served) => Promise<void>): Promise<void> {
  await using folder = await TemporaryFolder.make();
  await writeCombinedModels(folder);
  await using service = new Process(folder, [
    ...["run", "--quiet", "--no-prompt", "--allow-net", "--allow-read", CLI, "serve"],
    ...["--models", "combined.json", "--backend", "wasm", "--port", "0"],
  ]);
  const address = (await service.said(/http:\/\/\S+\//))[0];
  await body({
    address,
    megabytes(name) {
      const status = Deno.readTextFileSync(`/proc/${service.pid}/status`);
      return Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)![1]) / 1024;
    },
    async ask(request, ...statuses) {
      const response = await fetch(request);
      const text = await response.text();
      assert.ok(statuses.includes(response.status), text);
    },
    async slowestHealth(work) {
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
      await work().finally(() => done = true);
      await watched;
      return slowest;
    },
  });
}

/** Its size after usual requests, as many as it takes until what others left behind is collected: V8 says when. */
async function afterUsual(
  { megabytes }: Served,
  before: number,
  send: () => Promise<void>,
): Promise<number> {
  let after = Infinity;
  for (let time = 0; time < 20 && after > before + MORE; time++) {
    await send();
    await new Promise((resolve) => setTimeout(resolve, 400));
    after = megabytes("VmRSS");
  }
  return after;
}

Deno.test({
  name: "no request takes the service beyond 1 GiB, and what it takes is given back",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    withService(async (served) => {
      const { address, megabytes, ask, slowestHealth } = served;
      const send = (file: Blob, status: number) => ask(patient(address, file), status);
      const usual = exam([24, 256, 256]);
      for (let time = 0; time < 3; time++) await send(usual, 200);
      const before = megabytes("VmRSS");
      // 25 MB each that took 2.8 GB, and the most that is allowed, as wide and as long as may be.
      const wide = exam([1, 2896, 2896]);
      for (let time = 0; time < 3; time++) await send(wide, 422);
      const slowest = await slowestHealth(async () => {
        await send(exam([5, 1024, 1024], true), 200);
        await send(exam([8, 1024, 1024]), 200);
      });
      const peak = megabytes("VmHWM");
      const after = await afterUsual(served, before, () => send(usual, 200));
      assert.ok(peak < 1024, `${peak} MB at the most`);
      assert.ok(after <= before + MORE, `${after} MB after, ${before} MB before`);
      // A slice of 1024×1024 is computed in one go.
      assertWithin(slowest, 3000, "/healthz");
    }),
});

Deno.test({
  name: "no study takes the service beyond 1 GiB, and what it takes is given back",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    withService(async (served) => {
      const { address, megabytes, ask, slowestHealth } = served;
      const send = (body: BodyInit, ...statuses: number[]) =>
        ask(
          new Request(`${address}v1/predict`, {
            method: "POST",
            headers: { "content-type": "application/zip" },
            body,
          }),
          ...statuses,
        );
      const usual = concat(encodeZip(study(1)));
      for (let time = 0; time < 3; time++) await send(usual, 200);
      const before = megabytes("VmRSS");
      // Made before, for that takes this process long.
      const bodies = Object.entries(HOSTILE_STUDIES).map(([name, { status, body }]) =>
        [name, status, body()] as const
      );
      const largest = largestStudy();
      for (const [name, status, bytes] of bodies) {
        const slowest = await slowestHealth(() => send(bytes, status));
        assertWithin(slowest, 3000, `/healthz behind ${name}`);
      }
      // One plane is not enough for the model, which is found out once it is read; where other programs
      // use all processors, that takes longer than the deadline.
      const slowest = await slowestHealth(() => send(largest, 422, 503));
      const peak = megabytes("VmHWM");
      const after = await afterUsual(served, before, () => send(usual, 200));
      assert.ok(peak < 1024, `${peak} MB at the most`);
      assert.ok(after <= before + MORE, `${after} MB after, ${before} MB before`);
      assertWithin(slowest, 3000, "/healthz");
    }),
});
