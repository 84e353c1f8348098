import assert from "node:assert/strict";
import { type Started, withInFlight } from "../../lib/train/in_flight.ts";

/** Exams whose result come when a test says so. */
function exams(count: number) {
  const log: string[] = [];
  const finish: ((loss: number) => void)[] = [];
  const fail: ((error: Error) => void)[] = [];
  async function* source(): AsyncGenerator<Started> {
    for (let id = 0; id < count; id++) {
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      finish.push(resolve);
      fail.push(reject);
      log.push(`start ${id}`);
      const result = promise.then((loss) => ({
        loss,
        logits: [0, 0] as [number, number],
        probability: 0.5,
      }));
      yield { id: String(id), label: 0, result };
    }
  }
  return { source, log, finish, fail };
}

Deno.test("with none in flight each exam is done before the next starts", async () => {
  const { source, log, finish } = exams(3);
  for await (const { id } of _eager(withInFlight(source(), 0), finish)) log.push(`done ${id}`);
  assert.deepEqual(log, ["start 0", "done 0", "start 1", "done 1", "start 2", "done 2"]);
});

Deno.test("with two in flight, two start before the first is waited for; the order stays", async () => {
  const { source, log, finish } = exams(4);
  for await (const { id } of _eager(withInFlight(source(), 2), finish)) log.push(`done ${id}`);
  assert.deepEqual(log, [
    ...["start 0", "start 1", "start 2", "done 0", "start 3"],
    ...["done 1", "done 2", "done 3"],
  ]);
});

Deno.test("a failure is reported at its exam, and those behind it are not waited for", async () => {
  const { source, finish, fail } = exams(5);
  const lagging = withInFlight(source(), 3);
  const first = lagging.next();
  await _turns();
  finish[0](1);
  assert.equal((await first).value?.id, "0");
  fail[2](new Error("the third"));
  fail[1](new Error("the second"));
  await assert.rejects(lagging.next(), /the second/);
});

/** Lets every exam finish as soon as it is waited for. */
async function* _eager<T>(
  source: AsyncGenerator<T>,
  finish: ((loss: number) => void)[],
): AsyncGenerator<T> {
  for (let at = 0;; at++) {
    const next = source.next();
    await _turns();
    finish[at]?.(at);
    const { done, value } = await next;
    if (done) return;
    yield value;
  }
}

function _turns(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
