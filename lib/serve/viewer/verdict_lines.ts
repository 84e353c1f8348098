/** What the models say of a split's exams, as lines of JSON that the page's list is filled with. */
import { messageOf } from "../../errors.ts";
import { Problem } from "../problem.ts";
import type { ListedExam } from "./exam_list.ts";
import type { Verdict } from "./readings.ts";

/** How many exams that are known are told at once: each piece wakes the page, which then draws its list. */
const MAX_AT_ONCE = 64;

/** What is asked about each exam. */
export interface VerdictSource {
  /** The verdicts, if nothing has to be computed for them: none if they are kept back. */
  known(exam: ListedExam): Promise<{ verdicts?: Verdict[] } | undefined>;
  /** The verdicts, computed. */
  computed(exam: ListedExam): Promise<Verdict[]>;
}

/**
 * The lines, in the exams' order: those of exams that are known together, each other one as soon as it is
 * computed. An exam that is at fault does not keep the others from being read.
 */
export async function* verdictLines(
  exams: readonly ListedExam[],
  source: VerdictSource,
): AsyncGenerator<string> {
  let [ready, count] = ["", 0];
  for (const exam of exams) {
    const { id } = exam;
    const told = await _orFault(() => source.known(exam));
    if (told !== undefined) {
      ready += `${JSON.stringify({ id, ...told })}\n`;
      if (++count < MAX_AT_ONCE) continue;
    }
    if (count > 0) yield ready;
    [ready, count] = ["", 0];
    if (told !== undefined) continue;
    const computed = await _orFault(async () => ({ verdicts: await source.computed(exam) }));
    yield `${JSON.stringify({ id, ...computed })}\n`;
  }
  if (count > 0) yield ready;
}

/** What an exam is told to be, or what is wrong with it. */
async function _orFault<T>(ask: () => Promise<T>): Promise<T | { fault: string }> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { fault: messageOf(error) };
  }
}
