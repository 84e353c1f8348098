/** Instances that a PACS is given. */
import { checkOptionNames, type OptionNames } from "../option_names.ts";
import { checkStudyUid, openPacs } from "./open.ts";
import type { PacsOptions } from "./pacs_options.ts";

/** Where instances are stored. */
export interface StoreOptions extends PacsOptions {
  /** Ends the storing. */
  signal?: AbortSignal;
}

/** The options of storing. */
const OPTION_NAMES: OptionNames<StoreOptions> = {
  url: true,
  credentials: true,
  limits: true,
  signal: true,
};

/** As in `verbs.ts`, where it is described. */
export async function storeInstances(
  study: string,
  files: readonly Uint8Array[],
  options: StoreOptions,
): Promise<void> {
  checkOptionNames("store instances", options, OPTION_NAMES);
  checkStudyUid(study);
  await openPacs(options).store(study, files, options);
}
