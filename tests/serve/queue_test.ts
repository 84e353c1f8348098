import assert from "node:assert/strict";
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
