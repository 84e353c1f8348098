/**
 * Which tests `deno task test:fast` runs.
 */
import assert from "node:assert/strict";
import { sortTests } from "../tools/fast_tests.ts";

Deno.test("a file of tests is slow by what it does itself or by way of a helper", async () => {
  const { fast, slow } = await sortTests();
  for (const room of ["combine", "data", "imaging", "metrics", "phantom", "serve", "train"]) {
    assert.ok(fast.some((file) => file.startsWith(`tests/${room}/`)), `${room} has no fast test`);
  }
  assert.ok(fast.length > 40, `${fast.length} files are fast`);
  const cases: [file: string, reason: RegExp][] = [
    ["tests/soak_test.ts", /^tests\/soak_test\.ts starts a process$/],
    ["tests/commands/train_test.ts", /^tests\/support\/cli\.ts starts a process$/],
    ["tests/report/report_test.ts", /^tests\/support\/chromium\.ts steers a browser$/],
    ["tests/model/weights/python_test.ts", / starts a process$/],
    ["tests/train/trainer_test.ts", / computes with an engine$/],
  ];
  for (const [file, reason] of cases) assert.match(slow.get(file) ?? "", reason, file);
});
