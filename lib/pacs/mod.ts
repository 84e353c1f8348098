/**
 * A hospital's PACS by DICOMweb: studies that are fetched, read when they are new,
 * and answered.
 *
 * @module
 */
export { answerStudy, fetchStudy, storeInstances, watch } from "./verbs.ts";
export type { AnswerOptions, DicomAnswer } from "./answer_study.ts";
export type { DicomInstance } from "./instance.ts";
export type { FetchOptions } from "./fetch_study.ts";
export type { StoreOptions } from "./store.ts";
export type { WatchOptions } from "./watch_pacs.ts";
export { WatchList, type WatchListEntry, type WatchListNews } from "./watch_list.ts";
export type { WatchedStudy, WatchOutcome } from "./watch_state.ts";
export type { EngineTurns } from "./engine_turns.ts";
export type { ListedStudy } from "./dicomweb.ts";
export type { StudyAnswer } from "./read_study.ts";
export type { ModelAnswer } from "./model_answer.ts";
export type { PacsOptions } from "./pacs_options.ts";
export { PacsError } from "../errors.ts";
export { PACS_LIMITS, type PacsLimits } from "./limits.ts";
