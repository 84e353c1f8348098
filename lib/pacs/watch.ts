/**
 * Asks a PACS for new studies of knees again and again, and has each read once.
 *
 * A study is marked as done when its answer is where it belongs. A process that is killed in between has it
 * read again, and the same answer has the same identifiers, so the PACS has it once.
 */
import { DataError, messageOf, PacsError } from "../errors.ts";
import { dayBefore } from "./day.ts";
import type { DicomWeb, ListedSeries, ListedStudy } from "./dicomweb.ts";
import type { WatchList } from "./watch_list.ts";
import type { WatchState } from "./watch_state.ts";

/** What is watched, and who reads. */
export interface StudyWatch {
  web: DicomWeb;
  state: WatchState;
  /** Seconds from the beginning of one look to that of the next. */
  every: number;
  /** Ends the watch after the study at hand. */
  signal: AbortSignal;
  /** Is told of each study of a knee. */
  list?: WatchList;
  /**
   * Reads a study, and gives its answer to whom it belongs.
   *
   * @returns the probabilities that are kept beside what was done, if any are
   * @throws {DataError} if no answer can be made of it
   * @throws {PacsError} if the PACS fails
   */
  answer: (study: string) => Promise<readonly number[] | void>;
  /** Is told, in a line, what came of a study that is not answered, and of a PACS that is down. */
  onRemark: (line: string) => void;
}

/** So often a study is tried that the PACS does not give, or whose answer it does not take. */
const MAX_TRIES = 3;

/** So many days after a study's date it is asked for no more, once all that are listed are done. */
const DAYS = 30;

/** What knees are called in the languages of many scanners. */
const KNEE = /knee|knie|genou|ginocchi|rodilla|joelho|kolan|polvi|knä|knæ|膝/i;

/**
 * Watches until the signal fires.
 *
 * @throws what the state's file and `answer` throw beside the errors of a study
 */
export async function watchStudies(options: StudyWatch): Promise<void> {
  const { every, signal, list, onRemark } = options;
  const say = (isDown: boolean) => {
    if (list !== undefined) list.isDown = isDown;
  };
  /** How many images a study had at the last look. */
  const sizes = new Map<string, number>();
  let down: string | undefined;
  while (!signal.aborted) {
    const next = performance.now() + 1000 * every;
    try {
      await _look(options, sizes);
      if (down !== undefined) onRemark("The PACS answers again.");
      down = undefined;
      say(false);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof PacsError)) throw error;
      say(true);
      // Said once, however long it lasts.
      if (down !== error.message) onRemark(messageOf(error));
      down = error.message;
    }
    await _wait(next - performance.now(), signal);
  }
}

/** Looks once, and reads what is new. */
async function _look(options: StudyWatch, sizes: Map<string, number>): Promise<void> {
  const { web, state, signal, list } = options;
  const listed = await Array.fromAsync(web.studies(state.since, { signal }));
  for (const study of listed) {
    list?.describe(study);
    if (state.isDone(study.study)) continue;
    if (signal.aborted) return;
    try {
      await _study(study, options, sizes);
    } catch (error) {
      if (signal.aborted) return;
      await _failed(study, error, options);
    }
  }
  // The list would become longer for ever.
  if (listed.every(({ study }) => state.isDone(study))) await state.advance(dayBefore(DAYS));
}

async function _study(
  listed: ListedStudy,
  { web, state, signal, list, answer, onRemark }: StudyWatch,
  sizes: Map<string, number>,
): Promise<void> {
  const { study } = listed;
  const series = await web.series(study, { signal });
  let size = 0;
  for (const each of series) {
    size += each.instances ?? (await web.instances(study, each.series, { signal })).length;
  }
  // What is still coming in has grown until the next look.
  if (sizes.get(study) !== size) return void sizes.set(study, size);
  if (!_isKnee(listed, series)) {
    await state.mark(study, "other");
    onRemark(
      `Study ${study} is not read: the PACS names no MR series of a knee: to have it read, give it to ` +
        "predict --study",
    );
  } else {
    list?.set(listed, { outcome: "reading" });
    const answers = (await answer(study)) ?? undefined;
    const at = await state.mark(study, "answered", { answers: answers && [...answers] });
    list?.set(listed, { outcome: "answered", at, answers });
  }
  sizes.delete(study);
}

/** Keeps that a study failed, unless that is no fault of the study. */
async function _failed(
  listed: ListedStudy,
  error: unknown,
  { state, list, onRemark }: StudyWatch,
): Promise<void> {
  const { study } = listed;
  if (error instanceof DataError) {
    const at = await state.mark(study, "refused");
    list?.set(listed, { outcome: "refused", at, why: messageOf(error) });
    return onRemark(`Study ${study} is not read: ${messageOf(error)}`);
  }
  if (!(error instanceof PacsError) || error.isDown) {
    // It is read when the PACS is back.
    if (list?.get(study)?.outcome === "reading") list.set(listed, { outcome: "again" });
    throw error;
  }
  const tries = state.tries(study) + 1;
  const outcome = tries < MAX_TRIES ? "again" : "failed";
  const at = await state.mark(study, outcome, { tries });
  list?.set(listed, { outcome, at });
  onRemark(`Study ${study}, try ${tries} of ${MAX_TRIES}: ${messageOf(error)}`);
}

/** Whether a study has MR series, and anything that is said of it names a knee. */
function _isKnee({ description }: ListedStudy, series: readonly ListedSeries[]): boolean {
  // Some services list studies of all kinds, whatever was asked for.
  if (!series.some(({ modality }) => modality === "" || modality === "MR")) return false;
  const said = series.flatMap(({ bodyPart, description }) => [bodyPart, description]);
  return [description, ...said].some((text) => KNEE.test(text));
}

async function _wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted || milliseconds <= 0) return;
  await new Promise<void>((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener("abort", end);
  });
}
