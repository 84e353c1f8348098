/**
 * Forms are taken apart while they come in, and end with the first part that is too many.
 */
import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { boundaryOf } from "../../lib/multipart.ts";
import { formReaderFor } from "../../lib/serve/content.ts";
import { createHandler } from "../../lib/serve/handler.ts";
import { examBytes } from "../support/folders.ts";
import { assertWithin } from "../support/time.ts";

const text = (value: string) => new TextEncoder().encode(value) as Uint8Array<ArrayBuffer>;

/** A form's body and boundary as the runtime writes them. */
async function written(parts: [name: string, content: Uint8Array<ArrayBuffer>][]) {
  const form = new FormData();
  for (const [name, content] of parts) form.append(name, new Blob([content]), `${name}.npy`);
  const response = new Response(form);
  const boundary = boundaryOf(response.headers.get("content-type")!)!;
  return { body: new Uint8Array(await response.arrayBuffer()), boundary };
}

/** Reads a body that comes in pieces of some sizes. */
function read(body: Uint8Array<ArrayBuffer>, boundary: string, sizes: readonly number[] = [1e9]) {
  const headers = { "content-type": `multipart/form-data; boundary="${boundary}"` };
  const request = new Request("http://localhost", { method: "POST", headers });
  // As many parts as the planes.
  const reader = formReaderFor(request, { images: 0 })!;
  for (let at = 0, i = 0; at < body.length; i++) {
    at = Math.min(body.length, at + Math.max(1, sizes[i % sizes.length]));
    reader.scan(body.subarray(0, at));
  }
  return reader.parts(body);
}

Deno.test("whatever a form holds and however it comes, its parts are those of the runtime", async () => {
  const content = fc.uint8Array({ maxLength: 300 }).map((bytes) => {
    // Line ends and dashes are what a boundary is made of.
    return new Uint8Array(
      bytes.map((byte) => byte % 5 === 0 ? 13 : byte % 5 === 1 ? 10 : byte % 5 === 2 ? 45 : byte),
    );
  });
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.constantFrom("axial", "coronal", "sagittal"), {
        minLength: 1,
        maxLength: 3,
      }),
      fc.array(content, { minLength: 3, maxLength: 3 }),
      fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 5 }),
      async (names, contents, sizes) => {
        const parts = names.map((name, i) =>
          [name, contents[i]] as [string, Uint8Array<ArrayBuffer>]
        );
        const { body, boundary } = await written(parts);
        const found = read(body, boundary, sizes);
        assert.deepEqual(
          found.map(({ name, filename }) => [name, filename]),
          names.map((name) => [name, `${name}.npy`]),
        );
        found.forEach(({ bytes }, i) => assert.deepEqual([...bytes], [...contents[i]]));
      },
    ),
    { numRuns: 200 },
  );
});

Deno.test("forms of other programs are read: a preamble, blanks, plain names, an epilogue", () => {
  const body = text(
    "before\r\n--b \t\r\ncontent-disposition: form-data; name=axial; filename=a.npy\r\n\r\nxyz" +
      '\r\n--b\r\nContent-Disposition: form-data; filename="a \\"b\\".npy"; name="coronal"\r\nX: y\r\n\r\n' +
      "\r\n--bc no delimiter\r\n--b--\r\nafter\r\n--b\r\n",
  );
  const parts = read(body, "b", [7]);
  assert.deepEqual(
    parts.map(({ name, filename, bytes }) => [name, filename, new TextDecoder().decode(bytes)]),
    [
      ["axial", "a.npy", "xyz"],
      ["coronal", 'a "b".npy', "\r\n--bc no delimiter"],
    ],
  );
});

Deno.test("a form that is broken is refused in a line", () => {
  const begin = "--b\r\nContent-Disposition: form-data; name=axial; filename=a\r\n\r\nx";
  const cases: [body: string, message: RegExp][] = [
    ["", /check its boundary and its end/],
    [begin, /check its boundary and its end/],
    [`${begin}\r\n--b\r\n`, /check its boundary and its end/],
    ["--b\r\n\r\nx\r\n--b--", /a part without a name/],
    ["--b\r\n--b--", /a part without a name/],
    [
      `--b\r\nContent-Disposition: form-data; name=axial\r\n${"x".repeat(9000)}\r\n\r\n\r\n--b--`,
      /without a name/,
    ],
    [
      `${begin.replace("\r\n\r\n", "\r\nContent-Transfer-Encoding: base64\r\n\r\n")}\r\n--b--`,
      /is encoded/,
    ],
  ];
  for (const [body, message] of cases) {
    assert.throws(() => read(text(body), "b"), { name: "Problem", message }, body.slice(0, 80));
  }
});

Deno.test("types name their boundaries in either way", () => {
  assert.equal(boundaryOf("multipart/form-data; boundary=----abc"), "----abc");
  assert.equal(boundaryOf('multipart/form-data; Boundary="a b;c"; charset=x'), "a b;c");
  assert.equal(boundaryOf("multipart/form-data"), undefined);
  assert.equal(boundaryOf(`multipart/form-data; boundary=${"x".repeat(71)}`), undefined);
});

Deno.test("a form of a million empty parts ends with one too many, before the rest is sent", async () => {
  const part = text("--b\r\n\r\n\r\n");
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      // A thousand parts at once, 10 MB in all.
      const chunk = new Uint8Array(1000 * part.length);
      for (let at = 0; at < chunk.length; at += part.length) chunk.set(part, at);
      controller.enqueue(chunk);
      sent += chunk.length;
      if (sent > 1e7) controller.close();
    },
  });
  // A model that is never loaded: the form is refused before.
  const handler = createHandler({ models: ["models/none.safetensors"] });
  const begin = performance.now();
  const response = await handler(
    new Request("http://localhost/v1/predict", {
      method: "POST",
      headers: { "content-type": "multipart/form-data; boundary=b" },
      body,
    }),
  );
  assert.equal(response.status, 400);
  assert.match((await response.json()).detail, /more than 4099 parts/);
  assert.ok(sent < 1e6, `${sent} bytes were taken`);
  assertWithin(performance.now() - begin, 2000);
});

Deno.test("clients that send a byte now and then keep nobody else out, and are given up", async () => {
  const handler = createHandler({ models: ["models/none.safetensors"], limits: { queue: 1 } });
  const ends = new AbortController();
  const slow = Array.from({ length: 12 }, () =>
    handler(
      new Request("http://localhost/v1/predict", {
        method: "POST",
        headers: { "content-type": "application/octet-stream", "content-length": "100000" },
        body: new ReadableStream<Uint8Array>({
          async pull(controller) {
            await new Promise((resolve) => setTimeout(resolve, 300));
            if (ends.signal.aborted) controller.close();
            else controller.enqueue(new Uint8Array(1));
          },
        }),
      }),
    ));
  await new Promise((resolve) => setTimeout(resolve, 500));
  // Not 429: its exam comes to the model, which is not there.
  const honest = await handler(
    new Request("http://localhost/v1/predict", {
      method: "POST",
      headers: { "content-type": "application/octet-stream" },
      body: new Uint8Array(examBytes()),
    }),
  );
  assert.equal(honest.status, 503);
  const begin = performance.now();
  const answers = await Promise.all(slow);
  ends.abort();
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([408]));
  assertWithin(performance.now() - begin, 15_000);
  assert.match((await answers[0].json()).detail, /comes too slowly: at least 16384 bytes in 5 s/);
});
