/** How long something may take, on a machine that is slower or has other work than the one it was measured on. */
import assert from "node:assert/strict";

/** What {@link yardstick} takes on an Intel Xeon of 2024 with nothing else to do, milliseconds. */
const QUIET_MS = 25;
/** The most that a bound grows: what takes longer has failed, wherever it runs. */
const MOST = 8;

/** Some work that needs nothing but a processor. */
function yardstick(): number {
  const start = performance.now();
  let state = 1;
  for (let i = 0; i < 12e6; i++) state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + i) | 0;
  assert.notEqual(state, 0.5);
  return performance.now() - start;
}

/** How many times longer work takes now than on a quiet machine, from 1. */
export function slowness(): number {
  // Long enough together that other processes have their turns, too.
  const times = Array.from({ length: 8 }, yardstick);
  const mean = times.reduce((sum, ms) => sum + ms) / times.length;
  return Math.min(Math.max(mean / QUIET_MS, 1), MOST);
}

/**
 * Says that something took less than `bound` milliseconds. Where it did not, the bound grows by what a known
 * piece of work takes at that moment.
 */
export function assertWithin(ms: number, bound: number, what = "it"): void {
  if (ms < bound) return;
  const times = slowness();
  const than = times > 1 ? ` on a machine ${times.toFixed(1)} times as slow as a quiet one` : "";
  assert.ok(ms < bound * times, `${what} took ${ms} ms, more than ${bound} ms${than}`);
}
