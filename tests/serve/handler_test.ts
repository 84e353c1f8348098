/** What a service refuses, and what its OpenAPI document says of it. */
import assert from "node:assert/strict";
import { Validator } from "npm:@seriousme/openapi-schema-validator@2.11.0";
import { OptionError } from "../../lib/errors.ts";
import { createHandler } from "../../lib/serve/handler.ts";
import { PLANES } from "../../lib/terms.ts";
import { examBytes, npyHead } from "../support/folders.ts";
import { NPY, OUTLIVING, post, problem, withHandler } from "../support/served.ts";

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
