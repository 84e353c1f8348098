import assert from "node:assert/strict";
import { Deadline } from "../../lib/serve/deadline.ts";

Deno.test("work that fails after its request has ended is nobody's, and ends nothing", async () => {
  const client = new AbortController();
  using deadline = new Deadline(client.signal, 60_000);
  const work = Promise.withResolvers<never>();
  // The client leaves after the work has begun and before it is waited for.
  client.abort();
  await assert.rejects(deadline.wait(work.promise), /The client has gone/);
  work.reject(new Error("too late"));
  // Deno fails the test where a rejection stays unheard.
  await new Promise((resolve) => setTimeout(resolve));
});
