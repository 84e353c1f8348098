import assert from "node:assert/strict";
import { createHandler } from "../../lib/serve/handler.ts";
import { Problem } from "../../lib/serve/problem.ts";
import type { ListedExam } from "../../lib/serve/viewer/exam_list.ts";
import { PageUse } from "../../lib/serve/viewer/page_use.ts";
import { verdictLines } from "../../lib/serve/viewer/verdict_lines.ts";
import { TemporaryFolder, writeTinyDataset } from "../support/folders.ts";
import { writeModel } from "../support/served_models.ts";

const later = (milliseconds: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

Deno.test("what waits for a pause goes on at once if somebody waits for it, or when it is ended", async () => {
  const use = new PageUse(1e9);
  const left = new AbortController();
  await use.pause(left.signal);
  use.note();
  let [isAwaited, over] = [false, false];
  const pause = use.pause(left.signal, () => isAwaited).then(() => over = true);
  await later(200);
  assert.equal(over, false, "the page is in use");
  isAwaited = true;
  await pause;
  const begun = performance.now();
  await use.moment();
  assert.ok(performance.now() - begun >= 45, "a moment");
  const ended = use.pause(left.signal);
  left.abort();
  await ended;
});

Deno.test("known exams are told together, each other one as soon as it is computed", async () => {
  const exams = Array.from({ length: 140 }, (_, index): ListedExam => {
    return { split: "valid", id: `${index}`, planes: [], labels: {} };
  });
  const verdict = { model: "acl", probability: 0.5, logit: 0, decision: true };
  const computed: string[] = [];
  const lines = verdictLines(exams, {
    known({ id }) {
      if (id === "3") throw new Problem(422, "no exam");
      if (id === "70" || id === "71") return Promise.resolve(undefined);
      return Promise.resolve(id === "5" ? {} : { verdicts: [verdict] });
    },
    computed({ id }) {
      computed.push(id);
      if (id === "71") throw new Problem(404, "gone");
      return Promise.resolve([verdict]);
    },
  });
  const pieces: { id: string; verdicts?: unknown; fault?: string }[][] = [];
  for await (const text of lines) {
    assert.ok(text.endsWith("\n"));
    pieces.push(text.trimEnd().split("\n").map((line) => JSON.parse(line)));
  }
  assert.deepEqual(pieces.map(({ length }) => length), [64, 6, 1, 1, 64, 4]);
  assert.deepEqual(computed, ["70", "71"]);
  const told = pieces.flat();
  assert.deepEqual(told.map(({ id }) => id), exams.map(({ id }) => id));
  assert.deepEqual(told[3], { id: "3", fault: "no exam" });
  assert.deepEqual(told[5], { id: "5" });
  assert.deepEqual(told[70], { id: "70", verdicts: [verdict] });
  assert.deepEqual(told[71], { id: "71", fault: "gone" });
});

Deno.test(
  "the list is read in the background once nobody uses the page",
  { sanitizeOps: false, sanitizeResources: false },
  async () => {
    await using folder = await TemporaryFolder.make();
    await writeTinyDataset(folder);
    await writeModel(folder.at("acl.safetensors"), 1, { task: "acl", plane: "coronal" });
    const handler = createHandler({
      models: [folder.at("acl.safetensors")],
      engine: "wasm",
      viewer: { data: folder.at("data") },
    });
    await handler.ready();
    const use = () => handler(new Request("http://localhost/viewer/use", { method: "POST" }));
    assert.equal((await handler(new Request("http://localhost/viewer/use"))).status, 405);
    assert.equal((await use()).status, 204);
    const response = await handler(new Request("http://localhost/viewer/verdicts?split=valid"));
    const before = performance.now();
    await use();
    const reader = response.body!.getReader();
    const { value } = await reader.read();
    // However fast the machine is: it waits as long as a pause takes.
    assert.ok(performance.now() - before >= 350, "it has waited");
    assert.match(new TextDecoder().decode(value), /^\{"id":"0002","verdicts":\[/);
    await reader.cancel();
    await handler.stop();
  },
);
