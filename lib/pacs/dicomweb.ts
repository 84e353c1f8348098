/**
 * A DICOMweb service (PS3.18): QIDO-RS to find studies, series and instances, WADO-RS to fetch series, and
 * STOW-RS to store instances.
 */
import { concat } from "../bytes.ts";
import { readDicomIdentity } from "../imaging/dicom/identity.ts";
import { isUid } from "../imaging/dicom/uid.ts";
import { DataError, messageOf } from "../errors.ts";
import { type BodyPart, boundaryOf, type MultipartFault, MultipartReader } from "../multipart.ts";
import { shortened } from "../quoted.ts";
import { isDay } from "./day.ts";
import {
  type DicomJson,
  isTooLarge,
  itemsOf,
  numberOf,
  parseDicomJson,
  parseDicomJsonObject,
  textOf,
  TOO_LARGE,
} from "./dicom_json.ts";
import { exchange, pacsError, type PacsRequest, type PacsServer } from "./exchange.ts";

/** A study, as the PACS lists it. */
export interface ListedStudy {
  /** Study Instance UID. */
  study: string;
  /** Its day, as in `20260131`; empty if nothing is said. */
  date: string;
  /** What it is called; empty if nothing is said. */
  description: string;
}

/** A series, as the PACS lists it. */
export interface ListedSeries {
  /** Series Instance UID. */
  series: string;
  /** As in `MR`; empty if nothing is said. */
  modality: string;
  description: string;
  /** As in `KNEE`; empty if nothing is said. */
  bodyPart: string;
  /** How many instances it has, if that is said. */
  instances?: number;
}

/** An instance, as it is stored. */
export interface FetchedInstance {
  /** Study, series and SOP Instance UID. */
  study: string;
  series: string;
  instance: string;
  /** The DICOM file. */
  bytes: Uint8Array<ArrayBuffer>;
}

/** What ends a request, and what it may still take. */
export interface DicomWebOptions {
  signal?: AbortSignal;
}

/** Tags of the elements that are asked for and read. */
const TAG = {
  study: "0020000D",
  series: "0020000E",
  instance: "00080018",
  modality: "00080060",
  studyDate: "00080020",
  studyDescription: "00081030",
  seriesDescription: "0008103E",
  bodyPart: "00180015",
  seriesInstances: "00201209",
  stored: "00081199",
  failed: "00081198",
} as const;

const JSON_TYPE = "application/dicom+json";
const DICOM_TYPE = "application/dicom";
/** As they are stored: nothing is decoded on the way. */
const FILES_TYPE = `multipart/related; type="${DICOM_TYPE}"; transfer-syntax=*`;

const NO_SERVICE = "check that the address is that of a DICOMweb service";

/** The most bytes of a list, and of what is said of instances that were stored. */
const MAX_LIST_BYTES = 32 * 1024 * 1024;
/** So many studies are asked for at once, and so often. */
const PAGE = 200;
const MAX_PAGES = 500;

/** A DICOMweb service. */
export class DicomWeb {
  readonly server: PacsServer;

  /** @param server where it is, and who asks */
  constructor(server: PacsServer) {
    this.server = server;
  }

  /**
   * The studies with MR series.
   *
   * @param since the first day, as in `20260131`
   * @throws {PacsError} if the service cannot be reached, refuses, or answers with something else
   */
  async *studies(since: string, { signal }: DicomWebOptions = {}): AsyncGenerator<ListedStudy> {
    const seen = new Set<string>();
    for (let page = 0; page < MAX_PAGES; page++) {
      const query = new URLSearchParams({
        ModalitiesInStudy: "MR",
        StudyDate: `${since}-`,
        includefield: TAG.studyDescription,
        limit: `${PAGE}`,
        offset: `${page * PAGE}`,
      });
      const what = "list the studies";
      const listed = await this.#list({ what, path: "/studies", query, signal }, TAG.study);
      const fresh = listed.filter((each) => !seen.has(textOf(each, TAG.study)));
      for (const each of fresh) {
        const study = textOf(each, TAG.study);
        seen.add(study);
        const [date, description] = [TAG.studyDate, TAG.studyDescription].map((tag) =>
          textOf(each, tag)
        );
        yield { study, date: isDay(date) ? date : "", description };
      }
      // Some services know no pages and send the same again.
      if (listed.length < PAGE || fresh.length === 0) return;
    }
  }

  /**
   * The series of a study.
   *
   * @throws {PacsError} as {@linkcode studies}, and if there is no such study
   */
  async series(study: string, { signal }: DicomWebOptions = {}): Promise<ListedSeries[]> {
    const what = `find study '${study}'`;
    const query = new URLSearchParams();
    for (const tag of [TAG.seriesDescription, TAG.bodyPart, TAG.seriesInstances]) {
      query.append("includefield", tag);
    }
    const path = `/studies/${study}/series`;
    const listed = await this.#list({ what, path, query, signal }, TAG.series);
    if (listed.length > 0) {
      return listed.map((each) => ({
        series: textOf(each, TAG.series),
        modality: textOf(each, TAG.modality),
        description: textOf(each, TAG.seriesDescription),
        bodyPart: textOf(each, TAG.bodyPart),
        instances: numberOf(each, TAG.seriesInstances),
      }));
    }
    const hint = "check the Study Instance UID";
    throw pacsError(this.server, what, "it has no such study, or none that may be seen", { hint });
  }

  /**
   * The SOP Instance UIDs of a series.
   *
   * @throws {PacsError} as {@linkcode studies}
   */
  async instances(
    study: string,
    series: string,
    { signal }: DicomWebOptions = {},
  ): Promise<string[]> {
    const what = `list the instances of series '${series}'`;
    const path = `/studies/${study}/series/${series}/instances`;
    const listed = await this.#list({ what, path, signal }, TAG.instance);
    return listed.map((each) => textOf(each, TAG.instance));
  }

  /**
   * The files of a series, in the transfer syntax that they are stored in.
   *
   * @param room how many bytes and files are taken
   * @throws {PacsError} as {@linkcode studies}; also if a file is of another study or series than was asked
   *   for, or the answer ends before its end
   */
  async fetchSeries(
    study: string,
    series: string,
    { room: { bytes: most, files }, signal }: DicomWebOptions & {
      room: { bytes: number; files: number };
    },
  ): Promise<FetchedInstance[]> {
    const what = `fetch series '${series}'`;
    const path = `/studies/${study}/series/${series}`;
    const fail = (found: string, hint = "try again: its own log may say more") =>
      pacsError(this.server, what, found, { hint });
    const refuse = (fault: MultipartFault) => fail(_faultText(fault, files));
    let reader: MultipartReader | undefined;
    const begin = (type: string) => {
      const boundary = boundaryOf(type);
      if (!/^multipart\/related\b/i.test(type) || boundary === undefined) {
        throw fail(_unlike(type, "the files of a series"), NO_SERVICE);
      }
      const own = reader = new MultipartReader(boundary, { parts: files, named: false, refuse });
      return (bytes: Uint8Array) => own.scan(bytes);
    };
    const asked = { what, path, accept: FILES_TYPE, most, begin, signal };
    const answer = await exchange(this.server, asked);
    const parts = reader!.parts(answer.bytes);
    return await Promise.all(
      parts.map((part, index) => this.#instance(part, { index, study, series, fail })),
    );
  }

  /**
   * Stores instances in their study.
   *
   * @param files DICOM files of this study
   * @throws {PacsError} if the service cannot be reached, refuses any of them, or says nothing of them
   */
  async store(
    study: string,
    files: readonly Uint8Array[],
    { signal }: DicomWebOptions = {},
  ): Promise<void> {
    const count = `${files.length} ${files.length === 1 ? "file" : "files"}`;
    const what = `store ${count} in study '${study}'`;
    const boundary = `mrnet-${crypto.randomUUID()}`;
    const text = (line: string) => new TextEncoder().encode(line);
    const head = text(`--${boundary}\r\ncontent-type: ${DICOM_TYPE}\r\n\r\n`);
    const content = concat([
      ...files.flatMap((file) => [head, file, text("\r\n")]),
      text(`--${boundary}--\r\n`),
    ]);
    const type = `multipart/related; type="${DICOM_TYPE}"; boundary=${boundary}`;
    const answer = await exchange(this.server, {
      ...{ what, path: `/studies/${study}`, accept: JSON_TYPE, body: { type, content } },
      ...{ most: MAX_LIST_BYTES, signal },
    });
    const said = parseDicomJsonObject(answer.bytes);
    const [stored, failed] = said === undefined
      ? [0, 0]
      : [itemsOf(said, TAG.stored), itemsOf(said, TAG.failed)];
    if (failed === 0 && stored === files.length) return;
    const found = said === undefined
      ? isTooLarge(answer.bytes)
        ? `what it says of them is ${TOO_LARGE}`
        : "it does not say what it stored"
      : `it stored ${stored} of ${files.length} and refused ${failed}`;
    throw pacsError(this.server, what, found, { hint: "its own log says why" });
  }

  /** A list of datasets, each with an identifier in an element. */
  async #list(
    request: Omit<PacsRequest, "accept" | "most">,
    identifier: string,
  ): Promise<DicomJson[]> {
    const { status, type, bytes } = await exchange(this.server, {
      ...request,
      accept: JSON_TYPE,
      most: MAX_LIST_BYTES,
    });
    // No content: nothing was found.
    if (status === 204 || bytes.length === 0) return [];
    if (isTooLarge(bytes)) {
      const hint = "its own log says why";
      throw pacsError(this.server, request.what, `its list is ${TOO_LARGE}`, { hint });
    }
    const listed = parseDicomJson(bytes);
    if (listed?.every((each) => isUid(textOf(each, identifier)))) return listed;
    const found = listed === undefined
      ? _unlike(type, "a list in DICOM's JSON")
      : "its list has an entry without an identifier";
    throw pacsError(this.server, request.what, found, {
      hint: NO_SERVICE,
    });
  }

  /** A file of a series, if it is of the one that was asked for. */
  async #instance(
    { bytes }: BodyPart,
    { index, study, series, fail }: {
      index: number;
      study: string;
      series: string;
      fail: (found: string) => Error;
    },
  ): Promise<FetchedInstance> {
    try {
      const identity = await readDicomIdentity(bytes, `part ${index + 1}`);
      if (identity.study !== study || identity.series !== series) {
        const other = identity.study !== study ? "study" : "series";
        throw fail(`part ${index + 1} of its answer is of another ${other}`);
      }
      if (identity.instance === "") throw fail(`part ${index + 1} of its answer has no identifier`);
      return { study, series, instance: identity.instance, bytes };
    } catch (error) {
      if (error instanceof DataError) throw fail(messageOf(error));
      throw error;
    }
  }
}

/** Says what is wrong with the files of a series. */
function _faultText(fault: MultipartFault, files: number): string {
  if (fault === "too many parts") return `it sent more than ${files} files`;
  return fault === "no end" ? "its answer was cut short" : `its answer has ${fault}`;
}

/** Says what an answer is instead of what was asked for. */
function _unlike(type: string, wanted: string): string {
  const essence = type.split(";")[0].trim();
  const found = essence === "" ? "without a type" : `of type '${shortened(essence, 60)}'`;
  return `its answer is ${found}, not ${wanted}`;
}
