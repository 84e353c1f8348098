/** Requests side by side: turns at the engine, the queue, deadlines, bodies under way, and the end. */
import assert from "node:assert/strict";
import { engineTurns } from "../../lib/serve/queue.ts";
import { HealthAnswer } from "../../lib/serve/schemas.ts";
import { examBytes, voxels } from "../support/folders.ts";
import { knownAsFast, OUTLIVING, post, problem, withHandler } from "../support/served.ts";

Deno.test(
  "a service that stops answers what it has, and refuses what comes",
  OUTLIVING,
  async () => {
    await withHandler({}, async (handler) => {
      await handler.ready();
      await knownAsFast();
      const engine = Promise.withResolvers<void>();
      const busy = engineTurns.take(() => engine.promise);
      const early = post(handler, examBytes() as BodyInit);
      await new Promise((resolve) => setTimeout(resolve, 30));
      let stopped = false;
      const stopping = handler.stop().then(() => stopped = true);
      const late = await problem(await post(handler, examBytes() as BodyInit), 503, /is stopping$/);
      assert.equal(late.headers.get("connection"), "close");
      assert.equal(stopped, false);
      engine.resolve();
      await busy;
      assert.equal((await early).status, 200);
      await stopping;
    });
  },
);

Deno.test(
  "one exam is computed at a time; what the queue does not hold is 429",
  OUTLIVING,
  async () => {
    await withHandler({ limits: { queue: 1 } }, async (handler) => {
      await handler.ready();
      const engine = Promise.withResolvers<void>();
      const busy = engineTurns.take(() => engine.promise);
      const waiting = [
        post(handler, examBytes() as BodyInit),
        post(handler, examBytes() as BodyInit),
      ];
      await new Promise((resolve) => setTimeout(resolve, 50));
      const health = await (await handler(new Request("http://localhost/healthz"))).json();
      assert.equal(health.waiting, 2);
      const full = await post(handler, examBytes() as BodyInit);
      const refused = await problem(full, 429, /^2 exams are waiting already/);
      assert.match(refused.headers.get("retry-after")!, /^[1-9]\d*$/);
      engine.resolve();
      await busy;
      for (const response of await Promise.all(waiting)) assert.equal(response.status, 200);
    });
  },
);

Deno.test(
  "a request counts once its exam is here, and is let go with its client",
  OUTLIVING,
  async () => {
    await withHandler({ limits: { queue: 0 } }, async (handler) => {
      const client = new AbortController();
      const slow = new ReadableStream({ start: (body) => body.enqueue(new Uint8Array(1)) });
      const coming = post(handler, slow, "", { signal: client.signal });
      await new Promise((resolve) => setTimeout(resolve, 30));
      // What comes slowly is in nobody's way.
      assert.equal((await post(handler, examBytes() as BodyInit)).status, 200);
      const whole = [1, 2, 3].map(() => post(handler, examBytes() as BodyInit));
      const statuses = (await Promise.all(whole)).map(({ status }) => status);
      assert.deepEqual(statuses.toSorted(), [200, 429, 429]);
      client.abort();
      await coming;
      assert.equal((await post(handler, examBytes() as BodyInit)).status, 200);
    });
  },
);

Deno.test(
  "between two parts of an exam others are answered, and its client may go",
  OUTLIVING,
  async () => {
    await withHandler({}, async (handler) => {
      await handler.ready();
      const exam = examBytes(voxels(1, 30 * 65536), [30, 256, 256]) as BodyInit;
      const client = new AbortController();
      let done = false;
      const gone = post(handler, exam, "", { signal: client.signal }).then(() => done = true);
      let healthy = 0;
      while (engineTurns.length === 0) await new Promise((resolve) => setTimeout(resolve));
      for (; healthy < 3; healthy++) {
        const health = await handler(new Request("http://localhost/healthz"));
        assert.equal(HealthAnswer.parse(await health.json()).waiting, 1);
        await new Promise((resolve) => setTimeout(resolve));
      }
      assert.equal(done, false);
      client.abort();
      await gone;
      // A part may be under way still; all ten of them are not waited for.
      const start = performance.now();
      await engineTurns.take(() => {});
      const rest = performance.now() - start;
      const whole = performance.now();
      await post(handler, exam);
      assert.ok(rest < (performance.now() - whole) / 2, `${rest} ms`);
    });
  },
);

Deno.test(
  "a deadline ends what waits for the engine, and what is too slow in coming",
  OUTLIVING,
  async () => {
    await withHandler({ limits: { deadline: 80 } }, async (handler) => {
      await handler.ready();
      await knownAsFast();
      const engine = Promise.withResolvers<void>();
      const busy = engineTurns.take(() => engine.promise);
      const late = await post(handler, examBytes() as BodyInit);
      await problem(late, 503, /^There was no answer after 0\.08 s: try again later$/);
      assert.equal(engineTurns.length, 1, "what nobody waits for has left the queue");
      engine.resolve();
      await busy;
      let cancelled = false;
      const part = Promise.withResolvers<void>();
      const slow = new ReadableStream({
        async pull(controller) {
          await part.promise;
          controller.enqueue(new Uint8Array(1));
        },
        cancel: () => void (cancelled = true),
      });
      await problem(await post(handler, slow), 408, /^The body was not complete after 0\.08 s/);
      // Deno keeps the buffer of a read that is cut off, so what comes late is waited for.
      assert.equal(cancelled, false);
      part.resolve();
      await new Promise((resolve) => setTimeout(resolve, 20));
      assert.ok(cancelled);
    });
  },
);

Deno.test("a client that goes takes its exam out of the queue", OUTLIVING, async () => {
  await withHandler({}, async (handler) => {
    await handler.ready();
    const engine = Promise.withResolvers<void>();
    const busy = engineTurns.take(() => engine.promise);
    const client = new AbortController();
    const gone = post(handler, examBytes() as BodyInit, "", { signal: client.signal });
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.equal(engineTurns.length, 2);
    client.abort();
    await gone;
    assert.equal(engineTurns.length, 1);
    engine.resolve();
    await busy;
  });
});

Deno.test("bodies under way share one budget", OUTLIVING, async () => {
  await withHandler({ limits: { uploadBytes: 12_000 } }, async (handler) => {
    const whole = examBytes();
    const open = Promise.withResolvers<void>();
    const halfway = new ReadableStream({
      async start(controller) {
        controller.enqueue(whole.subarray(0, 6000));
        await open.promise;
        controller.enqueue(whole.subarray(6000));
        controller.close();
      },
    });
    const first = post(handler, halfway);
    await new Promise((resolve) => setTimeout(resolve, 30));
    await problem(
      await post(handler, whole as BodyInit),
      503,
      /^Too many exams are on their way in/,
    );
    open.resolve();
    assert.equal((await first).status, 200);
    assert.equal(
      (await post(handler, whole as BodyInit)).status,
      200,
      "what was taken is given back",
    );
  });
});

Deno.test("exams are decoded one at a time, when their turn comes", OUTLIVING, async () => {
  await withHandler({}, async (handler) => {
    await handler.ready();
    await knownAsFast();
    const engine = Promise.withResolvers<void>();
    const busy = engineTurns.take(() => engine.promise);
    let answered = false;
    const refused = post(handler, "not an exam").finally(() => answered = true);
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(answered, false);
    engine.resolve();
    await busy;
    await problem(await refused, 422, /it begins with the bytes/);
  });
});
