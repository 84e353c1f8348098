import assert from "node:assert/strict";
import { Validator } from "npm:@seriousme/openapi-schema-validator@2.11.0";
import { combinedProbability } from "../../lib/combine/combination.ts";
import { examFromNpy } from "../../lib/data/exam.ts";
import { decodeNpy, encodeNpy } from "../../lib/data/npy.ts";
import { OptionError, WeightsError } from "../../lib/errors.ts";
import { convertWeights } from "../../lib/model/convert.ts";
import { loadMRNet } from "../../lib/model/create.ts";
import { createHandler, type Handler } from "../../lib/serve/handler.ts";
import type { ServeOptions } from "../../lib/serve/options.ts";
import { PROBLEM_HEADERS, type ProblemStatus } from "../../lib/serve/problem.ts";
import { engineTurns } from "../../lib/serve/queue.ts";
import {
  HealthAnswer,
  ModelsAnswer,
  PredictAnswer,
  ProblemDetails,
} from "../../lib/serve/schemas.ts";
import { PLANES } from "../../lib/terms.ts";
import {
  examBytes,
  npyHead,
  TemporaryFolder,
  voxels,
  writeTinyDataset,
} from "../support/folders.ts";
import { modelBytes, writeCombinedModels, writeModel } from "../support/served_models.ts";

/** The engine outlives the tests on purpose. */
const OUTLIVING = { sanitizeOps: false, sanitizeResources: false };
const NPY = { "content-type": "application/octet-stream" };

function post(handler: Handler, body: BodyInit, query = "", init: RequestInit = {}) {
  const url = `http://localhost/v1/predict${query}`;
  return handler(new Request(url, { method: "POST", body, headers: NPY, ...init }));
}

async function problem(response: Response, status: number, detail: RegExp): Promise<Response> {
  const text = await response.text();
  assert.equal(response.status, status, text);
  assert.equal(response.headers.get("content-type"), "application/problem+json");
  const details = ProblemDetails.strict().parse(JSON.parse(text));
  assert.equal(details.status, status);
  assert.equal(details.type, "about:blank");
  assert.match(details.detail, detail);
  assert.ok(!details.detail.includes("\n"));
  for (
    const name of ["www-authenticate", "allow", "accept-post", "accept-encoding", "retry-after"]
  ) {
    const described = name in (PROBLEM_HEADERS[details.status as ProblemStatus] ?? {});
    assert.ok(described || !response.headers.has(name), `${status} brings ${name}`);
  }
  return response;
}

/** Has the queue expect short turns, however slow this machine is. */
async function knownAsFast(): Promise<void> {
  for (let turn = 0; turn < 40; turn++) await engineTurns.take(() => {}, { until: Infinity });
}

/** A handler of one small model; what goes wrong on its side fails the test. */
async function withHandler(
  options: ServeOptions,
  body: (handler: Handler) => Promise<void>,
): Promise<void> {
  const errors: unknown[] = [];
  const onError = (error: unknown) => errors.push(error);
  const models = [{ source: await modelBytes(), name: "acl" }];
  await body(createHandler({ models, engine: "wasm", onError, ...options }));
  assert.deepEqual(errors, []);
}

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

Deno.test(
  "models come from a path, a URL or bytes, with what their files do not say",
  OUTLIVING,
  async () => {
    await using folder = await TemporaryFolder.make();
    await writeModel(folder.at("told.safetensors"), 1);
    await writeModel(folder.at("untold.safetensors"), 2, {});
    const bytes = await Deno.readFile(folder.at("told.safetensors"));
    const server = Deno.serve(
      { port: 0, onListen() {} },
      (request) =>
        request.url.endsWith("/told.safetensors")
          ? new Response(bytes)
          : new Response(null, { status: 404 }),
    );
    const address = `http://127.0.0.1:${server.addr.port}`;
    const handler = createHandler({
      engine: "wasm",
      models: [
        folder.at("told.safetensors"),
        { source: new URL(`file://${folder.at("told.safetensors")}`), name: "file" },
        { source: `${address}/told.safetensors`, name: "web" },
        { source: bytes, name: "bytes" },
        { source: folder.at("untold.safetensors"), task: "meniscus", plane: "axial" },
      ],
    });
    await handler.ready();
    const { models } = await (await handler(new Request("http://localhost/v1/models"))).json();
    const names = models.map(({ model }: { model: string }) => model);
    assert.deepEqual(names, ["told", "file", "web", "bytes", "untold"]);
    assert.equal(
      new Set(models.slice(0, 4).map((each: { sha256: string }) => each.sha256)).size,
      1,
    );
    assert.deepEqual([models[4].task, models[4].planes], ["meniscus", ["axial"]]);
    const missing = createHandler({ engine: "wasm", models: [`${address}/none.safetensors`] });
    await assert.rejects(missing.ready(), (error) => {
      assert.ok(error instanceof WeightsError);
      return /^Cannot fetch the model 'http.*': the answer was 404: /.test(error.message);
    });
    await server.shutdown();
  },
);

Deno.test(
  "nothing is loaded before the first request, unless that is asked for",
  OUTLIVING,
  async () => {
    const health = async (handler: Handler) =>
      HealthAnswer.parse(await (await handler(new Request("http://localhost/healthz"))).json());
    await withHandler({}, async (handler) => {
      assert.deepEqual(await health(handler), { status: "ok", models: "not loaded", waiting: 0 });
      await handler(new Request("http://localhost/v1/models"));
      assert.equal((await health(handler)).models, "loaded");
    });
    await withHandler({ warm: true }, async (handler) => {
      await handler.ready();
      assert.equal((await health(handler)).models, "loaded");
    });
  },
);

Deno.test(
  "a model that cannot be loaded is 503 to the client and told to the service",
  OUTLIVING,
  async () => {
    await using folder = await TemporaryFolder.make();
    const path = folder.at("late.safetensors");
    const errors: unknown[] = [];
    const handler = createHandler({
      models: [path],
      engine: "wasm",
      onError: (error) => errors.push(error),
    });
    const response = await post(handler, examBytes() as BodyInit);
    await problem(response, 503, /^The models cannot be loaded: see the service's own messages$/);
    assert.match(
      `${errors[0]}`,
      /WeightsError: Cannot read the model '.*late\.safetensors': there is no/,
    );
    await writeModel(path, 1);
    assert.equal(
      (await post(handler, examBytes() as BodyInit)).status,
      200,
      "the next one tries again",
    );
    await problem(await post(createHandler(), examBytes() as BodyInit), 503, /has no model/);
  },
);

Deno.test("what cannot be read is refused with what to fix", OUTLIVING, async () => {
  const limits = { bodyBytes: 20_000, voxels: 10_000 };
  await withHandler({ limits }, async (handler) => {
    const exam = examBytes() as BodyInit;
    const form = (name: string, value: Blob | string, again = false) => {
      const form = new FormData();
      for (let time = 0; time < (again ? 2 : 1); time++) form.append(name, value as Blob);
      return form;
    };
    const blob = new Blob([examBytes() as BlobPart]);
    const plain = { headers: {} };
    const type = (type: string) => ({ headers: { "content-type": type } });
    const cases: [Promise<Response>, number, RegExp][] = [
      [post(handler, exam, "?planes=axial"), 400, /^The query cannot be used: .*planes/],
      [post(handler, exam, "?plane=knee"), 400, /^The query cannot be used: plane: /],
      [post(handler, exam, "?plane=axial&plane=axial"), 400, /'plane' twice/],
      [post(handler, exam, "?overlays=yes"), 400, /overlays/],
      [post(handler, exam, "?model=none"), 422, /^There is no model of that name: .*'acl'$/],
      [post(handler, exam, "", type("text/csv")), 415, /is 'text\/csv': send a \.npy file as/],
      [
        post(handler, exam, "", { headers: { ...NPY, "content-encoding": "gzip" } }),
        415,
        /compres/,
      ],
      [
        post(handler, "--", "", type("multipart/form-data; boundary=x")),
        400,
        /^The form cannot be/,
      ],
      [post(handler, "--", "", type("multipart/form-data")), 400, /^The form cannot be/],
      [post(handler, form("knee", blob), "", plain), 400, /part 'knee': name each after its plane/],
      [post(handler, form("axial", blob, true), "", plain), 400, /'axial' twice: send one exam/],
      [post(handler, form("axial", "text"), "", plain), 400, /part 'axial' is text/],
      [post(handler, form("sagittal", blob), "?plane=axial", plain), 400, /leave it out/],
      [post(handler, form("axial", blob), "", plain), 422, /^No model reads the axial plane alone/],
      [post(handler, new Uint8Array(20_001)), 413, /more than 20000 bytes: send the exam as uint8/],
      [post(handler, ""), 422, /^Cannot read 'body' as \.npy: the file is empty/],
      [post(handler, "not an exam"), 422, /it begins with the bytes/],
      [post(handler, (examBytes() as Uint8Array<ArrayBuffer>).slice(0, 5000)), 422, /truncated/],
      [post(handler, npyHead("'|u1'", "(9999999, 9999, 9999)") as BodyInit), 422, /claims/],
      [
        post(handler, examBytes(new Uint8Array(64 * 64), [64, 64]) as BodyInit),
        422,
        /2 dimensions/,
      ],
      [
        post(handler, examBytes(new Uint8Array(3 * 4096), [3, 64, 64]) as BodyInit),
        422,
        /12288 voxels/,
      ],
    ];
    for (const [response, status, detail] of cases) await problem(await response, status, detail);
  });
});

Deno.test(
  "paths and methods that are not there are refused, and HEAD answers as GET",
  OUTLIVING,
  async () => {
    await withHandler({}, async (handler) => {
      const ask = (path: string, method = "GET") =>
        handler(new Request(`http://localhost${path}`, { method }));
      await problem(await ask("/"), 404, /see \/openapi\.json/);
      await problem(await ask("/v1/predict/"), 404, /nothing at this path/);
      const get = await problem(await ask("/v1/predict"), 405, /^This path answers POST only$/);
      assert.equal(get.headers.get("allow"), "POST");
      const put = await problem(await ask("/v1/models", "PUT"), 405, /GET, HEAD/);
      assert.equal(put.headers.get("allow"), "GET, HEAD");
      const head = await ask("/healthz", "HEAD");
      assert.deepEqual([head.status, await head.text()], [200, ""]);
      assert.equal(head.headers.get("content-type"), "application/json");
      assert.equal(head.headers.get("x-content-type-options"), "nosniff");
    });
  },
);

Deno.test("with a token only those who send it are answered", OUTLIVING, async () => {
  await withHandler({ token: "s3cret" }, async (handler) => {
    const ask = (authorization?: string, path = "/v1/models") =>
      handler(
        new Request(`http://localhost${path}`, {
          headers: authorization === undefined ? {} : { authorization },
        }),
      );
    const none = await problem(await ask(), 401, /^There is no token: send the header/);
    assert.equal(none.headers.get("www-authenticate"), 'Bearer realm="MRNet"');
    for (const wrong of ["Bearer s3cre", "Bearer s3cret1", "Bearer S3CRET", "Basic s3cret"]) {
      await problem(await ask(wrong), 401, /token/i);
    }
    assert.equal((await ask("Bearer s3cret")).status, 200);
    assert.equal((await ask(undefined, "/healthz")).status, 200);
    const openapi = await (await ask(undefined, "/openapi.json")).json();
    const { security, responses } = openapi.paths["/v1/predict"].post;
    assert.deepEqual(security, [{ token: [] }]);
    assert.deepEqual(Object.keys(responses[401].headers), ["www-authenticate"]);
  });
  assert.throws(() => createHandler({ token: "two words" }), OptionError);
  assert.throws(() => createHandler({ token: "" }), OptionError);
});

Deno.test("a service of this machine answers to its own names only", OUTLIVING, async () => {
  await withHandler({ hosts: ["localhost", "[::1]"] }, async (handler) => {
    const ask = (host: string) =>
      handler(new Request("http://localhost/healthz", { headers: { host } }));
    assert.equal((await ask("localhost:8080")).status, 200);
    assert.equal((await ask("[::1]:8080")).status, 200);
    await problem(await ask("evil.example:8080"), 421, /does not go by that name/);
  });
});

Deno.test("a page of another site cannot post, unless it sends the token", OUTLIVING, async () => {
  const site = (site: string) => ({ headers: { ...NPY, "sec-fetch-site": site } });
  await withHandler({}, async (handler) => {
    const exam = examBytes() as BodyInit;
    await problem(await post(handler, exam, "", site("cross-site")), 403, /another site asks/);
    assert.equal((await post(handler, exam, "", site("same-origin"))).status, 200);
    const page = new Request("http://localhost/healthz", site("cross-site"));
    assert.equal((await handler(page)).status, 200, "links of others lead here");
  });
  await withHandler({ token: "s3cret" }, async (handler) => {
    const { headers } = site("cross-site");
    const init = { headers: { ...headers, authorization: "Bearer s3cret" } };
    assert.equal((await post(handler, examBytes() as BodyInit, "", init)).status, 200);
  });
});

Deno.test("a page of another site starts no engine and learns of no exam", OUTLIVING, async () => {
  await using folder = await TemporaryFolder.make();
  await writeTinyDataset(folder);
  await withHandler({ viewer: { data: folder.at("data") } }, async (handler) => {
    const ask = (path: string, headers: Record<string, string>) =>
      handler(new Request(`http://localhost:8080${path}`, { headers }));
    const foreign: Record<string, string>[] = [
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" },
      // Another port of this machine.
      { "sec-fetch-site": "same-site", origin: "http://localhost:3000" },
      { origin: "https://evil.example" },
      { origin: "http://localhost:3000" },
      { origin: "null" },
    ];
    const guarded = [
      "/v1/models",
      "/viewer/setup",
      "/viewer/verdicts?split=valid",
      "/viewer/reading/valid/0002",
      "/viewer/reading/valid/none",
      "/viewer/slices/valid/0002/coronal",
    ];
    for (const headers of foreign) {
      for (const path of guarded) {
        await problem(await ask(path, headers), 403, /another site asks/);
      }
      const posted = new Request("http://localhost:8080/v1/predict", {
        method: "POST",
        headers: { ...NPY, ...headers },
        body: examBytes() as BodyInit,
      });
      await problem(await handler(posted), 403, /another site asks/);
      for (const path of ["/", "/viewer/page.js", "/openapi.json"]) {
        const response = await ask(path, headers);
        assert.equal(response.status, 200, "links of others lead here");
        await response.body?.cancel();
      }
      const { models } = await (await ask("/healthz", headers)).json();
      assert.equal(models, "not loaded");
    }
    for (
      const headers of [{}, { "sec-fetch-site": "none" }, { origin: "http://localhost:8080" }, {
        "sec-fetch-site": "same-origin",
        origin: "https://behind.a.proxy.example",
      }] as Record<string, string>[]
    ) {
      const response = await ask("/v1/models", headers);
      assert.equal(response.status, 200);
      await response.body?.cancel();
    }
  });
});

Deno.test(
  "a service that stops answers what it has, and refuses what comes",
  OUTLIVING,
  async () => {
    await withHandler({}, async (handler) => {
      await handler.ready();
      await knownAsFast();
      const engine = Promise.withResolvers<void>();
      const busy = engineTurns.take(() => engine.promise);
      const early = post(handler, examBytes() as BodyInit);
      await new Promise((resolve) => setTimeout(resolve, 30));
      let stopped = false;
      const stopping = handler.stop().then(() => stopped = true);
      const late = await problem(await post(handler, examBytes() as BodyInit), 503, /is stopping$/);
      assert.equal(late.headers.get("connection"), "close");
      assert.equal(stopped, false);
      engine.resolve();
      await busy;
      assert.equal((await early).status, 200);
      await stopping;
    });
  },
);

Deno.test(
  "OpenAPI: the document is valid, and its schemas are those of the answers",
  OUTLIVING,
  async () => {
    await withHandler({}, async (handler) => {
      const document = await (await handler(new Request("http://localhost/openapi.json"))).json();
      const { valid, errors } = await new Validator().validate(structuredClone(document));
      assert.ok(valid, JSON.stringify(errors));
      assert.equal(document.openapi, "3.1.0");
      const { responses, requestBody } = document.paths["/v1/predict"].post;
      const refused = ["400", "403", "408", "413", "415", "421", "422", "429", "500", "502", "503"];
      assert.deepEqual(Object.keys(responses), ["200", ...refused]);
      assert.deepEqual(Object.keys(responses[429].headers), ["retry-after"]);
      assert.ok("403" in document.paths["/v1/models"].get.responses);
      assert.deepEqual(Object.keys(requestBody.content), [
        "application/octet-stream",
        "application/x-npy",
        "application/zip",
        "application/x-zip-compressed",
        "application/dicom",
        "multipart/form-data",
        "multipart/related",
      ]);
      const form = document.components.schemas.PredictForm;
      assert.deepEqual(Object.keys(form.properties), [...PLANES, "study", "series"]);
      assert.deepEqual([form.minProperties, form.additionalProperties], [1, false]);
      const references = JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g);
      for (const [, name] of references) assert.ok(name in document.components.schemas, name);
      const broken = { ...document, paths: { "/x": { get: { responses: 3 } } } };
      assert.equal((await new Validator().validate(broken)).valid, false, "the validator can fail");
    });
  },
);

Deno.test("limits that cannot be are refused in one line", () => {
  for (const limits of [{ bodyBytes: 0 }, { queue: -1 }, { deadline: 0.5 }, { voxels: NaN }]) {
    assert.throws(() => createHandler({ limits }), (error) => {
      assert.ok(error instanceof OptionError);
      return /^Cannot serve with the limit \w+ \S+: give a whole number of at least \d$/.test(
        error.message,
      );
    });
  }
});

Deno.test(
  "one exam is computed at a time; what the queue does not hold is 429",
  OUTLIVING,
  async () => {
    await withHandler({ limits: { queue: 1 } }, async (handler) => {
      await handler.ready();
      const engine = Promise.withResolvers<void>();
      const busy = engineTurns.take(() => engine.promise);
      const waiting = [
        post(handler, examBytes() as BodyInit),
        post(handler, examBytes() as BodyInit),
      ];
      await new Promise((resolve) => setTimeout(resolve, 50));
      const health = await (await handler(new Request("http://localhost/healthz"))).json();
      assert.equal(health.waiting, 2);
      const full = await post(handler, examBytes() as BodyInit);
      const refused = await problem(full, 429, /^2 exams are waiting already/);
      assert.match(refused.headers.get("retry-after")!, /^[1-9]\d*$/);
      engine.resolve();
      await busy;
      for (const response of await Promise.all(waiting)) assert.equal(response.status, 200);
    });
  },
);

Deno.test(
  "a request counts once its exam is here, and is let go with its client",
  OUTLIVING,
  async () => {
    await withHandler({ limits: { queue: 0 } }, async (handler) => {
      const client = new AbortController();
      const slow = new ReadableStream({ start: (body) => body.enqueue(new Uint8Array(1)) });
      const coming = post(handler, slow, "", { signal: client.signal });
      await new Promise((resolve) => setTimeout(resolve, 30));
      // What comes slowly is in nobody's way.
      assert.equal((await post(handler, examBytes() as BodyInit)).status, 200);
      const whole = [1, 2, 3].map(() => post(handler, examBytes() as BodyInit));
      const statuses = (await Promise.all(whole)).map(({ status }) => status);
      assert.deepEqual(statuses.toSorted(), [200, 429, 429]);
      client.abort();
      await coming;
      assert.equal((await post(handler, examBytes() as BodyInit)).status, 200);
    });
  },
);

Deno.test(
  "between two parts of an exam others are answered, and its client may go",
  OUTLIVING,
  async () => {
    await withHandler({}, async (handler) => {
      await handler.ready();
      const exam = examBytes(voxels(1, 30 * 65536), [30, 256, 256]) as BodyInit;
      const client = new AbortController();
      let done = false;
      const gone = post(handler, exam, "", { signal: client.signal }).then(() => done = true);
      let healthy = 0;
      while (engineTurns.length === 0) await new Promise((resolve) => setTimeout(resolve));
      for (; healthy < 3; healthy++) {
        const health = await handler(new Request("http://localhost/healthz"));
        assert.equal(HealthAnswer.parse(await health.json()).waiting, 1);
        await new Promise((resolve) => setTimeout(resolve));
      }
      assert.equal(done, false);
      client.abort();
      await gone;
      // A part may be under way still; all ten of them are not waited for.
      const start = performance.now();
      await engineTurns.take(() => {});
      const rest = performance.now() - start;
      const whole = performance.now();
      await post(handler, exam);
      assert.ok(rest < (performance.now() - whole) / 2, `${rest} ms`);
    });
  },
);

Deno.test(
  "a deadline ends what waits for the engine, and what is too slow in coming",
  OUTLIVING,
  async () => {
    await withHandler({ limits: { deadline: 80 } }, async (handler) => {
      await handler.ready();
      await knownAsFast();
      const engine = Promise.withResolvers<void>();
      const busy = engineTurns.take(() => engine.promise);
      const late = await post(handler, examBytes() as BodyInit);
      await problem(late, 503, /^There was no answer after 0\.08 s: try again later$/);
      assert.equal(engineTurns.length, 1, "what nobody waits for has left the queue");
      engine.resolve();
      await busy;
      let cancelled = false;
      const part = Promise.withResolvers<void>();
      const slow = new ReadableStream({
        async pull(controller) {
          await part.promise;
          controller.enqueue(new Uint8Array(1));
        },
        cancel: () => void (cancelled = true),
      });
      await problem(await post(handler, slow), 408, /^The body was not complete after 0\.08 s/);
      // Deno keeps the buffer of a read that is cut off, so what comes late is waited for.
      assert.equal(cancelled, false);
      part.resolve();
      await new Promise((resolve) => setTimeout(resolve, 20));
      assert.ok(cancelled);
    });
  },
);

Deno.test("a client that goes takes its exam out of the queue", OUTLIVING, async () => {
  await withHandler({}, async (handler) => {
    await handler.ready();
    const engine = Promise.withResolvers<void>();
    const busy = engineTurns.take(() => engine.promise);
    const client = new AbortController();
    const gone = post(handler, examBytes() as BodyInit, "", { signal: client.signal });
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.equal(engineTurns.length, 2);
    client.abort();
    await gone;
    assert.equal(engineTurns.length, 1);
    engine.resolve();
    await busy;
  });
});

Deno.test("bodies under way share one budget", OUTLIVING, async () => {
  await withHandler({ limits: { uploadBytes: 12_000 } }, async (handler) => {
    const whole = examBytes();
    const open = Promise.withResolvers<void>();
    const halfway = new ReadableStream({
      async start(controller) {
        controller.enqueue(whole.subarray(0, 6000));
        await open.promise;
        controller.enqueue(whole.subarray(6000));
        controller.close();
      },
    });
    const first = post(handler, halfway);
    await new Promise((resolve) => setTimeout(resolve, 30));
    await problem(
      await post(handler, whole as BodyInit),
      503,
      /^Too many exams are on their way in/,
    );
    open.resolve();
    assert.equal((await first).status, 200);
    assert.equal(
      (await post(handler, whole as BodyInit)).status,
      200,
      "what was taken is given back",
    );
  });
});

Deno.test("exams are decoded one at a time, when their turn comes", OUTLIVING, async () => {
  await withHandler({}, async (handler) => {
    await handler.ready();
    await knownAsFast();
    const engine = Promise.withResolvers<void>();
    const busy = engineTurns.take(() => engine.promise);
    let answered = false;
    const refused = post(handler, "not an exam").finally(() => answered = true);
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(answered, false);
    engine.resolve();
    await busy;
    await problem(await refused, 422, /it begins with the bytes/);
  });
});

Deno.test("a body that breaks off is refused", OUTLIVING, async () => {
  await withHandler({}, async (handler) => {
    const broken = new ReadableStream({
      start(controller) {
        controller.enqueue(examBytes().subarray(0, 100));
        controller.error(new Error("connection reset"));
      },
    });
    await problem(await post(handler, broken), 400, /^The body broke off before its end/);
  });
});

Deno.test(
  "a file of PyTorch is served with the intensity that it is told, and one alone",
  OUTLIVING,
  async () => {
    await using folder = await TemporaryFolder.make();
    const [own, torch] = [folder.at("own.safetensors"), folder.at("torch.pth")];
    await writeModel(own, 1);
    await convertWeights(own, torch);
    const told = { source: torch, task: "acl", plane: "sagittal" } as const;
    const ask = async (...models: NonNullable<ServeOptions["models"]>) => {
      const response = await post(
        createHandler({ models, engine: "wasm" }),
        examBytes() as BodyInit,
      );
      return PredictAnswer.parse(await response.json()).predictions[0].probability;
    };
    const raw = await ask(own);
    assert.equal(await ask(told), raw);
    assert.notEqual(await ask({ ...told, intensity: "standardized" }), raw);
    const refuses = (models: ServeOptions["models"], message: string) =>
      assert.rejects(createHandler({ models, engine: "wasm" }).ready(), {
        name: "OptionError",
        message,
      });
    await refuses(
      [{ source: own, intensity: "standardized" }],
      `Cannot use the model '${own}' with intensity standardized: by its file it is raw: leave the ` +
        "intensity out",
    );
    await refuses(
      [told, { ...told, name: "other", intensity: "standardized" }],
      `Cannot serve the model '${torch}' with intensity standardized: it is served with raw too: ` +
        "give it one intensity",
    );
  },
);
