/**
 * Several exams under way at once, reported in order.
 *
 * @module
 */
import type { Label } from "../terms.ts";
import type { ExamResult } from "./runner.ts";

/** An exam that was given to a runner. */
export interface Started {
  /** The exam's name. */
  id: string;
  /** 1 where the finding is present. */
  label: Label;
  /** Its result, once it is known. */
  result: Promise<ExamResult>;
}

/** An exam whose result is known. */
export type Finished = Omit<Started, "result"> & { result: ExamResult };

/**
 * Waits for each exam's result, in order, but lets the ones behind it start before.
 *
 * With none in flight each exam is waited for before the next one starts. Otherwise the next exam is
 * read and given to the GPU while the results of the ones before are on their way. Exams that were started
 * are waited for even where the source has ended early or failed: its failure comes after them.
 *
 * @param exams exams as they are started; the next one is asked for when its turn comes
 * @param inFlight how many may be under way beside the one that is waited for, 0 or more
 */
export async function* withInFlight(
  exams: AsyncIterable<Started>,
  inFlight: number,
): AsyncGenerator<Finished> {
  const underWay: Started[] = [];
  const oldest = async () => {
    const { id, label, result } = underWay.shift()!;
    return { id, label, result: await result };
  };
  const source = exams[Symbol.asyncIterator]();
  let failed: { error: unknown } | undefined;
  try {
    while (failed === undefined) {
      const next = await source.next().catch((error: unknown) => {
        failed = { error };
      });
      if (next === undefined || next.done) break;
      underWay.push(next.value);
      // Where an earlier one fails, nobody waits for this one any more.
      next.value.result.catch(() => {});
      if (underWay.length > inFlight) yield await oldest();
    }
    while (underWay.length > 0) yield await oldest();
  } finally {
    await source.return?.();
  }
  if (failed !== undefined) throw failed.error;
}
