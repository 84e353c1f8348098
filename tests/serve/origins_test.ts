import assert from "node:assert/strict";
import { OptionError } from "../../lib/errors.ts";
import { createHandler } from "../../lib/serve/handler.ts";
import { normalizeOrigins } from "../../lib/serve/origins.ts";
import { inChromium } from "../support/chromium.ts";
import { examBytes } from "../support/folders.ts";
import { modelBytes } from "../support/served_models.ts";

/** The engine outlives the tests on purpose. */
const OUTLIVING = { sanitizeOps: false, sanitizeResources: false };

const PAGE_ORIGIN = "https://viewer.example.org";

/** What a browser sends before a request with a token. */
function preflight(path: string, method: string, origin = PAGE_ORIGIN): Request {
  return new Request(`http://localhost${path}`, {
    method: "OPTIONS",
    headers: {
      origin,
      "access-control-request-method": method,
      "access-control-request-headers": "authorization,content-type",
      "sec-fetch-site": "cross-site",
    },
  });
}

const leave = ({ headers }: Response) => headers.get("access-control-allow-origin");

Deno.test("a listed origin's preflight is answered without a token, any other is not", async () => {
  const handler = createHandler({
    token: "s3cret",
    origins: [PAGE_ORIGIN, "http://localhost:5173/"],
  });
  const good = await handler(preflight("/v1/predict", "POST"));
  assert.deepEqual([good.status, await good.text(), leave(good)], [204, "", PAGE_ORIGIN]);
  assert.equal(good.headers.get("access-control-allow-methods"), "POST");
  assert.equal(good.headers.get("access-control-allow-headers"), "authorization, content-type");
  assert.equal(good.headers.get("access-control-max-age"), "600");
  assert.equal(good.headers.get("vary"), "origin");
  assert.equal(good.headers.get("access-control-allow-credentials"), null, "no cookies");
  const models = await handler(preflight("/v1/models", "GET", "http://localhost:5173"));
  assert.equal(models.headers.get("access-control-allow-methods"), "GET, HEAD");
  for (
    const [path, origin] of [
      ["/v1/predict", "https://evil.example"],
      ["/v1/predict", "null"],
      ["/v1/predict", `${PAGE_ORIGIN}:8443`],
      ["/v1/predict", PAGE_ORIGIN.toUpperCase()],
      ["/viewer/setup", PAGE_ORIGIN],
      ["/viewer/exams", PAGE_ORIGIN],
    ]
  ) {
    const viewer = createHandler({ token: "s3cret", origins: [PAGE_ORIGIN], viewer: true });
    const response = await viewer(preflight(path, "GET", origin));
    assert.equal(response.status, 403, `${path} from ${origin}`);
    assert.equal(leave(response), null, `${path} from ${origin}`);
    await response.body?.cancel();
  }
});

Deno.test("answers and refusals are given to a listed origin's page, and the token is asked for", async () => {
  const handler = createHandler({ token: "s3cret", origins: [PAGE_ORIGIN] });
  const ask = async (headers: HeadersInit, path = "/v1/models") => {
    const response = await handler(new Request(`http://localhost${path}`, { headers }));
    await response.body?.cancel();
    return [response.status, leave(response), response.headers.get("vary")];
  };
  const authorization = "Bearer s3cret";
  assert.deepEqual(await ask({ origin: PAGE_ORIGIN, authorization }), [200, PAGE_ORIGIN, "origin"]);
  assert.deepEqual(await ask({ origin: PAGE_ORIGIN }), [401, PAGE_ORIGIN, "origin"]);
  assert.deepEqual(await ask({ origin: PAGE_ORIGIN }, "/v1/nothing"), [404, PAGE_ORIGIN, "origin"]);
  assert.deepEqual(await ask({ authorization }), [200, null, "origin"], "no page at all");
  const other = { origin: "https://evil.example", authorization };
  assert.deepEqual(await ask(other), [200, null, "origin"], "the browser keeps it from the page");
});

Deno.test("unless origins are given nothing is said of them", async () => {
  const handler = createHandler({ token: "s3cret" });
  const asked = await handler(preflight("/v1/models", "GET"));
  assert.equal(asked.status, 401);
  for (const name of ["vary", "access-control-allow-origin", "access-control-allow-methods"]) {
    assert.equal(asked.headers.get(name), null, name);
  }
  await asked.body?.cancel();
});

Deno.test(
  "without a token a listed origin's page may post, another's may not",
  OUTLIVING,
  async () => {
    const models = [{ source: await modelBytes(), name: "acl" }];
    const handler = createHandler({ models, engine: "wasm", origins: [PAGE_ORIGIN] });
    const post = async (origin: string) => {
      const response = await handler(
        new Request("http://localhost/v1/predict", {
          method: "POST",
          body: examBytes() as BodyInit,
          headers: {
            "content-type": "application/octet-stream",
            "sec-fetch-site": "cross-site",
            origin,
          },
        }),
      );
      return [response.status, (await response.json()).detail ?? "answered"];
    };
    assert.deepEqual(await post(PAGE_ORIGIN), [200, "answered"]);
    const [status, detail] = await post("https://evil.example");
    assert.equal(status, 403);
    assert.match(detail, /^A page of another site asks: .*--allow_origin/);
  },
);

Deno.test("an origin is scheme, host and port of a page, and nothing else", () => {
  assert.deepEqual(
    normalizeOrigins(["https://A.example.org/", "http://[::1]:3000", "https://b.example:443"]),
    ["https://a.example.org", "http://[::1]:3000", "https://b.example"],
  );
  for (
    const wrong of [
      ...["*", "null", "", "example.org", "https://", "ftp://example.org", "https://*.example.org"],
      ...[
        "https://example.org/page",
        "https://example.org?x",
        "https://me@example.org",
        "file:///",
      ],
    ]
  ) {
    assert.throws(
      () => createHandler({ origins: [wrong] }),
      (error) =>
        error instanceof OptionError && error.message.startsWith("Cannot allow the origin"),
      wrong,
    );
  }
});

/** Runs in a page of another origin: what its `fetch` makes of an address. */
function fetchFrom(address: string, init: string): string {
  return `fetch(${JSON.stringify(address)}, ${init}).then(
    async (response) => ({ status: response.status, body: await response.json() }),
    (error) => ({ refused: error.name }),
  )`;
}

inChromium(
  "in Chromium a page of a listed origin asks with the token, no other does",
  async (browser) => {
    await using pages = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen() {} },
      () =>
        new Response("<!doctype html><title>A page</title>", {
          headers: { "content-type": "text/html" },
        }),
    );
    // Two origins of one server: by another name it is another site too.
    const [listed, other] = ["localhost", "127.0.0.1"].map((name) =>
      `http://${name}:${pages.addr.port}`
    );
    const handler = createHandler({
      models: [{ source: await modelBytes(), name: "acl" }],
      engine: "wasm",
      token: "s3cret",
      origins: [listed],
      viewer: true,
    });
    await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, handler);
    const service = `http://127.0.0.1:${server.addr.port}`;
    const token =
      `headers: { authorization: "Bearer s3cret", "content-type": "application/octet-stream" }`;
    const body = `new Uint8Array([${examBytes().join()}])`;
    const predict = fetchFrom(
      `${service}/v1/predict`,
      `{ method: "POST", ${token}, body: ${body} }`,
    );
    const page = await browser.newPage();
    // deno-lint-ignore no-explicit-any -- whatever the service answered
    const run = (script: string) => page.evaluate(script) as Promise<any>;

    await page.goto(listed);
    const answer = await run(predict);
    assert.equal(answer.status, 200, JSON.stringify(answer));
    assert.equal(answer.body.predictions[0].model, "acl");
    const wrong = await run(
      fetchFrom(`${service}/v1/models`, `{ headers: { authorization: "Bearer x" } }`),
    );
    assert.equal(wrong.status, 401);
    assert.match(wrong.body.detail, /token is another one/);
    assert.deepEqual(
      await run(fetchFrom(`${service}/viewer/setup`, `{ ${token} }`)),
      { refused: "TypeError" },
      "the viewer's exams are for the viewer's own page",
    );
    await page.goto(other);
    assert.deepEqual(await run(predict), { refused: "TypeError" });
    await page.close();
  },
);
