/**
 * A hospital's PACS by DICOMweb: studies that are fetched, and instances that are stored.
 *
 * @module
 */
export { fetchStudy, storeInstances } from "./verbs.ts";
export type { FetchOptions } from "./fetch_study.ts";
export type { StoreOptions } from "./store.ts";
export type { PacsOptions } from "./open.ts";
export { PacsError } from "../errors.ts";
export { PACS_LIMITS, type PacsLimits } from "./exchange.ts";
