/**
 * Requests to a service of one small model, and what they are answered with.
 */
import assert from "node:assert/strict";
import { createHandler, type Handler } from "../../lib/serve/handler.ts";
import type { ServeOptions } from "../../lib/serve/options.ts";
import { PROBLEM_HEADERS, type ProblemStatus } from "../../lib/serve/problem.ts";
import { engineTurns } from "../../lib/serve/queue.ts";
import { ProblemDetails } from "../../lib/serve/schemas.ts";
import { modelBytes } from "./served_models.ts";

/** The engine outlives the tests on purpose. */
export const OUTLIVING = { sanitizeOps: false, sanitizeResources: false };
/** The type of an exam's bytes. */
export const NPY = { "content-type": "application/octet-stream" };

/** Asks for an answer to an exam. */
export function post(handler: Handler, body: BodyInit, query = "", init: RequestInit = {}) {
  const url = `http://localhost/v1/predict${query}`;
  return handler(new Request(url, { method: "POST", body, headers: NPY, ...init }));
}

/** Says that a request was refused in the form that the OpenAPI document describes. */
export async function problem(
  response: Response,
  status: number,
  detail: RegExp,
): Promise<Response> {
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
export async function knownAsFast(): Promise<void> {
  for (let turn = 0; turn < 40; turn++) await engineTurns.take(() => {}, { until: Infinity });
}

/** A handler of one small model; what goes wrong on its side fails the test. */
export async function withHandler(
  options: ServeOptions,
  body: (handler: Handler) => Promise<void>,
): Promise<void> {
  const errors: unknown[] = [];
  const onError = (error: unknown) => errors.push(error);
  const models = [{ source: await modelBytes(), name: "acl" }];
  await body(createHandler({ models, engine: "wasm", onError, ...options }));
  assert.deepEqual(errors, []);
}
