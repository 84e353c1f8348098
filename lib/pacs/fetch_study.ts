/** A study from a PACS, as the files that `predict` and `import` read. */
import type { SeriesChoice } from "../imaging/choose.ts";
import { isUid } from "../imaging/dicom/uid.ts";
import type { GivenFile } from "../imaging/files.ts";
import { checkOptionNames, type OptionNames } from "../option_names.ts";
import { listed } from "../quoted.ts";
import type { DicomWeb, DicomWebOptions, ListedSeries } from "./dicomweb.ts";
import { pacsError } from "./exchange.ts";
import { checkStudyUid, openPacs } from "./open.ts";
import type { PacsOptions } from "./pacs_options.ts";

/** What is fetched of a study. */
export interface FetchStudyOptions extends DicomWebOptions {
  /** Which series are meant; if each is named by its identifier, for all planes, no other is fetched. */
  series?: readonly SeriesChoice[];
  /** Called after each series. */
  onSeries?: (done: number, total: number) => void;
}

/**
 * Fetches the MR series of a study into memory.
 *
 * @returns its files, whose names begin with the study's identifier
 * @throws {OptionError} if the identifier is none
 * @throws {PacsError} if the service cannot be reached, refuses, has no such study or series, sends another,
 *   or less or more than it should
 */
export async function fetchStudyFiles(
  web: DicomWeb,
  study: string,
  { series: choices = [], signal, onSeries }: FetchStudyOptions = {},
): Promise<GivenFile[]> {
  checkStudyUid(study);
  const all = await web.series(study, { signal });
  const wanted = _wanted(web, study, all, choices);
  const { studyBytes, files } = web.server.limits;
  const room = { bytes: studyBytes, files };
  const given: GivenFile[] = [];
  const taken = new Set<string>();
  for (const [index, each] of wanted.entries()) {
    const fetched = await web.fetchSeries(study, each.series, { room, signal });
    const count = each.instances ??
      (await web.instances(study, each.series, { signal })).length;
    if (fetched.length < count) {
      const found = `it sent ${fetched.length} of ${count} files`;
      const hint = "try again: the study may not have come in whole";
      throw pacsError(web.server, `fetch series '${each.series}'`, found, { hint });
    }
    for (const { instance, bytes } of fetched) {
      // Two with the same identifier are told apart by whoever reads them, as in a folder.
      const name = `${study}/${instance}${taken.has(instance) ? `-${given.length}` : ""}`;
      taken.add(instance);
      given.push({ name, bytes, root: study });
      room.bytes -= bytes.length;
      room.files--;
    }
    onSeries?.(index + 1, wanted.length);
  }
  return given;
}

/** The series that are to be fetched. */
function _wanted(
  web: DicomWeb,
  study: string,
  all: readonly ListedSeries[],
  choices: readonly SeriesChoice[],
): ListedSeries[] {
  const what = `fetch study '${study}'`;
  const images = all.filter(({ modality }) => modality === "" || modality === "MR");
  if (images.length === 0) {
    const kinds = listed([...new Set(all.map(({ modality }) => modality))]);
    const hint = "give a study with MR series";
    throw pacsError(web.server, what, `it has no MR series, but ${kinds}`, { hint });
  }
  const isNamed = choices.length > 0 &&
    choices.every(({ plane, text }) => plane === undefined && isUid(text));
  if (!isNamed) return images;
  const named = choices.map(({ text }) => text);
  const missing = named.filter((uid) => !images.some(({ series }) => series === uid));
  if (missing.length === 0) return images.filter(({ series }) => named.includes(series));
  const found = `it has no MR series '${missing[0]}'`;
  const hint = `give some of ${listed(images.map(({ series }) => `'${series}'`))}`;
  throw pacsError(web.server, what, found, { hint });
}

/** Which study is fetched, and from where. */
export interface FetchOptions extends PacsOptions {
  /** The identifiers of the series that are fetched; of all MR series by default. */
  series?: readonly string[];
  /** Ends the fetching. */
  signal?: AbortSignal;
}

/** The options of fetching. */
const OPTION_NAMES: OptionNames<FetchOptions> = {
  url: true,
  credentials: true,
  limits: true,
  series: true,
  signal: true,
};

/** As in `verbs.ts`, where it is described. */
export async function fetchStudy(study: string, options: FetchOptions): Promise<GivenFile[]> {
  checkOptionNames("fetch a study", options, OPTION_NAMES);
  const series = options.series?.map((text) => ({ text }));
  return await fetchStudyFiles(openPacs(options), study, { ...options, series });
}
