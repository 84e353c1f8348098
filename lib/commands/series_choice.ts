/** `--series`: which series of a study is meant, and what is said where nobody said it. */
import { choiceOf, parseSeriesChoice } from "../imaging/choose.ts";
import type { ChooseOptions, SeriesChoice } from "../imaging/choose.ts";
import { isUid } from "../imaging/dicom/uid.ts";
import type { SeriesFacts } from "../imaging/inspect.ts";
import type { Plane } from "../terms.ts";
import { remark } from "./console.ts";
import { seriesLines } from "./inspect.ts";

/** The option's flags. */
export const SERIES_FLAGS = "--series <PLANE=TEXT>";

/** What help says of it. */
export const SERIES_HELP =
  "which series is meant where several could be: its description, in which * stands for anything, " +
  "or its identifier, or identifiers joined by commas; may be given several times, without PLANE= for every plane";

/** Reads it, or identifiers that are joined by commas; what was given before is kept. */
export function readSeries(given: string, before: ChooseOptions["series"] = []): SeriesChoice[] {
  const uids = given.split(",");
  const all = uids.every(isUid) ? uids : [given];
  return [...before, ...all.map(parseSeriesChoice)];
}

/** Lists the series that could be meant, and how to say which one is. */
export function remarkCandidates(
  what: string,
  { plane, candidates }: { plane: Plane; candidates: readonly SeriesFacts[] },
): void {
  remark(
    `${what}, ${plane}: several series could be meant. Say which, for example with ` +
      `--series '${plane}=${choiceOf(candidates[0], candidates)}':`,
  );
  for (const each of candidates) for (const line of seriesLines(each)) remark(`  ${line}`);
}
