/**
 * @module
 */

/** Seconds of the quickest of several repeats, after one that is not counted. */
export async function bestOf(repeats: number, work: () => Promise<unknown>): Promise<number> {
  await work();
  let best = Infinity;
  for (let repeat = 0; repeat < repeats; repeat++) {
    const start = performance.now();
    await work();
    best = Math.min(best, (performance.now() - start) / 1000);
  }
  return best;
}
