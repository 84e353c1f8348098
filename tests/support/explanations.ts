/** What holds of every explanation, for tests. */
import assert from "node:assert/strict";
import type { Explanation } from "../../lib/explain/explain.ts";

/** The bias and the slices' shares are the logit, and so are the bias and the maps' pixels. */
export function assertAddsUp({ bias, slices, logits }: Explanation): void {
  const sum = slices.reduce((sum, { share }) => sum + share, bias);
  assert.ok(Math.abs(sum - logits[1]) < 1e-5 * Math.max(1, Math.abs(logits[1])));
  const maps = slices.reduce((sum, { map }) => sum + map.reduce((all, each) => all + each), bias);
  assert.ok(Math.abs(maps - sum) < 1e-9 * Math.max(1, Math.abs(sum)));
}
