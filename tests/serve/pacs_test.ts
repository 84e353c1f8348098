/**
 * A service that has a PACS fetches the study that is asked for, and answers as if it had been sent; clients
 * learn nothing of the PACS.
 */
import assert from "node:assert/strict";
import { concat } from "../../lib/bytes.ts";
import { messageOf } from "../../lib/errors.ts";
import { createHandler, type Handler } from "../../lib/serve/handler.ts";
import type { ServeOptions } from "../../lib/serve/options.ts";
import { encodeZip } from "../../lib/zip.ts";
import { FakePacs, filesAnswer } from "../support/fake_pacs.ts";
import { modelBytes } from "../support/served_models.ts";
import { study } from "../support/study.ts";

const STUDY = "2.25.71";
const SECRET = "never:shown@all";
/** The engine outlives the tests on purpose. */
const OUTLIVING = { sanitizeOps: false, sanitizeResources: false };

const ask = (handler: Handler, query: string, body?: BodyInit, type?: string) => {
  const headers: HeadersInit = type === undefined ? {} : { "content-type": type };
  const url = `http://localhost/v1/predict${query}`;
  return handler(new Request(url, { method: "POST", headers, body }));
};

async function handlerOf(options: Partial<ServeOptions> = {}): Promise<Handler> {
  return createHandler({ engine: "wasm", models: [await modelBytes()], ...options });
}

Deno.test("a study of the PACS is answered as if it had been sent", OUTLIVING, async () => {
  await using fake = new FakePacs();
  await fake.take(study(1).values());
  await fake.take(study(2).values());
  // Room for one at a time, which is given back each time.
  const limits = { bodyBytes: 4_000_000, uploadBytes: 4_000_000 };
  const handler = await handlerOf({ pacs: { url: fake.url, credentials: SECRET }, limits });
  const answer = async (asked: Promise<Response>) => {
    const response = await asked;
    const json = await response.json();
    assert.equal(response.status, 200, JSON.stringify(json));
    return json;
  };
  const sent = await answer(ask(handler, "", concat(encodeZip(study(1))), "application/zip"));
  for (let i = 0; i < 2; i++) assert.deepEqual(await answer(ask(handler, `?study=${STUDY}`)), sent);
  assert.deepEqual(fake.authorizations, new Set([`Basic ${btoa(SECRET)}`]));
  await handler.stop();
});

Deno.test("what the PACS does not give is told to the service alone", OUTLIVING, async () => {
  await using fake = new FakePacs();
  await fake.take(study(1).values());
  const told: string[] = [];
  const pacs = { url: fake.url, credentials: SECRET };
  const handler = await handlerOf({ pacs, onError: (error) => told.push(messageOf(error)) });
  const refused = async (query: string, status: number, detail: RegExp) => {
    const response = await ask(handler, query);
    const text = await response.text();
    assert.equal(response.status, status, text);
    assert.match(JSON.parse(text).detail, detail);
    assert.ok(!/never|127\.0\.0\.1|dicom-web/.test(text), text);
  };
  const gave = /^The PACS did not give the study: see the service's own messages$/;
  await refused("?study=2.25.72", 502, gave);
  fake.trouble = () => new Response(SECRET, { status: 401 });
  await refused(`?study=${STUDY}`, 502, gave);
  fake.trouble = (_, { pathname }) =>
    pathname.endsWith("/series") ? undefined : filesAnswer([...study(2).values()]);
  await refused(`?study=${STUDY}`, 502, gave);
  fake.trouble = undefined;
  assert.equal(told.length, 3);
  assert.match(told[0], /it has no such study/);
  assert.match(told[1], /it answered 401/);
  assert.match(told[2], /is of another study/);
  assert.ok(!told.join().includes("never"));
  await refused("?study=../1", 400, /^The query cannot be used: study: /);
  await refused(`?study=${STUDY}&series=none`, 422, /^There is no|^Several series could be meant/);
  await handler.stop();

  const small = await handlerOf({ pacs, limits: { bodyBytes: 100_000 }, onError: () => {} });
  assert.equal((await ask(small, `?study=${STUDY}`)).status, 502);
  await small.stop();
  const without = await handlerOf();
  const response = await ask(without, `?study=${STUDY}`);
  assert.equal(response.status, 400);
  assert.match(
    (await response.json()).detail,
    /^This service has no PACS: send the study's files$/,
  );
  await without.stop();
});

Deno.test("a PACS that cannot be asked is refused when the service is made", () => {
  for (
    const pacs of [{ url: "pacs" }, { url: "http://u:p@host" }, {
      url: "http://h",
      credentials: "",
    }]
  ) {
    assert.throws(() => createHandler({ pacs }), { name: "OptionError" });
  }
});
