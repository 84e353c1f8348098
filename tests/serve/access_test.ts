/** Who is answered: by token, by name of the service, and by the site that asks. */
import assert from "node:assert/strict";
import { OptionError } from "../../lib/errors.ts";
import { createHandler } from "../../lib/serve/handler.ts";
import { examBytes, TemporaryFolder, writeTinyDataset } from "../support/folders.ts";
import { NPY, OUTLIVING, post, problem, withHandler } from "../support/served.ts";

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
