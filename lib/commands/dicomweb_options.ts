/** The options of the commands that ask a PACS. */
import type { GivenFile } from "../imaging/files.ts";
import type { SeriesChoice } from "../imaging/choose.ts";
import { PhaseTimer } from "../logs/progress.ts";
import { parseAddress } from "../pacs/address.ts";
import { Credentials, CREDENTIALS_VARIABLE, readCredentials } from "../pacs/credentials.ts";
import type { DicomWeb } from "../pacs/dicomweb.ts";
import type { PacsOptions } from "../pacs/pacs_options.ts";
import { option, text, UsageError } from "./arguments.ts";
import { endProgress, remark, showProgress } from "./console.ts";
import { isLoopback } from "./loopback.ts";

/** What was given of a PACS. */
export interface PacsGiven {
  dicomweb?: string;
  dicomweb_credentials?: string;
}

/** A study of one. */
export interface StudyGiven extends PacsGiven {
  study?: string;
  series?: readonly SeriesChoice[];
  store?: boolean;
}

/** What help says of the permission. */
export const DICOMWEB_PERMISSION =
  "with --dicomweb also --allow-net=HOST:PORT of the PACS, and FILE of the credentials in --allow-read";

/** What is said before the answer about a patient of a PACS. */
export const RESEARCH_ONLY = "Research only: not for diagnosis.";

/** `--dicomweb` and `--dicomweb_credentials`. */
export function dicomwebOptions() {
  return [
    option(
      "--dicomweb <URL>",
      "the DICOMweb service of a PACS, such as https://pacs.example.org/dicom-web",
      text,
    ),
    option(
      "--dicomweb_credentials <FILE>",
      `a file with USER:PASSWORD or a token for it (default: ${CREDENTIALS_VARIABLE})`,
      text,
    ),
  ] as const;
}

/** `--study`. */
export function studyOption() {
  return option(
    "--study <UID>",
    "the Study Instance UID of the study to fetch; needs --dicomweb",
    text,
  );
}

/**
 * The PACS that was given.
 *
 * @throws {OptionError} if its address or the credentials cannot be used
 */
export async function pacsOf(url: string, given: PacsGiven): Promise<DicomWeb> {
  const { openPacs } = await import("../pacs/open.ts");
  return openPacs(await pacsOptionsOf(url, given));
}

/**
 * The same as it is given to scripts.
 *
 * @throws {OptionError} if its address or the credentials cannot be used
 */
export async function pacsOptionsOf(
  url: string,
  { dicomweb_credentials: path }: PacsGiven,
): Promise<PacsOptions> {
  const credentials = path === undefined ? _fromEnvironment() : await readCredentials(path);
  const { protocol, hostname } = new URL(parseAddress(url));
  const isLocal = isLoopback(hostname.replace(/^\[|\]$/g, ""));
  if (credentials !== undefined && protocol === "http:" && !isLocal) {
    remark(
      "The credentials and the study are sent unencrypted: use an https: address if there is one.",
    );
  }
  return { url, credentials };
}

/** The environment is not asked for: who gives a file has no need of the permission. */
function _fromEnvironment(): string | undefined {
  const variable = CREDENTIALS_VARIABLE;
  const { state } = Deno.permissions.querySync({ name: "env", variable });
  const found = state === "granted" ? Deno.env.get(variable) : undefined;
  if (found === undefined || found === "") return undefined;
  Credentials.parse(found, variable);
  return found;
}

/**
 * Makes sure that the options go together.
 *
 * @throws {UsageError} if they do not
 */
export function checkPacsOptions(given: StudyGiven): void {
  if (given.dicomweb !== undefined) {
    if (given.study !== undefined) return;
    throw new UsageError("the following arguments are required: --study");
  }
  const odd = (["study", "dicomweb_credentials", "store"] as const).find((name) =>
    given[name] !== undefined
  );
  if (odd === undefined) return;
  throw new UsageError(`argument --${odd}: not allowed without argument --dicomweb`);
}

/** A study that was fetched, and where from; no files if none was given. */
export interface FetchedStudy {
  files: GivenFile[];
  web?: DicomWeb;
}

/**
 * Fetches the study that was given, if one was.
 *
 * @throws {PacsError} if the PACS cannot be reached, refuses, or answers with something else
 */
export async function fetchGivenStudy(given: StudyGiven): Promise<FetchedStudy> {
  const { dicomweb, study, series } = given;
  if (dicomweb === undefined || study === undefined) return { files: [] };
  const { fetchStudyFiles } = await import("../pacs/fetch_study.ts");
  const web = await pacsOf(dicomweb, given);
  const timer = new PhaseTimer();
  try {
    const files = await fetchStudyFiles(web, study, {
      series,
      onSeries(done, total) {
        const label = "fetch";
        showProgress({ label, done, total, unit: "series", ...timer.at(label, done) });
      },
    });
    return { files, web };
  } finally {
    endProgress();
  }
}
