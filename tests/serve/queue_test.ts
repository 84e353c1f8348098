import assert from "node:assert/strict";
import { Problem } from "../../lib/serve/problem.ts";
import { Turns } from "../../lib/serve/queue.ts";

Deno.test("work is done one at a time, in order, idle work last", async () => {
  const turns = new Turns();
  const done: string[] = [];
  let under = 0;
  const work = (name: string, idle = false) =>
    turns.take(async () => {
      assert.equal(++under, 1);
      await new Promise((resolve) => setTimeout(resolve, 1));
      under--;
      done.push(name);
      return name;
    }, { idle });
  const all = [work("a"), work("idle 1", true), work("b"), work("idle 2", true), work("c")];
  assert.equal(turns.length, 3, "idle work that waits is not counted");
  assert.deepEqual(await Promise.all(all), ["a", "idle 1", "b", "idle 2", "c"]);
  assert.deepEqual(done, ["a", "b", "c", "idle 1", "idle 2"]);
  assert.equal(turns.length, 0);
});

Deno.test("work that fails passes its turn on, and what nobody waits for is dropped", async () => {
  const turns = new Turns();
  const gone = new AbortController();
  const failing = turns.take(() => Promise.reject(new Error("broken")));
  const dropped = turns.take(() => assert.fail("it is not to be done"), { signal: gone.signal });
  const last = turns.take(() => "last");
  gone.abort("gone");
  await assert.rejects(failing, /broken/);
  await assert.rejects(dropped, (reason) => reason === "gone");
  assert.equal(await last, "last");
  await assert.rejects(turns.take(() => "never", { signal: gone.signal }));
  assert.equal(await turns.take(() => "free again"), "free again");
});

Deno.test("what cannot be done in time is refused, as soon as that is known", async () => {
  const turns = new Turns();
  const pause = (milliseconds: number) =>
    new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
  await turns.take(() => pause(100), { until: Infinity });
  const until = performance.now() + 1400;
  const fates = Array.from(
    { length: 4 },
    () => turns.take(() => pause(500), { until }).then(() => "done", (error) => error),
  );
  // The first turn of all says nothing. Once another has been done there is time for one more.
  assert.equal(turns.length, 4);
  const first = await Promise.race(fates.map((fate, index) => fate.then(() => index)));
  assert.equal(first, 0);
  await pause(0);
  assert.equal(turns.length, 1);
  const late = await turns.take(() => "late", { until }).catch((error) => error);
  const patient = turns.take(() => "patient", { until: until + 60_000 });
  for (const refused of [await fates[2], await fates[3], late]) {
    assert.ok(refused instanceof Problem);
    assert.equal(refused.status, 429);
    assert.match(
      refused.message,
      /^The exams that wait already take longer than this may: try/,
    );
    assert.match(refused.headers["retry-after"], /^[1-9]$/);
  }
  assert.equal(await fates[1], "done");
  assert.equal(await patient, "patient");
  // Nobody is ahead of it, so it is tried whatever is known.
  assert.equal(await turns.take(() => "tried", { until: performance.now() }), "tried");
});
