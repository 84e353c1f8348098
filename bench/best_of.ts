/**
 * The one timer of the benches.
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

/** The same for several kinds of work that take turns, so that what else runs slows all alike. */
export async function bestOfEach(
  repeats: number,
  works: readonly (() => Promise<unknown>)[],
): Promise<number[]> {
  const best = works.map(() => Infinity);
  for (let repeat = 0; repeat <= repeats; repeat++) {
    for (const [index, work] of works.entries()) {
      const start = performance.now();
      await work();
      const seconds = (performance.now() - start) / 1000;
      if (repeat > 0) best[index] = Math.min(best[index], seconds);
    }
  }
  return best;
}
