/** A watch of a PACS by models. */
import type { Classifier } from "../classifier/classifier.ts";
import { OptionError } from "../errors.ts";
import type { SeriesChoice } from "../imaging/choose.ts";
import { checkOptionNames, type OptionNames } from "../option_names.ts";
import { isDay } from "./day.ts";
import type { DicomWeb } from "./dicomweb.ts";
import { openPacs } from "./open.ts";
import type { PacsOptions } from "./pacs_options.ts";
import { readStudy, type StudyAnswer } from "./read_study.ts";
import { watchStudies } from "./watch.ts";
import type { WatchList } from "./watch_list.ts";
import { WatchState } from "./watch_state.ts";

/** Whose studies are read, by which models, and what becomes of the answers. */
export interface WatchOptions extends PacsOptions {
  /** The models. */
  classifiers: readonly Classifier[];
  /** The folder that keeps what is done; it is made, and one process at a time has it. */
  folder: string;
  /** Ends the watch after the study at hand. */
  signal: AbortSignal;
  /**
   * Store each answer in its study, as a DICOM structured report.
   * @default false
   */
  store?: boolean;
  /**
   * Seconds from one look to the next, at most a day. A study is read when it has not grown since the last look.
   * @default 60
   */
  every?: number;
  /**
   * Studies of this day and later ones are read, as in `20260131`, however late they come.
   * @default what the folder's watch had, or today; days of more than 30 days ago are let be once all that
   * is listed is done
   */
  since?: string;
  /** Which series are meant if several could be. */
  series?: readonly SeriesChoice[];
  /**
   * Is filled with the studies, for a viewer to show. With it the folder keeps each answer too, so that the
   * list has it when the watch is started again.
   * @default none, and no answer is kept
   */
  list?: WatchList;
  /** Called with each answer, when it is stored if it is to be. */
  onAnswer?: (study: string, answer: StudyAnswer) => void;
  /** Is told, in a line, what came of other studies, and of a PACS that is down. */
  onRemark?: (line: string) => void;
}

/** A day, in seconds. */
export const MAX_EVERY = 86_400;

/** The options of a watch. */
const OPTION_NAMES: OptionNames<WatchOptions> = {
  url: true,
  credentials: true,
  limits: true,
  classifiers: true,
  folder: true,
  signal: true,
  store: true,
  every: true,
  since: true,
  series: true,
  list: true,
  onAnswer: true,
  onRemark: true,
};

/** As in `verbs.ts`, where it is described. */
export async function watchPacs(options: WatchOptions): Promise<void> {
  checkOptionNames("watch a PACS", options, OPTION_NAMES);
  await watchWith(openPacs(options), options);
}

/** The same of a PACS that is open. */
export async function watchWith(
  web: DicomWeb,
  {
    classifiers,
    folder,
    signal,
    store = false,
    every = 60,
    since,
    series,
    list,
    onAnswer,
    onRemark,
  }: Omit<WatchOptions, keyof PacsOptions>,
): Promise<void> {
  if (classifiers.length === 0) {
    throw new OptionError("Cannot watch a PACS without a model: give one or several");
  }
  if (since !== undefined && !isDay(since)) {
    throw new OptionError(`Cannot watch a PACS since '${since}': give a day like 20260131`);
  }
  if (!(every > 0 && every <= MAX_EVERY)) {
    throw new OptionError(
      `Cannot watch a PACS every ${every} s: give a number above 0, at most ${MAX_EVERY}`,
    );
  }
  const models = classifiers.map(({ sha256 }) => sha256);
  const subject = { dicomweb: web.server.url, models, store };
  await using state = await WatchState.open(folder, subject, since);
  if (list !== undefined) {
    Object.assign(list, { models, series: series ?? [] });
    list.begin(state.studies);
  }
  await watchStudies({
    ...{ web, state, every, signal, list },
    async answer(study) {
      const { turns } = list ?? {};
      const answer = await readStudy(study, { web, classifiers, store, series, turns });
      onAnswer?.(study, answer);
      return list && answer.answers.map(({ probability }) => probability);
    },
    onRemark: (line) => onRemark?.(line),
  });
}
