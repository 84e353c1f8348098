/** The names of what training can be given, for whoever gives another: settings, and who is told. */
import type { OptionNames } from "../option_names.ts";
import type { TrainOptions } from "./options.ts";
import type { RunOptions } from "./run_options.ts";
import type { Owner } from "./setting.ts";
import { SETTING_ROWS } from "./settings.ts";

/** The options of a training on datasets. */
export const TRAIN_OPTION_NAMES = {
  ..._settingsOf("loop"),
  ...{ signal: true, onExam: true, onEpoch: true },
} as OptionNames<TrainOptions>;

/** The options of a run. */
export const RUN_OPTION_NAMES = {
  ...TRAIN_OPTION_NAMES,
  ..._settingsOf("run"),
  ...{ onStart: true, onDownload: true },
} as OptionNames<RunOptions>;

/** The table of settings has a row for each option; the seed of a tune split is part of `tune`. */
function _settingsOf(owner: Owner): Record<string, true> {
  const rows = SETTING_ROWS.filter(([name, { use }]) => use.of === owner && name !== "tuneSeed");
  return Object.fromEntries(rows.map(([name]) => [name, true]));
}
