/** Several exams in flight at once, whose results are reported in order. */
import type { Label } from "../terms.ts";
import type { ExamResult } from "./exam_result.ts";

/** An exam that was given to a network. */
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
 * Gives the results of exams in order, while later exams are started already.
 *
 * If `inFlight` is 0, an exam starts only after the result of the one before. Otherwise the next exam is
 * read and given to the GPU while earlier results are still awaited. Exams that were started are
 * awaited even if the source ends early or fails; its failure comes after their results.
 *
 * @param exams exams as they are started; the next one is asked for when it may start
 * @param inFlight how many may be in flight beside the one that is awaited, 0 or more
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
      // If an earlier one fails, nobody awaits this one: its rejection is handled here.
      next.value.result.catch(() => {});
      if (underWay.length > inFlight) yield await oldest();
    }
    while (underWay.length > 0) yield await oldest();
  } finally {
    await source.return?.();
  }
  if (failed !== undefined) throw failed.error;
}
