import assert from "node:assert/strict";
import { OptionError } from "../../lib/errors.ts";
import { evaluateModel } from "../../lib/report/evaluate_model.ts";

Deno.test("numbers out of their range are refused before anything is read", async () => {
  const model = "no-such-model.safetensors";
  const cases = [
    [{ threshold: 1.5 }, "Cannot decide at the threshold 1.5: give a number in 0–1"],
    [{ threshold: NaN }, "Cannot decide at the threshold NaN: give a number in 0–1"],
    [{ samples: 0 }, "Cannot draw 0 bootstrap samples: give a whole number of at least 1"],
    [{ samples: 2.5 }, "Cannot draw 2.5 bootstrap samples: give a whole number of at least 1"],
  ] as const;
  for (const [options, message] of cases) {
    await assert.rejects(evaluateModel({ model, ...options }), (error: Error) => {
      assert.ok(error instanceof OptionError);
      assert.equal(error.message, message);
      return true;
    });
  }
});
